//! Letters, for whoever sends them.

use std::sync::Arc;
use std::time::Duration;

use super::super::house::see_through;
use super::super::{Actor, ChangeFault, Doorkeeper};
use crate::letter::{DueLetter, LetterId, Letterhead, OpenedLetter, Waiting};
use crate::port::StoreError;

impl Doorkeeper {
    /// What is on every letter; `None` where letters are not sent.
    pub fn letterhead(&self) -> Option<Arc<Letterhead>> {
        self.house.letterhead()
    }

    /// Queues a letter that says that letters arrive; `None` where letters are not sent. Durable when it answers.
    /// # Errors
    /// `Unfit` for an address that is none; as many letters wait as may; the store.
    pub async fn queue_trial(&self, to: &str, by: &Actor) -> Result<Option<LetterId>, ChangeFault> {
        let (house, to, by) = (Arc::clone(&self.house), to.to_owned(), by.clone());
        see_through(async move { house.queue_trial(&to, &by).await }).await
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
}
