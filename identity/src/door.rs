//! The doorkeeper: every rule about accounts and sessions, in front of the store and the memory.

use std::sync::Arc;

use stagedoor_policy::Policy;
use stagedoor_policy::time::Timestamp;

use crate::account::{Account, AccountChange, AccountId, NewAccount};
use crate::event::Event;
use crate::live::Lookup;
use crate::port::{ApiToken, SharedStore, StoreError};
use crate::secret::{Password, Secret, SessionToken, TokenHash};
use crate::session::{EndReason, SessionId, SessionRecord};
use crate::sign_in::{Attempt, Enrolment, Origin, Progress, SignInRefusal, Ticket};
use crate::{Chance, Clock};

/// Where the doorkeeper finds the policy of the moment.
pub trait CurrentPolicy: Send + Sync + std::fmt::Debug {
    /// The policy that is in force.
    fn policy(&self) -> Arc<Policy>;
}

/// What a doorkeeper is made of.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The store.
    pub store: SharedStore,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub chance: Arc<dyn Chance>,
    /// The rules.
    pub policy: Arc<dyn CurrentPolicy>,
    /// Hashes in flight at once; each holds 19 MiB. Default: half the cores, at least 1.
    pub hashes_in_flight: usize,
    /// What authenticator apps show: "Stagedoor" or the operator's name.
    pub issuer: String,
}

/// Who asks for a change, for the audit.
#[derive(Debug, Clone)]
pub struct Actor {
    /// `token:NAME`, `cli`, `setup`, or an account's name.
    pub name: String,
    /// From where.
    pub address: Option<std::net::IpAddr>,
    /// Which request.
    pub request_id: Option<String>,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeFault {
    /// Fields that are wrong: (field, sentence), all at once.
    #[error("some fields are wrong")]
    Unfit(Vec<(&'static str, String)>),
    /// From the store: not found, name taken, version mismatch, failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many hashes under way.
    #[error("too many passwords are being checked; try again in a second")]
    Busy,
}

/// See the module.
#[derive(Debug)]
pub struct Doorkeeper {}

impl Doorkeeper {
    /// Fills memory from the store and starts the hashing threads.
    /// # Errors
    /// Where the store cannot be read.
    pub async fn open(_parts: Parts) -> Result<Arc<Self>, StoreError> {
        todo!()
    }

    // --- the hot path -------------------------------------------------------------------------------------------
    /// What a token stands for now. In memory, no lock.
    pub fn look_up(&self, _token: &SessionToken, _now: Timestamp) -> Lookup {
        todo!()
    }
    /// Notes that the session was used now (an atomic; flushed by [`Doorkeeper::flush`]).
    pub fn used(&self, _session: &crate::LiveSession, _now: Timestamp) {
        todo!()
    }

    // --- at the door --------------------------------------------------------------------------------------------
    /// First step: name and password (and a code, where it came along).
    pub async fn sign_in(&self, _attempt: Attempt) -> Result<Progress, SignInRefusal> {
        todo!()
    }
    /// Second factor: a TOTP code or a recovery code.
    pub async fn second_factor(&self, _ticket: &Ticket, _code: &str, _from: Origin) -> Result<Progress, SignInRefusal> {
        todo!()
    }
    /// Makes a fresh secret to enrol. The ticket is one that `Needs(EnrolSecondFactor, _)` came with.
    pub async fn begin_enrolment(&self, _ticket: &Ticket, _from: &Origin) -> Result<Enrolment, SignInRefusal> {
        todo!()
    }
    /// Makes a fresh secret for somebody signed in; needs the password again.
    pub async fn begin_own_enrolment(
        &self,
        _session: &crate::LiveSession,
        _password: &Password,
        _from: &Origin,
    ) -> Result<Enrolment, SignInRefusal> {
        todo!()
    }
    /// Confirms with a code of the new secret; the recovery codes are shown now and never again. `Progress` is what the
    /// sign-in came to, or for somebody signed in already a fresh session in place of the old one.
    pub async fn confirm_enrolment(
        &self,
        _ticket: &Ticket,
        _code: &str,
        _from: Origin,
    ) -> Result<(Vec<Secret>, Progress), SignInRefusal> {
        todo!()
    }
    /// Changes a temporary password, proved by the ticket.
    pub async fn change_temporary_password(
        &self,
        _ticket: &Ticket,
        _new: Password,
        _from: Origin,
    ) -> Result<Progress, SignInRefusal> {
        todo!()
    }
    /// Changes one's own password, proved by the current one; every other session of the account ends.
    pub async fn change_own_password(
        &self,
        _session: &crate::LiveSession,
        _current: &Password,
        _new: Password,
        _from: &Origin,
    ) -> Result<(), SignInRefusal> {
        todo!()
    }
    /// Ends one's own session.
    pub async fn sign_out(&self, _token: &SessionToken, _from: &Origin) -> Result<(), StoreError> {
        todo!()
    }
    /// One's own live sessions.
    pub fn sessions_of(&self, _account: AccountId) -> Vec<SessionRecord> {
        todo!()
    }

    // --- for administrators -------------------------------------------------------------------------------------
    /// Makes an account.
    pub async fn create_account(&self, _new: NewAccount, _by: &Actor) -> Result<Account, ChangeFault> {
        todo!()
    }
    /// Changes an account. A changed role, changed grants or networks, or disabling ends its sessions.
    pub async fn change_account(
        &self,
        _id: AccountId,
        _expected: Option<u64>,
        _change: AccountChange,
        _by: &Actor,
    ) -> Result<Account, ChangeFault> {
        todo!()
    }
    /// Removes an account.
    pub async fn remove_account(&self, _id: AccountId, _expected: Option<u64>, _by: &Actor) -> Result<(), ChangeFault> {
        todo!()
    }
    /// Sets a temporary password; ends the account's sessions.
    pub async fn reset_password(&self, _id: AccountId, _temporary: Password, _by: &Actor) -> Result<(), ChangeFault> {
        todo!()
    }
    /// Takes the second factor away; ends the account's sessions.
    pub async fn reset_second_factor(&self, _id: AccountId, _by: &Actor) -> Result<(), ChangeFault> {
        todo!()
    }
    /// Ends every lock of the account. How many there were.
    pub async fn unlock(&self, _id: AccountId, _by: &Actor) -> Result<u32, ChangeFault> {
        todo!()
    }
    /// Lifts an inactivity ban.
    pub async fn reinstate(&self, _id: AccountId, _by: &Actor) -> Result<Account, ChangeFault> {
        todo!()
    }
    /// Whether the account is banned for disuse at `now`, by the policy of the moment.
    pub fn is_banned(&self, _account: &Account, _now: Timestamp) -> bool {
        todo!()
    }
    /// Live sessions, all or of one account, oldest first.
    pub fn sessions(&self) -> Vec<(SessionRecord, Arc<Account>)> {
        todo!()
    }
    /// Ends a session; `false` where it is not live.
    pub async fn end_session(&self, _id: SessionId, _reason: EndReason, _by: &Actor) -> Result<bool, ChangeFault> {
        todo!()
    }
    /// Ends all sessions of an account. How many.
    pub async fn end_sessions_of(&self, _account: AccountId, _by: &Actor) -> Result<usize, ChangeFault> {
        todo!()
    }
    /// Makes a bearer token for the admin API: `sdt_` and 43 characters, shown once.
    pub async fn create_token(&self, _token: ApiToken, _by: &Actor) -> Result<Secret, ChangeFault> {
        todo!()
    }
    /// Who presents this bearer token; compares in constant time by hash; `None` where unknown or expired.
    pub async fn token(&self, _presented: &str) -> Result<Option<ApiToken>, StoreError> {
        todo!()
    }

    // --- keeping house ------------------------------------------------------------------------------------------
    /// Records events. Durable when it answers.
    pub async fn record(&self, _events: Vec<Event>) -> Result<(), StoreError> {
        todo!()
    }
    /// Writes the last-used times to the store; ends idle and expired sessions; forgets old ones. Called every 10 s and at
    /// shutdown by the gateway.
    pub async fn keep_house(&self) -> Result<(), StoreError> {
        todo!()
    }
    /// The store, for lists that no rule stands before.
    pub fn store(&self) -> &SharedStore {
        todo!()
    }
    /// The time.
    pub fn now(&self) -> Timestamp {
        todo!()
    }
    /// Counters for the metrics: live sessions, sign-ins by outcome, lockouts, displacements, bans, hashes waiting.
    pub fn tally(&self) -> Arc<Tally> {
        todo!()
    }
    /// A key of the door's own, made once and kept in the store sealed: `purpose` is a short name.
    pub async fn key(&self, _purpose: &str) -> Result<Secret, StoreError> {
        todo!()
    }
    #[doc(hidden)]
    pub fn unused(_: TokenHash) {}
}

/// Counts since start; atomics, read by the metrics.
#[derive(Debug, Default)]
pub struct Tally {}
