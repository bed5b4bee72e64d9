//! Who is killed, and when.

use super::*;

#[tokio::test]
async fn letters_that_wait_when_the_door_is_killed_arrive_exactly_once_after_it_is_opened_again() {
    let mut server = MailServer::new(Tls::None);
    let mut stage = Stage::open(&in_the_clear(server.port)).await;
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(stage.queue(&format!("ann{number}@example.org")).await);
    }
    stage.door.kill();
    server.start().await;
    stage.door.start().await;
    let letters = server.took_over(20).await;
    stage.none_waits().await;
    let counted = by_message_id(&server.letters());
    assert_eq!(letters.len(), 20);
    for id in ids {
        assert_eq!(counted.get(&format!("<{id}@mail.example>")), Some(&1), "{counted:?}");
    }
}

#[tokio::test]
async fn a_door_killed_in_the_middle_of_sending_loses_no_letter_and_says_which_it_sent_twice() {
    let server = MailServer::started(Tls::None).await;
    let mut stage = Stage::open(&in_the_clear(server.port)).await;
    let (mut ids, mut repeated) = (Vec::new(), 0);
    for round in 0..6 {
        for number in 0..10 {
            ids.push(stage.queue(&format!("ann{round}-{number}@example.org")).await);
        }
        // At another moment each round, while letters are under way.
        server.took_over(round * 7 + 1).await;
        stage.door.kill();
        stage.door.start().await;
    }
    stage.none_waits().await;
    repeated += stage.events("letter.repeated").await.len();
    let counted = by_message_id(&server.letters());
    for id in &ids {
        assert!(counted.contains_key(&format!("<{id}@mail.example>")), "lost: {id}");
    }
    let twice: usize = counted.values().map(|count| count - 1).sum();
    assert!(
        twice <= repeated,
        "{twice} were sent twice, {repeated} of which the audit knows"
    );
}

#[tokio::test]
async fn a_mail_server_killed_in_the_middle_gets_every_letter_once_it_is_back() {
    let mut server = MailServer::started(Tls::None).await;
    let stage = Stage::open(&in_the_clear(server.port)).await;
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(stage.queue(&format!("ann{number}@example.org")).await);
        if number == 10 {
            server.took_over(1).await;
            server.kill();
        }
    }
    server.start().await;
    stage.none_waits().await;
    let counted = by_message_id(&server.letters());
    assert_eq!(counted.len(), ids.len(), "{counted:?}");
    let twice: usize = counted.values().map(|count| count - 1).sum();
    assert!(twice <= stage.events("letter.repeated").await.len(), "{counted:?}");
}

#[tokio::test]
async fn a_letter_whose_answer_is_lost_goes_again_under_its_old_name_and_the_audit_says_so() {
    let server = Scripted::start(&[&[Line::HangUp(".")], &[]]).await;
    let url = format!("smtp://{}", server.address);
    let stage = Stage::open(&mail(&url, &format!("starttls = \"off\"\n{FAST}"))).await;
    stage.queue("ann@example.org").await;
    stage.none_waits().await;
    for header in ["Message-ID: ", "Date: "] {
        let mut heard = server.heard();
        heard.retain(|line| line.starts_with(header));
        assert_eq!(heard.len(), 2, "{heard:?}");
        assert_eq!(heard[0], heard[1], "the same each time");
    }
    assert_eq!(stage.events("letter.repeated").await.len(), 1);
    assert_eq!(stage.door.metric("stagedoor_letters_total", &["repeated"]).await, 1.0);
}

#[tokio::test]
async fn a_door_killed_while_it_waits_for_the_answer_to_a_letter_sends_it_again_under_its_old_name() {
    let server = Scripted::start(&[&[Line::FallSilent(".")], &[]]).await;
    let url = format!("smtp://{}", server.address);
    let mut stage = Stage::open(&mail(&url, &format!("starttls = \"off\"\n{FAST}"))).await;
    stage.queue("ann@example.org").await;
    soon("the letter is with the server", async || {
        (server.heard_of(".") == 1).then_some(())
    })
    .await;
    stage.door.kill();
    stage.door.start().await;
    stage.none_waits().await;
    let mut names = server.heard();
    names.retain(|line| line.starts_with("Message-ID: "));
    assert_eq!(names.len(), 2);
    assert_eq!(names[0], names[1]);
    assert_eq!(stage.events("letter.repeated").await.len(), 1);
}

#[tokio::test]
async fn a_door_that_is_asked_to_close_finishes_the_letter_that_is_under_way() {
    let server = MailServer::started(Tls::None).await;
    let mut stage = Stage::open(&in_the_clear(server.port)).await;
    for number in 0..10 {
        stage.queue(&format!("ann{number}@example.org")).await;
    }
    server.took_over(1).await;
    stage.door.process().signal(rustix::process::Signal::TERM);
    stage.door.process().end_within(PATIENCE);
    stage.door.start().await;
    server.took_over(10).await;
    stage.none_waits().await;
    assert!(by_message_id(&server.letters()).values().all(|count| *count == 1));
    assert!(stage.events("letter.repeated").await.is_empty());
}
