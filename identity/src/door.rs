//! The doorkeeper: every rule about accounts and sessions, in front of the store and the memory.
//!
//! This file is the face; the work is in [`house`] and the files beside it, in the order a visitor meets them:
//! `at_the_door` (sign-in), `attempts` (counting failures), `admission` (who may come in now), `opening` (a session),
//! `enrolment` and `own_password`; then `administration`, `ending`, `tokens`; then `letters` and
//! `housekeeping`.
//!
//! Every step that changes something runs as a task of its own and is awaited: a visitor who hangs up half way cannot leave
//! the store and the memory in disagreement. Steps that touch one account's sessions take turns ([`turns`]).

mod actor;
mod administration;
mod admission;
mod at_the_door;
mod attempts;
mod ending;
mod enrolment;
mod house;
mod housekeeping;
mod letters;
mod mending;
mod opening;
mod own_password;
mod refused;
mod rights;
mod structure;
mod tally;
mod tokens;
mod turns;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use stagedoor_policy::Policy;
use stagedoor_policy::time::Timestamp;

use crate::account::{Account, AccountChange, AccountId, AccountQuery, AccountState, NewAccount};
use crate::event::Event;
use crate::letter::{CurrentLetterhead, DueLetter, Letter, Letterhead, OpenedLetter, Waiting};
use crate::live::Lookup;
use crate::port::{ApiToken, SharedStore, StoreError};
use crate::secret::{Password, Secret, SessionToken};
use crate::session::{EndReason, SessionId, SessionRecord};
use crate::sign_in::{Attempt, Enrolment, Origin, Progress, SignInRefusal, Ticket};
use crate::{Chance, Clock, LiveSession};

pub use actor::{Actor, Who};
pub use refused::{Refused, RefusedWhy};
pub use tally::Tally;
pub use tokens::SCOPES;

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
    /// Hashes in flight at once; each holds 19 MiB. Default: half the cores, at least 1.
    pub hashes_in_flight: usize,
    /// What authenticator apps show: "Stagedoor" or the operator's name.
    pub issuer: String,
    /// What is on every letter, and whether letters are sent at all.
    pub letterhead: Arc<dyn CurrentLetterhead>,
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
        let house = Arc::new(House::open(parts).await?);
        Ok(Arc::new(Self { house }))
    }

    // --- the hot path -------------------------------------------------------------------------------------------
    /// What a token stands for now. In memory, no lock.
    pub fn look_up(&self, token: &SessionToken, now: Timestamp) -> Lookup {
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

    // --- for administrators -------------------------------------------------------------------------------------
    /// Makes an account.
    /// # Errors
    /// Every field that is wrong at once; the name being taken; the store.
    pub async fn create_account(&self, new: NewAccount, by: &Actor) -> Result<Account, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.create_account(new, &by).await }).await
    }

    /// Everything that keeps an account from being made like that, whoever asks; nothing is made.
    /// # Errors
    /// `Unfit` with every field that is wrong; `Busy`.
    pub async fn check_new_account(&self, new: &NewAccount) -> Result<(), ChangeFault> {
        self.house.check_new_account(new).await
    }

    /// Changes an account. A changed role, changed grants or networks, or disabling ends its sessions.
    /// # Errors
    /// As [`Doorkeeper::create_account`], and where the version is no longer `expected`.
    pub async fn change_account(
        &self,
        id: AccountId,
        expected: Option<u64>,
        change: AccountChange,
        by: &Actor,
    ) -> Result<Account, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.change_account(id, expected, change, &by).await }).await
    }

    /// Removes an account.
    /// # Errors
    /// Where there is none, or its version is no longer `expected`.
    pub async fn remove_account(&self, id: AccountId, expected: Option<u64>, by: &Actor) -> Result<(), ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.remove_account(id, expected, &by).await }).await
    }

    /// Sets a temporary password; ends the account's sessions.
    /// # Errors
    /// `Unfit` for field `password`, judged as everybody's passwords are.
    pub async fn reset_password(&self, id: AccountId, temporary: Password, by: &Actor) -> Result<(), ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.reset_password(id, &temporary, &by).await }).await
    }

    /// Takes the second factor away; ends the account's sessions.
    /// # Errors
    /// Where there is no such account.
    pub async fn reset_second_factor(&self, id: AccountId, by: &Actor) -> Result<(), ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.reset_second_factor(id, &by).await }).await
    }

    /// Ends every lock of the account. How many there were.
    /// # Errors
    /// Where there is no such account.
    pub async fn unlock(&self, id: AccountId, by: &Actor) -> Result<u32, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.unlock(id, &by).await }).await
    }

    /// Ends one lock by its id, of an unknown name too; `false` where there is none.
    /// # Errors
    /// Where the store failed.
    pub async fn end_lockout(&self, id: &str, by: &Actor) -> Result<bool, ChangeFault> {
        let (house, id, by) = (Arc::clone(&self.house), id.to_owned(), by.clone());
        see_through(async move { house.end_lockout(&id, &by).await }).await
    }

    /// Lifts an inactivity ban.
    /// # Errors
    /// Where there is no such account.
    pub async fn reinstate(&self, id: AccountId, by: &Actor) -> Result<Account, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.reinstate(id, &by).await }).await
    }

    /// Whether the account is banned for disuse at `now`, by the policy of the moment.
    pub fn is_banned(&self, account: &Account, now: Timestamp) -> bool {
        self.house.memory.is_banned(account, &self.house.policy(), now)
    }

    /// Where the account stands in its life.
    /// # Errors
    /// Where the store failed.
    pub async fn state_of(&self, account: &Account) -> Result<AccountState, StoreError> {
        let now = self.now();
        let locked = !self.house.store.lockouts(Some(&account.name), now).await?.is_empty();
        let (told, policy) = (account.state(now, &self.house.policy(), locked), self.house.policy());
        if told != AccountState::Banned && told != AccountState::Locked && told != AccountState::Active {
            return Ok(told);
        }
        // Uses that memory knows of, and the last of a role, whom disuse passes over.
        Ok(match (self.house.is_banned(account, &policy, now).await?, locked) {
            (true, _) => AccountState::Banned,
            (false, true) => AccountState::Locked,
            (false, false) => AccountState::Active,
        })
    }

    /// Every live session, oldest first.
    pub fn sessions(&self) -> Vec<(SessionRecord, Arc<Account>)> {
        self.house.live_sessions(self.house.memory.sessions())
    }

    /// Ends a session; `false` where it is not live.
    /// # Errors
    /// Where the store failed.
    pub async fn end_session(&self, id: SessionId, reason: EndReason, by: &Actor) -> Result<bool, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.end_session(id, &reason, &by).await }).await
    }

    /// Ends all sessions of an account. How many.
    /// # Errors
    /// Where the store failed.
    pub async fn end_sessions_of(&self, account: AccountId, by: &Actor) -> Result<usize, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.end_sessions_of(account, &by).await }).await
    }

    /// Makes a bearer token for the admin API: `sdt_` and 43 characters, shown once. `created_at` is set to now.
    /// # Errors
    /// `Unfit` for a name, scope or end that is none; the name being taken.
    pub async fn create_token(&self, token: ApiToken, by: &Actor) -> Result<Secret, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.create_token(token, &by).await }).await
    }

    /// Takes a bearer token away; `false` where there is none of that name.
    /// # Errors
    /// Where the store failed.
    pub async fn revoke_token(&self, name: &str, by: &Actor) -> Result<bool, ChangeFault> {
        let (house, name, by) = (Arc::clone(&self.house), name.to_owned(), by.clone());
        see_through(async move { house.revoke_token(&name, &by).await }).await
    }

    /// Who presents this bearer token; found by its hash, so that no comparison tells how near a guess was; `None` where
    /// unknown or expired.
    /// # Errors
    /// Where the store failed.
    pub async fn token(&self, presented: &str) -> Result<Option<ApiToken>, StoreError> {
        self.house.token(presented).await
    }

    /// The account, for somebody who may see it.
    /// # Errors
    /// `NotFound` where there is none, or none for whoever asks.
    pub async fn account(&self, id: AccountId, by: &Actor) -> Result<Account, ChangeFault> {
        self.house.seen(id, &self.house.authority(by).await?).await
    }

    /// The accounts that somebody may see, in the order of names.
    /// # Errors
    /// Where whoever asks may do nothing, or the store failed.
    pub async fn accounts(&self, query: AccountQuery, by: &Actor) -> Result<Vec<Account>, ChangeFault> {
        self.house.accounts(query, by).await
    }

    // --- letters ------------------------------------------------------------------------------------------------
    /// What is on every letter; `None` where letters are not sent.
    pub fn letterhead(&self) -> Option<Arc<Letterhead>> {
        self.house.letterhead()
    }

    /// Queues a letter by itself; `false` where letters are not sent. Durable when it answers.
    /// # Errors
    /// As many letters wait as may; the account being gone; the store.
    pub async fn queue_letter(&self, letter: Letter) -> Result<bool, StoreError> {
        let house = Arc::clone(&self.house);
        see_through(async move { house.queue_letter(&letter).await }).await
    }

    /// Claims letters that are due, for `claim_for`: at most `letters_max`. Those whose time is over are given up on the way.
    /// # Errors
    /// Where the store failed.
    pub async fn due_letters(
        &self,
        worker: &str,
        claim_for: Duration,
        letters_max: u32,
    ) -> Result<Vec<(DueLetter, OpenedLetter)>, StoreError> {
        let (house, worker) = (Arc::clone(&self.house), worker.to_owned());
        see_through(async move { house.due_letters(&worker, claim_for, letters_max).await }).await
    }

    /// Notes that the letter's words are about to be handed over. `false`: it is not this worker's any more, or was withdrawn,
    /// and must not be sent.
    /// # Errors
    /// Where the store failed: then it must not be sent either.
    pub async fn handing_over(&self, due: &DueLetter, takes_at_most: Duration) -> Result<bool, StoreError> {
        let (house, due) = (Arc::clone(&self.house), due.clone());
        see_through(async move { house.handing_over(&due, takes_at_most).await }).await
    }

    /// A mail server has taken the letter over.
    /// # Errors
    /// Where the store failed: the letter will be sent again.
    pub async fn letter_sent(&self, due: &DueLetter) -> Result<(), StoreError> {
        let (house, due) = (Arc::clone(&self.house), due.clone());
        see_through(async move { house.letter_sent(&due).await }).await
    }

    /// The letter was not sent and is tried again later. `may_have_arrived`: the server had all of it, and its answer was lost.
    /// # Errors
    /// Where the store failed; the letter is tried again once its claim is over.
    pub async fn letter_failed(&self, due: &DueLetter, why: &str, may_have_arrived: bool) -> Result<(), StoreError> {
        let (house, due, why) = (Arc::clone(&self.house), due.clone(), why.to_owned());
        see_through(async move { house.letter_failed(&due, &why, may_have_arrived).await }).await
    }

    /// The letter was refused for good.
    /// # Errors
    /// Where the store failed; the letter is tried again once its claim is over.
    pub async fn letter_refused(&self, due: &DueLetter, why: &str) -> Result<(), StoreError> {
        let (house, due, why) = (Arc::clone(&self.house), due.clone(), why.to_owned());
        see_through(async move { house.give_up(&due, "refused", Some(&why)).await }).await
    }

    /// Makes due what a sender of this name had claimed before it ended. How many letters.
    /// # Errors
    /// Where the store failed.
    pub async fn release_letters(&self, worker: &str) -> Result<u32, StoreError> {
        let (house, worker) = (Arc::clone(&self.house), worker.to_owned());
        see_through(async move { house.store.release_claims(&worker, house.clock.now()).await }).await
    }

    /// What waits; notes it for the metrics.
    /// # Errors
    /// Where the store failed.
    pub async fn letters_waiting(&self) -> Result<Waiting, StoreError> {
        self.house.letters_waiting().await
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
