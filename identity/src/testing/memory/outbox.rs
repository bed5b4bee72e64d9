//! Letters that wait.

use std::time::Duration;

use async_trait::async_trait;
use stagedoor_policy::time::Timestamp;

use super::{MemoryStore, State, wait_as_for_a_disk};
use crate::AccountId;
use crate::letter::{DueLetter, Failure, LetterId, QueuedLetter, Waiting, WaitingLetter};
use crate::port::{Outbox, StoreError};

/// A letter, and what has become of it so far.
#[derive(Debug)]
pub(super) struct Held {
    letter: DueLetter,
    due_at: Timestamp,
    worker: Option<String>,
    last_failure: Option<String>,
}

impl State {
    /// Queues a letter inside a step.
    pub(super) fn queue(&mut self, letter: &QueuedLetter) -> Result<(), StoreError> {
        if let Some(account) = letter.account {
            self.holder(account)?;
        }
        let replaced = |old: &QueuedLetter| {
            old.account.is_some() && old.account == letter.account && letter.kind.replaces().contains(&old.kind)
        };
        let stay = self
            .letters
            .values()
            .filter(|held| !replaced(&held.letter.letter))
            .count();
        if u32::try_from(stay).unwrap_or(u32::MAX) >= letter.letters_max {
            let letters_max = letter.letters_max;
            return Err(StoreError::OutboxFull { letters_max });
        }
        self.letters.retain(|_id, held| !replaced(&held.letter.letter));
        let held = Held {
            letter: DueLetter {
                letter: letter.clone(),
                claim: 0,
                failures: 0,
                may_have_arrived: false,
            },
            due_at: letter.due_at,
            worker: None,
            last_failure: None,
        };
        self.letters.insert(letter.id, held);
        Ok(())
    }

    /// For an account that is removed.
    pub(super) fn forget_letters_of(&mut self, account: AccountId) {
        self.letters
            .retain(|_id, held| held.letter.letter.account != Some(account));
    }

    fn claimed(&mut self, id: LetterId, claim: u32) -> Option<&mut Held> {
        let held = self.letters.get_mut(&id)?;
        (held.letter.claim == claim && held.worker.is_some()).then_some(held)
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn warn_once(&self, account: AccountId, since: Timestamp, letter: &QueuedLetter) -> Result<bool, StoreError> {
        wait_as_for_a_disk().await;
        let mut state = self.state("warn_once")?;
        if state.holder(account)?.warned_of >= Some(since) {
            return Ok(false);
        }
        state.queue(letter)?;
        state.holder(account)?.warned_of = Some(since);
        Ok(true)
    }

    async fn queue_letter(&self, letter: &QueuedLetter) -> Result<(), StoreError> {
        wait_as_for_a_disk().await;
        self.state("queue_letter")?.queue(letter)
    }

    async fn take_due(
        &self,
        worker: &str,
        now: Timestamp,
        claim_for: Duration,
        letters_max: u32,
    ) -> Result<Vec<DueLetter>, StoreError> {
        wait_as_for_a_disk().await;
        let mut state = self.state("take_due")?;
        let mut due: Vec<&mut Held> = state.letters.values_mut().filter(|held| held.due_at <= now).collect();
        due.sort_by_key(|held| (held.due_at, held.letter.letter.id));
        let taken = due.into_iter().take(usize::try_from(letters_max).unwrap_or(usize::MAX));
        let claim = |held: &mut Held| {
            held.letter.claim = held.letter.claim.saturating_add(1);
            held.worker = Some(worker.to_owned());
            held.due_at = now.after(claim_for);
            held.letter.clone()
        };
        Ok(taken.map(claim).collect())
    }

    async fn handing_over(&self, id: LetterId, claim: u32, claimed_until: Timestamp) -> Result<bool, StoreError> {
        wait_as_for_a_disk().await;
        let mut state = self.state("handing_over")?;
        let Some(held) = state.claimed(id, claim) else {
            return Ok(false);
        };
        held.letter.may_have_arrived = true;
        held.due_at = held.due_at.max(claimed_until);
        Ok(true)
    }

    async fn letter_sent(&self, id: LetterId) -> Result<bool, StoreError> {
        wait_as_for_a_disk().await;
        Ok(self.state("letter_sent")?.letters.remove(&id).is_some())
    }

    async fn letter_failed(&self, id: LetterId, claim: u32, failure: &Failure) -> Result<bool, StoreError> {
        wait_as_for_a_disk().await;
        let mut state = self.state("letter_failed")?;
        let Some(held) = state.claimed(id, claim) else {
            return Ok(false);
        };
        held.worker = None;
        held.due_at = failure.retry_at;
        held.last_failure = Some(failure.why.clone());
        held.letter.failures = held.letter.failures.saturating_add(1);
        held.letter.may_have_arrived = failure.may_have_arrived;
        Ok(true)
    }

    async fn give_letter_up(&self, id: LetterId, claim: u32) -> Result<bool, StoreError> {
        wait_as_for_a_disk().await;
        let mut state = self.state("give_letter_up")?;
        let claimed = state.claimed(id, claim).is_some();
        if claimed {
            state.letters.remove(&id);
        }
        Ok(claimed)
    }

    async fn release_claims(&self, worker: &str, now: Timestamp) -> Result<u32, StoreError> {
        let mut state = self.state("release_claims")?;
        let mut released = 0_u32;
        for held in state
            .letters
            .values_mut()
            .filter(|held| held.worker.as_deref() == Some(worker))
        {
            held.worker = None;
            held.due_at = now;
            released = released.saturating_add(1);
        }
        Ok(released)
    }

    async fn list_letters(&self, after: Option<LetterId>, letters_max: u32) -> Result<Vec<WaitingLetter>, StoreError> {
        let state = self.state("list_letters")?;
        let behind = state
            .letters
            .values()
            .filter(|held| after.is_none_or(|after| held.letter.letter.id > after));
        let shown = behind.map(|held| WaitingLetter {
            id: held.letter.letter.id,
            account: held.letter.letter.account,
            kind: held.letter.letter.kind,
            to: held.letter.letter.to.clone(),
            queued_at: held.letter.letter.due_at,
            due_at: held.due_at,
            give_up_at: held.letter.letter.give_up_at,
            failures: held.letter.failures,
            last_failure: held.last_failure.clone(),
        });
        Ok(shown.take(usize::try_from(letters_max).unwrap_or(usize::MAX)).collect())
    }

    async fn letters_waiting(&self) -> Result<Waiting, StoreError> {
        let state = self.state("letters_waiting")?;
        Ok(Waiting {
            letters: u32::try_from(state.letters.len()).unwrap_or(u32::MAX),
            oldest: state.letters.values().map(|held| held.letter.letter.due_at).min(),
        })
    }
}
