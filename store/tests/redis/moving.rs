//! Everything moves into Redis and back.

use std::collections::BTreeMap;

use stagedoor_identity::account::AccountQuery;
use stagedoor_identity::event::AuditQuery;
use stagedoor_identity::port::{Attempts as _, DeviceQuery, LinkPurpose, Reserved, SharedStore, Source};
use stagedoor_identity::secret::TokenHash;
use stagedoor_policy::rules::LockoutRules;
use stagedoor_policy::time::Timestamp;
use stagedoor_store::conformance::{self, Place};
use stagedoor_store::transfer::{CopyError, Movable, copy};
use stagedoor_store::{Embedded, Redis};

use super::server::server;

const NOW: Timestamp = Timestamp::from_micros(1_800_000_003_000_000);

/// All that the ports show of a store.
async fn shown(store: &SharedStore) -> BTreeMap<&'static str, String> {
    let all = AccountQuery {
        limit: 1000,
        ..AccountQuery::default()
    };
    let accounts = store.list_accounts(&all).await.unwrap();
    let mut secrets = Vec::new();
    for account in &accounts {
        let held = store.credentials(account.id).await.unwrap().unwrap();
        secrets.push((
            held.password_hash,
            held.totp_sealed,
            held.totp_last_step,
            held.credentials_version,
        ));
    }
    let mut pictures = Vec::new();
    for account in &accounts {
        pictures.extend(store.picture(account.id).await.unwrap().map(|picture| picture.bytes));
    }
    let devices = DeviceQuery {
        limit: 1000,
        ..DeviceQuery::default()
    };
    let mut links = Vec::new();
    for purpose in LinkPurpose::ALL {
        let hash = TokenHash::of(purpose.name().as_bytes());
        links.extend(store.link(&hash, purpose, NOW).await.unwrap());
    }
    let events = AuditQuery {
        limit: 1000,
        ..AuditQuery::default()
    };
    BTreeMap::from([
        ("accounts", format!("{accounts:?}")),
        ("secrets", format!("{secrets:?}")),
        (
            "sessions",
            format!("{:?}", store.sessions(Timestamp::from_micros(0)).await.unwrap()),
        ),
        ("devices", format!("{:?}", store.list_devices(&devices).await.unwrap())),
        (
            "letters",
            format!("{:?}", store.list_letters(None, 1000).await.unwrap()),
        ),
        ("waiting", format!("{:?}", store.letters_waiting().await.unwrap())),
        ("pictures", format!("{pictures:?}")),
        ("links", format!("{links:?}")),
        ("locks", format!("{:?}", store.lockouts(None, NOW).await.unwrap())),
        ("tokens", format!("{:?}", store.list_tokens().await.unwrap())),
        ("events", format!("{:?}", store.events(&events).await.unwrap())),
        ("policy", format!("{:?}", store.policy_revision().await.unwrap())),
    ])
}

struct Folder(tempfile::TempDir);
impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }
    fn embedded(&self) -> Embedded {
        Embedded::open(&self.0.path().join("data")).expect("the store opens")
    }
}
impl Place for Folder {
    fn open(&self) -> SharedStore {
        std::sync::Arc::new(self.embedded())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_goes_into_redis_and_back_without_loss() {
    let (first, last, redis) = (Folder::new(), Folder::new(), server());
    conformance::fill(&first).await;
    let before = shown(&first.open()).await;
    for (what, said) in &before {
        assert!(said.len() > 4, "nothing to lose of {what}: {said}");
    }

    let there = copy(&first.embedded(), &redis.store().await).await.expect("there");
    assert_eq!(shown(&redis.open()).await, before);
    let back = copy(&redis.store().await, &last.embedded()).await.expect("back");
    assert_eq!(shown(&last.open()).await, before);
    assert_eq!(there, back);
    assert!(there.failures > 0 && there.locks > 0 && there.keys > 0, "{there}");

    // What the ports do not show: counts go on where they were, codes are held, keys are the same.
    for place in [&redis as &dyn Place, &last as &dyn Place] {
        conformance::goes_on_where_it_was(place).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_into_a_store_that_holds_something_is_refused_and_changes_nothing() {
    let (from, redis) = (Folder::new(), server());
    conformance::fill(&from).await;
    let into = redis.store().await;
    let somewhere = Source("192.0.2.9".to_owned());
    into.reserve_attempt("bob", &somewhere, &LockoutRules::default(), NOW)
        .await
        .unwrap();
    assert!(matches!(copy(&from.embedded(), &into).await, Err(CopyError::NotEmpty)));
    assert!(matches!(copy(&into, &from.embedded()).await, Err(CopyError::NotEmpty)));
    let next = into
        .reserve_attempt("bob", &somewhere, &LockoutRules::default(), NOW)
        .await
        .unwrap();
    assert!(matches!(next, Reserved::Go { failures: 2, .. }), "{next:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_copy_is_never_taken_for_a_store() {
    let (from, into, redis) = (Folder::new(), Folder::new(), server());
    conformance::fill(&from).await;
    for into in [&into.embedded() as &dyn Movable, &redis.store().await] {
        let (send, receive) = tokio::sync::mpsc::channel(1);
        let (read, mut parts) = tokio::sync::mpsc::channel(100);
        from.embedded().read_out(read).await.unwrap();
        let part = parts.recv().await.expect("a part");
        let (sent, taken) = tokio::join!(async move { send.send(part).await.is_ok() }, into.take_in(receive),);
        assert!(sent && taken.is_err());
    }
    assert!(into.embedded().is_empty().await.unwrap());
    let refused = Redis::open(redis.settings()).await.unwrap_err().to_string();
    assert!(refused.contains("a copy into it was cut off"), "{refused}");
}
