//! Sessions in memory: what every request is judged from. No lock, no store.

mod cell;
mod entry;
mod freshness;
mod memory;
mod texts;

use std::any::Any;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use stagedoor_policy::rules::{SecondFactor, SessionRules};
use stagedoor_policy::time::Timestamp;
use stagedoor_policy::{Policy, Visitor};

pub(crate) use cell::{AccountCell, AccountFacts, disused_since, is_banned_since};
pub use freshness::Freshness;
pub(crate) use memory::Memory;

use crate::port::DeviceId;
use crate::secret::TokenHash;
use crate::session::{Ended, SessionId, SessionRecord};
use crate::{Account, EndReason};

/// A live session and its account, as of now.
///
/// There may be a million of them: texts are shared, spans are kept as microseconds, and what each look-up reads comes first,
/// in two cache lines.
#[derive(Debug)]
#[repr(C)]
pub struct LiveSession {
    token: TokenHash,
    cell: Arc<AccountCell>,
    /// Microseconds; only ever rises.
    last_used: AtomicI64,
    opened_at: Timestamp,
    expires_at: Timestamp,
    idle_after_micros: u64,
    /// Added to the idle limit, where other doors may know of a later use: until they have said so.
    idle_slack_micros: u64,
    channel: Arc<str>,
    ended: OnceLock<Box<Ended>>,
    cached: ArcSwapOption<Box<dyn Any + Send + Sync>>,
    /// The last use the store knows of.
    flushed: AtomicI64,
    user_agent: Arc<str>,
    id: SessionId,
    device: Option<DeviceId>,
    address: IpAddr,
    second_factor: bool,
}

/// The texts of a session, which others may share.
#[derive(Debug)]
pub(crate) struct SharedTexts {
    pub(crate) channel: Arc<str>,
    pub(crate) user_agent: Arc<str>,
}

impl LiveSession {
    /// `texts` are those of the record.
    pub(crate) fn new(
        record: &SessionRecord,
        texts: SharedTexts,
        cell: Arc<AccountCell>,
        idle_slack: Duration,
    ) -> Self {
        let last_used = record.last_used_at.as_micros();
        cell.used(record.last_used_at);
        Self {
            token: record.token,
            cell,
            last_used: AtomicI64::new(last_used),
            opened_at: record.opened_at,
            expires_at: record.expires_at,
            idle_after_micros: micros(record.idle_after),
            idle_slack_micros: micros(idle_slack),
            channel: texts.channel,
            ended: OnceLock::new(),
            cached: ArcSwapOption::empty(),
            flushed: AtomicI64::new(last_used),
            user_agent: texts.user_agent,
            id: record.id,
            device: record.device,
            address: record.address,
            second_factor: record.second_factor,
        }
    }

    /// Its public name.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The account, as of the last change.
    pub fn account(&self) -> Arc<Account> {
        Arc::clone(&self.cell.facts().account)
    }

    /// The channel it came in by.
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// When it was opened.
    pub fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    /// Ends then, whatever happens.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Whether a second factor was shown.
    pub fn second_factor(&self) -> bool {
        self.second_factor
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
        self.ended.get().map(Box::as_ref)
    }

    /// Identity headers and the like, made once a session and policy revision by the gateway, which alone knows their type.
    pub fn cached(&self) -> &ArcSwapOption<Box<dyn Any + Send + Sync>> {
        &self.cached
    }

    /// As it is stored and listed, with the use that memory knows of.
    pub fn record(&self) -> SessionRecord {
        SessionRecord {
            id: self.id,
            token: self.token,
            account: self.cell.id(),
            channel: self.channel.as_ref().to_owned(),
            address: self.address,
            user_agent: self.user_agent.as_ref().to_owned(),
            second_factor: self.second_factor,
            device: self.device,
            opened_at: self.opened_at,
            expires_at: self.expires_at,
            idle_after: Duration::from_micros(self.idle_after_micros),
            last_used_at: self.last_used(),
            ended: self.end().cloned(),
        }
    }

    pub(crate) fn token(&self) -> &TokenHash {
        &self.token
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
        self.idle_by(&policy.session_rules(&self.channel))
    }

    fn idle_by(&self, rules: &SessionRules) -> Timestamp {
        let idle_after = Duration::from_micros(self.idle_after_micros);
        self.last_used().after(idle_after.min(rules.idle))
    }

    /// A use that the store told of.
    pub(crate) fn used_elsewhere(&self, at: Timestamp) {
        self.used(at);
        self.flushed(at);
    }

    /// Ends it, once: the first reason stays.
    pub(crate) fn finish(&self, ended: Ended) -> &Ended {
        self.ended.get_or_init(|| Box::new(ended))
    }

    /// Why it may not go on at `now` by the policy of the moment; `None` where it may. What a policy shortens ends at once,
    /// what it lengthens holds for sessions opened from then on, as in the store.
    pub(crate) fn lapsed(&self, policy: &Policy, now: Timestamp) -> Option<EndReason> {
        let rules = policy.session_rules(&self.channel);
        let expires_at = self.expires_at.min(self.opened_at.after(rules.lifetime));
        let idle_at = self
            .idle_by(&rules)
            .after(Duration::from_micros(self.idle_slack_micros));
        let facts = self.cell.facts();
        if now >= expires_at {
            Some(EndReason::Expired)
        } else if now >= idle_at {
            Some(EndReason::Idle)
        } else if facts.disabled {
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
        !self.second_factor && policy.second_factor(facts.role()) == SecondFactor::Required
    }
}

/// Whole; of what is longer than 500,000 years, that long.
fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
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
        self.facts.visitor(&self.session.channel, self.session.second_factor)
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
