//! Devices, and what people change about themselves.

use stagedoor_policy::rules::{ChannelRules, PreferenceRules};

use super::*;
use crate::port::{DeviceQuery, StoreError};
use crate::sign_in::RefusedBecause;
use crate::testing::SwappableLetterhead;
use crate::{ChangeFault, OwnChange, OwnFault};

/// The client may only be used from a linked device.
fn rules() -> Rules {
    let mut rules = super::rules();
    let linked = ChannelRules {
        linked_device: true,
        ..ChannelRules::default()
    };
    rules.channels.insert("client".to_owned(), linked);
    let landing = PreferenceRules {
        choices: vec!["calendar".to_owned(), "dashboard".to_owned()],
        default: "dashboard".to_owned(),
        ..PreferenceRules::default()
    };
    rules.preferences.insert("landing".to_owned(), landing);
    rules
}

fn by_client(name: &str, key: Option<&Secret>) -> Attempt {
    Attempt {
        channel: "client".to_owned(),
        device_key: key.cloned(),
        ..attempt(name, PASSWORD)
    }
}

#[tokio::test]
async fn a_channel_that_demands_it_is_used_from_a_device_linked_to_the_account_only() {
    let stage = Stage::with(rules()).await;
    let (ann, bob) = (stage.account("ann").await, stage.account("bob").await);
    let (pad, key) = stage.door.register_device("Box office 1", &by()).await.unwrap();
    let refused = SignInRefusal::Refused {
        reason: RefusedBecause::Device,
    };
    assert_eq!(stage.refused(by_client("ann", None)).await, refused);
    assert_eq!(
        stage.refused(by_client("ann", Some(&key))).await,
        refused,
        "linked to nobody"
    );
    stage.door.unlock(ann.id, &by()).await.unwrap();
    stage.door.link_device(pad.id, Some(ann.id), &by()).await.unwrap();
    let other = Secret::new(SessionToken::generate(stage.chance.as_ref()).expose());
    assert_eq!(stage.refused(by_client("ann", Some(&other))).await, refused);
    assert_eq!(stage.refused(by_client("bob", Some(&key))).await, refused);
    let session = stage.opened(by_client("ann", Some(&key))).await;
    stage.opened(attempt("ann", PASSWORD)).await;
    assert_eq!(stage.live(&session.token).account().devices, 1);

    stage.door.link_device(pad.id, Some(bob.id), &by()).await.unwrap();
    assert_eq!(stage.end(&session.token), "device_unlinked");
    let session = stage.opened(by_client("bob", Some(&key))).await;
    stage.door.remove_device(pad.id, &by()).await.unwrap();
    assert_eq!(stage.end(&session.token), "device_unlinked");
    assert_eq!(stage.refused(by_client("bob", Some(&key))).await, refused);
    let told = stage.all_events().await;
    assert!(!told.contains(key.expose_text()), "the key is in the audit");
}

#[tokio::test]
async fn a_device_unlinked_between_two_steps_of_a_sign_in_opens_nothing() {
    let mut rules = rules();
    rules.roles.get_mut("guard").unwrap().channels = Some(vec!["browser".to_owned(), "client".to_owned()]);
    let stage = Stage::with(rules).await;
    let (gus, typed) = stage.enrolled("gus").await;
    let (pad, key) = stage.door.register_device("pad", &by()).await.unwrap();
    stage.door.link_device(pad.id, Some(gus.id), &by()).await.unwrap();
    let ticket = stage.needs(by_client("gus", Some(&key)), NextStep::SecondFactor).await;
    stage.door.link_device(pad.id, None, &by()).await.unwrap();
    let refused = stage
        .door
        .second_factor(&ticket, &stage.code(&typed), origin(HERE))
        .await;
    assert_eq!(
        refused.unwrap_err(),
        SignInRefusal::Refused {
            reason: RefusedBecause::Device
        }
    );
}

#[tokio::test]
async fn devices_are_for_who_administers_somebody_and_only_those_of_accounts_they_see() {
    let mut rules = rules();
    rules.roles.get_mut("guard").unwrap().administers = vec!["viewer".to_owned()];
    let stage = Stage::with(rules).await;
    let (ann, gus, other) = (
        stage.account("ann").await,
        stage.guard("gus").await,
        stage.guard("other").await,
    );
    let (viewer, guard) = (Actor::account(&ann), Actor::account(&gus));
    assert!(matches!(
        stage.door.register_device("x", &viewer).await,
        Err(ChangeFault::Refused(_))
    ));
    let (pad, _key) = stage.door.register_device("pad", &guard).await.unwrap();
    stage.door.link_device(pad.id, Some(ann.id), &guard).await.unwrap();
    let foreign = stage.door.link_device(pad.id, Some(other.id), &guard).await;
    assert!(matches!(foreign, Err(ChangeFault::Store(StoreError::NotFound))));
    let of = |account| DeviceQuery {
        account,
        after: None,
        limit: 10,
    };
    assert_eq!(stage.door.devices(of(Some(ann.id)), &guard).await.unwrap().len(), 1);
    assert_eq!(
        stage.door.devices(of(Some(ann.id)), &viewer).await.unwrap().len(),
        1,
        "one's own"
    );
    assert!(stage.door.devices(of(None), &guard).await.is_err());
    stage.door.link_device(pad.id, Some(other.id), &by()).await.unwrap();
    let gone = stage.door.remove_device(pad.id, &guard).await;
    assert!(matches!(gone, Err(ChangeFault::Store(StoreError::NotFound))));
}

#[tokio::test]
async fn people_change_their_own_names_and_choices_and_nothing_else() {
    let stage = Stage::with(rules()).await;
    stage.account("ann").await;
    stage.account("bob").await;
    let session = stage.opened(attempt("ann", PASSWORD)).await;
    let live = stage.live(&session.token);
    let chosen = |choice: &str| Some([("landing".to_owned(), choice.to_owned())].into());
    let unknown = OwnChange {
        preferences: chosen("moon"),
        ..OwnChange::default()
    };
    let unknown = stage.door.change_own_profile(&live, None, unknown, &origin(HERE)).await;
    assert!(matches!(unknown, Err(ChangeFault::Unfit(_))));

    let change = OwnChange {
        display_name: Some("Ann Lee".to_owned()),
        preferences: chosen("calendar"),
    };
    let after = stage
        .door
        .change_own_profile(&live, Some(1), change, &origin(HERE))
        .await
        .unwrap();
    assert_eq!((after.display_name.as_str(), after.version), ("Ann Lee", 2));
    assert_eq!(
        live.account().preferences["landing"],
        "calendar",
        "with the next request"
    );
    stage.opened(attempt("ann", PASSWORD)).await;
    let over = stage
        .door
        .change_own_profile(&live, None, OwnChange::default(), &origin(HERE))
        .await;
    assert!(matches!(over, Err(ChangeFault::Refused(_))), "displaced");
}

#[tokio::test]
async fn the_name_to_sign_in_with_is_changed_with_the_password_alone_and_guesses_count() {
    let stage = Stage::with(rules()).await;
    stage.account("ann").await;
    stage.account("bob").await;
    let session = stage.opened(attempt("ann", PASSWORD)).await;
    let live = stage.live(&session.token);
    let change = async |password: &str, name: &str| {
        let (password, name) = (Password::new(password).unwrap(), AccountName::parse(name).unwrap());
        stage.door.change_own_name(&live, &password, name, &origin(HERE)).await
    };
    assert!(matches!(
        change("not the password", "ann.lee").await,
        Err(OwnFault::Unproved(SignInRefusal::InvalidCredentials))
    ));
    assert!(matches!(
        change(PASSWORD, "bob").await,
        Err(OwnFault::Change(ChangeFault::Store(StoreError::NameTaken)))
    ));
    assert_eq!(change(PASSWORD, "ann.lee").await.unwrap().name.as_str(), "ann.lee");
    assert!(stage.is_live(&session.token), "the session goes on");
    assert_eq!(
        stage.refused(attempt("ann", PASSWORD)).await,
        SignInRefusal::InvalidCredentials
    );
    let lock = stage.door.policy().lockout().failures;
    for _ in 0..lock {
        assert!(change("not the password", "ann.low").await.is_err());
    }
    assert!(matches!(
        change(PASSWORD, "ann.low").await,
        Err(OwnFault::Unproved(SignInRefusal::Locked { .. }))
    ));
}

#[tokio::test]
async fn nobody_is_flooded_with_letters_by_somebody_who_is_signed_in() {
    let mut rules = rules();
    rules.session.idle = Duration::from_secs(7200);
    let stage = Stage::with(rules).await;
    stage.letterhead.swap(Some(SwappableLetterhead::sample()));
    stage.account("ann").await;
    let session = stage.opened(attempt("ann", PASSWORD)).await;
    let live = stage.live(&session.token);
    let ask = async |email: &str| {
        let password = Password::new(PASSWORD).unwrap();
        stage
            .door
            .ask_email_change(&live, &password, email, &origin(HERE))
            .await
    };
    for _ in 0..3 {
        ask("victim@example.org").await.unwrap();
    }
    assert!(matches!(
        ask("Victim@example.org").await,
        Err(OwnFault::Change(ChangeFault::Refused(_)))
    ));
    for number in 0..2 {
        ask(&format!("other{number}@example.org")).await.unwrap();
    }
    assert!(ask("another@example.org").await.is_err(), "five letters an hour");
    stage.wait(3601);
    ask("another@example.org").await.unwrap();
}

#[tokio::test]
async fn a_new_address_is_ones_own_once_its_link_was_followed_and_the_former_is_told() {
    let stage = Stage::with(rules()).await;
    let with_email = NewAccount {
        email: Some("old@example.org".to_owned()),
        ..new_account("ann")
    };
    stage.door.create_account(with_email, &by()).await.unwrap();
    let session = stage.opened(attempt("ann", PASSWORD)).await;
    let live = stage.live(&session.token);
    let ask_with = async |password: &str, email: &str| {
        let password = Password::new(password).unwrap();
        stage
            .door
            .ask_email_change(&live, &password, email, &origin(HERE))
            .await
    };
    let ask = async |email: &str| ask_with(PASSWORD, email).await;
    assert!(
        matches!(
            ask("new@example.org").await,
            Err(OwnFault::Change(ChangeFault::Refused(_)))
        ),
        "no letters are sent"
    );
    stage.letterhead.swap(Some(SwappableLetterhead::sample()));
    assert!(matches!(
        ask("no address").await,
        Err(OwnFault::Change(ChangeFault::Unfit(_)))
    ));
    assert!(matches!(
        ask_with("not the password", "new@example.org").await,
        Err(OwnFault::Unproved(_))
    ));
    ask("new@example.org").await.unwrap();
    assert_eq!(
        live.account().email.as_deref(),
        Some("old@example.org"),
        "asking alone changes nothing"
    );

    let due = stage
        .door
        .due_letters("test", Duration::from_secs(60), 10)
        .await
        .unwrap();
    let (letter, opened) = due.first().unwrap();
    assert_eq!(letter.letter.to, "new@example.org");
    let text = opened.rendered.text.as_str();
    let token: String = text.split_once("email?token=").unwrap().1.chars().take(43).collect();
    let token = Secret::new(token);
    let after = stage.door.confirm_email(&token, &origin(HERE)).await.unwrap();
    assert_eq!(after.email.as_deref(), Some("new@example.org"));
    assert!(matches!(
        stage.door.confirm_email(&token, &origin(HERE)).await,
        Err(StoreError::LinkDead)
    ));
    let due = stage
        .door
        .due_letters("test", Duration::from_secs(60), 10)
        .await
        .unwrap();
    assert_eq!(due.first().unwrap().0.letter.to, "old@example.org");
}
