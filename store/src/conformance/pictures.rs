//! Pictures.

use stagedoor_identity::picture::Picture;
use stagedoor_identity::port::StoreError;
use stagedoor_identity::testing::pictures;

use super::Place;
use super::sample::{at_once, free, registered};

fn samples() -> Vec<Picture> {
    let read = |(_, bytes)| Picture::read(bytes, 1024).unwrap();
    pictures().into_iter().map(read).collect()
}

pub(super) async fn an_account_has_one_picture_that_is_replaced_and_goes_with_it(place: &dyn Place) {
    let store = place.open();
    let (ann, bob) = (registered(&store, "ann").await, registered(&store, "bob").await);
    assert_eq!(store.picture(ann.id).await.unwrap(), None);
    assert!(store.pictured(&[ann.id, bob.id]).await.unwrap().is_empty());
    for picture in samples() {
        store.set_picture(ann.id, Some(&picture)).await.unwrap();
        assert_eq!(store.picture(ann.id).await.unwrap().as_ref(), Some(&picture));
        assert_eq!(
            store.pictured(&[bob.id, ann.id]).await.unwrap(),
            [(ann.id, picture.tag())]
        );
    }
    let version = store.account(ann.id).await.unwrap().unwrap().version;
    assert_eq!(version, ann.version, "a picture is no change of the account");
    drop(store);
    let store = place.open();
    assert_eq!(store.picture(ann.id).await.unwrap(), samples().pop(), "it is durable");
    store.set_picture(ann.id, None).await.unwrap();
    assert_eq!(store.picture(ann.id).await.unwrap(), None);
    store.set_picture(ann.id, samples().first()).await.unwrap();
    store.remove_account(ann.id, None, &free()).await.unwrap();
    assert_eq!(store.picture(ann.id).await.unwrap(), None);
    assert!(store.pictured(&[ann.id]).await.unwrap().is_empty());
    let nobody = store.set_picture(ann.id, samples().first()).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)));
}

pub(super) async fn of_many_pictures_at_once_one_is_kept_whole(place: &dyn Place) {
    let store = place.open();
    let ann = registered(&store, "ann").await.id;
    at_once(30, |number| {
        let (store, samples) = (store.clone(), samples());
        async move { store.set_picture(ann, samples.get(number % 3)).await.unwrap() }
    })
    .await;
    let kept = store.picture(ann).await.unwrap().unwrap();
    assert!(samples().contains(&kept));
    assert_eq!(store.pictured(&[ann]).await.unwrap(), [(ann, kept.tag())]);
}
