//! Adminer behind the door: rows for everybody, structure for few.

use stagedoor_tests::console::Adminer;
use stagedoor_tests::{Browser, Door};

use super::{elsewhere, has_no_complaints, is_refused, is_told_of_another_place};

const POLICY: &str = r#"
[site.adminer.areas]
rows = { paths = ["/editor/**"] }
structure = { paths = ["/adminer/**"] }

[role.clerk]
may = { rows = "manage", structure = "none" }

[role.builder]
may = { "*" = "manage" }
"#;
const FIRST_ROW: &str = "/editor/?sqlite=&username=&edit=guest&where%5Bid%5D=1";

#[tokio::test(flavor = "multi_thread")]
async fn a_row_saved_in_adminer_behind_the_door_is_in_the_database() {
    let (adminer, door) = open().await;
    let browser = Browser::open().await;
    enter(&browser, &door, "clerk").await;
    browser.go(&door.url("adminer", FIRST_ROW)).await;
    browser.fill("[name='fields[name]']", "Ada, Countess of Lovelace").await;
    browser.press("input[type=submit][value=Save]").await;
    browser.reads("Item has been updated.").await;
    browser.reads("Ada, Countess of Lovelace").await;
    browser.screenshot("adminer-row-saved").await;
    assert_eq!(adminer.guest(1), "Ada, Countess of Lovelace");
    assert_eq!(adminer.guest(2), "Grace");
    has_no_complaints(&browser).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_may_not_enter_the_structure_and_a_builder_may() {
    let (_adminer, door) = open().await;
    let browser = Browser::open().await;
    browser.sign_in(&door, "adminer", "/editor/", "clerk").await;
    browser.go(&door.url("adminer", "/adminer/")).await;
    is_refused(
        &browser,
        &door,
        "role.clerk.may.structure",
        "GET /adminer/",
        "adminer-refused",
    )
    .await;
    // However the path is spelled.
    browser.go(&door.url("adminer", "/editor/..%2fadminer/")).await;
    browser.find("dd.support").await;
    browser.close().await;

    let builder = Browser::open().await;
    builder.sign_in(&door, "adminer", "/adminer/", "builder").await;
    builder.reads("System").await;
    has_no_complaints(&builder).await;
    builder.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_displaced_in_adminer_learns_from_where() {
    let (adminer, door) = open().await;
    let first = Browser::open().await;
    enter(&first, &door, "clerk").await;
    first.go(&door.url("adminer", FIRST_ROW)).await;
    first.fill("[name='fields[name]']", "Nobody").await;
    let second = elsewhere(&door, "adminer", "/editor/", "clerk").await;
    // What was typed and not saved goes nowhere.
    first.press("input[type=submit][value=Save]").await;
    first
        .reads("Somebody signed in to this account from another place")
        .await;
    first.screenshot("adminer-displaced").await;
    assert_eq!(adminer.guest(1), "Ada");
    is_told_of_another_place(&first, &second, &door, &door.url("adminer", "/editor/"), "clerk").await;
    second.close().await;
    first.close().await;
}

async fn open() -> (Adminer, Door) {
    let adminer = Adminer::start().await;
    let door = Door::plan().site("adminer", &adminer.url()).policy(POLICY).open().await;
    for role in ["clerk", "builder"] {
        door.admin().add_account(role, role).await;
    }
    (adminer, door)
}

/// Signs in at the door, and then to the Editor, which has a session of its own.
async fn enter(browser: &Browser, door: &Door, name: &str) {
    browser.sign_in(door, "adminer", "/editor/", name).await;
    browser.press("input[type=submit][value=Login]").await;
    browser.is_at(&door.url("adminer", "/editor/?sqlite=&username=")).await;
    browser.reads("guest").await;
}
