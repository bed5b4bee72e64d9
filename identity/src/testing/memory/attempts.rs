use async_trait::async_trait;
use stagedoor_policy::rules::LockoutRules;
use stagedoor_policy::time::Timestamp;

use super::{MemoryStore, State};
use crate::account::AccountName;
use crate::port::{Attempts, Lockout, Reserved, Source, StoreError};
use crate::secret::TokenHash;

/// What failures are counted for; without a source: from anywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) name: String,
    source: Option<Source>,
}

/// Failures, oldest first, and the lock they set.
#[derive(Debug, Default)]
pub(super) struct Tries {
    failures: Vec<Timestamp>,
    lock: Option<Lock>,
}

#[derive(Debug, Clone, Copy)]
struct Lock {
    since: Timestamp,
    until: Timestamp,
}

impl Place {
    fn id(&self) -> String {
        let source = self.source.as_ref().map_or("", |source| source.0.as_str());
        let hash = TokenHash::of(format!("{}\0{source}", self.name).as_bytes());
        hash.0.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Tries {
    fn holds(&self, now: Timestamp) -> Option<Timestamp> {
        self.lock.map(|lock| lock.until).filter(|until| now < *until)
    }

    /// One failure more; the end of the lock where it was the last one.
    fn fail(&mut self, limit: u32, rules: &LockoutRules, now: Timestamp) -> Option<Timestamp> {
        if self.lock.take().is_some() {
            // A lock that has run out begins a fresh count.
            self.failures.clear();
        }
        self.failures.retain(|failure| now.since(*failure) < rules.within);
        self.failures.push(now);
        let reached = u32::try_from(self.failures.len()).is_ok_and(|count| count >= limit.max(1));
        let until = now.after(rules.lasts);
        reached.then(|| {
            self.lock = Some(Lock { since: now, until });
            until
        })
    }
}

#[async_trait]
impl Attempts for MemoryStore {
    async fn reserve_attempt(
        &self,
        name: &str,
        source: &Source,
        rules: &LockoutRules,
        now: Timestamp,
    ) -> Result<Reserved, StoreError> {
        let mut state = self.state("reserve_attempt")?;
        let here = place(name, Some(source));
        let anywhere = place(name, None);
        let locks = [&here, &anywhere]
            .into_iter()
            .filter_map(|place| state.attempts.get(place)?.holds(now));
        if let Some(until) = locks.max() {
            return Ok(Reserved::Locked { until });
        }
        let from_here = state.attempts.entry(here).or_default();
        let locked_here = from_here.fail(rules.failures, rules, now);
        let failures = u32::try_from(from_here.failures.len()).unwrap_or(u32::MAX);
        let from_anywhere = state.attempts.entry(anywhere).or_default();
        let locked_anywhere = from_anywhere.fail(rules.failures_from_anywhere, rules, now);
        Ok(Reserved::Go {
            failures,
            locks_until: locked_here.max(locked_anywhere),
        })
    }

    async fn forgive(&self, name: &str, source: &Source) -> Result<(), StoreError> {
        super::wait_as_for_a_disk().await;
        let mut state = self.state("forgive")?;
        state.attempts.remove(&place(name, Some(source)));
        if let Some(tries) = state.attempts.get_mut(&place(name, None)) {
            let taken_back = tries.failures.pop();
            // The lock that this very attempt set goes with it.
            if tries.lock.is_some_and(|lock| Some(lock.since) == taken_back) {
                tries.lock = None;
            }
        }
        Ok(())
    }

    async fn lockouts(&self, name: Option<&AccountName>, now: Timestamp) -> Result<Vec<Lockout>, StoreError> {
        let state = self.state("lockouts")?;
        let wanted = |place: &Place| name.is_none_or(|name| name.as_str() == place.name);
        let found = state
            .attempts
            .iter()
            .filter(|(place, tries)| wanted(place) && tries.holds(now).is_some());
        Ok(found.filter_map(|(place, tries)| state.lockout(place, tries)).collect())
    }

    async fn unlock(&self, name: &AccountName) -> Result<u32, StoreError> {
        let mut state = self.state("unlock")?;
        let mut locks = 0_u32;
        state.attempts.retain(|place, tries| {
            let concerned = place.name == name.as_str();
            if concerned && tries.lock.is_some() {
                locks = locks.saturating_add(1);
            }
            !concerned
        });
        Ok(locks)
    }

    async fn unlock_one(&self, id: &str) -> Result<bool, StoreError> {
        let mut state = self.state("unlock_one")?;
        let mut found = false;
        state.attempts.retain(|place, tries| {
            let concerned = tries.lock.is_some() && place.id() == id;
            found |= concerned;
            !concerned
        });
        Ok(found)
    }

    async fn forget_attempts(&self, before: Timestamp, now: Timestamp) -> Result<u32, StoreError> {
        let mut state = self.state("forget_attempts")?;
        let mut forgotten = 0_u32;
        state.attempts.retain(|place, tries| {
            if tries.holds(now).is_some() {
                return true;
            }
            let count = tries.failures.len();
            tries.failures.retain(|failure| *failure >= before);
            // Each failure stands in two places and is counted in one.
            if place.source.is_some() {
                let gone = u32::try_from(count - tries.failures.len()).unwrap_or(u32::MAX);
                forgotten = forgotten.saturating_add(gone);
            }
            !tries.failures.is_empty()
        });
        Ok(forgotten)
    }
}

impl State {
    /// What was counted for the old name counts for the new one, whatever was counted for that before.
    pub(super) fn rename_attempts(&mut self, old: &AccountName, new: &AccountName) {
        if old == new {
            return;
        }
        let all = std::mem::take(&mut self.attempts);
        let (moved, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|(place, _)| place.name == old.as_str());
        self.attempts = kept
            .into_iter()
            .filter(|(place, _)| place.name != new.as_str())
            .collect();
        for (place, tries) in moved {
            let name = new.as_str().to_owned();
            self.attempts.insert(Place { name, ..place }, tries);
        }
    }

    fn lockout(&self, place: &Place, tries: &Tries) -> Option<Lockout> {
        let lock = tries.lock?;
        let account = self.accounts.values().map(|holder| &holder.account.name);
        Some(Lockout {
            account: account.into_iter().find(|name| name.as_str() == place.name).cloned(),
            id: place.id(),
            source: place.source.clone(),
            failures: u32::try_from(tries.failures.len()).unwrap_or(u32::MAX),
            since: lock.since,
            until: lock.until,
        })
    }
}

fn place(name: &str, source: Option<&Source>) -> Place {
    Place {
        name: name.to_owned(),
        source: source.cloned(),
    }
}
