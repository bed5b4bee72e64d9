//! One-time links.

use std::sync::Arc;
use std::time::Duration;

use stagedoor_identity::account::{AccountChange, Invitation};
use stagedoor_identity::letter::{LetterId, LetterKind, QueuedLetter};
use stagedoor_identity::port::{ApiToken, Asking, FreshLink, Link, LinkPurpose, SharedStore, StoreError};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::{Account, AccountId, EndReason};

use super::Place;
use super::sample::{HASH, account, at, at_once, free, new_id, not_ended, opened, registered};

const CHANGED: EndReason = EndReason::CredentialsChanged;

fn hash(text: &str) -> TokenHash {
    TokenHash::of(text.as_bytes())
}

/// A link made at 1 that runs out at 100.
fn link(account: AccountId, purpose: LinkPurpose, secret: &str) -> FreshLink {
    let link = Link {
        hash: hash(secret),
        account,
        purpose,
        email: (purpose == LinkPurpose::Email).then(|| "new@example.org".to_owned()),
        credentials_version: 1,
        made_at: at(1),
        expires_at: at(100),
    };
    FreshLink { link, letter: None }
}

fn letter(account: AccountId, letters_max: u32) -> QueuedLetter {
    QueuedLetter {
        id: LetterId(new_id()),
        account: Some(account),
        kind: LetterKind::Invitation,
        to: "ann@example.org".to_owned(),
        sealed: b"sealed".to_vec(),
        due_at: at(1),
        give_up_at: at(1000),
        letters_max,
    }
}

async fn invited(store: &SharedStore, name: &str, secret: &str) -> Account {
    let account = Account {
        accepted_at: None,
        invitation: Some(Invitation {
            sent_at: at(1),
            expires_at: at(100),
        }),
        ..account(name)
    };
    let fresh = link(account.id, LinkPurpose::Invitation, secret);
    store
        .create_account(&account, HASH, Some(&fresh), &free())
        .await
        .unwrap();
    account
}

pub(super) async fn an_invitation_is_accepted_once_also_when_many_try_it(place: &dyn Place) {
    let store = place.open();
    let ann = invited(&store, "ann", "secret").await;
    assert_eq!(store.account(ann.id).await.unwrap().as_ref(), Some(&ann));
    let shared = Arc::clone(&store);
    let answers = at_once(20, move |number| {
        let store = Arc::clone(&shared);
        async move {
            let password = format!("hash {number}");
            let purpose = LinkPurpose::Invitation;
            store
                .redeem_for_password(&hash("secret"), purpose, &password, &CHANGED, at(50))
                .await
        }
    })
    .await;
    let accepted: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    assert_eq!(accepted.len(), 1);
    let dead = answers
        .iter()
        .filter(|answer| matches!(answer, Err(StoreError::LinkDead)));
    assert_eq!(dead.count(), 19);
    let now = store.account(ann.id).await.unwrap().unwrap();
    assert_eq!((now.accepted_at, now.invitation), (Some(at(50)), None));
    assert_eq!(accepted[0].0, now);
    assert!(
        store
            .credentials(ann.id)
            .await
            .unwrap()
            .unwrap()
            .password_hash
            .starts_with("hash ")
    );
}

pub(super) async fn a_link_is_worth_nothing_late_for_something_else_or_after_a_newer_one(place: &dyn Place) {
    let store = place.open();
    let ann = invited(&store, "ann", "first").await;
    let first = hash("first");
    assert!(
        store
            .link(&first, LinkPurpose::Invitation, at(99))
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(
        store.link(&first, LinkPurpose::Invitation, at(100)).await.unwrap(),
        None
    );
    assert_eq!(
        store.link(&first, LinkPurpose::PasswordReset, at(99)).await.unwrap(),
        None
    );
    let reset = store
        .redeem_for_password(&first, LinkPurpose::PasswordReset, "x", &CHANGED, at(2))
        .await;
    assert!(matches!(reset, Err(StoreError::LinkDead)));
    let late = store
        .redeem_for_password(&first, LinkPurpose::Invitation, "x", &CHANGED, at(100))
        .await;
    assert!(matches!(late, Err(StoreError::LinkDead)));
    assert!(matches!(
        store.redeem_for_email(&first, at(2)).await,
        Err(StoreError::LinkDead)
    ));

    let mut again = link(ann.id, LinkPurpose::Invitation, "second");
    again.link.made_at = at(60);
    again.link.expires_at = at(160);
    let account = store.add_link(&again).await.unwrap();
    assert_eq!(
        account.invitation,
        Some(Invitation {
            sent_at: at(60),
            expires_at: at(160)
        })
    );
    assert_eq!(account.version, ann.version + 1);
    assert_eq!(store.link(&first, LinkPurpose::Invitation, at(61)).await.unwrap(), None);
    let live = store
        .link(&hash("second"), LinkPurpose::Invitation, at(61))
        .await
        .unwrap();
    assert_eq!(live, Some(again.link));
    assert!(store.revoke_link(ann.id, LinkPurpose::Invitation).await.unwrap());
    assert!(!store.revoke_link(ann.id, LinkPurpose::Invitation).await.unwrap());
    assert_eq!(
        store
            .link(&hash("second"), LinkPurpose::Invitation, at(61))
            .await
            .unwrap(),
        None
    );
}

pub(super) async fn links_and_tokens_die_with_the_credentials_the_address_and_the_account(place: &dyn Place) {
    let store = place.open();
    for way in [
        "password",
        "second factor off",
        "second factor on",
        "address",
        "disabled",
        "removed",
    ] {
        let ann = registered(&store, &way.replace(' ', "-")).await;
        let reset = format!("reset {way}");
        store
            .add_link(&link(ann.id, LinkPurpose::PasswordReset, &reset))
            .await
            .unwrap();
        let token = ApiToken {
            name: way.replace(' ', "-"),
            scopes: vec!["*".to_owned()],
            created_at: at(1),
            expires_at: None,
            account: Some(ann.id),
        };
        store.add_token(&token, &hash(way)).await.unwrap();
        let change = match way {
            "address" => AccountChange {
                email: Some(Some("a@example.org".to_owned())),
                ..AccountChange::default()
            },
            _ => AccountChange {
                disabled: Some(true),
                ..AccountChange::default()
            },
        };
        match way {
            "password" => drop(
                store
                    .set_password(ann.id, "new", true, None, &CHANGED, at(2))
                    .await
                    .unwrap(),
            ),
            "second factor off" => drop(store.clear_second_factor(ann.id, &CHANGED, at(2)).await.unwrap()),
            "second factor on" => store.set_second_factor(ann.id, b"sealed", 1, &[], None).await.unwrap(),
            "removed" => drop(store.remove_account(ann.id, None, &free()).await.unwrap()),
            _ => drop(
                store
                    .change_account(ann.id, None, &change, None, &free())
                    .await
                    .unwrap(),
            ),
        }
        let live = store
            .link(&hash(&reset), LinkPurpose::PasswordReset, at(3))
            .await
            .unwrap();
        assert_eq!(live, None, "{way}");
        let acts = store.token(&hash(way)).await.unwrap();
        let keeps = matches!(way, "address" | "second factor on");
        assert_eq!(acts.is_some(), keeps, "{way}");
    }
    let nobody = account("nobody").id;
    let gone = store.add_link(&link(nobody, LinkPurpose::PasswordReset, "x")).await;
    assert!(matches!(gone, Err(StoreError::NotFound)));
}

pub(super) async fn a_reset_by_link_sets_the_password_and_ends_every_session(place: &dyn Place) {
    let store = place.open();
    let ann = registered(&store, "ann").await;
    let session = opened(&store, ann.id, at(1)).await;
    store
        .add_link(&link(ann.id, LinkPurpose::PasswordReset, "secret"))
        .await
        .unwrap();
    store
        .add_link(&link(ann.id, LinkPurpose::SecondFactor, "other"))
        .await
        .unwrap();
    let purpose = LinkPurpose::PasswordReset;
    let (account, ended) = store
        .redeem_for_password(&hash("secret"), purpose, "new", &CHANGED, at(50))
        .await
        .unwrap();
    assert_eq!(ended, [session.id]);
    assert!(not_ended(&store).await.is_empty());
    assert_eq!(
        (account.accepted_at, account.reinstated_at),
        (ann.accepted_at, None),
        "a reset lifts no ban"
    );
    let stored = store.credentials(ann.id).await.unwrap().unwrap();
    assert_eq!((stored.password_hash.as_str(), stored.credentials_version), ("new", 2));
    assert_eq!(
        store
            .link(&hash("other"), LinkPurpose::SecondFactor, at(51))
            .await
            .unwrap(),
        None
    );
    let stale = store.add_link(&link(ann.id, purpose, "made before")).await;
    assert!(matches!(stale, Err(StoreError::LinkDead)), "{stale:?}");
}

pub(super) async fn a_right_to_enrol_is_used_up_with_the_enrolment(place: &dyn Place) {
    let store = place.open();
    let (ann, bob) = (registered(&store, "ann").await, registered(&store, "bob").await);
    store
        .add_link(&link(ann.id, LinkPurpose::SecondFactor, "right"))
        .await
        .unwrap();
    let right = hash("right");
    for (account, now) in [(bob.id, at(2)), (ann.id, at(100))] {
        let refused = store
            .set_second_factor(account, b"sealed", 1, &[], Some((&right, now)))
            .await;
        assert!(matches!(refused, Err(StoreError::LinkDead)));
        assert!(!store.account(account).await.unwrap().unwrap().second_factor);
    }
    store
        .set_second_factor(ann.id, b"sealed", 1, &[], Some((&right, at(2))))
        .await
        .unwrap();
    let again = store
        .set_second_factor(ann.id, b"other", 2, &[], Some((&right, at(2))))
        .await;
    assert!(matches!(again, Err(StoreError::LinkDead)));
}

pub(super) async fn an_address_is_confirmed_once_and_found_whatever_its_case(place: &dyn Place) {
    let store = place.open();
    let ann = registered(&store, "ann").await;
    store
        .add_link(&link(ann.id, LinkPurpose::Email, "secret"))
        .await
        .unwrap();
    let account = store.redeem_for_email(&hash("secret"), at(2)).await.unwrap();
    assert_eq!(account.email.as_deref(), Some("new@example.org"));
    assert!(matches!(
        store.redeem_for_email(&hash("secret"), at(2)).await,
        Err(StoreError::LinkDead)
    ));
    let found = store.accounts_by_email("NEW@Example.org").await.unwrap();
    assert_eq!(found, [account]);
    assert!(store.accounts_by_email("other@example.org").await.unwrap().is_empty());
}

pub(super) async fn a_link_and_its_letter_are_stored_together_or_not_at_all(place: &dyn Place) {
    let store = place.open();
    let new = account("ann");
    let mut fresh = link(new.id, LinkPurpose::Invitation, "secret");
    fresh.letter = Some(letter(new.id, 0));
    let full = store.create_account(&new, HASH, Some(&fresh), &free()).await;
    assert!(matches!(full, Err(StoreError::OutboxFull { .. })), "{full:?}");
    assert_eq!(store.account(new.id).await.unwrap(), None);
    fresh.letter = Some(letter(new.id, 10));
    store.create_account(&new, HASH, Some(&fresh), &free()).await.unwrap();
    let due = store
        .take_due("test", at(2), Duration::from_secs(60), 10)
        .await
        .unwrap();
    assert_eq!(due.len(), 1);
    let mut again = link(new.id, LinkPurpose::Invitation, "another");
    again.letter = Some(letter(new.id, 0));
    assert!(store.add_link(&again).await.is_err());
    assert!(
        store
            .link(&hash("secret"), LinkPurpose::Invitation, at(3))
            .await
            .unwrap()
            .is_some()
    );
}

pub(super) async fn what_is_asked_for_is_counted_for_an_address_and_for_a_source(place: &dyn Place) {
    let store = place.open();
    let ann = registered(&store, "ann").await;
    let asking = |address: u8, source: u8, seconds: i64| Asking {
        counted: vec![([address; 32], 2), ([source; 32], 4)],
        since: at(seconds - 10),
        now: at(seconds),
    };
    let reset = link(ann.id, LinkPurpose::PasswordReset, "secret");
    assert!(store.ask(&asking(1, 9, 10), Some(&reset)).await.unwrap());
    assert!(store.ask(&asking(1, 9, 11), None).await.unwrap());
    let newer = link(ann.id, LinkPurpose::PasswordReset, "newer");
    assert!(
        !store.ask(&asking(1, 8, 12), Some(&newer)).await.unwrap(),
        "the address, from wherever"
    );
    assert!(
        store
            .link(&hash("secret"), LinkPurpose::PasswordReset, at(12))
            .await
            .unwrap()
            .is_some()
    );
    assert!(store.ask(&asking(2, 9, 12), None).await.unwrap());
    assert!(store.ask(&asking(3, 9, 12), None).await.unwrap());
    assert!(
        !store.ask(&asking(4, 9, 12), None).await.unwrap(),
        "the source, whatever the address"
    );
    assert!(store.ask(&asking(1, 9, 30), None).await.unwrap());
    assert!(store.forget_links(at(30)).await.unwrap() > 0);
    assert!(store.forget_links(at(200)).await.unwrap() > 0);
    assert_eq!(store.forget_links(at(200)).await.unwrap(), 0);
}

pub(super) async fn of_many_askings_at_once_as_many_count_as_may(place: &dyn Place) {
    let store = place.open();
    let answers = at_once(20, |_number| {
        let store = Arc::clone(&store);
        async move {
            let asking = Asking {
                counted: vec![([7; 32], 3)],
                since: at(0),
                now: at(1),
            };
            store.ask(&asking, None).await.unwrap()
        }
    })
    .await;
    assert_eq!(answers.into_iter().filter(|counted| *counted).count(), 3);
}
