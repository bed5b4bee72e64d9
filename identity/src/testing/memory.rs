//! A store in memory that keeps every promise of the ports but durability.

mod accounts;
mod attempts;
mod devices;
mod links;
mod outbox;
mod pictures;
mod sessions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use stagedoor_policy::time::Timestamp;

use crate::event::{AuditQuery, Event, StoredEvent};
use crate::letter::LetterId;
use crate::picture::Picture;
use crate::port::{
    ApiToken, Audit, Device, DeviceId, FreshPolicy, Keys, Link, NotedPolicy, StoreError, StoredCredentials, Tokens,
};
use crate::secret::{Secret, TokenHash};
use crate::session::{SessionId, SessionRecord};
use crate::{Account, AccountId};

/// A store in memory, for tests. One mutex makes each step atomic; nothing survives the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    broken: Mutex<BTreeSet<&'static str>>,
}

#[derive(Debug, Default)]
struct State {
    accounts: BTreeMap<AccountId, Holder>,
    sessions: BTreeMap<SessionId, SessionRecord>,
    attempts: BTreeMap<attempts::Place, attempts::Tries>,
    devices: BTreeMap<DeviceId, (Device, TokenHash)>,
    links: Vec<Link>,
    asked: Vec<([u8; 32], Timestamp)>,
    tokens: BTreeMap<String, (ApiToken, TokenHash)>,
    events: Vec<StoredEvent>,
    keys: BTreeMap<String, Secret>,
    policies: Vec<NotedPolicy>,
    letters: BTreeMap<LetterId, outbox::Held>,
}

/// An account with its secrets.
#[derive(Debug)]
struct Holder {
    account: Account,
    credentials: StoredCredentials,
    recovery_codes: BTreeSet<[u8; 32]>,
    picture: Option<Picture>,
    warned_of: Option<Timestamp>,
}

impl MemoryStore {
    /// Empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets an operation, by its port method's name, fail until [`MemoryStore::mend`].
    pub fn break_down(&self, operation: &'static str) {
        self.broken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(operation);
    }

    /// Lets everything work again.
    pub fn mend(&self) {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Forgets the newest policy, as a failover may.
    pub fn lose_newest_policy(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).policies.pop();
    }

    /// Holds an account and sessions of it, as if everything had gone its way; nothing is checked.
    pub(super) fn hold(&self, account: Account, sessions: impl IntoIterator<Item = SessionRecord>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let sessions = sessions.into_iter().map(|session| (session.id, session));
        state.sessions.extend(sessions);
        state.accounts.insert(account.id, Holder::of(account, "not a hash"));
    }

    fn state(&self, operation: &'static str) -> Result<MutexGuard<'_, State>, StoreError> {
        if self
            .broken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(operation)
        {
            return Err(StoreError::Engine(format!("`{operation}` was broken for a test")));
        }
        Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A real store lets others go on while it writes; whoever counts on the opposite is to be found out.
async fn wait_as_for_a_disk() {
    tokio::task::yield_now().await;
}

impl Holder {
    /// With a password and nothing else.
    fn of(account: Account, password_hash: &str) -> Self {
        Self {
            account,
            credentials: StoredCredentials {
                password_hash: password_hash.to_owned(),
                totp_sealed: None,
                totp_last_step: None,
                credentials_version: 1,
            },
            recovery_codes: BTreeSet::new(),
            picture: None,
            warned_of: None,
        }
    }
}

impl State {
    fn holder(&mut self, id: AccountId) -> Result<&mut Holder, StoreError> {
        self.accounts.get_mut(&id).ok_or(StoreError::NotFound)
    }
}

#[async_trait]
impl Tokens for MemoryStore {
    async fn add_token(&self, token: &ApiToken, hash: &TokenHash) -> Result<(), StoreError> {
        let mut state = self.state("add_token")?;
        if state.tokens.contains_key(&token.name) {
            return Err(StoreError::NameTaken);
        }
        if let Some(account) = token.account {
            state.holder(account)?;
        }
        state.tokens.insert(token.name.clone(), (token.clone(), *hash));
        Ok(())
    }

    async fn token(&self, hash: &TokenHash) -> Result<Option<ApiToken>, StoreError> {
        let state = self.state("token")?;
        let found = state.tokens.values().find(|(_, stored)| stored == hash);
        Ok(found.map(|(token, _)| token.clone()))
    }

    async fn list_tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        let state = self.state("list_tokens")?;
        Ok(state.tokens.values().map(|(token, _)| token.clone()).collect())
    }

    async fn revoke_token(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.state("revoke_token")?.tokens.remove(name).is_some())
    }
}

#[async_trait]
impl Audit for MemoryStore {
    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        wait_as_for_a_disk().await;
        let mut state = self.state("record")?;
        for event in events {
            let number = u64::try_from(state.events.len()).unwrap_or(u64::MAX).saturating_add(1);
            let event = event.clone();
            state.events.push(StoredEvent { number, event });
        }
        Ok(())
    }

    async fn events(&self, query: &AuditQuery) -> Result<Vec<StoredEvent>, StoreError> {
        let state = self.state("events")?;
        let wanted = |stored: &&StoredEvent| {
            let event = &stored.event;
            query.since.is_none_or(|since| event.at_micros >= since.as_micros())
                && query.until.is_none_or(|until| event.at_micros < until.as_micros())
                && query
                    .account
                    .as_ref()
                    .is_none_or(|name| event.actor == *name || event.account.as_ref() == Some(name))
                && query.kind.as_ref().is_none_or(|kind| event.kind.name() == kind)
                && (query.support_code.is_none() || event.support_code == query.support_code)
                && query.before.is_none_or(|before| stored.number < before)
        };
        let limit = usize::try_from(query.limit.clamp(1, 1000)).unwrap_or(1000);
        Ok(state.events.iter().rev().filter(wanted).take(limit).cloned().collect())
    }
}

#[async_trait]
impl Keys for MemoryStore {
    async fn key_or_insert(&self, name: &str, fresh: &Secret) -> Result<Secret, StoreError> {
        let mut state = self.state("key_or_insert")?;
        Ok(state
            .keys
            .entry(name.to_owned())
            .or_insert_with(|| fresh.clone())
            .clone())
    }

    async fn policy_revision(&self) -> Result<Option<(u64, [u8; 32])>, StoreError> {
        let state = self.state("policy_revision")?;
        Ok(state.policies.last().map(|newest| (newest.revision, newest.sha256)))
    }

    async fn newest_policy(&self) -> Result<Option<NotedPolicy>, StoreError> {
        Ok(self.state("newest_policy")?.policies.last().cloned())
    }

    async fn revision_of(&self, sha256: &[u8; 32]) -> Result<Option<u64>, StoreError> {
        let state = self.state("revision_of")?;
        let found = state.policies.iter().rev().find(|noted| noted.sha256 == *sha256);
        Ok(found.map(|noted| noted.revision))
    }

    async fn note_policy(&self, fresh: &FreshPolicy, after: Option<u64>) -> Result<u64, StoreError> {
        let mut state = self.state("note_policy")?;
        let newest = state.policies.last().map(|newest| (newest.revision, newest.sha256));
        let revision = match newest {
            Some((revision, known)) if known == fresh.sha256 => return Ok(revision),
            Some((revision, _)) if after.is_some_and(|after| after != revision) => {
                return Err(StoreError::VersionMismatch);
            }
            Some((revision, _)) => revision.saturating_add(1),
            None => 1,
        };
        state.policies.push(fresh.numbered(revision));
        Ok(revision)
    }

    async fn restore_policy(&self, policy: &NotedPolicy) -> Result<(), StoreError> {
        let mut state = self.state("restore_policy")?;
        if state
            .policies
            .last()
            .is_none_or(|newest| newest.revision < policy.revision)
        {
            state.policies.push(policy.clone());
        }
        Ok(())
    }
}
