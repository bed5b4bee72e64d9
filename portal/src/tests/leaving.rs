//! Signing out.

use serde_json::json;

use super::*;

#[tokio::test]
async fn signing_out_ends_the_session_and_clears_what_the_browser_keeps_of_the_console() {
    let stage = Stage::new().await;
    let alice = stage.account("alice").await;
    let mut browser = stage.signed_in("alice").await;
    browser.cookies.insert("consolesession".to_owned(), "x".to_owned());
    let stolen = browser.cookies["stagedoor"].clone();
    let answer = browser.fill_in("logout", "logout", &[]).await;
    assert!(
        answer.status == 200 && answer.says("You are signed out"),
        "{}",
        answer.text
    );
    assert_eq!(answer.header("clear-site-data"), "\"cache\", \"storage\"");
    assert!(!browser.cookies.contains_key("stagedoor") && !browser.cookies.contains_key("consolesession"));
    assert!(stage.door.sessions_of(alice.id).is_empty());
    let mut thief = stage.browser();
    thief.cookies.insert("stagedoor".to_owned(), stolen);
    assert_eq!(thief.get("profile").await.status, 303);
    assert!(thief.get("login").await.says("This session was signed out at"));
}

#[tokio::test]
async fn signing_out_twice_is_no_fault_and_a_stranger_loses_nothing() {
    let stage = Stage::new().await;
    let answer = stage.browser().post("logout", &[]).await;
    assert!(answer.status == 200 && answer.says("You are signed out"));
    assert!(answer.cookies().is_empty() && answer.header("clear-site-data").is_empty());
}

#[tokio::test]
async fn a_program_signs_out_by_json() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.signed_in("alice").await;
    let answer = browser.post_json("logout", &json!({})).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (200, json!({ "signed_out": true }))
    );
    assert!(!browser.cookies.contains_key("stagedoor"));
}

#[tokio::test]
async fn a_session_that_could_not_be_ended_is_not_said_to_be() {
    let stage = Stage::new().await;
    stage.account("alice").await;
    let mut browser = stage.signed_in("alice").await;
    stage.store.break_down("end_session");
    let answer = browser.fill_in("logout", "logout", &[]).await;
    assert_eq!(answer.status, 503);
    assert!(
        browser.cookies.contains_key("stagedoor"),
        "one can press the button again"
    );
}
