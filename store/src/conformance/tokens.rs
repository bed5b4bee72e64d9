//! Bearer tokens.

use stagedoor_identity::port::{ApiToken, StoreError};
use stagedoor_identity::secret::TokenHash;

use super::Place;
use super::sample::{at, hostile_texts};

fn token(name: &str) -> ApiToken {
    ApiToken {
        name: name.to_owned(),
        scopes: vec!["accounts:read".to_owned(), "*".to_owned()],
        created_at: at(1),
        expires_at: Some(at(2)),
        account: None,
    }
}

pub(super) async fn a_token_is_found_by_its_hash_until_it_is_revoked(place: &dyn Place) {
    let store = place.open();
    let (ci, hash) = (token("ci"), TokenHash::of(b"ci"));
    store.add_token(&ci, &hash).await.unwrap();
    let for_ever = ApiToken {
        expires_at: None,
        account: None,
        scopes: Vec::new(),
        ..token("for-ever")
    };
    store.add_token(&for_ever, &TokenHash::of(b"for ever")).await.unwrap();

    assert_eq!(store.token(&hash).await.unwrap(), Some(ci));
    assert_eq!(store.token(&TokenHash::of(b"for ever")).await.unwrap(), Some(for_ever));
    assert_eq!(store.token(&TokenHash::of(b"another")).await.unwrap(), None);
    assert!(store.revoke_token("ci").await.unwrap());
    assert!(!store.revoke_token("ci").await.unwrap());
    assert_eq!(store.token(&hash).await.unwrap(), None);
    assert_eq!(store.list_tokens().await.unwrap().len(), 1);
}

pub(super) async fn a_token_name_is_taken_once(place: &dyn Place) {
    let store = place.open();
    store.add_token(&token("ci"), &TokenHash::of(b"one")).await.unwrap();
    let second = store.add_token(&token("ci"), &TokenHash::of(b"two")).await;
    assert!(matches!(second, Err(StoreError::NameTaken)));
    assert_eq!(store.token(&TokenHash::of(b"two")).await.unwrap(), None);
    assert!(store.token(&TokenHash::of(b"one")).await.unwrap().is_some());
}

pub(super) async fn tokens_are_listed_in_the_order_of_names(place: &dyn Place) {
    let store = place.open();
    let mut names = hostile_texts();
    names.extend(["b", "a", "c"].map(str::to_owned));
    for name in &names {
        store
            .add_token(&token(name), &TokenHash::of(name.as_bytes()))
            .await
            .unwrap();
    }
    names.sort();
    let listed = store.list_tokens().await.unwrap();
    assert_eq!(listed.into_iter().map(|token| token.name).collect::<Vec<_>>(), names);
}
