//! Letters: into the outbox with the step they belong to, and out of it by the gateway's sender.
//!
//! What is promised: a letter whose step was acknowledged is sent, or the audit says that it was given up and why. It is sent
//! once, but where a mail server had all of a letter and its answer was lost: then it is sent again under the same
//! Message-ID, and the audit says so.

use std::sync::Arc;
use std::time::Duration;

use super::house::House;
use super::{Actor, ChangeFault};
use crate::event::{Event, Kind, Outcome};
use crate::letter::{
    DueLetter, Failure, LONGEST_WAIT, Letter, LetterId, LetterOutcome, Letterhead, OpenedLetter, QueuedLetter, Says,
    Waiting, is_address, retry_after,
};
use crate::port::StoreError;

/// Of a server's words that are kept with a letter.
const WHY_CHARS_MAX: usize = 512;

impl House {
    /// The letterhead of the moment; `None` where letters are not sent.
    pub(super) fn letterhead(&self) -> Option<Arc<Letterhead>> {
        self.letterhead.letterhead()
    }

    /// The letter as a step of the store takes it along; `None` where letters are not sent.
    pub(super) fn queued(&self, letter: &Letter) -> Result<Option<QueuedLetter>, StoreError> {
        let Some(head) = self.letterhead() else {
            return Ok(None);
        };
        let sealed = letter.seal(&head, &self.sealer, self.chance.as_ref(), self.clock.now());
        let too_long = || StoreError::Engine("a letter is too long to be sealed".to_owned());
        sealed.ok_or_else(too_long).map(Some)
    }

    /// Queues a letter that goes with no other step; `false` where there is no mail.
    pub(super) async fn queue_letter(&self, letter: &Letter) -> Result<bool, StoreError> {
        let Some(queued) = self.queued(letter)? else {
            return Ok(false);
        };
        self.store.queue_letter(&queued).await?;
        Ok(true)
    }

    pub(super) async fn queue_trial(&self, to: &str, by: &Actor) -> Result<Option<LetterId>, ChangeFault> {
        if !is_address(to) {
            let sentence = "an address such as `name@example.org`".to_owned();
            return Err(ChangeFault::Unfit(vec![("to", sentence)]));
        }
        let letter = Letter {
            account: None,
            to: to.to_owned(),
            display_name: String::new(),
            says: Says::Trial,
        };
        let Some(queued) = self.queued(&letter)? else {
            return Ok(None);
        };
        self.store.queue_letter(&queued).await?;
        let event = Event::done(Kind::LetterTried, by, self.clock.now());
        let event = event.detail("id", queued.id.0.to_string()).detail("to", to);
        self.store.record(&[event]).await?;
        Ok(Some(queued.id))
    }

    pub(super) async fn due_letters(
        &self,
        worker: &str,
        claim_for: Duration,
        letters_max: u32,
    ) -> Result<Vec<(DueLetter, OpenedLetter)>, StoreError> {
        let now = self.clock.now();
        let mut opened = Vec::new();
        for due in self.store.take_due(worker, now, claim_for, letters_max).await? {
            if due.letter.give_up_at <= now {
                self.give_up(&due, "out_of_time", None).await?;
                continue;
            }
            match self.sealer.open(&due.letter) {
                Some(letter) => opened.push((due, letter)),
                None => self.give_up(&due, "unreadable", None).await?,
            }
        }
        Ok(opened)
    }

    pub(super) async fn handing_over(&self, due: &DueLetter, takes_at_most: Duration) -> Result<bool, StoreError> {
        let claimed_until = self.clock.now().after(takes_at_most);
        let ours = self.store.handing_over(due.letter.id, due.claim, claimed_until).await?;
        if ours && due.may_have_arrived {
            self.tally.letter(due.letter.kind, LetterOutcome::Repeated);
            let event = self.letter_event(Kind::LetterRepeated, Outcome::Done, due).await?;
            self.store.record(&[event]).await?;
        }
        Ok(ours)
    }

    pub(super) async fn letter_sent(&self, due: &DueLetter) -> Result<(), StoreError> {
        // Before anything else: what fails from here on must not have it sent again.
        self.store.letter_sent(due.letter.id).await?;
        self.tally.letter(due.letter.kind, LetterOutcome::Sent);
        let event = self.letter_event(Kind::LetterSent, Outcome::Done, due).await?;
        self.store.record(&[event]).await
    }

    pub(super) async fn letter_failed(
        &self,
        due: &DueLetter,
        why: &str,
        may_have_arrived: bool,
    ) -> Result<(), StoreError> {
        // Without a letterhead nobody sends, and whoever is told of a last failure waits an hour.
        let first = self.letterhead().map_or(LONGEST_WAIT, |head| head.retry_first);
        let wait = retry_after(due.failures.saturating_add(1), first, self.chance.as_ref());
        let failure = Failure {
            why: why.chars().take(WHY_CHARS_MAX).collect(),
            // Not beyond its end, so that its end is noted in time.
            retry_at: self.clock.now().after(wait).min(due.letter.give_up_at),
            may_have_arrived,
        };
        if !self.store.letter_failed(due.letter.id, due.claim, &failure).await? {
            return Ok(());
        }
        self.tally.letter(due.letter.kind, LetterOutcome::Delayed);
        if due.failures > 0 {
            return Ok(()); // said once: a mail server that is down for a day must not fill the audit
        }
        let event = self.letter_event(Kind::LetterDelayed, Outcome::Failed, due).await?;
        self.store.record(&[event.detail("why", why)]).await
    }

    /// The audit first: a letter must not vanish without a word.
    pub(super) async fn give_up(&self, due: &DueLetter, reason: &str, why: Option<&str>) -> Result<(), StoreError> {
        let event = self.letter_event(Kind::LetterGivenUp, Outcome::Failed, due).await?;
        let mut event = event.reason(reason).detail("to", &due.letter.to);
        if let Some(why) = why {
            event = event.detail("why", why);
        }
        self.store.record(&[event]).await?;
        self.store.give_letter_up(due.letter.id, due.claim).await?;
        self.tally.letter(due.letter.kind, LetterOutcome::GivenUp);
        Ok(())
    }

    pub(super) async fn letters_waiting(&self) -> Result<Waiting, StoreError> {
        let waiting = self.store.letters_waiting().await?;
        self.tally.waiting(waiting, self.clock.now());
        Ok(waiting)
    }

    async fn letter_event(&self, kind: Kind, outcome: Outcome, due: &DueLetter) -> Result<Event, StoreError> {
        let event = Event::by_itself(kind, outcome, self.clock.now())
            .detail("letter", due.letter.kind.name())
            .detail("id", due.letter.id.0.to_string());
        let Some(account) = due.letter.account else {
            return Ok(event);
        };
        let account = self.store.account(account).await?;
        Ok(match account {
            Some(account) => event.account(account.name.as_str()),
            None => event,
        })
    }
}
