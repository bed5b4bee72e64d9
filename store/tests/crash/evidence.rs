//! What was acknowledged, and whether the file still knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use stagedoor_identity::event::AuditQuery;
use stagedoor_identity::port::{Reserved, SharedStore, Source};
use stagedoor_policy::time::Timestamp;

use super::victim::{ACCOUNTS, COUNT_ONLY, account_of, open, open_session};

#[derive(Default)]
pub(super) struct Acknowledged {
    failures: BTreeMap<String, u32>,
    totp_steps: BTreeMap<String, u64>,
    sessions: BTreeSet<String>,
    codes: BTreeSet<String>,
    policy: u64,
    steps: usize,
}

impl Acknowledged {
    pub(super) fn note(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["failure", name] => *self.failures.entry((*name).to_owned()).or_default() += 1,
            ["totp", name, step] => {
                let highest = self.totp_steps.entry((*name).to_owned()).or_default();
                *highest = (*highest).max(step.parse().unwrap());
            }
            ["session", _name, id] => drop(self.sessions.insert((*id).to_owned())),
            ["events", code] => drop(self.codes.insert((*code).to_owned())),
            ["policy", revision] => self.policy = self.policy.max(revision.parse().unwrap()),
            _ => panic!("not an acknowledgement: `{line}`"),
        }
        self.steps += 1;
    }

    pub(super) fn steps(&self) -> usize {
        self.steps
    }
}

pub(super) async fn check(folder: &Path, acknowledged: &mut Acknowledged, round: usize) {
    let store = open(folder);
    file_is_sound(folder);
    sessions_are_there(&store, acknowledged).await;
    audit_is_there(&store, acknowledged).await;
    counts_have_not_gone_back(&store, acknowledged).await;

    // The door goes on: everybody can sign in again, and has one session then.
    let now = Timestamp::from_micros(i64::try_from(round * 1_000_000 + 999_999).unwrap());
    for name in ACCOUNTS {
        let account = account_of(&store, name).await.id;
        let session = open_session(&store, account, now).await;
        assert_eq!(live_of(&store, name).await, [session.0.to_string()]);
    }
}

fn file_is_sound(folder: &Path) {
    let connection = rusqlite::Connection::open(folder.join("stagedoor.db")).unwrap();
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
    let orphans: i64 = connection
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(orphans, 0);
}

async fn sessions_are_there(store: &SharedStore, acknowledged: &Acknowledged) {
    let kept = store.sessions(Timestamp::default()).await.unwrap();
    let kept: BTreeSet<String> = kept.iter().map(|session| session.id.0.to_string()).collect();
    let lost: Vec<_> = acknowledged.sessions.difference(&kept).collect();
    assert!(lost.is_empty(), "lost sessions: {lost:?}");
    for name in ACCOUNTS {
        let live = live_of(store, name).await;
        assert!(live.len() <= 1, "{name} has {} live sessions", live.len());
    }
}

async fn live_of(store: &SharedStore, name: &str) -> Vec<String> {
    let account = account_of(store, name).await.id;
    let all = store.sessions(Timestamp::default()).await.unwrap();
    let live = all
        .iter()
        .filter(|session| session.account == account && session.ended.is_none());
    live.map(|session| session.id.0.to_string()).collect()
}

async fn audit_is_there(store: &SharedStore, acknowledged: &Acknowledged) {
    let mut times_by_code: BTreeMap<String, u32> = BTreeMap::new();
    let mut before = None;
    let mut numbers = Vec::new();
    loop {
        let query = AuditQuery {
            before,
            limit: 1000,
            ..AuditQuery::default()
        };
        let page = store.events(&query).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.number);
        for stored in page {
            numbers.push(stored.number);
            *times_by_code.entry(stored.event.support_code.unwrap()).or_default() += 1;
        }
    }
    let expected: Vec<u64> = (1..=numbers.len() as u64).rev().collect();
    assert_eq!(numbers, expected, "numbers without a gap");
    assert!(
        times_by_code.values().all(|times| *times == 2),
        "events recorded together stay together"
    );
    let lost: Vec<_> = acknowledged
        .codes
        .iter()
        .filter(|code| !times_by_code.contains_key(*code))
        .collect();
    assert!(lost.is_empty(), "lost events: {lost:?}");
}

async fn counts_have_not_gone_back(store: &SharedStore, acknowledged: &mut Acknowledged) {
    let source = Source("192.0.2.1".to_owned());
    for (name, failures) in &mut acknowledged.failures {
        let now = Timestamp::from_micros(i64::from(u32::MAX));
        let counted = store.reserve_attempt(name, &source, &COUNT_ONLY, now).await.unwrap();
        let Reserved::Go { failures: counted, .. } = counted else {
            panic!("nothing locks here: {counted:?}");
        };
        assert!(
            counted > *failures,
            "{name}: {counted} failures of {failures} and one more"
        );
        *failures += 1; // this one was acknowledged too
    }
    for (name, step) in &acknowledged.totp_steps {
        let account = account_of(store, name).await.id;
        assert!(
            !store.use_totp_step(account, *step).await.unwrap(),
            "{name}: step {step} was used"
        );
    }
    let revision = store
        .policy_revision()
        .await
        .unwrap()
        .map_or(0, |(revision, _sha256)| revision);
    assert!(
        revision >= acknowledged.policy,
        "policy {revision}, acknowledged {}",
        acknowledged.policy
    );
}
