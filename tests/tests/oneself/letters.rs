//! The letters about oneself, through a real mail server: another address, and the warning before a ban.

use std::time::Duration;

use serde_json::json;
use stagedoor_tests::mail::{MailServer, Received, Tls};
use stagedoor_tests::{Door, FakeConsole, PASSWORD, eventually};

use super::fill_in;

/// Banned after an hour, warned from its first second on.
const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\n[role.keeper]\nmay = { \"*\" = \"all\" }\n\
                      [role.guest]\ninactivity_exempt = true\n[inactivity]\nblock_after = \"3600s\"\nwarn_before = \"3599s\"\n";
/// The keeper looks every ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);

async fn open(server: &MailServer) -> (Door, FakeConsole) {
    let console = FakeConsole::start().await;
    let mail = format!(
        "[mail]\nurl = \"smtp://127.0.0.1:{}\"\nstarttls = \"off\"\nfrom = \"door@mail.example\"\n\
         public_url = \"https://console.example\"\nretry_after = \"1s\"\n",
        server.port
    );
    let plan = Door::plan()
        .site("console", &console.url())
        .policy(POLICY)
        .building(&mail);
    (plan.open().await, console)
}

async fn add(door: &Door, name: &str, role: &str) {
    let account = json!({
        "name": name, "password": PASSWORD, "password_temporary": false, "role": role,
        "email": format!("{name}@mail.example"),
    });
    door.admin().add(account).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_is_confirmed_by_the_letter_that_went_to_it_and_the_former_is_told() {
    let server = MailServer::started(Tls::None).await;
    let (door, _console) = open(&server).await;
    add(&door, "ada", "guest").await;
    let ada = door.signed_in("console", "ada").await;
    let wish = [("email", "countess@mail.example"), ("current_password", PASSWORD)];
    fill_in(&ada, "/.stagedoor/profile/email", &wish).await.expect(303);
    let letter = server.took_over(1).await.remove(0);
    assert_eq!(letter.to(), "countess@mail.example");
    assert_eq!(
        door.admin().account("ada").await["email"],
        "ada@mail.example",
        "not yet"
    );
    let link = letter.link();
    let page = link
        .strip_prefix("https://console.example")
        .expect("the door's own address");
    let token = page.split_once("token=").expect("a token").1;
    let reader = door.visitor("console");
    for _ in 0..2 {
        reader.get(page).await.expect(200);
    }
    assert_eq!(
        door.admin().account("ada").await["email"],
        "ada@mail.example",
        "looking confirms nothing"
    );
    let shown = reader.get(page).await.expect(200).text();
    let csrf = shown
        .split_once("name=\"csrf\" value=\"")
        .expect("a form")
        .1
        .split('"')
        .next()
        .unwrap_or_default();
    let form = format!("csrf={csrf}&token={token}");
    let post = || {
        let request = http::Request::post("/.stagedoor/email").header("content-type", super::FORM);
        request.body(stagedoor_tests::body_of(form.clone())).expect("a request")
    };
    reader.send(post()).await.expect(200);
    assert_eq!(door.admin().account("ada").await["email"], "countess@mail.example");
    reader.send(post()).await.expect(410);
    let told = server.took_over(2).await.remove(1);
    assert_eq!(told.to(), "ada@mail.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stays_away_is_warned_by_a_letter_once_and_who_is_exempt_never() {
    let server = MailServer::started(Tls::None).await;
    let (mut door, _console) = open(&server).await;
    add(&door, "ada", "keeper").await;
    add(&door, "gus", "guest").await;
    let warned = async |door: &Door, count: usize| {
        eventually("the warning is in the audit", PATIENCE, async || {
            let events = door.admin().audit("event=account.warned").await;
            (events.len() >= count).then_some(events)
        })
        .await
    };
    let events = warned(&door, 1).await;
    assert_eq!(events[0]["account"], "ada");
    assert_eq!(server.took_over(1).await.remove(0).to(), "ada@mail.example");
    door.kill();
    door.start().await;
    // A later account's warning tells that the round after the restart has been made.
    add(&door, "zoe", "keeper").await;
    let events = warned(&door, 2).await;
    assert_eq!((events.len(), &events[0]["account"]), (2, &json!("zoe")));
    let letters = server.took_over(2).await;
    let to: Vec<&str> = letters.iter().map(Received::to).collect();
    assert_eq!(to, ["ada@mail.example", "zoe@mail.example"]);
}
