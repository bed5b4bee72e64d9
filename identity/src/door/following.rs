//! One door of several on the same store: memory follows what the others change.
//!
//! Sessions and accounts come into memory by one way alone, in the order of the store's steps, whichever door made them. So a
//! sign-in here and a kick elsewhere cannot pass each other: the store orders them, and every memory sees them in that order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::ending::ended;
use super::house::House;
use crate::port::{Changes, Follower, StoreError};
use crate::session::{EndReason, Ended, SessionId, SessionRecord};
use crate::{Account, AccountId, Freshness, LiveSession};

/// Uses reach the store this often where other doors may ask for them.
pub const USES_INTERVAL: Duration = Duration::from_secs(1);
/// How long a session may look idle before it is: twice the time within which every door has told of the uses it saw.
pub(super) const IDLE_SLACK: Duration = Duration::from_secs(2);
/// Sessions that are read anew in one step, before they would be idle.
const READ_AT_ONCE_MAX: usize = 500;

/// What a door needs to be one of several.
#[derive(Debug, Clone)]
pub struct Company {
    /// Until when memory is as the store is.
    pub freshness: Arc<Freshness>,
    /// For how long memory is judged from without word from the store.
    pub lease: Duration,
    /// How long a step waits for memory to be as the store is again.
    pub wait: Duration,
}

impl Company {
    /// For a door that has its store to itself.
    pub(super) fn none() -> Self {
        Self {
            freshness: Arc::new(Freshness::always()),
            lease: Duration::ZERO,
            wait: Duration::ZERO,
        }
    }
}

/// Keeps a house's memory as the store is.
#[derive(Debug)]
pub(super) struct Following(pub(super) Arc<House>);

#[async_trait]
impl Follower for Following {
    async fn take_in(&self, changes: &Changes) -> Result<(), StoreError> {
        let house = &self.0;
        // Accounts come first: whoever may do less from now on does not begin with a session that may do more.
        for id in &changes.accounts {
            if house.memory.knows(*id) {
                house.take_account_in(*id, house.store.account(*id).await?);
            }
        }
        let found = house.store.sessions_by_id(&changes.sessions).await?;
        let kept: HashSet<SessionId> = found.iter().map(|record| record.id).collect();
        let strangers = house.owners(&found, |id| !house.memory.knows(id)).await?;
        for record in found {
            self.take_session_in(record, &strangers);
        }
        let gone = changes.sessions.iter().filter(|id| !kept.contains(id));
        house.forget_sessions_without_record(gone.copied());
        Ok(())
    }

    async fn take_in_everything(&self) -> Result<(), StoreError> {
        let house = &self.0;
        let known: HashSet<SessionId> = house.memory.ids().into_iter().collect();
        let records = house.store.sessions(house.clock.now()).await?;
        let kept: HashSet<SessionId> = records.iter().map(|record| record.id).collect();
        let owners = house.owners(&records, |_| true).await?;
        let ids: HashSet<AccountId> = records.iter().map(|record| record.account).collect();
        for id in ids {
            if house.memory.knows(id) {
                house.take_account_in(id, owners.get(&id).cloned());
            }
        }
        for record in records {
            self.take_session_in(record, &owners);
        }
        house.forget_sessions_without_record(known.difference(&kept).copied());
        house.note_kept().await
    }
}

impl Following {
    /// `owners` holds the accounts of those sessions whose account memory does not know.
    fn take_session_in(&self, record: SessionRecord, owners: &HashMap<AccountId, Account>) {
        let house = &self.0;
        let account = match house.memory.knows(record.account) {
            true => None,
            false => {
                let Some(account) = owners.get(&record.account) else {
                    // A session whose account is gone is nobody's.
                    house.forget_sessions_without_record(std::iter::once(record.id));
                    return;
                };
                Some(account.clone())
            }
        };
        let id = record.id;
        if let Some(here) = house.memory.take_in(record, account) {
            self.end_again(id, here);
        }
    }

    /// The store has lost an end that it had acknowledged, as a failover may. What was over stays over: here, and from now on in
    /// the store too.
    fn end_again(&self, id: SessionId, ended: Ended) {
        let house = Arc::clone(&self.0);
        // Not waited for: the step is answered once this memory follows it.
        tokio::spawn(async move {
            tracing::warn!(session = %id.0, "the store had lost the end of a session; it is ended again");
            if let Err(error) = house.store.end_session(id, &ended.reason, house.clock.now()).await {
                tracing::error!(%error, session = %id.0, "a session could not be ended again; this door lets nobody in by it");
            }
        });
    }
}

impl House {
    fn take_account_in(&self, id: AccountId, account: Option<Account>) {
        match account {
            Some(account) => self.memory.replace(account),
            None => self.end_all(id, None, &EndReason::AccountRemoved, self.clock.now()),
        }
    }

    fn forget_sessions_without_record(&self, gone: impl Iterator<Item = SessionId>) {
        let now = self.clock.now();
        for id in gone {
            self.memory.end(id, &ended(&EndReason::AccountRemoved, now));
        }
    }

    /// Before a step that judges from memory: waits until that is as the store is.
    /// # Errors
    /// Where it is not in time.
    pub(super) async fn be_up_to_date(&self) -> Result<(), StoreError> {
        if self
            .company
            .freshness
            .wait(self.clock.as_ref(), self.company.wait)
            .await
        {
            return Ok(());
        }
        let age = self.company.freshness.age(Instant::now());
        Err(StoreError::Engine(format!(
            "what other doors change was last heard of {} ms ago: see whether Redis can be reached",
            age.as_millis()
        )))
    }

    /// Tells the store of uses, and asks it for those that other doors have told of, before a session looks idle here.
    pub(super) async fn exchange_uses(&self) -> Result<(), StoreError> {
        if !self.memory.follows() {
            return Ok(());
        }
        let sessions = self.memory.sessions();
        self.flush(&sessions).await?;
        let (policy, soon) = (self.policy(), self.clock.now().after(IDLE_SLACK));
        let nearly_idle: Vec<&Arc<LiveSession>> = sessions
            .iter()
            .filter(|session| session.end().is_none() && session.idle_at(&policy) <= soon)
            .collect();
        for some in nearly_idle.chunks(READ_AT_ONCE_MAX) {
            let ids: Vec<SessionId> = some.iter().map(|session| session.id()).collect();
            for record in self.store.sessions_by_id(&ids).await? {
                if let Some(session) = self.memory.session_of(&record.token) {
                    session.used_elsewhere(record.last_used_at);
                }
            }
        }
        Ok(())
    }
}
