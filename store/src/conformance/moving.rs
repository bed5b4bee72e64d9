//! A store with something of everything in it, for those who move stores.

use stagedoor_identity::event::Kind;
use std::time::Duration;

use stagedoor_identity::account::Invitation;
use stagedoor_identity::letter::{Failure, LetterId, LetterKind, QueuedLetter};
use stagedoor_identity::picture::Picture;
use stagedoor_identity::port::{
    ApiToken, Asking, Device, DeviceId, FreshLink, FreshPolicy, Link, LinkPurpose, Reserved, SeatRule, SharedStore,
    Source, StoreError, Structure,
};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::session::SessionRecord;
use stagedoor_identity::{AccountId, EndReason, Secret};
use stagedoor_policy::rules::LockoutRules;

use super::Place;
use super::sample::{
    HASH, ROLE, account, at, event, free, hostile_texts, name, new_id, open, opened, policy, registered, session,
};

const CLAIM: Duration = Duration::from_secs(60);

fn here() -> Source {
    Source("192.0.2.1".to_owned())
}

fn there() -> Source {
    Source("2001:db8::/64".to_owned())
}

/// Puts something of everything into an empty store, some of it hostile.
pub async fn fill(place: &dyn Place) {
    let store = place.open();
    for (number, text) in hostile_texts().into_iter().enumerate() {
        let mut account = account(&format!("u{number}"));
        account.display_name.clone_from(&text);
        account.email = Some(text.clone());
        account.networks = vec![text.clone()];
        account.last_used_at = Some(at(1));
        account.preferences = [(text.clone(), text.clone())].into();
        account.second_factor_demanded = number % 2 == 0;
        store.create_account(&account, HASH, None, &free()).await.unwrap();
        let device = device(&text, (number % 2 == 0).then_some(account.id));
        let key = TokenHash::of(text.as_bytes());
        store.add_device(&device, &key).await.unwrap();
        let mut letter = letter(Some(account.id), LetterKind::EmailChanged);
        letter.to.clone_from(&text);
        store.queue_letter(&letter).await.unwrap();
        let (source, rules) = (Source(text.clone()), LockoutRules::default());
        let attempt = store.reserve_attempt(&text, &source, &rules, at(2)).await.unwrap();
        assert!(matches!(attempt, Reserved::Go { .. }));
        let hash = TokenHash::of(text.as_bytes());
        let token = ApiToken {
            name: text.clone(),
            scopes: vec![text.clone()],
            created_at: at(1),
            expires_at: (number > 3).then_some(at(9)),
            account: (number > 5).then_some(account.id),
        };
        store.add_token(&token, &hash).await.unwrap();
        store
            .key_or_insert(&text, &Secret::new(vec![200, 0, 10]))
            .await
            .unwrap();
        let policy = FreshPolicy {
            sha256: hash.0,
            text: text.clone(),
            by: text.clone(),
            at: at(1),
        };
        store.note_policy(&policy, None).await.unwrap();
        let mut written = event(Kind::SignInFailed, i64::try_from(number).unwrap());
        written.account = Some(text.clone());
        written.details = vec![(text.clone(), text)];
        store.record(&[written]).await.unwrap();
    }
    let alice = registered(&store, "alice").await;
    store
        .set_second_factor(alice.id, &[0, 255, 7], 41, &[[1; 32], [2; 32]], None)
        .await
        .unwrap();
    let over = opened(&store, alice.id, at(1)).await;
    store.end_session(over.id, &EndReason::SignedOut, at(2)).await.unwrap();
    opened(&store, alice.id, at(2)).await;
    let rules = LockoutRules {
        failures: 2,
        ..LockoutRules::default()
    };
    for _failure in 0..2 {
        store.reserve_attempt("alice", &here(), &rules, at(2)).await.unwrap();
    }
    store
        .reserve_attempt("alice", &there(), &LockoutRules::default(), at(2))
        .await
        .unwrap();
    fill_with_links_and_letters(&store, alice.id).await;
}

fn device(device_name: &str, account: Option<AccountId>) -> Device {
    Device {
        id: DeviceId(new_id()),
        name: device_name.to_owned(),
        registered_at: at(1),
        last_seen_at: None,
        account,
    }
}

fn letter(account: Option<AccountId>, kind: LetterKind) -> QueuedLetter {
    QueuedLetter {
        id: LetterId(new_id()),
        account,
        kind,
        to: "ann@example.org".to_owned(),
        sealed: vec![0, 200, 255],
        due_at: at(500),
        give_up_at: at(1000),
        letters_max: 1000,
    }
}

fn link(account: AccountId, purpose: LinkPurpose, credentials_version: u64) -> Link {
    Link {
        hash: TokenHash::of(purpose.name().as_bytes()),
        account,
        purpose,
        email: (purpose == LinkPurpose::Email).then(|| "New@example.org".to_owned()),
        credentials_version,
        made_at: at(1),
        expires_at: at(100),
    }
}

fn asking(seconds: i64) -> Asking {
    Asking {
        counted: vec![([7; 32], 3)],
        since: at(0),
        now: at(seconds),
    }
}

async fn fill_with_links_and_letters(store: &SharedStore, alice: AccountId) {
    let invited = stagedoor_identity::Account {
        accepted_at: None,
        invitation: Some(Invitation {
            sent_at: at(1),
            expires_at: at(100),
        }),
        ..account("invited")
    };
    let invitation = FreshLink {
        link: link(invited.id, LinkPurpose::Invitation, 1),
        letter: Some(letter(Some(invited.id), LetterKind::Invitation)),
    };
    store
        .create_account(&invited, HASH, Some(&invitation), &free())
        .await
        .unwrap();
    let fresh = |purpose| FreshLink {
        link: link(alice, purpose, 2),
        letter: None,
    };
    store.add_link(&fresh(LinkPurpose::Email)).await.unwrap();
    let reset = fresh(LinkPurpose::PasswordReset);
    assert!(store.ask(&asking(1), Some(&reset)).await.unwrap());
    assert!(store.ask(&asking(1), None).await.unwrap());

    for (_kind, bytes) in stagedoor_identity::testing::pictures() {
        let picture = Picture::read(bytes, 1024).unwrap();
        store.set_picture(alice, Some(&picture)).await.unwrap();
    }
    let pad = device("pad", Some(alice));
    store.add_device(&pad, &TokenHash::of(b"the pad")).await.unwrap();
    let from_pad = SessionRecord {
        device: Some(pad.id),
        ..session(alice, at(3))
    };
    open(store, &from_pad, 0).await;

    for (number, kind) in [LetterKind::Trial, LetterKind::PasswordChanged].into_iter().enumerate() {
        let letter = QueuedLetter {
            due_at: at(i64::try_from(number).unwrap()),
            ..letter(None, kind)
        };
        store.queue_letter(&letter).await.unwrap();
    }
    let due = store.take_due("door", at(10), CLAIM, 10).await.unwrap();
    let warning = letter(Some(alice), LetterKind::InactivityWarning);
    assert!(store.warn_once(alice, at(5), &warning).await.unwrap());
    let failure = Failure {
        why: "451 try later".to_owned(),
        retry_at: at(400),
        may_have_arrived: true,
    };
    let (failed, under_way) = (&due[0], &due[1]);
    assert!(
        store
            .letter_failed(failed.letter.id, failed.claim, &failure)
            .await
            .unwrap()
    );
    assert!(
        store
            .handing_over(under_way.letter.id, under_way.claim, at(300))
            .await
            .unwrap()
    );
}

/// After [`fill`]: what no port shows is there too. May be asked once.
pub async fn goes_on_where_it_was(place: &dyn Place) {
    let store = place.open();
    let rules = LockoutRules::default();
    let locked = store.reserve_attempt("alice", &here(), &rules, at(3)).await.unwrap();
    assert!(matches!(locked, Reserved::Locked { .. }), "{locked:?}");
    let counted = store.reserve_attempt("alice", &there(), &rules, at(3)).await.unwrap();
    assert!(matches!(counted, Reserved::Go { failures: 2, .. }), "{counted:?}");
    store.forgive("alice", &there()).await.unwrap();
    let counted = store.reserve_attempt("alice", &there(), &rules, at(3)).await.unwrap();
    assert!(matches!(counted, Reserved::Go { failures: 1, .. }), "{counted:?}");

    let alice = store.account_by_name(&name("alice")).await.unwrap().unwrap();
    assert!(!store.use_totp_step(alice.id, 41).await.unwrap());
    assert!(store.use_totp_step(alice.id, 42).await.unwrap());
    assert!(store.use_recovery_code(alice.id, &[2; 32]).await.unwrap());
    what_was_linked_and_waited_goes_on(&store, alice.id).await;
    for text in hostile_texts() {
        let kept = store.key_or_insert(&text, &Secret::new("another")).await.unwrap();
        assert!(kept.matches(&[200, 0, 10]), "{text:.20}");
        assert!(store.token(&TokenHash::of(text.as_bytes())).await.unwrap().is_some());
    }
    let next = u64::try_from(hostile_texts().len()).unwrap() + 1;
    assert_eq!(store.note_policy(&policy(9), None).await.unwrap(), next);
    let ended = store
        .end_sessions_of(alice.id, None, &EndReason::PolicyChanged, at(4))
        .await
        .unwrap();
    assert_eq!(ended.len(), 1);
    store.record(&[event(Kind::SignInFailed, 4)]).await.unwrap();
}

async fn what_was_linked_and_waited_goes_on(store: &SharedStore, alice: AccountId) {
    let seats = Structure {
        seats: vec![SeatRule {
            name: "staff".to_owned(),
            roles: vec![ROLE.to_owned()],
            at_most: 2,
        }],
        ..free()
    };
    let full = store.create_account(&account("late"), HASH, None, &seats).await;
    assert!(matches!(full, Err(StoreError::SeatsFull { .. })), "{full:?}");
    assert_eq!(store.last_used_of(ROLE, 1).await.unwrap(), [alice]);

    assert!(store.ask(&asking(2), None).await.unwrap());
    assert!(!store.ask(&asking(2), None).await.unwrap(), "counted three times");
    let pad = store.device_by_key(&TokenHash::of(b"the pad")).await.unwrap().unwrap();
    let unlinked = store.link_device(pad.id, None, &EndReason::DeviceUnlinked, at(4)).await;
    assert_eq!(unlinked.unwrap().1.len(), 1, "the session from it has ended");
    let confirmed = store.redeem_for_email(&TokenHash::of(b"email"), at(4)).await.unwrap();
    assert_eq!(confirmed.email.as_deref(), Some("New@example.org"));
    assert_eq!(store.accounts_by_email("new@EXAMPLE.org").await.unwrap(), [confirmed]);
    let (purpose, reason) = (LinkPurpose::Invitation, EndReason::CredentialsChanged);
    let invitation = TokenHash::of(purpose.name().as_bytes());
    let accepted = store.redeem_for_password(&invitation, purpose, "new", &reason, at(4));
    assert_eq!(accepted.await.unwrap().0.accepted_at, Some(at(4)));

    assert!(
        store.take_due("other", at(299), CLAIM, 9).await.unwrap().is_empty(),
        "claimed"
    );
    assert_eq!(store.release_claims("door", at(5)).await.unwrap(), 1);
    let again = store.take_due("door", at(5), CLAIM, 9).await.unwrap();
    let known: Vec<_> = again
        .iter()
        .map(|due| (due.claim, due.failures, due.may_have_arrived))
        .collect();
    assert_eq!(known, [(2, 0, true)]);
    let failed = store.take_due("other", at(400), CLAIM, 9).await.unwrap();
    let known: Vec<_> = failed
        .iter()
        .filter(|due| due.failures > 0)
        .map(|due| (due.claim, due.failures, due.may_have_arrived))
        .collect();
    assert_eq!(known, [(2, 1, true)]);
    let warning = letter(Some(alice), LetterKind::InactivityWarning);
    assert!(!store.warn_once(alice, at(5), &warning).await.unwrap(), "warned before");
    for text in hostile_texts() {
        let key = TokenHash::of(text.as_bytes());
        assert!(store.device_by_key(&key).await.unwrap().is_some(), "{text:.20}");
    }
}
