//! Markup in whatever others can write: it is shown, never obeyed.

use stagedoor_identity::account::AccountChange;

use super::house::{by, roomy_rules};
use super::{Answer, House, PASSWORD};

const NASTY: &str = "<svg onload=alert(1)>\"'&";

#[track_caller]
fn is_harmless(page: &Answer) {
    assert!(!page.body.contains("<svg"), "{}", page.body);
    assert!(!page.body.contains("\"'&"), "{}", page.body);
}

#[tokio::test]
async fn markup_in_names_agents_titles_and_hosts_is_shown_as_text() {
    let house = House::with(roomy_rules(), NASTY).await;
    let alice = house.account("alice").await;
    let change = AccountChange {
        display_name: Some(NASTY.to_owned()),
        ..AccountChange::default()
    };
    house.door.change_account(alice.id, None, change, &by()).await.unwrap();
    let mut other = house.browser().saying("user-agent", NASTY);
    other.sign_in("alice", PASSWORD).await;
    let mut browser = house.signed_in("alice").await;
    browser.host = NASTY.to_owned();
    for page in [
        "profile",
        "profile/password",
        "profile/second-factor",
        "whoami",
        "logout",
        "login",
        "nothing",
    ] {
        let answer = browser.get(&format!("/.stagedoor/{page}")).await;
        assert!(
            answer.body.contains("&#60;svg onload=alert(1)&#62;"),
            "{page}: {}",
            answer.body
        );
        is_harmless(&answer);
    }
    let profile = browser.get("/.stagedoor/profile").await;
    let shown = profile.body.matches("&#60;svg onload=alert(1)&#62;").count();
    assert!(shown >= 5, "title twice, display name, agent and its button: {shown}");
}

#[tokio::test]
async fn markup_in_what_was_typed_comes_back_as_text() {
    let house = House::new().await;
    let mut browser = house.browser();
    let answer = browser.sign_in(NASTY, "x").await;
    answer.shows(401, "value=\"&#60;svg onload=alert(1)&#62;&#34;&#39;&#38;\"");
    is_harmless(&answer);
    let query = "/.stagedoor/login?to=/%3Cq%3E?%3Csvg%20onload=alert(1)%3E%22";
    is_harmless(&browser.get(query).await);
    let link = house.link.expose();
    let setup = browser.get(&format!("/.stagedoor/setup?token={link}")).await;
    let fields = [("username", NASTY), ("new_password", PASSWORD), ("repeat", PASSWORD)];
    let answer = browser.fill(&setup, "setup", &fields).await;
    answer.shows(422, "&#60;svg");
    is_harmless(&answer);
}
