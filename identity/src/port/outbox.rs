//! Letters that wait.

use std::time::Duration;

use async_trait::async_trait;
use stagedoor_policy::time::Timestamp;

use super::StoreError;
use crate::account::AccountId;
use crate::letter::{DueLetter, Failure, LetterId, QueuedLetter, Waiting, WaitingLetter};

/// Letters that wait. A letter is here from the moment its step is acknowledged until it is sent, given up, replaced by a
/// newer one of the same use, or its account is removed.
#[async_trait]
pub trait Outbox {
    /// Queues a letter by itself; steps that make a link queue theirs the same way. Takes the account's waiting letters of the
    /// kinds that it [replaces](crate::letter::LetterKind::replaces) away first. `OutboxFull` where `letters_max` wait,
    /// `NotFound` where its account is gone.
    async fn queue_letter(&self, letter: &QueuedLetter) -> Result<(), StoreError>;
    /// Notes that the account is warned of the disuse that began at `since`, and queues the letter that does so: both or
    /// neither. `false` where it was warned of that disuse before, or of a later one: then nothing is done. `OutboxFull`,
    /// `NotFound` as above.
    async fn warn_once(&self, account: AccountId, since: Timestamp, letter: &QueuedLetter) -> Result<bool, StoreError>;
    /// Claims letters that are due at `now` for `worker`, longest due first. Until `claim_for` is over nobody else gets them;
    /// then they are due again. At most `letters_max` of them.
    async fn take_due(
        &self,
        worker: &str,
        now: Timestamp,
        claim_for: Duration,
        letters_max: u32,
    ) -> Result<Vec<DueLetter>, StoreError>;
    /// Notes that the letter is about to be handed over, and keeps it claimed until `claimed_until`: from now on it may have
    /// arrived. `false`: the claim is over, or the letter gone, and it must not be sent.
    async fn handing_over(&self, id: LetterId, claim: u32, claimed_until: Timestamp) -> Result<bool, StoreError>;
    /// The server has it: forgets it. `false` where it was gone already.
    async fn letter_sent(&self, id: LetterId) -> Result<bool, StoreError>;
    /// It was not sent. `false` where the claim is over: somebody else has it.
    async fn letter_failed(&self, id: LetterId, claim: u32, failure: &Failure) -> Result<bool, StoreError>;
    /// Forgets a letter that cannot be sent. `false` where the claim is over.
    async fn give_letter_up(&self, id: LetterId, claim: u32) -> Result<bool, StoreError>;
    /// Makes what `worker` had claimed due at `now`: called when it starts, for the one before it that was killed. How many.
    async fn release_claims(&self, worker: &str, now: Timestamp) -> Result<u32, StoreError>;
    /// Letters that wait, in the order of their ids, which is that of their times; from the one behind `after`, at most
    /// `letters_max`.
    async fn list_letters(&self, after: Option<LetterId>, letters_max: u32) -> Result<Vec<WaitingLetter>, StoreError>;
    /// How many letters wait.
    async fn letters_waiting(&self) -> Result<Waiting, StoreError>;
}
