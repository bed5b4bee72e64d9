//! Inviting somebody, accepting, handing a role over, and passwords that were forgotten.

use stagedoor_identity::testing::SwappableLetterhead;
use stagedoor_policy::rules::HeldBy;

use super::accounts_forms::Form;
use super::accounts_house::{House, console_rules};
use super::*;

const INVITATION: [(&str, &str); 5] = [
    ("display_name", "Nora"),
    ("name", "nora_1"),
    ("role", "helper"),
    ("networks", ""),
    ("email", ""),
];

/// The path and the token of the link that a page shows.
fn link(page: &Page) -> String {
    assert_eq!(page.status, 200, "{}", page.text);
    let shown = page.between("<p class=\"typed\"><code>", "</code>");
    let link = shown.strip_prefix(&format!("http://{HOST}/.stagedoor/")).unwrap();
    assert!(link.starts_with("invitation?token="), "{link}");
    link.to_owned()
}

async fn accept(browser: &mut Browser<'_>, link: &str, first: &str, second: &str) -> Page {
    let token = link.split_once('=').unwrap().1.to_owned();
    let fields = [("token", token.as_str()), ("new_password", first), ("repeat", second)];
    browser.fill_in("login", "invitation", &fields).await
}

#[tokio::test]
async fn an_invitation_is_shown_once_accepted_with_a_password_and_then_used_up() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let invited = browser.fill_in("accounts/invite", "accounts/invite", &INVITATION).await;
    let link = link(&invited);
    let listed = browser.get("accounts?name=Nora").await;
    assert!(listed.says("invited until") && !listed.says(&link), "{}", listed.text);
    let mut nora = house.stage.browser();
    let page = nora.get(&link).await;
    assert!(
        page.says("Accept the invitation") && page.says("nora_1"),
        "{}",
        page.text
    );
    let differs = accept(&mut nora, &link, OTHER_PASSWORD, "another").await;
    assert!(differs.status == 422 && differs.says("The new password confirmation does not match."));
    let unfit = accept(&mut nora, &link, "short", "short").await;
    assert!(unfit.status == 422 && unfit.says("at least"), "{}", unfit.text);
    let accepted = accept(&mut nora, &link, OTHER_PASSWORD, OTHER_PASSWORD).await;
    assert_eq!(
        (accepted.status.as_u16(), accepted.location()),
        (303, "/"),
        "{}",
        accepted.text
    );
    assert_eq!(nora.get("profile").await.status, 200, "signed in");
    assert!(browser.get("accounts?name=Nora").await.says("active"));
    for again in [
        house.stage.browser().get(&link).await,
        accept(&mut house.stage.browser(), &link, PASSWORD, PASSWORD).await,
    ] {
        assert!(
            again.status == 410 && again.says("This link has been used"),
            "{}",
            again.text
        );
        assert!(!again.says("nora_1"), "a dead link says nothing of whose it was");
    }
}

#[tokio::test]
async fn a_link_that_never_was_one_is_dead_and_nothing_else() {
    let house = House::new().await;
    let long = "A".repeat(5000);
    for token in ["", "x", "AAAA", "%00", "%3Csvg%3E", &"A".repeat(43), &long] {
        for page in ["invitation", "reset"] {
            let answer = house.stage.browser().get(&format!("{page}?token={token}")).await;
            let plain = page == "reset" && token.is_empty();
            assert_eq!(answer.status, if plain { 404 } else { 410 }, "{page} {token}");
            assert!(!answer.says("<svg"), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn an_invitation_sent_again_takes_the_worth_of_the_former_link() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let first = link(&browser.fill_in("accounts/invite", "accounts/invite", &INVITATION).await);
    let id = browser
        .get("accounts?name=Nora")
        .await
        .between("scope=\"row\"><a href=\"/.stagedoor/", "\"");
    assert!(browser.get(&id).await.says("Resend invitation"));
    let second = link(
        &browser
            .fill_in(&id, &format!("{id}/invitation"), &[("version", "1")])
            .await,
    );
    assert_ne!(first, second);
    assert_eq!(house.stage.browser().get(&first).await.status, 410);
    assert_eq!(house.stage.browser().get(&second).await.status, 200);
    accept(&mut house.stage.browser(), &second, OTHER_PASSWORD, OTHER_PASSWORD).await;
    assert!(!browser.get(&id).await.says("Resend invitation"));
    let again = browser
        .fill_in(&id, &format!("{id}/invitation"), &[("version", "1")])
        .await;
    assert!(
        again.status == 409 && again.says("has been accepted already"),
        "{}",
        again.text
    );
}

#[tokio::test]
async fn an_invitation_tells_every_fault_at_once_and_gives_no_role_that_is_not_ones_own_to_give() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let wrong = [
        ("display_name", ""),
        ("name", "No"),
        ("role", "general"),
        ("networks", "10.0.0.0"),
        ("email", "a@b@c"),
    ];
    let page = browser.fill_in("accounts/invite", "accounts/invite", &wrong).await;
    assert_eq!(page.status, 422);
    for words in [
        "Please enter a name within 20 characters.",
        "Please start with a lowercase letter",
        "The IP address format is invalid.",
        "name@example.org",
        "a@b@c",
    ] {
        assert!(page.says(words), "{words} is not in {}", page.text);
    }
    let taken: Form<'_> = INVITATION
        .into_iter()
        .map(|(field, value)| (field, if field == "name" { "root2" } else { value }))
        .collect();
    let page = browser.fill_in("accounts/invite", "accounts/invite", &taken).await;
    assert!(
        page.status == 409 && page.says("The same ID already exists."),
        "{}",
        page.text
    );
    let mut helper = house.stage.signed_in("helper1").await;
    let page = helper.fill_in("accounts/invite", "accounts/invite", &INVITATION).await;
    assert!(page.status == 403 && page.says("Permission denied"), "{}", page.text);
}

#[tokio::test]
async fn the_head_hands_over_after_a_question_and_both_are_signed_out() {
    let mut rules = console_rules();
    let head = stagedoor_policy::rules::RoleRules {
        administers: vec!["*".to_owned()],
        held_by: HeldBy::One,
        handed_to: Some(vec!["super".to_owned()]),
        ..stagedoor_policy::rules::RoleRules::default()
    };
    rules.roles.insert("head".to_owned(), head);
    let house = House::with(rules).await;
    let head = super::accounts_house::named(&house.stage, "head_1", "Hanna Head", "head").await;
    let mut heir = house.stage.signed_in("root2").await;
    let mut browser = house.stage.signed_in("head_1").await;
    let page = format!("accounts/{}/hand-over", house.id("root2"));
    let asked = browser.get(&page).await;
    assert!(asked.says("Hand your role over?"), "{}", asked.text);
    let unfit = format!("accounts/{}/hand-over", house.id("helper1"));
    assert_eq!(browser.get(&unfit).await.status, 409);
    assert_eq!(browser.fill_in("logout", &unfit, &[("version", "1")]).await.status, 409);
    let refused = heir.fill_in("logout", &page, &[("version", "1")]).await;
    assert_eq!(refused.status, 403, "nobody takes it");
    let done = browser.fill_in(&page, &page, &[("version", "1")]).await;
    assert_eq!(done.location(), "/.stagedoor/login", "{}", done.text);
    assert_eq!(house.read(&house.root2).await.unwrap().role, "head");
    assert_eq!(house.read(&head).await.unwrap().role, "super");
    for browser in [&mut browser, &mut heir] {
        assert_eq!(browser.get("accounts").await.status, 303);
    }
}

#[tokio::test]
async fn whoever_asks_for_a_reset_is_told_the_same_for_every_address() {
    let house = House::new().await;
    assert!(!house.stage.browser().get("login").await.says("Reset password"));
    assert_eq!(
        house.stage.browser().get("reset").await.status,
        404,
        "no letters, no such page"
    );
    house.stage.letterhead.swap(Some(SwappableLetterhead::sample()));
    assert!(
        house
            .stage
            .browser()
            .get("login")
            .await
            .says("href=\"/.stagedoor/reset\"")
    );
    let change = stagedoor_identity::account::AccountChange {
        email: Some(Some("gero@example.org".to_owned())),
        ..Default::default()
    };
    house
        .stage
        .door
        .change_account(house.general.id, None, change, &cli())
        .await
        .unwrap();
    let mut texts = Vec::new();
    for email in ["gero@example.org", "nobody@example.org", "no address", "<svg>@\"'"] {
        let mut browser = house.stage.browser();
        let answer = browser.fill_in("reset", "reset/ask", &[("email", email)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        texts.push(answer.text.replace(&answer.token(), ""));
    }
    texts.dedup();
    assert_eq!(texts.len(), 1);
    assert!(texts[0].contains("If there is an account with this address"));
}

#[tokio::test]
async fn a_link_is_not_redeemed_by_a_page_of_another_site_nor_without_its_token() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let link = link(&browser.fill_in("accounts/invite", "accounts/invite", &INVITATION).await);
    let token = link.split_once('=').unwrap().1;
    let mut stranger = house.stage.browser();
    stranger.get(&link).await;
    for page in ["invitation", "reset"] {
        let fields = [
            ("token", token),
            ("new_password", OTHER_PASSWORD),
            ("repeat", OTHER_PASSWORD),
        ];
        assert_eq!(stranger.post(page, &fields).await.status, 403, "{page}");
    }
    assert_eq!(
        stranger.post("reset/ask", &[("email", "a@example.org")]).await.status,
        403
    );
    assert_eq!(house.stage.browser().get(&link).await.status, 200, "still good");
}
