//! What people change about themselves on the profile page.

use std::collections::BTreeMap;

use stagedoor_identity::account::AccountChange;
use stagedoor_policy::rules::{MessageKey, PreferenceRules};

use super::*;

const DETAILS: &str = "profile/details";
const NAME: &str = "profile/name";
const EMAIL: &str = "profile/email";

/// A landing page and a number of events, and sentences of the policy's own.
fn own_rules() -> Rules {
    let mut rules = rules();
    let preference = |title: &str, choices: [&str; 2]| PreferenceRules {
        choices: choices.map(str::to_owned).to_vec(),
        default: choices[1].to_owned(),
        title: Some(title.to_owned()),
        ..PreferenceRules::default()
    };
    rules.preferences = [
        (
            "landing".to_owned(),
            preference("Landing page", ["calendar", "dashboard"]),
        ),
        ("events".to_owned(), preference("Events per day", ["3", "5"])),
    ]
    .into();
    rules.account.display_name_at_most = 20;
    for (key, sentence) in [
        (
            MessageKey::DisplayNameUnfit,
            "Please enter a name within 20 characters.",
        ),
        (MessageKey::NameUnfit, "Please start with a lowercase letter."),
        (MessageKey::NameTaken, "The same ID already exists."),
    ] {
        rules.messages.insert(key, sentence.to_owned());
    }
    rules
}

async fn house() -> Stage {
    let stage = Stage::with(own_rules()).await;
    stage.account("alice").await;
    stage
}

impl Stage {
    fn sends_letters(&self) {
        self.letterhead.swap(Some(SwappableLetterhead::sample()));
    }

    async fn read(&self, name: &str) -> Account {
        let name = AccountName::parse(name).unwrap();
        self.door.store().account_by_name(&name).await.unwrap().unwrap()
    }

    /// To whom the one letter goes that waits, and the token of its link.
    async fn letter(&self) -> (String, String) {
        let mut due = self
            .door
            .due_letters("test", Duration::from_secs(60), 10)
            .await
            .unwrap();
        assert_eq!(due.len(), 1);
        let (letter, opened) = due.remove(0);
        let token = opened
            .rendered
            .text
            .split_once("email?token=")
            .map(|(_, rest)| rest.chars().take(43).collect());
        (letter.letter.to, token.unwrap_or_default())
    }
}

fn details<'a>(version: &'a str, name: &'a str, landing: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("version", version),
        ("display_name", name),
        ("preference:landing", landing),
        ("preference:events", "5"),
    ]
}

#[tokio::test]
async fn the_name_shown_and_the_landing_page_are_changed_and_shown() {
    let stage = house().await;
    let mut browser = stage.signed_in("alice").await;
    assert!(
        browser
            .get("profile")
            .await
            .says("<dt>Landing page</dt><dd>dashboard</dd>")
    );
    let form = browser.get(DETAILS).await;
    assert!(
        form.says("Events per day") && form.says("<option value=\"dashboard\" selected>"),
        "{}",
        form.text
    );
    let answer = browser
        .fill_in(DETAILS, DETAILS, &details("1", "Alice & Co", "calendar"))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.location()),
        (303, "/.stagedoor/profile"),
        "{}",
        answer.text
    );
    let profile = browser.get("profile").await;
    for words in [
        "Your details are changed.",
        "<dd>Alice &#38; Co</dd>",
        "<dt>Landing page</dt><dd>calendar</dd>",
        "<dt>Events per day</dt><dd>5</dd>",
    ] {
        assert!(profile.says(words), "{words} is not in {}", profile.text);
    }
    let chosen: BTreeMap<_, _> = [("landing".to_owned(), "calendar".to_owned())].into();
    assert_eq!(
        stage.read("alice").await.preferences,
        chosen,
        "a default that was left is not chosen"
    );
}

#[tokio::test]
async fn what_is_unfit_is_told_in_the_policys_words_and_nothing_typed_is_lost() {
    let stage = house().await;
    let mut browser = stage.signed_in("alice").await;
    let long = "Alexandra Aleksandrovna";
    let answer = browser.fill_in(DETAILS, DETAILS, &details("1", long, "calendar")).await;
    assert_eq!(answer.status, 422);
    for words in [
        "Please enter a name within 20 characters.",
        long,
        "<option value=\"calendar\" selected>",
    ] {
        assert!(answer.says(words), "{words} is not in {}", answer.text);
    }
    let foreign = browser.fill_in(DETAILS, DETAILS, &details("1", "Alice", "/etc")).await;
    assert!(foreign.status == 422 && foreign.says("is one of"), "{}", foreign.text);
    let twice = [&details("1", "Alice", "calendar")[..], &[("display_name", "Bob")]].concat();
    assert_eq!(browser.fill_in(DETAILS, DETAILS, &twice).await.status, 400);
    assert_eq!(browser.fill_in(DETAILS, DETAILS, &[("version", "1")]).await.status, 400);
    assert_eq!(stage.read("alice").await.version, 1, "nothing was changed");
}

#[tokio::test]
async fn what_an_administrator_changed_meanwhile_is_not_overwritten_unseen() {
    let stage = house().await;
    let alice = stage.read("alice").await;
    let mut browser = stage.signed_in("alice").await;
    let change = AccountChange {
        display_name: Some("Alicia".to_owned()),
        ..AccountChange::default()
    };
    stage.door.change_account(alice.id, None, change, &cli()).await.unwrap();
    let answer = browser
        .fill_in(DETAILS, DETAILS, &details("1", "Alice", "calendar"))
        .await;
    assert!(
        answer.status == 412 && answer.says("Somebody else changed this account meanwhile"),
        "{}",
        answer.text
    );
    assert_eq!(stage.read("alice").await.display_name, "Alicia");
    let version = answer.between("name=\"version\" value=\"", "\"");
    let again = browser
        .post(
            DETAILS,
            &[
                &[("csrf", answer.token().as_str())],
                &details(&version, "Alice", "calendar")[..],
            ]
            .concat(),
        )
        .await;
    assert_eq!(again.status, 303, "{}", again.text);
}

#[tokio::test]
async fn the_name_to_sign_in_with_is_changed_with_the_password_and_told_in_the_policys_words() {
    let stage = house().await;
    stage.account("bob").await;
    let mut browser = stage.signed_in("alice").await;
    let wish = |name, password| [("name", name), ("current_password", password)];
    let wrong = browser.fill_in(NAME, NAME, &wish("alice2", "wrong")).await;
    assert!(
        wrong.status == 401 && wrong.says("The current password is wrong.") && wrong.says("alice2"),
        "{}",
        wrong.text
    );
    let empty = browser.fill_in(NAME, NAME, &wish("alice2", "")).await;
    assert!(
        empty.status == 401 && empty.says("The current password is wrong."),
        "{}",
        empty.text
    );
    let taken = browser.fill_in(NAME, NAME, &wish("bob", PASSWORD)).await;
    assert!(
        taken.status == 409 && taken.says("The same ID already exists."),
        "{}",
        taken.text
    );
    let unfit = browser.fill_in(NAME, NAME, &wish("a b", PASSWORD)).await;
    assert!(
        unfit.status == 422 && unfit.says("Please start with a lowercase letter."),
        "{}",
        unfit.text
    );
    let done = browser.fill_in(NAME, NAME, &wish("alice2", PASSWORD)).await;
    assert_eq!(
        (done.status.as_u16(), done.location()),
        (303, "/.stagedoor/profile"),
        "{}",
        done.text
    );
    assert!(browser.get("profile").await.says("<dt>Name</dt><dd>alice2</dd>"));
    assert_eq!(stage.browser().sign_in("alice", PASSWORD).await.status, 401);
    assert_eq!(stage.browser().sign_in("alice2", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn guessing_the_password_on_these_pages_locks_the_account_as_at_the_door() {
    let stage = house().await;
    let mut browser = stage.signed_in("alice").await;
    let failures = stage.door.policy().lockout().failures;
    for _ in 0..failures {
        browser
            .fill_in(NAME, NAME, &[("name", "alice2"), ("current_password", "wrong")])
            .await;
    }
    let locked = browser
        .fill_in(NAME, NAME, &[("name", "alice2"), ("current_password", PASSWORD)])
        .await;
    assert!(
        locked.status == 401 && locked.says("too many failed attempts"),
        "{}",
        locked.text
    );
    assert!(!locked.header("retry-after").is_empty());
}

#[tokio::test]
async fn another_address_is_confirmed_by_a_button_behind_the_link_of_its_letter() {
    let stage = house().await;
    stage.sends_letters();
    let mut browser = stage.signed_in("alice").await;
    let wish = |email, password| [("email", email), ("current_password", password)];
    let wrong = browser.fill_in(EMAIL, EMAIL, &wish("alice@example.org", "wrong")).await;
    assert!(
        wrong.status == 401 && wrong.says("The current password is wrong."),
        "{}",
        wrong.text
    );
    let unfit = browser.fill_in(EMAIL, EMAIL, &wish("alice", PASSWORD)).await;
    assert!(
        unfit.status == 422 && unfit.says("an address such as"),
        "{}",
        unfit.text
    );
    let asked = browser
        .fill_in(EMAIL, EMAIL, &wish(" alice@example.org ", PASSWORD))
        .await;
    assert_eq!(
        (asked.status.as_u16(), asked.location()),
        (303, "/.stagedoor/profile"),
        "{}",
        asked.text
    );
    let profile = browser.get("profile").await;
    assert!(
        profile.says("A letter is on its way") && !profile.says("alice@example.org"),
        "{}",
        profile.text
    );

    let (to, token) = stage.letter().await;
    assert_eq!(to, "alice@example.org");
    let link = format!("email?token={token}");
    // Another device, nobody signed in there.
    let mut reader = stage.browser();
    let page = reader.get(&link).await;
    assert!(
        page.status == 200 && page.says("<strong>alice</strong>"),
        "{}",
        page.text
    );
    assert_eq!(
        stage.read("alice").await.email,
        None,
        "looking at the link confirms nothing"
    );
    let unproved = stage.browser().post("email", &[("token", &token)]).await;
    assert_eq!(unproved.status, 403);
    let done = reader.fill_in(&link, "email", &[("token", &token)]).await;
    assert!(done.status == 200 && done.says("Address confirmed"), "{}", done.text);
    assert_eq!(stage.read("alice").await.email.as_deref(), Some("alice@example.org"));
    assert_eq!(reader.get(&link).await.status, 410, "worth something once");
}

#[tokio::test]
async fn a_dead_or_foreign_link_confirms_no_address() {
    let stage = house().await;
    let alice = stage.read("alice").await;
    let recovery = stage
        .door
        .send_second_factor_recovery(alice.id, &cli())
        .await
        .unwrap()
        .unwrap();
    let recovery = recovery.expose_text().to_owned();
    for token in ["", "x", "%00", recovery.as_str()] {
        let page = stage.browser().get(&format!("email?token={token}")).await;
        assert_eq!(page.status, 410, "{token}");
        let posted = stage.browser().fill_in("login", "email", &[("token", token)]).await;
        assert_eq!(posted.status, 410, "{token}");
    }
    assert_eq!(stage.read("alice").await.email, None);
}

#[tokio::test]
async fn without_mail_nobody_is_shown_a_link_and_the_page_says_who_can_change_the_address() {
    let mut rules = own_rules();
    let boss = RoleRules {
        administers: vec!["viewer".to_owned()],
        ..RoleRules::default()
    };
    rules.roles.insert("boss".to_owned(), boss);
    let stage = Stage::with(rules).await;
    stage.account("alice").await;
    let mut browser = stage.signed_in("alice").await;
    let page = browser.get(EMAIL).await;
    assert!(
        page.says("No mail is configured at this door") && page.says("Somebody with the role boss"),
        "{}",
        page.text
    );
    assert!(!page.says("name=\"email\""), "there is no form");
    let wish = [("email", "alice@example.org"), ("current_password", PASSWORD)];
    let answer = browser.fill_in("logout", EMAIL, &wish).await;
    assert!(
        answer.status == 409 && answer.says("The door sends no letters"),
        "{}",
        answer.text
    );
    assert!(!answer.says("token="), "no link");
    assert_eq!(stage.read("alice").await.email, None);
}

#[tokio::test]
async fn a_session_that_was_displaced_changes_nothing_any_more() {
    let stage = house().await;
    let mut before = stage.signed_in("alice").await;
    let token = before.get(DETAILS).await.token();
    stage.signed_in("alice").await;
    for (page, fields) in [
        (DETAILS, &details("1", "Mallory", "calendar")[..]),
        (NAME, &[("name", "mallory"), ("current_password", PASSWORD)]),
        (EMAIL, &[("email", "m@example.org"), ("current_password", PASSWORD)]),
    ] {
        let answer = before.post(page, &[&[("csrf", token.as_str())], fields].concat()).await;
        assert_eq!(answer.status, 401, "{page}");
    }
    assert_eq!(stage.read("alice").await.version, 1);
}
