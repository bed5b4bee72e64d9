//! Sessions in memory: what every request is judged from. No lock, no store.

mod cell;
mod freshness;
mod memory;

use std::any::Any;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use stagedoor_policy::rules::SecondFactor;
use stagedoor_policy::time::Timestamp;
use stagedoor_policy::{Policy, Visitor};

pub(crate) use cell::{AccountCell, AccountFacts, disused_since, is_banned_since};
pub use freshness::Freshness;
pub(crate) use memory::Memory;

use crate::session::{Ended, SessionId, SessionRecord};
use crate::{Account, EndReason};

/// A live session and its account, as of now.
#[derive(Debug)]
pub struct LiveSession {
    record: SessionRecord,
    cell: Arc<AccountCell>,
    /// Microseconds; only ever rises.
    last_used: AtomicI64,
    /// The last use the store knows of.
    flushed: AtomicI64,
    ended: OnceLock<Ended>,
    cached: ArcSwapOption<Box<dyn Any + Send + Sync>>,
    /// Added to the idle limit, where other doors may know of a later use: until they have said so.
    idle_slack: Duration,
}

impl LiveSession {
    pub(crate) fn new(record: SessionRecord, cell: Arc<AccountCell>, idle_slack: Duration) -> Self {
        let last_used = record.last_used_at.as_micros();
        cell.used(record.last_used_at);
        Self {
            record,
            cell,
            last_used: AtomicI64::new(last_used),
            flushed: AtomicI64::new(last_used),
            ended: OnceLock::new(),
            cached: ArcSwapOption::empty(),
            idle_slack,
        }
    }

    /// Its public name.
    pub fn id(&self) -> SessionId {
        self.record.id
    }

    /// The account, as of the last change.
    pub fn account(&self) -> Arc<Account> {
        Arc::clone(&self.cell.facts().account)
    }

    /// The channel it came in by.
    pub fn channel(&self) -> &str {
        &self.record.channel
    }

    /// When it was opened.
    pub fn opened_at(&self) -> Timestamp {
        self.record.opened_at
    }

    /// Ends then, whatever happens.
    pub fn expires_at(&self) -> Timestamp {
        self.record.expires_at
    }

    /// Whether a second factor was shown.
    pub fn second_factor(&self) -> bool {
        self.record.second_factor
    }

    /// The account as of this moment, held fast while a request is judged. Allocates nothing and takes no lock.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            facts: self.cell.facts(),
            session: self,
        }
    }

    /// When and why it ended; `None` while it has not. An idle or expired one has ended once somebody looked.
    pub fn end(&self) -> Option<&Ended> {
        self.ended.get()
    }

    /// Identity headers and the like, made once a session and policy revision by the gateway, which alone knows their type.
    pub fn cached(&self) -> &ArcSwapOption<Box<dyn Any + Send + Sync>> {
        &self.cached
    }

    /// As it is stored and listed, with the use that memory knows of.
    pub fn record(&self) -> SessionRecord {
        SessionRecord {
            last_used_at: self.last_used(),
            ended: self.ended.get().cloned(),
            ..self.record.clone()
        }
    }

    pub(crate) fn stored(&self) -> &SessionRecord {
        &self.record
    }

    pub(crate) fn cell(&self) -> &Arc<AccountCell> {
        &self.cell
    }

    /// Whether it may go on at `now` by this policy.
    pub(crate) fn is_live(&self, policy: &Policy, now: Timestamp) -> bool {
        self.ended.get().is_none() && self.lapsed(policy, now).is_none()
    }

    pub(crate) fn last_used(&self) -> Timestamp {
        Timestamp::from_micros(self.last_used.load(Ordering::Acquire))
    }

    pub(crate) fn used(&self, now: Timestamp) {
        self.last_used.fetch_max(now.as_micros(), Ordering::AcqRel);
        self.cell.used(now);
    }

    /// The last use, where the store does not know of it yet.
    pub(crate) fn unflushed(&self) -> Option<Timestamp> {
        let last_used = self.last_used();
        (last_used.as_micros() > self.flushed.load(Ordering::Acquire)).then_some(last_used)
    }

    pub(crate) fn flushed(&self, used: Timestamp) {
        self.flushed.fetch_max(used.as_micros(), Ordering::AcqRel);
    }

    /// When it is idle by this policy, if nobody uses it until then.
    pub(crate) fn idle_at(&self, policy: &Policy) -> Timestamp {
        let rules = policy.session_rules(&self.record.channel);
        self.last_used().after(self.record.idle_after.min(rules.idle))
    }

    /// A use that the store told of.
    pub(crate) fn used_elsewhere(&self, at: Timestamp) {
        self.used(at);
        self.flushed(at);
    }

    /// Ends it, once: the first reason stays.
    pub(crate) fn finish(&self, ended: Ended) -> &Ended {
        self.ended.get_or_init(|| ended)
    }

    /// Why it may not go on at `now` by the policy of the moment; `None` where it may. What a policy shortens ends at once,
    /// what it lengthens holds for sessions opened from then on, as in the store.
    pub(crate) fn lapsed(&self, policy: &Policy, now: Timestamp) -> Option<EndReason> {
        let rules = policy.session_rules(&self.record.channel);
        let expires_at = self.record.expires_at.min(self.record.opened_at.after(rules.lifetime));
        let idle_at = self.idle_at(policy).after(self.idle_slack);
        let facts = self.cell.facts();
        if now >= expires_at {
            Some(EndReason::Expired)
        } else if now >= idle_at {
            Some(EndReason::Idle)
        } else if facts.account.disabled {
            Some(EndReason::AccountDisabled)
        } else if self.cell.is_banned(policy, &facts, now) {
            Some(EndReason::Inactive)
        } else if self.lacks_second_factor(policy, &facts) {
            Some(EndReason::PolicyChanged)
        } else {
            None
        }
    }

    /// Where one has come to be demanded since: whoever signs in again is asked for it, or sets one up.
    fn lacks_second_factor(&self, policy: &Policy, facts: &AccountFacts) -> bool {
        !self.record.second_factor && policy.second_factor(&facts.account.role) == SecondFactor::Required
    }
}

/// An account's facts, held fast. See [`LiveSession::facts`].
#[derive(Debug)]
pub struct Facts<'a> {
    facts: arc_swap::Guard<Arc<AccountFacts>>,
    session: &'a LiveSession,
}

impl Facts<'_> {
    /// The account.
    pub fn account(&self) -> &Account {
        &self.facts.account
    }

    /// What the policy needs to know of the session's visitor.
    pub fn visitor(&self) -> Visitor<'_> {
        self.facts
            .visitor(&self.session.record.channel, self.session.record.second_factor)
    }
}

/// What a presented token turned out to be.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// Live: not ended, not expired, not idle, account neither disabled nor banned.
    Live(Arc<LiveSession>),
    /// Over, and why; the page that says so needs the account's name for nothing.
    Ended(Ended),
    /// Not known, or forgotten.
    Unknown,
    /// Memory may have missed something; see [`Freshness`].
    CannotTell,
}
