//! Things to store, and small helpers that read like what they do.

use std::net::IpAddr;
use std::time::Duration;

use stagedoor_identity::account::{AccountName, AccountQuery};
use stagedoor_identity::event::{Event, Kind, Outcome};
use stagedoor_identity::port::{FreshPolicy, Opened, SharedStore, Structure};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::session::SessionRecord;
use stagedoor_identity::{Account, AccountId, SessionId};
use stagedoor_policy::rules::WhenFull;
use stagedoor_policy::time::Timestamp;
use uuid::Uuid;

pub(super) const ROLE: &str = "clerk";
pub(super) const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA";

/// Texts that break what is quoted badly somewhere, and one that is long.
pub(super) fn hostile_texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "a:b",
        "*",
        "{x}",
        "'; DROP TABLE account; --",
        "\"",
        "a\r\nb",
        "%_%",
        "",
        " ",
        "\\",
        "?1",
    ]
    .map(str::to_owned)
    .into();
    texts.push("хост 東京 \u{202e}\u{1f512}".to_owned());
    texts.push("x".repeat(10 * 1024));
    texts
}

/// Whole seconds after an arbitrary beginning.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((1_800_000_000 + seconds) * 1_000_000)
}

pub(super) fn name(text: &str) -> AccountName {
    AccountName::parse(text).unwrap()
}

/// A new id; the clock in it is of no interest here.
pub(super) fn new_id() -> Uuid {
    Uuid::now_v7()
}

pub(super) fn account(account_name: &str) -> Account {
    Account::new(AccountId(new_id()), name(account_name), ROLE, at(0))
}

/// No rules about who there may be.
pub(super) fn free() -> Structure {
    Structure::default()
}

pub(super) async fn registered(store: &SharedStore, account_name: &str) -> Account {
    let account = account(account_name);
    store.create_account(&account, HASH, None, &free()).await.unwrap();
    account
}

/// A policy to be numbered: nobody here looks whether text and hash are of each other.
pub(super) fn policy(number: u8) -> FreshPolicy {
    FreshPolicy {
        sha256: [number; 32],
        text: format!("the text of {number}"),
        by: format!("cli {number}"),
        at: at(number.into()),
    }
}

/// A session on the channel `browser`: lives an hour, idle after ten minutes.
pub(super) fn session(account: AccountId, opened_at: Timestamp) -> SessionRecord {
    let id = new_id();
    SessionRecord {
        id: SessionId(id),
        token: TokenHash::of(id.as_bytes()),
        account,
        channel: "browser".to_owned(),
        address: IpAddr::from([192, 0, 2, 7]),
        user_agent: "a browser".to_owned(),
        second_factor: false,
        device: None,
        opened_at,
        expires_at: opened_at.after(Duration::from_secs(3600)),
        idle_after: Duration::from_secs(600),
        last_used_at: opened_at,
        ended: None,
    }
}

/// Opens a session with the account's present credentials; `per_account` of them, displacing.
pub(super) async fn open(store: &SharedStore, session: &SessionRecord, per_account: u32) -> Opened {
    let credentials = store.credentials(session.account).await.unwrap().unwrap();
    let version = credentials.credentials_version;
    let opened = store.open_session(session, version, ROLE, per_account, WhenFull::Displace);
    opened.await.unwrap()
}

/// Opens a session where any number may be open.
pub(super) async fn opened(store: &SharedStore, account: AccountId, opened_at: Timestamp) -> SessionRecord {
    let session = session(account, opened_at);
    let answer = open(store, &session, 0).await;
    assert_eq!(answer, Opened::Open { displaced: Vec::new() });
    session
}

pub(super) async fn read_session(store: &SharedStore, id: SessionId) -> SessionRecord {
    let all = store.sessions(at(0)).await.unwrap();
    all.into_iter().find(|session| session.id == id).expect("the session")
}

/// Sessions that have not ended, oldest first.
pub(super) async fn not_ended(store: &SharedStore) -> Vec<SessionId> {
    let mut all = store.sessions(at(0)).await.unwrap();
    all.retain(|session| session.ended.is_none());
    all.sort_by_key(|session| (session.opened_at, session.id));
    all.into_iter().map(|session| session.id).collect()
}

/// The roles of all accounts, in the order of names.
pub(super) async fn roles_of(store: &SharedStore) -> Vec<String> {
    let query = AccountQuery {
        limit: 1000,
        ..AccountQuery::default()
    };
    let accounts = store.list_accounts(&query).await.unwrap();
    accounts.into_iter().map(|account| account.role).collect()
}

pub(super) fn sorted(mut ids: Vec<SessionId>) -> Vec<SessionId> {
    ids.sort();
    ids
}

pub(super) fn event(kind: Kind, seconds: i64) -> Event {
    Event {
        at_micros: at(seconds).as_micros(),
        kind,
        actor: "system".to_owned(),
        account: None,
        address: None,
        outcome: Outcome::Done,
        reason: None,
        rule: None,
        site: None,
        area: None,
        target: None,
        policy_revision: None,
        request_id: None,
        support_code: None,
        session: None,
        details: Vec::new(),
    }
}

/// Does the same thing `count` times at once and answers what came of each.
pub(super) async fn at_once<T, F>(count: usize, make: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let running: Vec<_> = (0..count).map(|number| tokio::spawn(make(number))).collect();
    let mut done = Vec::with_capacity(count);
    for task in running {
        done.push(task.await.unwrap());
    }
    done
}
