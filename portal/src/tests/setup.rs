//! The first account, made by the printed link.

use serde_json::json;
use stagedoor_identity::SessionToken;
use stagedoor_identity::testing::SeededChance;

use super::browser::Browser;
use super::{Answer, House, PASSWORD};

fn page(house: &House) -> String {
    format!("/.stagedoor/setup?token={}", house.link.expose())
}

async fn fill(browser: &mut Browser, page: &Answer, name: &str, password: &str) -> Answer {
    let fields = [("username", name), ("new_password", password), ("repeat", password)];
    browser.fill(page, "setup", &fields).await
}

#[tokio::test]
async fn the_printed_link_makes_one_account_of_its_role_and_is_used_up() {
    let house = House::new().await;
    let mut browser = house.browser();
    let form = browser.get(&page(&house)).await;
    form.shows(200, "Make the first account");
    assert_eq!(
        fill(&mut browser, &form, "root", PASSWORD).await.redirect(),
        "/.stagedoor/login"
    );
    assert_eq!(house.accounts().await, ["root"]);
    assert_eq!(fill(&mut browser, &form, "second", PASSWORD).await.status, 404);
    assert_eq!(browser.get(&page(&house)).await.status, 404);
    assert_eq!(house.accounts().await, ["root"]);
    let answer = browser.sign_in("root", PASSWORD).await;
    assert_eq!(
        answer.redirect(),
        "/.stagedoor/login/enrol",
        "the role asks for a second factor"
    );
}

#[tokio::test]
async fn a_wrong_or_missing_token_finds_no_such_page() {
    let house = House::new().await;
    let other = SessionToken::generate(&SeededChance::new(99));
    let cut = &house.link.expose()[..42];
    let mut browser = house.browser();
    for token in ["", "AAAA", other.expose(), cut, "%FF"] {
        let answer = browser.get(&format!("/.stagedoor/setup?token={token}")).await;
        answer.shows(404, "Nothing here");
    }
    assert_eq!(browser.get("/.stagedoor/setup").await.status, 404);
    let form = browser.get(&page(&house)).await;
    let token = form.token("setup");
    let fields = [
        ("csrf", token.as_str()),
        ("link", other.expose()),
        ("username", "mallory"),
        ("new_password", PASSWORD),
        ("repeat", PASSWORD),
    ];
    assert_eq!(browser.post("/.stagedoor/setup", &fields).await.status, 404);
    assert!(house.accounts().await.is_empty());
}

#[tokio::test]
async fn the_link_is_worth_nothing_once_there_is_an_account() {
    let house = House::new().await;
    let mut browser = house.browser();
    let form = browser.get(&page(&house)).await;
    house.account("alice").await;
    assert_eq!(browser.get(&page(&house)).await.status, 404);
    assert_eq!(fill(&mut browser, &form, "mallory", PASSWORD).await.status, 404);
    assert_eq!(house.accounts().await, ["alice"]);
}

#[tokio::test]
async fn what_is_wrong_with_name_or_password_is_told_and_the_link_stays_good() {
    let house = House::new().await;
    let mut browser = house.browser();
    let form = browser.get(&page(&house)).await;
    let answer = fill(&mut browser, &form, "root", "short").await;
    answer.shows(422, "12 characters");
    answer.shows(422, "value=\"root\"");
    fill(&mut browser, &form, "no spaces please", PASSWORD)
        .await
        .shows(422, "No account was made");
    let fields = [("username", "root"), ("new_password", PASSWORD), ("repeat", "else")];
    let answer = browser.fill(&form, "setup", &fields).await;
    answer.shows(422, "The new password confirmation does not match.");
    assert!(house.accounts().await.is_empty());
    let answer = fill(&mut browser, &answer, "root", PASSWORD).await;
    assert_eq!(answer.redirect(), "/.stagedoor/login");
}

#[tokio::test]
async fn a_store_that_fails_keeps_the_link_good() {
    let house = House::new().await;
    let mut browser = house.browser();
    let form = browser.get(&page(&house)).await;
    for operation in ["list_accounts", "create_account"] {
        house.store.break_down(operation);
        assert_eq!(
            fill(&mut browser, &form, "root", PASSWORD).await.status,
            503,
            "{operation}"
        );
        house.store.mend();
    }
    assert_eq!(
        fill(&mut browser, &form, "root", PASSWORD).await.redirect(),
        "/.stagedoor/login"
    );
}

#[tokio::test]
async fn two_who_hold_the_link_at_once_make_one_account() {
    let house = House::new().await;
    let (mut one, mut two) = (house.browser(), house.browser());
    let (first, second) = (one.get(&page(&house)).await, two.get(&page(&house)).await);
    let (first, second) = tokio::join!(
        fill(&mut one, &first, "root", PASSWORD),
        fill(&mut two, &second, "mallory", PASSWORD)
    );
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404]);
    assert_eq!(house.accounts().await.len(), 1);
}

#[tokio::test]
async fn another_site_or_a_program_cannot_send_the_form() {
    let house = House::new().await;
    let mut browser = house.browser();
    let form = browser.get(&page(&house)).await;
    let mut foreign = browser.clone().saying("origin", "https://evil.example");
    assert_eq!(fill(&mut foreign, &form, "mallory", PASSWORD).await.status, 403);
    let mut other = house.browser();
    other.get("/.stagedoor/login").await;
    assert_eq!(fill(&mut other, &form, "mallory", PASSWORD).await.status, 403);
    let body = json!({
        "link": house.link.expose(), "username": "mallory", "new_password": PASSWORD, "repeat": PASSWORD,
    });
    let answer = browser.json("/.stagedoor/setup", &body).await;
    assert_eq!(answer.told(), (415, "unsupported_media_type".to_owned()));
    assert!(house.accounts().await.is_empty());
}
