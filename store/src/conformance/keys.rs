//! The door's own keys, policy numbers, and that all of it outlives the process.

use std::collections::BTreeSet;
use std::sync::Arc;

use stagedoor_identity::event::{AuditQuery, Kind};
use stagedoor_identity::port::{ApiToken, FreshPolicy, NotedPolicy, StoreError};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::{EndReason, Secret};

use super::Place;
use super::sample::{at, at_once, event, hostile_texts, opened, policy, registered};

pub(super) async fn a_key_is_made_once_also_when_many_ask(place: &dyn Place) {
    let store = place.open();
    let answers = at_once(50, |number| {
        let store = Arc::clone(&store);
        async move {
            let fresh = Secret::new(format!("key {number}").into_bytes());
            store.key_or_insert("seal", &fresh).await.unwrap().expose().to_vec()
        }
    })
    .await;
    assert_eq!(answers.into_iter().collect::<BTreeSet<_>>().len(), 1);
    for (number, name) in hostile_texts().iter().enumerate() {
        let fresh = Secret::new(vec![u8::try_from(number).unwrap(); 40]);
        let kept = store.key_or_insert(name, &fresh).await.unwrap();
        assert!(kept.matches(fresh.expose()), "each name has a key of its own");
    }
}

pub(super) async fn the_same_policy_keeps_its_number_and_another_gets_the_next(place: &dyn Place) {
    let store = place.open();
    assert_eq!(store.policy_revision().await.unwrap(), None);
    for (sha256, revision) in [(1, 1), (1, 1), (2, 2), (2, 2), (1, 3)] {
        let noted = store.note_policy(&policy(sha256), None).await.unwrap();
        assert_eq!(noted, revision);
        assert_eq!(store.policy_revision().await.unwrap(), Some((revision, [sha256; 32])));
    }
}

pub(super) async fn the_newest_policy_is_read_back_whole_and_older_ones_by_their_text(place: &dyn Place) {
    let store = place.open();
    assert_eq!(store.newest_policy().await.unwrap(), None);
    assert_eq!(store.revision_of(&[1; 32]).await.unwrap(), None);
    for (number, text) in hostile_texts().iter().enumerate() {
        let sha256 = [u8::try_from(number).unwrap(); 32];
        let fresh = FreshPolicy {
            sha256,
            text: text.clone(),
            by: text.clone(),
            at: at(5),
        };
        let revision = store.note_policy(&fresh, None).await.unwrap();
        assert_eq!(store.newest_policy().await.unwrap(), Some(fresh.numbered(revision)));
    }
    assert_eq!(store.revision_of(&[1; 32]).await.unwrap(), Some(2));
    let again = store.note_policy(&policy(1), None).await.unwrap();
    assert_eq!(
        store.revision_of(&[1; 32]).await.unwrap(),
        Some(again),
        "the newest of a text"
    );
}

pub(super) async fn a_policy_that_is_to_follow_another_than_the_newest_is_not_noted(place: &dyn Place) {
    let store = place.open();
    let note = async |sha256: u8, after| store.note_policy(&policy(sha256), after).await;
    assert_eq!(note(1, Some(0)).await.unwrap(), 1, "there is none to follow");
    assert_eq!(note(2, Some(1)).await.unwrap(), 2);
    assert!(matches!(note(3, Some(1)).await, Err(StoreError::VersionMismatch)));
    assert_eq!(store.policy_revision().await.unwrap(), Some((2, [2; 32])));
    assert_eq!(note(2, Some(1)).await.unwrap(), 2, "it is the newest already");
}

pub(super) async fn a_policy_that_was_lost_is_put_back_under_its_number_and_no_older_one_is(place: &dyn Place) {
    let store = place.open();
    store.note_policy(&policy(1), None).await.unwrap();
    let lost = policy(4).numbered(4);
    store.restore_policy(&lost).await.unwrap();
    assert_eq!(store.newest_policy().await.unwrap(), Some(lost.clone()));
    for revision in [3, 4] {
        let other = NotedPolicy {
            revision,
            sha256: [9; 32],
            ..lost.clone()
        };
        store.restore_policy(&other).await.unwrap();
    }
    assert_eq!(store.newest_policy().await.unwrap(), Some(lost));
    assert_eq!(store.note_policy(&policy(5), Some(4)).await.unwrap(), 5);
}

pub(super) async fn one_policy_noted_by_many_at_once_has_one_number(place: &dyn Place) {
    let store = place.open();
    let noted = at_once(30, |_number| {
        let store = Arc::clone(&store);
        async move { store.note_policy(&policy(5), None).await.unwrap() }
    })
    .await;
    assert!(noted.iter().all(|revision| *revision == 1), "{noted:?}");
}

pub(super) async fn reopening_keeps_everything(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    store
        .set_second_factor(alice.id, b"sealed", 7, &[[1; 32]], None)
        .await
        .unwrap();
    let over = opened(&store, alice.id, at(1)).await;
    store
        .end_session(over.id, &EndReason::EndedByAdministrator, at(2))
        .await
        .unwrap();
    let live = opened(&store, alice.id, at(3)).await;
    store.touch(&[(live.id, alice.id, at(4))]).await.unwrap();
    let token = ApiToken {
        name: "ci".to_owned(),
        scopes: vec![],
        created_at: at(1),
        expires_at: None,
        account: None,
    };
    store.add_token(&token, &TokenHash::of(b"ci")).await.unwrap();
    store.record(&[event(Kind::SignInSucceeded, 1)]).await.unwrap();
    let key = store.key_or_insert("seal", &Secret::new(*b"first")).await.unwrap();
    store.note_policy(&policy(9), None).await.unwrap();
    let account = store.account(alice.id).await.unwrap();
    let sessions = store.sessions(at(0)).await.unwrap();
    drop(store);

    let store = place.open();
    assert_eq!(store.account(alice.id).await.unwrap(), account);
    assert_eq!(store.sessions(at(0)).await.unwrap(), sessions);
    let credentials = store.credentials(alice.id).await.unwrap().unwrap();
    assert_eq!(credentials.totp_sealed.as_deref(), Some(&b"sealed"[..]));
    assert!(!store.use_totp_step(alice.id, 7).await.unwrap());
    assert_eq!(store.token(&TokenHash::of(b"ci")).await.unwrap(), Some(token));
    let asked = AuditQuery {
        limit: 10,
        ..AuditQuery::default()
    };
    assert_eq!(store.events(&asked).await.unwrap().len(), 1);
    store.record(&[event(Kind::SignInSucceeded, 2)]).await.unwrap();
    assert_eq!(store.events(&asked).await.unwrap()[0].number, 2, "numbers go on");
    let kept = store.key_or_insert("seal", &Secret::new(*b"second")).await.unwrap();
    assert!(kept.matches(key.expose()));
    assert_eq!(store.policy_revision().await.unwrap(), Some((1, [9; 32])));
}
