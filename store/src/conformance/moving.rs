//! A store with something of everything in it, for those who move stores.

use stagedoor_identity::event::Kind;
use stagedoor_identity::port::{ApiToken, Reserved, Source};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::{EndReason, Secret};
use stagedoor_policy::rules::LockoutRules;

use super::Place;
use super::sample::{HASH, account, at, event, hostile_texts, opened, registered};

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
        store.create_account(&account, HASH).await.unwrap();
        let (source, rules) = (Source(text.clone()), LockoutRules::default());
        let attempt = store.reserve_attempt(&text, &source, &rules, at(2)).await.unwrap();
        assert!(matches!(attempt, Reserved::Go { .. }));
        let hash = TokenHash::of(text.as_bytes());
        let token = ApiToken {
            name: text.clone(),
            scopes: vec![text.clone()],
            created_at: at(1),
            expires_at: (number > 3).then_some(at(9)),
        };
        store.add_token(&token, &hash).await.unwrap();
        store
            .key_or_insert(&text, &Secret::new(vec![200, 0, 10]))
            .await
            .unwrap();
        store.note_policy(&hash.0, &text, &text, at(1)).await.unwrap();
        let mut written = event(Kind::SignInFailed, i64::try_from(number).unwrap());
        written.account = Some(text.clone());
        written.details = vec![(text.clone(), text)];
        store.record(&[written]).await.unwrap();
    }
    let alice = registered(&store, "alice").await;
    store
        .set_second_factor(alice.id, &[0, 255, 7], 41, &[[1; 32], [2; 32]])
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

    let name = stagedoor_identity::account::AccountName::parse("alice").unwrap();
    let alice = store.account_by_name(&name).await.unwrap().unwrap();
    assert!(!store.use_totp_step(alice.id, 41).await.unwrap());
    assert!(store.use_totp_step(alice.id, 42).await.unwrap());
    assert!(store.use_recovery_code(alice.id, &[2; 32]).await.unwrap());
    for text in hostile_texts() {
        let kept = store.key_or_insert(&text, &Secret::new("another")).await.unwrap();
        assert!(kept.matches(&[200, 0, 10]), "{text:.20}");
        assert!(store.token(&TokenHash::of(text.as_bytes())).await.unwrap().is_some());
    }
    let next = u64::try_from(hostile_texts().len()).unwrap() + 1;
    assert_eq!(store.note_policy(&[9; 32], "next", "cli", at(4)).await.unwrap(), next);
    let ended = store
        .end_sessions_of(alice.id, None, &EndReason::PolicyChanged, at(4))
        .await
        .unwrap();
    assert_eq!(ended.len(), 1);
    store.record(&[event(Kind::SignInFailed, 4)]).await.unwrap();
}
