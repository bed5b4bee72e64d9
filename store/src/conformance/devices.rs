//! Devices.

use stagedoor_identity::port::{Device, DeviceId, DeviceQuery, Opened, SharedStore, StoreError};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::session::SessionRecord;
use stagedoor_identity::{AccountId, EndReason};

use super::Place;
use super::sample::{at, free, hostile_texts, new_id, not_ended, open, registered, session};

const UNLINKED: EndReason = EndReason::DeviceUnlinked;

async fn device(store: &SharedStore, name: &str) -> Device {
    let device = Device {
        id: DeviceId(new_id()),
        name: name.to_owned(),
        registered_at: at(1),
        last_seen_at: None,
        account: None,
    };
    store
        .add_device(&device, &TokenHash::of(name.as_bytes()))
        .await
        .unwrap();
    device
}

async fn from(store: &SharedStore, device: &Device, account: AccountId, seconds: i64) -> (SessionRecord, Opened) {
    let session = SessionRecord {
        device: Some(device.id),
        ..session(account, at(seconds))
    };
    let opened = open(store, &session, 0).await;
    (session, opened)
}

pub(super) async fn a_device_is_found_by_its_key_and_a_name_is_taken_once(place: &dyn Place) {
    let store = place.open();
    for name in hostile_texts() {
        let made = device(&store, &name).await;
        let key = TokenHash::of(name.as_bytes());
        assert_eq!(store.device_by_key(&key).await.unwrap().as_ref(), Some(&made));
        assert_eq!(store.device(made.id).await.unwrap(), Some(made));
    }
    let again = Device {
        id: DeviceId(new_id()),
        ..device(&store, "pad").await
    };
    let taken = store.add_device(&again, &TokenHash::of(b"another key")).await;
    assert!(matches!(taken, Err(StoreError::NameTaken)));
    assert_eq!(store.device_by_key(&TokenHash::of(b"unknown")).await.unwrap(), None);
}

pub(super) async fn linked_devices_are_counted_and_listed_by_account(place: &dyn Place) {
    let store = place.open();
    let (ann, bob) = (registered(&store, "ann").await, registered(&store, "bob").await);
    for (name, owner) in [
        ("c", Some(ann.id)),
        ("a", Some(ann.id)),
        ("b", Some(bob.id)),
        ("d", None),
    ] {
        let id = device(&store, name).await.id;
        store.link_device(id, owner, &UNLINKED, at(1)).await.unwrap();
    }
    let names = async |query: DeviceQuery| -> Vec<String> {
        let listed = store.list_devices(&query).await.unwrap();
        listed.into_iter().map(|device| device.name).collect()
    };
    let of_ann = DeviceQuery {
        account: Some(ann.id),
        after: None,
        limit: 10,
    };
    assert_eq!(names(of_ann).await, ["a", "c"]);
    let page = DeviceQuery {
        account: None,
        after: Some("a".to_owned()),
        limit: 2,
    };
    assert_eq!(names(page).await, ["b", "c"]);
    assert_eq!(store.account(ann.id).await.unwrap().unwrap().devices, 2);
    store.remove_account(ann.id, None, &free()).await.unwrap();
    let left = store.device_by_key(&TokenHash::of(b"a")).await.unwrap().unwrap();
    assert_eq!(left.account, None, "a device outlives the account it was linked to");
    let nobody = store.link_device(left.id, Some(ann.id), &UNLINKED, at(1)).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)));
}

pub(super) async fn a_session_from_a_device_ends_when_the_device_is_unlinked_or_removed(place: &dyn Place) {
    let store = place.open();
    let (ann, bob) = (registered(&store, "ann").await, registered(&store, "bob").await);
    let pad = device(&store, "pad").await;
    assert_eq!(from(&store, &pad, ann.id, 1).await.1, Opened::Stale, "linked to nobody");
    store.link_device(pad.id, Some(ann.id), &UNLINKED, at(1)).await.unwrap();
    let (first, opened) = from(&store, &pad, ann.id, 2).await;
    assert_eq!(opened, Opened::Open { displaced: Vec::new() });
    assert_eq!(
        from(&store, &pad, bob.id, 2).await.1,
        Opened::Stale,
        "linked to another"
    );
    assert_eq!(store.device(pad.id).await.unwrap().unwrap().last_seen_at, Some(at(2)));
    let beside = session(ann.id, at(3));
    open(&store, &beside, 0).await;

    let (_pad, ended) = store.link_device(pad.id, Some(ann.id), &UNLINKED, at(4)).await.unwrap();
    assert!(ended.is_empty(), "nothing changed");
    let (_pad, ended) = store.link_device(pad.id, Some(bob.id), &UNLINKED, at(4)).await.unwrap();
    assert_eq!(ended, [first.id]);
    let (second, _opened) = from(&store, &pad, bob.id, 5).await;
    assert_eq!(
        store.remove_device(pad.id, &UNLINKED, at(6)).await.unwrap(),
        [second.id]
    );
    assert_eq!(not_ended(&store).await, [beside.id]);
    assert!(matches!(
        store.remove_device(pad.id, &UNLINKED, at(6)).await,
        Err(StoreError::NotFound)
    ));
}
