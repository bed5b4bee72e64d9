//! `stagedoor mail`: what is said to the operator.

use std::process::Output;

use super::*;

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn a_trial_says_each_step_and_arrives_though_the_door_is_closed() {
    let mut server = MailServer::new(Tls::StartTls).with_sign_in();
    server.start().await;
    let (plan, _console) = plan(&signed_in("smtp", server.port)).await;
    let door = plan.prepare();
    std::fs::copy(server.certificate(), door.folder().join("mail.ca")).expect("a file");
    std::fs::write(door.folder().join("mail.password"), MAIL_PASSWORD).expect("a file");
    let output = door.command(&["mail", "test", "--to", "ann@example.org"]);
    let told = said(&output);
    assert!(output.status.success(), "{told}");
    for step in [
        "connecting",
        "securing the connection",
        "signing in",
        "naming the recipient",
        "has taken the letter over",
    ] {
        assert!(told.contains(step), "{step}: {told}");
    }
    assert!(!told.contains(MAIL_PASSWORD));
    assert_eq!(server.letters()[0].to(), "ann@example.org");

    let refused = door.command(&["mail", "test", "--to", "nobody@example.org"]);
    let told = said(&refused);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        told.contains("while naming the recipient") && told.contains("no such user here"),
        "{told}"
    );

    std::fs::write(door.folder().join("mail.password"), "guessed").expect("a file");
    let told = said(&door.command(&["mail", "test", "--to", "ann@example.org"]));
    assert!(
        told.contains("while signing in") && told.contains("password_file"),
        "{told}"
    );
    assert!(!told.contains("guessed"), "{told}");

    server.kill();
    let told = said(&door.command(&["mail", "test", "--to", "ann@example.org"]));
    assert!(told.contains("while connecting"), "{told}");
}

#[tokio::test]
async fn without_a_mail_server_or_an_address_a_trial_says_what_is_missing() {
    let (plan, _console) = plan("").await;
    let door = plan.prepare();
    let output = door.command(&["mail", "test", "--to", "ann@example.org"]);
    assert_eq!(output.status.code(), Some(64), "{}", said(&output));
    assert!(
        said(&output).contains("no mail server is configured"),
        "{}",
        said(&output)
    );
    let server = MailServer::new(Tls::None);
    let (plan, _console) = super::plan(&in_the_clear(server.port)).await;
    let door = plan.prepare();
    for to in ["ann", "a@b, c@d", "a@b\r\nRCPT TO:<eve@example.org>"] {
        let output = door.command(&["mail", "test", "--to", to]);
        assert_eq!(output.status.code(), Some(2), "{to:?}: {}", said(&output));
    }
}

#[tokio::test]
async fn what_waits_is_listed_with_the_reason() {
    let server = MailServer::new(Tls::None);
    let stage = Stage::open(&in_the_clear(server.port)).await;
    assert!(said(&stage.door.command(&["mail", "waiting"])).contains("No letter waits."));
    let queued = stage
        .door
        .command(&["mail", "test", "--to", "ann@example.org", "--queue"]);
    assert!(queued.status.success(), "{}", said(&queued));
    stage.why_it_waits().await;
    let told = said(&stage.door.command(&["mail", "waiting"]));
    assert!(told.contains("ann@example.org") && told.contains("trial"), "{told}");
    let json = stage.door.command(&["mail", "waiting", "--output", "json"]);
    assert!(said(&json).contains("while connecting"), "{}", said(&json));
}
