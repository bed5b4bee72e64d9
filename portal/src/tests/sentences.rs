//! The policy's own sentences, word for word, wherever a person or a program is told.

use serde_json::json;
use stagedoor_identity::account::{AccountChange, NewInvitation};
use stagedoor_policy::rules::{ChannelRules, MessageKey};

use super::*;

const UNUSUAL: &str = "This is an unusual behavior. Contact yout administrator.";
const NO_CLIENT: &str = "Accounts with Super roles cannot log into the client program.";
const NO_WEB: &str = "Cannot access the admin web UI.";

/// Every sentence says which it is.
fn spoken_rules() -> Rules {
    let mut rules = rules();
    for key in [
        MessageKey::PasswordUnfit,
        MessageKey::NewPasswordUnfit,
        MessageKey::PasswordEmpty,
        MessageKey::PasswordConfirmation,
        MessageKey::NameUnfit,
    ] {
        rules.messages.insert(key, said(key));
    }
    rules.messages.insert(MessageKey::AddressNotAllowed, UNUSUAL.to_owned());
    let refusing = |sentence: &str| ChannelRules {
        refused: Some(sentence.to_owned()),
        ..ChannelRules::default()
    };
    rules.channels.insert("client".to_owned(), refusing(NO_CLIENT));
    rules.channels.insert("browser".to_owned(), refusing(NO_WEB));
    let device = RoleRules {
        channels: Some(vec!["client".to_owned()]),
        ..RoleRules::default()
    };
    rules.roles.insert("device".to_owned(), device);
    rules
}

fn said(key: MessageKey) -> String {
    format!("We say {}.", key.as_str())
}

/// New password, its repetition, and what is said about them.
fn wrong_passwords(unfit: MessageKey) -> [(&'static str, &'static str, String); 3] {
    [
        ("", "", said(MessageKey::PasswordEmpty)),
        (OTHER_PASSWORD, PASSWORD, said(MessageKey::PasswordConfirmation)),
        ("short", "short", said(unfit)),
    ]
}

/// Sends a form with each wrong password.
async fn each_is_told(browser: &mut Browser<'_>, page: &str, action: &str, fields: &[(&str, &str)], unfit: MessageKey) {
    for (new, repeat, sentence) in wrong_passwords(unfit) {
        let all = [fields, &[("new_password", new), ("repeat", repeat)]].concat();
        let answer = browser.fill_in(page, action, &all).await;
        assert!(
            answer.status == 422 && answer.says(&sentence),
            "{action}: {}",
            answer.text
        );
        assert_eq!(answer.text.matches(&sentence).count(), 1, "said once: {}", answer.text);
    }
}

#[tokio::test]
async fn ones_own_password_a_temporary_one_and_a_forgotten_one_are_refused_in_the_policys_words() {
    let stage = Stage::with(spoken_rules()).await;
    let alice = stage.account("alice").await;
    let mut browser = stage.signed_in("alice").await;
    let unfit = MessageKey::NewPasswordUnfit;
    let page = "profile/password";
    each_is_told(&mut browser, page, page, &[("current_password", PASSWORD)], unfit).await;

    stage.account_of("bob", "viewer", true).await;
    let mut bob = stage.browser();
    bob.sign_in("bob", PASSWORD).await;
    each_is_told(&mut bob, "login/password", "login/password", &[], unfit).await;

    stage.letterhead.swap(Some(SwappableLetterhead::sample()));
    let change = AccountChange {
        email: Some(Some("alice@example.org".to_owned())),
        ..AccountChange::default()
    };
    stage.door.change_account(alice.id, None, change, &cli()).await.unwrap();
    stage
        .browser()
        .fill_in("reset", "reset/ask", &[("email", "alice@example.org")])
        .await;
    let due = stage
        .door
        .due_letters("test", Duration::from_secs(60), 1)
        .await
        .unwrap();
    let text = &due[0].1.rendered.text;
    let token: String = text.split_once("reset?token=").unwrap().1.chars().take(43).collect();
    let link = format!("reset?token={token}");
    each_is_told(&mut stage.browser(), &link, "reset", &[("token", &token)], unfit).await;
}

#[tokio::test]
async fn a_first_password_is_refused_in_the_policys_words_for_first_ones() {
    let stage = Stage::with(spoken_rules()).await;
    let unfit = MessageKey::PasswordUnfit;
    let setup = stage.setup.expose().to_owned();
    let page = format!("setup?token={setup}");
    let fields = [("link", setup.as_str()), ("username", "root")];
    each_is_told(&mut stage.browser(), &page, "setup", &fields, unfit).await;
    let unnamed = [
        ("link", setup.as_str()),
        ("username", "no name"),
        ("new_password", PASSWORD),
        ("repeat", PASSWORD),
    ];
    let answer = stage.browser().fill_in(&page, "setup", &unnamed).await;
    assert!(answer.says(&said(MessageKey::NameUnfit)), "{}", answer.text);

    let new = NewInvitation {
        name: AccountName::parse("carol").unwrap(),
        display_name: String::new(),
        email: None,
        role: Some("viewer".to_owned()),
        grants: Vec::new(),
        networks: Vec::new(),
    };
    let invited = stage.door.invite(new, &cli()).await.unwrap();
    let token = invited.link.unwrap().expose_text().to_owned();
    let page = format!("invitation?token={token}");
    each_is_told(&mut stage.browser(), &page, "invitation", &[("token", &token)], unfit).await;
}

#[tokio::test]
async fn an_address_and_a_channel_are_refused_in_the_policys_words() {
    let stage = Stage::with(spoken_rules()).await;
    stage.account("alice").await;
    stage.account_of("homer", "homebody", false).await;
    stage.account_of("dora", "device", false).await;
    stage.account_of("grace", "guard", false).await;
    for (name, sentence) in [("homer", UNUSUAL), ("dora", NO_WEB)] {
        let answer = stage.browser().sign_in(name, PASSWORD).await;
        assert!(answer.status == 401 && answer.says(sentence), "{name}: {}", answer.text);
        let program = json!({ "username": name, "password": PASSWORD });
        assert_eq!(
            stage.browser().post_json("login", &program).await.json()["message"],
            sentence,
            "{name}"
        );
    }
    let program = json!({ "username": "grace", "password": PASSWORD, "channel": "client" });
    let answer = stage.browser().post_json("login", &program).await.json();
    assert_eq!(
        (&answer["reason"], &answer["message"]),
        (&json!("channel"), &json!(NO_CLIENT))
    );
    let wrong = stage.browser().sign_in("homer", OTHER_PASSWORD).await;
    assert!(
        wrong.says("The name or the password is wrong."),
        "strangers are told nothing more"
    );
}

#[tokio::test]
async fn who_comes_from_elsewhere_meanwhile_is_told_so_in_the_policys_words() {
    let mut rules = spoken_rules();
    let boss = RoleRules {
        administers: vec!["viewer".to_owned()],
        networks: Some(vec![format!("{HERE}/32")]),
        ..RoleRules::default()
    };
    rules.roles.insert("boss".to_owned(), boss);
    let stage = Stage::with(rules).await;
    stage.account_of("root", "boss", false).await;
    let mut browser = stage.signed_in("root").await;
    assert_eq!(browser.get("accounts").await.status, 200);
    browser.address = THERE.to_owned();
    let answer = browser.get("accounts").await;
    assert!(answer.status == 403 && answer.says(UNUSUAL), "{}", answer.text);
}
