//! Consoles that nobody here wrote, behind the door and in a browser: people sign in, do their work as if the door were
//! not there, are refused where their role ends, and learn of it when somebody else takes their place.

mod adminer;
mod django;
mod node_red;

use serde_json::Value;
use stagedoor_tests::{Browser, Door, soon};

const ELSEWHERE: &str = "127.0.0.2";

/// Checks that the browser is shown the door's refusal, and that the audit has it by the code on the page, with this rule.
async fn is_refused(browser: &Browser, door: &Door, rule: &str, target: &str, picture: &str) {
    browser
        .reads("Your account does not have the right to open this page or do this here.")
        .await;
    browser.screenshot(picture).await;
    let code = browser.find("dd.support").await.text().await.expect("a code to read");
    let time = browser.find(".facts time").await.attr("datetime").await;
    let event = refusal(door, &code).await;
    assert_eq!(event["kind"], "request.refused", "{event}");
    assert_eq!(event["reason"], "not_granted", "{event}");
    assert_eq!(event["rule"], rule, "{event}");
    assert_eq!(event["target"], target, "{event}");
    // The page is written right after the audit has its line; both in UTC, to the microsecond.
    let (shown, noted) = (
        time.expect("a page to read").expect("a time"),
        event["at"].as_str().expect("a time"),
    );
    assert!(noted <= shown.as_str(), "the page says {shown}, the audit {noted}");
}

/// What the audit has under a support code. Refusals are written in batches, so it may not be there at once.
async fn refusal(door: &Door, support_code: &str) -> Value {
    let query = format!("support_code={support_code}");
    soon("the refusal is in the audit", async || {
        door.admin().audit(&query).await.into_iter().next()
    })
    .await
}

/// A second browser, signed in to the same account at another address.
async fn elsewhere(door: &Door, site: &str, path: &str, account: &str) -> Browser {
    let second = Browser::open_at(ELSEWHERE, door).await;
    second.sign_in(door, site, path, account).await;
    second
}

/// Checks that who was there first is told at the next page that somebody signed in, from where and when, and that only
/// the second is still in.
async fn is_told_of_another_place(first: &Browser, second: &Browser, door: &Door, url: &str, account: &str) {
    first.go(url).await;
    let (day, time) = day_and_time_of_the_displacement(door, account).await;
    let told = format!("Somebody signed in to this account from another place: from {ELSEWHERE} at {day} ");
    first.reads(&told).await;
    first.reads(&time).await;
    first.find("input[name=password]").await;
    second.go(url).await;
    second.is_at(url).await;
    let sessions = door.admin().sessions(account).await;
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    assert_eq!(sessions[0]["address"], ELSEWHERE, "{sessions:?}");
}

/// By the audit: `22` and `2026, 17:03 (UTC)`.
async fn day_and_time_of_the_displacement(door: &Door, account: &str) -> (String, String) {
    let events = door
        .admin()
        .audit(&format!("event=session.displaced&account={account}"))
        .await;
    assert_eq!(events.len(), 1, "{events:?}");
    let at = events[0]["at"].as_str().expect("a time");
    let day = at[8..10].trim_start_matches('0').to_owned();
    (day, format!(" {}, {} (UTC)", &at[..4], &at[11..16]))
}

/// Checks that Chromium found nothing wrong with the pages of the site: no script blocked, no file missing. Django has no
/// icon for the tab, which Chromium asks for unbidden: there, and there alone, the console's 404 is as it should be.
async fn has_no_complaints(browser: &Browser) {
    let mut complaints = browser.complaints().await;
    complaints.retain(|line| !(line.contains("/favicon.ico ") && line.contains("status of 404")));
    assert!(complaints.is_empty(), "{complaints:#?}");
}
