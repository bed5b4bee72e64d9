//! The doorkeeper: every rule about accounts and sessions, in front of the store and the memory.
//!
//! This file and [`face`] are the face; the work is in [`house`] and the files beside it, in the order a visitor meets them:
//! `at_the_door` (sign-in), `attempts` (counting failures), `admission` (who may come in now), `opening` (a session),
//! `enrolment`, `own_password` and `profile`; `links`, `invitations` and `forgotten` (one-time links); then by what right
//! somebody acts (`actor`, `rights`, `structure`, `refused`) and what is done by it: `administration`, `mending`,
//! `handing_over`, `devices`, `ending`, `tokens`; then `letters`, `housekeeping` and `warnings`.
//!
//! Every step that changes something runs as a task of its own and is awaited: a visitor who hangs up half way cannot leave
//! the store and the memory in disagreement. Steps that touch one account's sessions take turns ([`turns`]).

mod actor;
mod administration;
mod admission;
mod at_the_door;
mod attempts;
mod devices;
mod ending;
mod enrolment;
mod face;
mod following;
mod forgotten;
mod handing_over;
mod house;
mod housekeeping;
mod invitations;
mod letters;
mod links;
mod mending;
mod opening;
mod own_password;
mod profile;
mod refused;
mod rights;
mod structure;
mod succession;
mod tally;
mod tokens;
mod turns;
mod warnings;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use stagedoor_policy::Policy;
use stagedoor_policy::time::Timestamp;

use crate::account::{Account, AccountId, AccountName};
use crate::event::Event;
use crate::letter::CurrentLetterhead;
use crate::live::Lookup;
use crate::port::{Follower, SharedStore, StoreError};
use crate::secret::{Password, Secret, SessionToken};
use crate::session::SessionRecord;
use crate::sign_in::{Attempt, Enrolment, Origin, Progress, SignInRefusal, Ticket};
use crate::{Chance, Clock, Freshness, LiveSession};

pub use actor::{Actor, Who};
pub use following::{Company, USES_INTERVAL};
pub use refused::{Refused, RefusedWhy};
pub use succession::Use;
pub use tally::Tally;
pub use tokens::SCOPES;

use following::Following;
use house::{House, see_through};

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
    /// Hashes in flight at once; each holds 19 MiB, twice as much while there is no time to spare. Default: half the cores,
    /// at least 1.
    pub hashes_in_flight: usize,
    /// What authenticator apps show: "Stagedoor" or the operator's name.
    pub issuer: String,
    /// The door's own prefix with the slash at its end, such as `/.stagedoor/`: pages that take links are behind it.
    pub links_under: String,
    /// What is on every letter, and whether letters are sent at all.
    pub letterhead: Arc<dyn CurrentLetterhead>,
}

/// What people change about themselves; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct OwnChange {
    /// See [`Account::display_name`].
    pub display_name: Option<String>,
    /// See [`Account::preferences`]: all of them.
    pub preferences: Option<std::collections::BTreeMap<String, String>>,
}

/// An invitation that was made.
#[derive(Debug)]
pub struct Invited {
    /// The account that waits to be accepted.
    pub account: Account,
    /// The token of its link, where no letter carries it: to be shown once, to who asked.
    pub link: Option<Secret>,
}

/// An invitation that was accepted.
#[derive(Debug)]
pub struct Accepted {
    /// The name to sign in with.
    pub name: AccountName,
    /// What the sign-in that follows came to. A refusal takes nothing back: the account is accepted.
    pub next: Result<Progress, SignInRefusal>,
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
    /// A rule about people refuses it.
    #[error("{}", .0.sentence)]
    Refused(Refused),
    /// Too many hashes under way.
    #[error("too many passwords are being checked; try again in a second")]
    Busy,
}

/// Why somebody did not change something about themselves that has to be proved with the password once more.
#[derive(Debug, thiserror::Error)]
pub enum OwnFault {
    /// The password is wrong, or whoever it is may not come in any more.
    #[error("the password was not proved")]
    Unproved(SignInRefusal),
    /// The change itself was refused.
    #[error(transparent)]
    Change(#[from] ChangeFault),
}

impl From<SignInRefusal> for OwnFault {
    fn from(refusal: SignInRefusal) -> Self {
        Self::Unproved(refusal)
    }
}

impl From<StoreError> for OwnFault {
    fn from(fault: StoreError) -> Self {
        Self::Change(fault.into())
    }
}

/// See the module. Needs a Tokio runtime around it.
#[derive(Debug)]
pub struct Doorkeeper {
    house: Arc<House>,
}

impl Doorkeeper {
    /// Fills memory from the store and starts the hashing threads.
    /// # Errors
    /// Where the store cannot be read, its keys are not what was stored, or the system gives no thread.
    pub async fn open(parts: Parts) -> Result<Arc<Self>, StoreError> {
        let house = Arc::new(House::open(parts, None).await?);
        Ok(Arc::new(Self { house }))
    }

    /// One of several doors on a store: its memory is filled and kept by [`Doorkeeper::follower`].
    /// # Errors
    /// See [`Doorkeeper::open`].
    pub async fn open_in_company(parts: Parts, company: Company) -> Result<Arc<Self>, StoreError> {
        let house = Arc::new(House::open(parts, Some(company)).await?);
        Ok(Arc::new(Self { house }))
    }

    /// Who is to be told what other doors change.
    pub fn follower(&self) -> Arc<dyn Follower> {
        Arc::new(Following(Arc::clone(&self.house)))
    }

    // --- the hot path -------------------------------------------------------------------------------------------
    /// What a token stands for now. In memory, no lock.
    pub fn look_up(&self, token: &SessionToken, now: Timestamp) -> Lookup {
        if !self.house.company.freshness.holds(now) {
            return Lookup::CannotTell;
        }
        self.look_up_as_last_known(token, now)
    }

    /// What a token stood for when memory was last as the store is: for sites that go by it for a while.
    pub fn look_up_as_last_known(&self, token: &SessionToken, now: Timestamp) -> Lookup {
        let policy = self.house.policy();
        self.house.memory.look_up(&token.hash(), &policy, now)
    }

    /// Notes that the session was used now (an atomic; flushed by [`Doorkeeper::keep_house`]).
    pub fn used(&self, session: &LiveSession, now: Timestamp) {
        session.used(now);
    }

    /// Whether a session that was looked up before may go on: for streams that stay open.
    pub fn is_live(&self, session: &LiveSession, now: Timestamp) -> bool {
        session.is_live(&self.house.policy(), now)
    }

    /// Until when memory is as the store is.
    pub fn freshness(&self) -> &Arc<Freshness> {
        &self.house.company.freshness
    }

    /// Waits until memory is as the store is, no longer than was agreed, and answers whether it is.
    pub async fn wait_until_fresh(&self) -> bool {
        let company = &self.house.company;
        company.freshness.wait(self.house.clock.as_ref(), company.wait).await
    }

    /// The longest silence of the store that nobody notices but by waiting: a lease, and that wait.
    pub fn silence_max(&self) -> std::time::Duration {
        self.house.company.lease.saturating_add(self.house.company.wait)
    }

    /// Fires after each end of a session and each change of an account.
    pub fn changed(&self) -> tokio::sync::watch::Receiver<u64> {
        self.house.memory.changed()
    }

    // --- at the door --------------------------------------------------------------------------------------------
    /// First step: name and password (and a code, where it came along).
    /// # Errors
    /// Why not, as far as the visitor may know.
    pub async fn sign_in(&self, attempt: Attempt) -> Result<Progress, SignInRefusal> {
        let house = Arc::clone(&self.house);
        see_through(async move { house.tally.noted(house.sign_in(attempt).await) }).await
    }

    /// Second factor: a TOTP code or a recovery code.
    /// # Errors
    /// As [`Doorkeeper::sign_in`]; a miss counts towards the account's lock just as a wrong password does.
    pub async fn second_factor(&self, ticket: &Ticket, code: &str, from: Origin) -> Result<Progress, SignInRefusal> {
        let (house, ticket) = (Arc::clone(&self.house), ticket.clone());
        let code = Secret::new(code.as_bytes());
        see_through(async move {
            let progress = house.second_factor(&ticket, code.expose_text(), from).await;
            house.tally.noted(progress)
        })
        .await
    }

    /// Makes a fresh secret to enrol. The ticket is one that `Needs(EnrolSecondFactor, _)` came with.
    /// # Errors
    /// As [`Doorkeeper::sign_in`].
    pub async fn begin_enrolment(&self, ticket: &Ticket, from: &Origin) -> Result<Enrolment, SignInRefusal> {
        let (house, ticket, from) = (Arc::clone(&self.house), ticket.clone(), from.clone());
        see_through(async move { house.begin_enrolment(&ticket, from).await }).await
    }

    /// Makes a fresh secret for somebody signed in; needs the password again, and where a second factor is enrolled already
    /// a session that was opened with it (else `InvalidCode`).
    /// # Errors
    /// As [`Doorkeeper::sign_in`].
    pub async fn begin_own_enrolment(
        &self,
        session: &LiveSession,
        password: &Password,
        from: &Origin,
    ) -> Result<Enrolment, SignInRefusal> {
        let (house, session) = (Arc::clone(&self.house), session.record());
        let (password, from) = (password.clone(), from.clone());
        see_through(async move { house.begin_own_enrolment(&session, &password, from).await }).await
    }

    /// Confirms with a code of the new secret; the recovery codes are shown now and never again. `Progress` is what the
    /// sign-in came to, or for somebody signed in already a fresh session in place of the old one. Every session that the
    /// account had before ends.
    /// # Errors
    /// As [`Doorkeeper::sign_in`].
    pub async fn confirm_enrolment(
        &self,
        ticket: &Ticket,
        code: &str,
        from: Origin,
    ) -> Result<(Vec<Secret>, Progress), SignInRefusal> {
        let (house, ticket) = (Arc::clone(&self.house), ticket.clone());
        let code = Secret::new(code.as_bytes());
        see_through(async move {
            let confirmed = house.confirm_enrolment(&ticket, code.expose_text(), from).await;
            house.tally.noted_with(confirmed, |(_, progress)| progress)
        })
        .await
    }

    /// Changes a temporary password, proved by the ticket.
    /// # Errors
    /// As [`Doorkeeper::sign_in`]; `PasswordUnfit` also where it is the temporary one again.
    pub async fn change_temporary_password(
        &self,
        ticket: &Ticket,
        new: Password,
        from: Origin,
    ) -> Result<Progress, SignInRefusal> {
        let (house, ticket) = (Arc::clone(&self.house), ticket.clone());
        see_through(async move {
            let progress = house.change_temporary_password(&ticket, new, from).await;
            house.tally.noted(progress)
        })
        .await
    }

    /// Changes one's own password, proved by the current one; every other session of the account ends.
    /// # Errors
    /// As [`Doorkeeper::sign_in`]; a wrong current password counts towards the account's lock.
    pub async fn change_own_password(
        &self,
        session: &LiveSession,
        current: &Password,
        new: Password,
        from: &Origin,
    ) -> Result<(), SignInRefusal> {
        let (house, session) = (Arc::clone(&self.house), session.record());
        let (current, from) = (current.clone(), from.clone());
        see_through(async move { house.change_own_password(&session, &current, new, from).await }).await
    }

    /// Ends one's own session. Nothing happens where the token stands for none.
    /// # Errors
    /// Where the store failed: the session may still be live then.
    pub async fn sign_out(&self, token: &SessionToken, from: &Origin) -> Result<(), StoreError> {
        let (house, token, address) = (Arc::clone(&self.house), token.hash(), from.address.ip());
        see_through(async move { house.sign_out(&token, address).await }).await
    }

    /// One's own live sessions, oldest first.
    pub fn sessions_of(&self, account: AccountId) -> Vec<SessionRecord> {
        let live = self.house.live_sessions(self.house.memory.sessions_of(account));
        live.into_iter().map(|(record, _)| record).collect()
    }

    // --- keeping house ------------------------------------------------------------------------------------------
    /// Records events. Durable when it answers.
    /// # Errors
    /// Where the store failed.
    pub async fn record(&self, events: Vec<Event>) -> Result<(), StoreError> {
        let house = Arc::clone(&self.house);
        see_through(async move { house.store.record(&events).await }).await
    }

    /// Writes the last-used times to the store; ends idle and expired sessions; records bans; forgets what is old. Called
    /// every 10 s and at shutdown by the gateway.
    /// # Errors
    /// Where the store failed; what was not done is done the next time.
    pub async fn keep_house(&self) -> Result<(), StoreError> {
        let house = Arc::clone(&self.house);
        see_through(async move { house.keep_house().await }).await
    }

    /// Tells other doors on the same store of uses, and asks it for theirs. To be called every [`USES_INTERVAL`].
    /// # Errors
    /// Where the store failed; what was not done is done the next time.
    pub async fn exchange_uses(&self) -> Result<(), StoreError> {
        let house = Arc::clone(&self.house);
        see_through(async move { house.exchange_uses().await }).await
    }

    /// The store, for lists that no rule stands before.
    pub fn store(&self) -> &SharedStore {
        &self.house.store
    }

    /// The policy of the moment.
    pub fn policy(&self) -> Arc<Policy> {
        self.house.policy()
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.house.clock.now()
    }

    /// Counters for the metrics. The gauges among them are set by this call: ask again for each reading.
    pub fn tally(&self) -> Arc<Tally> {
        self.house.tally.measured(&self.house)
    }

    /// A key of the door's own: 32 bytes, made once and kept in the store; `purpose` is a short name. The store's file is the
    /// operator's alone (0600) and keeps keys as they are, beside what they seal: sealing keeps a listing or an export of
    /// accounts from giving secrets away, not the file as a whole.
    /// # Errors
    /// Where the store failed.
    pub async fn key(&self, purpose: &str) -> Result<Secret, StoreError> {
        house::key(&self.house.store, self.house.chance.as_ref(), purpose).await
    }
}
