//! The process that is killed: several tasks sign in to a few accounts as fast as they can.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use stagedoor_identity::account::AccountName;
use stagedoor_identity::event::{Event, Kind, Outcome};
use stagedoor_identity::port::{FreshPolicy, Opened, SharedStore, Source, Structure};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::session::SessionRecord;
use stagedoor_identity::{Account, AccountId, SessionId};
use stagedoor_policy::rules::{LockoutRules, WhenFull};
use stagedoor_policy::time::Timestamp;
use stagedoor_store::Embedded;
use uuid::Uuid;

pub(super) const FOLDER: &str = "STAGEDOOR_TEST_CRASH_FOLDER";
pub(super) const ROUND: &str = "STAGEDOOR_TEST_CRASH_ROUND";
/// Begins each acknowledgement.
pub(super) const MARK: &str = "acknowledged ";
pub(super) const ACCOUNTS: [&str; 3] = ["alice", "bob", "carol"];

const ROLE: &str = "clerk";
const TASKS: usize = 6;
const STEPS_A_ROUND: u64 = 1_000_000;
/// Never locks: the count itself is what is looked at.
pub(super) const COUNT_ONLY: LockoutRules = LockoutRules {
    failures: u32::MAX,
    failures_from_anywhere: u32::MAX,
    within: Duration::from_secs(365 * 24 * 3600),
    lasts: Duration::from_secs(1),
};

/// Whether this process was started to be killed.
pub(crate) fn is_wanted() -> bool {
    std::env::var_os(FOLDER).is_some()
}

/// Signs in again and again, and never comes back.
pub(crate) async fn sign_in_until_killed() {
    let folder = PathBuf::from(std::env::var(FOLDER).expect("started by the crash test"));
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let store = open(&folder);
    let steps = Arc::new(AtomicU64::new(round * STEPS_A_ROUND));
    let tasks: Vec<_> = (0..TASKS)
        .map(|number| {
            tokio::spawn(sign_in_for_ever(
                Arc::clone(&store),
                ACCOUNTS[number % 3],
                Arc::clone(&steps),
            ))
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

pub(super) fn open(folder: &Path) -> SharedStore {
    Arc::new(Embedded::open(folder).unwrap())
}

pub(super) async fn register_accounts(folder: &Path) {
    let store = open(folder);
    for name in ACCOUNTS {
        let id = AccountId(Uuid::now_v7());
        let account = Account::new(id, AccountName::parse(name).unwrap(), ROLE, Timestamp::default());
        store
            .create_account(&account, "hash", None, &Structure::default())
            .await
            .unwrap();
        store
            .set_second_factor(account.id, b"sealed", 0, &[], None)
            .await
            .unwrap();
    }
}

pub(super) async fn account_of(store: &SharedStore, name: &str) -> Account {
    store
        .account_by_name(&AccountName::parse(name).unwrap())
        .await
        .unwrap()
        .unwrap()
}

async fn sign_in_for_ever(store: SharedStore, name: &'static str, steps: Arc<AtomicU64>) {
    let account = account_of(&store, name).await.id;
    loop {
        let step = steps.fetch_add(1, Ordering::Relaxed) + 1;
        sign_in(&store, name, account, step).await;
    }
}

async fn sign_in(store: &SharedStore, name: &str, account: AccountId, step: u64) {
    let source = Source("192.0.2.1".to_owned());
    let now = Timestamp::from_micros(i64::try_from(step).unwrap());
    store.reserve_attempt(name, &source, &COUNT_ONLY, now).await.unwrap();
    acknowledge(&format!("failure {name}"));

    if store.use_totp_step(account, step).await.unwrap() {
        acknowledge(&format!("totp {name} {step}"));
    }
    let session = open_session(store, account, now).await;
    acknowledge(&format!("session {name} {}", session.0));

    // Both or neither.
    let code = format!("code-{step}");
    store.record(&[event(&code, now), event(&code, now)]).await.unwrap();
    acknowledge(&format!("events {code}"));

    let policy = FreshPolicy {
        sha256: TokenHash::of(code.as_bytes()).0,
        text: code,
        by: "system".to_owned(),
        at: now,
    };
    let revision = store.note_policy(&policy, None).await.unwrap();
    acknowledge(&format!("policy {revision}"));
}

pub(super) async fn open_session(store: &SharedStore, account: AccountId, now: Timestamp) -> SessionId {
    let id = Uuid::now_v7();
    let session = SessionRecord {
        id: SessionId(id),
        token: TokenHash::of(id.as_bytes()),
        account,
        channel: "browser".to_owned(),
        address: IpAddr::from([192, 0, 2, 1]),
        user_agent: "a browser".to_owned(),
        second_factor: true,
        device: None,
        opened_at: now,
        expires_at: now.after(Duration::from_secs(24 * 3600)),
        idle_after: Duration::from_secs(24 * 3600),
        last_used_at: now,
        ended: None,
    };
    let version = store.credentials(account).await.unwrap().unwrap().credentials_version;
    let opened = store
        .open_session(&session, version, ROLE, 1, WhenFull::Displace)
        .await
        .unwrap();
    assert!(matches!(opened, Opened::Open { .. }), "{opened:?}");
    session.id
}

fn event(code: &str, now: Timestamp) -> Event {
    Event {
        at_micros: now.as_micros(),
        kind: Kind::SignInSucceeded,
        actor: "system".to_owned(),
        account: None,
        address: None,
        outcome: Outcome::Allowed,
        reason: None,
        rule: None,
        site: None,
        area: None,
        target: None,
        policy_revision: None,
        request_id: None,
        support_code: Some(code.to_owned()),
        session: None,
        details: Vec::new(),
    }
}

/// One write for the whole line: a kill cannot cut it.
fn acknowledge(step: &str) {
    println!("{MARK}{step}");
}
