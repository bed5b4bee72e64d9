//! Somebody signed in: their account, their password, their sessions, the way out, and what the door sees of them.

use super::house::roomy_rules;
use super::{House, PASSWORD};

const PROFILE: &str = "/.stagedoor/profile";
const NEW: &str = "rain on a tin roof";

#[tokio::test]
async fn the_profile_shows_ones_own_account_and_where_one_is_signed_in() {
    let house = House::with(roomy_rules(), "Stagedoor").await;
    house.account("alice").await;
    let firefox = "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0";
    let mut phone = house.browser().from("198.51.100.7").saying("user-agent", firefox);
    phone.sign_in("alice", PASSWORD).await;
    let mut browser = house.signed_in("alice").await;
    let page = browser.get(PROFILE).await;
    page.shows(200, "Firefox on Windows");
    for text in [
        "alice",
        "viewer",
        "192.0.2.1",
        "198.51.100.7",
        "This session",
        "1 January 2026, 00:00 (UTC)",
    ] {
        page.shows(200, text);
    }
}

#[tokio::test]
async fn pages_of_ones_own_lead_a_stranger_to_sign_in_and_back() {
    let house = House::new().await;
    house.account("alice").await;
    for page in ["profile", "profile/password", "profile/second-factor"] {
        let mut browser = house.browser();
        let wanted = format!("/.stagedoor/{page}");
        let answer = browser.get(&wanted).await;
        assert_eq!(answer.redirect(), format!("/.stagedoor/login?to={wanted}"));
        let login = browser.get(answer.redirect()).await;
        let fields = [("username", "alice"), ("password", PASSWORD)];
        assert_eq!(browser.fill(&login, "login", &fields).await.redirect(), wanted);
    }
}

#[tokio::test]
async fn changing_the_password_needs_the_old_one_and_ends_the_other_sessions() {
    let house = House::with(roomy_rules(), "Stagedoor").await;
    house.account("alice").await;
    let mut other = house.signed_in("alice").await;
    let mut browser = house.signed_in("alice").await;
    let page = browser.get("/.stagedoor/profile/password").await;
    for (current, new, repeat, status, told) in [
        ("wrong wrong wrong", NEW, NEW, 401, "The current password is wrong."),
        (
            PASSWORD,
            NEW,
            "else",
            422,
            "The new password confirmation does not match.",
        ),
        (PASSWORD, "", "", 422, "Please enter a new password."),
        (PASSWORD, "short", "short", 422, "use at least 12 characters"),
        (&"x".repeat(5000), NEW, NEW, 401, "The current password is wrong."),
    ] {
        let fields = [("current_password", current), ("new_password", new), ("repeat", repeat)];
        browser
            .fill(&page, "profile/password", &fields)
            .await
            .shows(status, told);
    }
    other.get(PROFILE).await.shows(200, "alice");
    let fields = [("current_password", PASSWORD), ("new_password", NEW), ("repeat", NEW)];
    let answer = browser.fill(&page, "profile/password", &fields).await;
    assert_eq!(answer.redirect(), PROFILE);
    browser.get(PROFILE).await.shows(200, "Your password is changed.");
    let again = browser.get(PROFILE).await;
    assert!(!again.body.contains("Your password is changed."), "it is said once");
    other
        .get("/.stagedoor/login")
        .await
        .shows(200, "The password or the second factor of this account was changed");
    house.browser().sign_in("alice", PASSWORD).await.shows(401, "is wrong");
    house.signed_in_with("alice", NEW).await;
}

#[tokio::test]
async fn one_may_end_ones_own_other_sessions_one_or_all() {
    let house = House::with(roomy_rules(), "Stagedoor").await;
    let alice = house.account("alice").await;
    for _ in 0..3 {
        house.signed_in("alice").await;
    }
    let mut browser = house.signed_in("alice").await;
    let page = browser.get(PROFILE).await;
    let ended = browser.fill(&page, "profile/sessions", &[]).await;
    assert_eq!(ended.redirect(), PROFILE);
    browser.get(PROFILE).await.shows(200, "That session has ended.");
    assert_eq!(house.door.sessions_of(alice.id).len(), 3);
    let token = page.token("profile/sessions");
    browser
        .post("/.stagedoor/profile/sessions", &[("csrf", &token), ("end", "others")])
        .await;
    browser.get(PROFILE).await.shows(200, "2 other sessions have ended.");
    assert_eq!(house.door.sessions_of(alice.id).len(), 1);
    browser.get(PROFILE).await.shows(200, "This session");
}

#[tokio::test]
async fn nobody_can_end_the_session_of_somebody_else() {
    let house = House::with(roomy_rules(), "Stagedoor").await;
    let bob = house.account("bob").await;
    house.account("alice").await;
    let mut victim = house.signed_in("bob").await;
    let id = house.door.sessions_of(bob.id)[0].id.0.to_string();
    let mut browser = house.signed_in("alice").await;
    let page = browser.get("/.stagedoor/logout").await;
    let token = page.token("logout");
    let fields = [("csrf", token.as_str()), ("end", id.as_str())];
    let answer = browser.post("/.stagedoor/profile/sessions", &fields).await;
    assert_eq!(answer.redirect(), PROFILE);
    browser.get(PROFILE).await.shows(200, "There was no other session.");
    victim.get(PROFILE).await.shows(200, "bob");
}

#[tokio::test]
async fn signing_out_ends_the_session_and_leaves_nothing_to_the_next_person() {
    let house = House::new().await;
    let alice = house.account("alice").await;
    let mut browser = house.signed_in("alice").await;
    browser.cookies.insert("PHPSESSID".to_owned(), "console".to_owned());
    let token = browser.cookies["__Host-stagedoor"].clone();
    let page = browser.get("/.stagedoor/logout").await;
    assert_eq!(
        house.door.sessions_of(alice.id).len(),
        1,
        "looking at the button does nothing"
    );
    let answer = browser.fill(&page, "logout", &[]).await;
    answer.shows(200, "You are signed out");
    assert_eq!(answer.header("clear-site-data"), "\"cache\", \"storage\"");
    for gone in ["__Host-stagedoor", "__Host-stagedoor-step", "PHPSESSID"] {
        assert!(answer.cookie(gone).unwrap().contains("Max-Age=0"), "{gone}");
    }
    assert!(house.door.sessions_of(alice.id).is_empty());
    let mut thief = house.browser();
    thief.cookies.insert("__Host-stagedoor".to_owned(), token);
    assert_eq!(thief.get("/.stagedoor/").await.redirect(), "/.stagedoor/login");
}

#[tokio::test]
async fn a_sign_out_that_the_store_refused_is_not_called_one() {
    let house = House::new().await;
    house.account("alice").await;
    let mut browser = house.signed_in("alice").await;
    let page = browser.get("/.stagedoor/logout").await;
    house.store.break_down("end_session");
    let answer = browser.fill(&page, "logout", &[]).await;
    answer.shows(503, "Not right now");
    assert!(answer.cookie("__Host-stagedoor").is_none());
}

#[tokio::test]
async fn a_sign_out_without_a_session_clears_nothing() {
    let house = House::new().await;
    let mut browser = house.browser();
    browser.cookies.insert("PHPSESSID".to_owned(), "console".to_owned());
    let answer = browser.post("/.stagedoor/logout", &[]).await;
    answer.shows(200, "You are signed out");
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 0);
    assert_eq!(answer.header("clear-site-data"), "");
}

#[tokio::test]
async fn whoami_tells_what_the_door_sees_to_people_and_to_programs() {
    let house = House::new().await;
    house.account("alice").await;
    let mut stranger = house.browser().from("198.51.100.7");
    stranger.get("/.stagedoor/whoami").await.shows(200, "Not signed in");
    let mut browser = house.signed_in("alice").await;
    browser
        .get("/.stagedoor/whoami")
        .await
        .shows(200, "https://console.example");
    let seen = browser
        .saying("accept", "application/json")
        .get("/.stagedoor/whoami")
        .await
        .as_json();
    let expected = serde_json::json!({
        "address": "192.0.2.1", "account": "alice", "role": "viewer", "site": "main", "channel": "browser",
        "session_expires_at": "2026-01-01T12:00:00.000000Z", "scheme": "https", "host": "console.example",
    });
    assert_eq!(seen, expected);
    let seen = stranger
        .saying("accept", "*/*")
        .get("/.stagedoor/whoami")
        .await
        .as_json();
    assert_eq!(seen["address"], "198.51.100.7");
    assert_eq!(seen["account"], serde_json::Value::Null);
}
