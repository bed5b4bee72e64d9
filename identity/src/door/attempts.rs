//! Counting failures. An attempt is reserved before anything is verified and taken back once the whole sign-in went well, so
//! that parallel guesses cannot outrun the count.
//!
//! The right password of a sign-in in several steps may itself be the last attempt before the lock. Its ticket then names the
//! end of that lock and passes it: once where a code is guessed at, freely where nothing is. Any other lock stops it.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use aws_lc_rs::hmac;
use stagedoor_policy::request::ClientAddress;
use stagedoor_policy::time::Timestamp;

use super::house::House;
use crate::event::{Event, Kind, Outcome};
use crate::port::{Reserved, Source, StoreError};
use crate::sign_in::SignInRefusal;
use crate::sign_in::ticket::Claims;
use crate::{Account, SessionId};

/// Tickets remembered that passed their own lock; each costs an attacker a lock of its own.
const SPENT_TICKETS_MAX: usize = 4096;

/// Who knocks, as far as counting and the audit are concerned.
#[derive(Debug, Clone)]
pub(super) struct Knock {
    /// For the audit: an account's name, or `unknown:` and 8 hex digits.
    pub(super) label: String,
    /// What failures are counted under: an account's name, or `unknown:` and 32 hex digits.
    key: String,
    pub(super) address: ClientAddress,
    source: Source,
    /// Attempts reserved by this step and not taken back: 0 or 1.
    pub(super) reserved: u32,
    /// The lock that the attempt now under way has set, should it fail.
    pub(super) locks_until: Option<Timestamp>,
}

impl Knock {
    /// The attempt counts as a failure until it is taken back.
    fn counted(self, locks_until: Option<Timestamp>) -> Self {
        Self {
            reserved: 1,
            locks_until,
            ..self
        }
    }

    /// The attempt was taken back, and the lock that it had set with it.
    pub(super) fn forgiven(self) -> Self {
        Self {
            reserved: 0,
            locks_until: None,
            ..self
        }
    }
}

impl House {
    pub(super) fn knock_of(&self, account: &Account, address: ClientAddress) -> Knock {
        Knock {
            label: account.name.as_str().to_owned(),
            key: account.name.as_str().to_owned(),
            address,
            source: Source::of(address),
            reserved: 0,
            locks_until: None,
        }
    }

    /// People type passwords in the wrong field: an unknown name is kept only as a keyed hash.
    pub(super) fn knock_of_unknown(&self, typed: &str, address: ClientAddress) -> Knock {
        let tag = hmac::sign(&self.name_key, typed.to_lowercase().as_bytes());
        let hex: String = tag.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Knock {
            label: format!("unknown:{}", hex.chars().take(8).collect::<String>()),
            key: format!("unknown:{hex}"),
            address,
            source: Source::of(address),
            reserved: 0,
            locks_until: None,
        }
    }

    /// Reserves an attempt to guess something.
    pub(super) async fn reserve(&self, knock: Knock, now: Timestamp) -> Result<Knock, SignInRefusal> {
        match self.ask(&knock, now).await? {
            Reserved::Go { locks_until, .. } => Ok(knock.counted(locks_until)),
            Reserved::Locked { until } => Err(self.locked(&knock, until).await),
        }
    }

    /// Reserves an attempt to guess a code, with a ticket in hand.
    pub(super) async fn reserve_with(
        &self,
        knock: Knock,
        claims: &Claims,
        now: Timestamp,
    ) -> Result<Knock, SignInRefusal> {
        match self.ask(&knock, now).await? {
            Reserved::Go { locks_until, .. } => Ok(knock.counted(locks_until)),
            Reserved::Locked { until } if own_lock(claims) == Some(until) && self.spend(claims.number) => Ok(knock),
            Reserved::Locked { until } => Err(self.locked(&knock, until).await),
        }
    }

    /// For a step at which nothing is guessed: refuses where a lock holds that is not the ticket's own.
    pub(super) async fn refuse_if_locked(
        &self,
        knock: &Knock,
        account: &Account,
        claims: &Claims,
        now: Timestamp,
    ) -> Result<(), SignInRefusal> {
        let locks = self.store.lockouts(Some(&account.name), now).await?;
        let holds = locks.into_iter().find(|lock| {
            let here = lock.source.as_ref().is_none_or(|source| *source == knock.source);
            here && own_lock(claims) != Some(lock.until)
        });
        match holds {
            None => Ok(()),
            Some(lock) => Err(self.locked(knock, lock.until).await),
        }
    }

    /// Takes the failures back: the visitor is who they said they are.
    pub(super) async fn forgive(&self, knock: &Knock) -> Result<(), StoreError> {
        self.store.forgive(&knock.key, &knock.source).await
    }

    /// Writes why a step was refused, and the lock where this attempt set one, and answers the refusal; `Unavailable` where
    /// it could not be written.
    pub(super) async fn refuse(
        &self,
        knock: &Knock,
        (kind, outcome): (Kind, Outcome),
        reason: &str,
        refusal: SignInRefusal,
    ) -> SignInRefusal {
        let now = self.clock.now();
        let event = self.event(kind, outcome, knock, now).reason(reason);
        let mut events = vec![event];
        events.extend(self.lock_event(knock, now));
        match self.store.record(&events).await {
            Ok(()) => refusal,
            Err(fault) => fault.into(),
        }
    }

    /// An event of this visitor.
    pub(super) fn event(&self, kind: Kind, outcome: Outcome, knock: &Knock, now: Timestamp) -> Event {
        Event::new(kind, outcome, now)
            .account(&knock.label)
            .address(knock.address.ip())
            .revision(self.policy().revision())
    }

    /// An event of this visitor's own doing, the name being proved.
    pub(super) fn own_event(&self, kind: Kind, knock: &Knock, session: Option<SessionId>, now: Timestamp) -> Event {
        let event = self.event(kind, Outcome::Done, knock, now).actor(&knock.label);
        match session {
            Some(session) => event.session(session),
            None => event,
        }
    }

    /// The lock that the attempt set, for the audit.
    pub(super) fn lock_event(&self, knock: &Knock, now: Timestamp) -> Option<Event> {
        let until = knock.locks_until?;
        self.tally.lockouts.fetch_add(1, Ordering::Relaxed);
        let seconds = until.since(now).as_secs().to_string();
        let event = Event::by_itself(Kind::AccountLocked, Outcome::Done, now)
            .account(&knock.label)
            .address(knock.address.ip())
            .detail("for_seconds", seconds);
        Some(event)
    }

    async fn ask(&self, knock: &Knock, now: Timestamp) -> Result<Reserved, StoreError> {
        let rules = self.policy().lockout();
        self.store.reserve_attempt(&knock.key, &knock.source, &rules, now).await
    }

    async fn locked(&self, knock: &Knock, until: Timestamp) -> SignInRefusal {
        let refusal = SignInRefusal::Locked { until };
        self.refuse(knock, (Kind::SignInRefused, Outcome::Refused), "locked", refusal)
            .await
    }

    /// `false` where the ticket was spent before.
    fn spend(&self, ticket: uuid::Uuid) -> bool {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.contains(&ticket) {
            return false;
        }
        spent.push_back(ticket);
        if spent.len() > SPENT_TICKETS_MAX {
            spent.pop_front();
        }
        true
    }
}

fn own_lock(claims: &Claims) -> Option<Timestamp> {
    claims.own_lock_micros.map(Timestamp::from_micros)
}
