//! Passwords and second factors.

use std::sync::Arc;

use stagedoor_identity::EndReason;
use stagedoor_identity::port::StoreError;

use super::Place;
use super::sample::{HASH, account, at, at_once, not_ended, opened, read_session, registered};

pub(super) async fn a_new_password_raises_the_version_and_ends_all_sessions_but_the_one_to_keep(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let before = store.credentials(alice.id).await.unwrap().unwrap();
    let other = opened(&store, alice.id, at(1)).await;
    let own = opened(&store, alice.id, at(2)).await;

    let reason = EndReason::CredentialsChanged;
    let ended = store
        .set_password(alice.id, "new", false, Some(own.id), &reason, at(3))
        .await
        .unwrap();
    assert_eq!(ended, [other.id]);
    assert_eq!(not_ended(&store).await, [own.id]);
    assert_eq!(read_session(&store, other.id).await.ended.unwrap().reason, reason);
    let after = store.credentials(alice.id).await.unwrap().unwrap();
    assert_eq!(after.password_hash, "new");
    assert!(after.credentials_version > before.credentials_version);

    let ended = store
        .set_password(alice.id, "newer", true, None, &reason, at(4))
        .await
        .unwrap();
    assert_eq!(ended, [own.id]);
    assert!(store.account(alice.id).await.unwrap().unwrap().password_temporary);
}

pub(super) async fn a_password_of_nobody_is_not_found(place: &dyn Place) {
    let store = place.open();
    let nobody = account("nobody").id;
    let reason = EndReason::CredentialsChanged;
    let password = store.set_password(nobody, "new", false, None, &reason, at(1)).await;
    assert!(matches!(password, Err(StoreError::NotFound)));
    let enrolled = store.set_second_factor(nobody, b"sealed", 1, &[], None).await;
    assert!(matches!(enrolled, Err(StoreError::NotFound)));
    let cleared = store.clear_second_factor(nobody, &reason, at(1)).await;
    assert!(matches!(cleared, Err(StoreError::NotFound)));
}

pub(super) async fn a_rehash_replaces_the_hash_it_knows_and_raises_no_version(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let live = opened(&store, alice.id, at(1)).await;
    let before = store.credentials(alice.id).await.unwrap().unwrap();

    store.rehash_password(alice.id, HASH, "dearer").await.unwrap();
    let after = store.credentials(alice.id).await.unwrap().unwrap();
    assert_eq!(after.password_hash, "dearer");
    assert_eq!(after.credentials_version, before.credentials_version);
    assert_eq!(not_ended(&store).await, [live.id]);

    store.rehash_password(alice.id, HASH, "late").await.unwrap();
    assert_eq!(
        store.credentials(alice.id).await.unwrap().unwrap().password_hash,
        "dearer"
    );
}

pub(super) async fn a_second_factor_is_kept_and_taken_away_with_its_codes_and_sessions(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let before = store.credentials(alice.id).await.unwrap().unwrap();
    store
        .set_second_factor(alice.id, b"sealed \0 bytes", 41, &[[1; 32], [2; 32]], None)
        .await
        .unwrap();

    let enrolled = store.credentials(alice.id).await.unwrap().unwrap();
    assert_eq!(enrolled.totp_sealed.as_deref(), Some(&b"sealed \0 bytes"[..]));
    assert_eq!(enrolled.totp_last_step, Some(41));
    assert!(enrolled.credentials_version > before.credentials_version);
    let shown = store.account(alice.id).await.unwrap().unwrap();
    assert_eq!((shown.second_factor, shown.recovery_codes_left), (true, 2));

    store
        .set_second_factor(alice.id, b"another", 50, &[[3; 32]], None)
        .await
        .unwrap();
    assert!(
        !store.use_recovery_code(alice.id, &[1; 32]).await.unwrap(),
        "codes of before are void"
    );
    assert_eq!(store.account(alice.id).await.unwrap().unwrap().recovery_codes_left, 1);

    let live = opened(&store, alice.id, at(1)).await;
    let reason = EndReason::CredentialsChanged;
    assert_eq!(
        store.clear_second_factor(alice.id, &reason, at(2)).await.unwrap(),
        [live.id]
    );
    let cleared = store.credentials(alice.id).await.unwrap().unwrap();
    assert!(cleared.totp_sealed.is_none());
    assert!(cleared.credentials_version > enrolled.credentials_version);
    let shown = store.account(alice.id).await.unwrap().unwrap();
    assert_eq!((shown.second_factor, shown.recovery_codes_left), (false, 0));
    assert!(not_ended(&store).await.is_empty());
}

pub(super) async fn a_totp_step_is_used_once_and_never_an_earlier_one(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    store
        .set_second_factor(alice.id, b"sealed", 100, &[], None)
        .await
        .unwrap();
    for (step, counts) in [
        (100, false),
        (99, false),
        (101, true),
        (101, false),
        (100, false),
        (103, true),
        (102, false),
    ] {
        assert_eq!(
            store.use_totp_step(alice.id, step).await.unwrap(),
            counts,
            "step {step}"
        );
    }
    let kept = store.credentials(alice.id).await.unwrap().unwrap();
    assert_eq!(kept.totp_last_step, Some(103));
}

pub(super) async fn of_many_uses_of_one_totp_step_one_counts(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    store
        .set_second_factor(alice.id, b"sealed", 1, &[], None)
        .await
        .unwrap();
    let counted = at_once(50, |_number| {
        let (store, id) = (Arc::clone(&store), alice.id);
        async move { store.use_totp_step(id, 2).await.unwrap() }
    })
    .await;
    assert_eq!(counted.into_iter().filter(|counts| *counts).count(), 1);
}

pub(super) async fn a_recovery_code_works_once_also_when_many_try_it(place: &dyn Place) {
    let store = place.open();
    let (alice, bob) = (registered(&store, "alice").await, registered(&store, "bob").await);
    store
        .set_second_factor(alice.id, b"sealed", 1, &[[1; 32], [2; 32]], None)
        .await
        .unwrap();
    assert!(
        !store.use_recovery_code(bob.id, &[1; 32]).await.unwrap(),
        "another's code"
    );
    assert!(
        !store.use_recovery_code(alice.id, &[9; 32]).await.unwrap(),
        "no code at all"
    );
    let counted = at_once(50, |_number| {
        let (store, id) = (Arc::clone(&store), alice.id);
        async move { store.use_recovery_code(id, &[1; 32]).await.unwrap() }
    })
    .await;
    assert_eq!(counted.into_iter().filter(|counts| *counts).count(), 1);
    assert_eq!(store.account(alice.id).await.unwrap().unwrap().recovery_codes_left, 1);
}

pub(super) async fn without_a_second_factor_no_step_and_no_code_is_right(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    assert!(!store.use_totp_step(alice.id, u64::MAX / 4).await.unwrap());
    assert!(!store.use_recovery_code(alice.id, &[0; 32]).await.unwrap());
}
