//! Counts since start, for the metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use stagedoor_policy::time::Timestamp;

use super::house::House;
use crate::letter::{LetterKind, LetterOutcome, Waiting};
use crate::sign_in::{Progress, SignInRefusal};

/// Every outcome of a sign-in, or of a step of one: `succeeded`, the codes of `NextStep`, the codes of `SignInRefusal`.
const OUTCOMES: [&str; 14] = [
    "succeeded",
    "second_factor_required",
    "second_factor_enrolment_required",
    "password_change_required",
    "invalid_credentials",
    "invalid_code",
    "locked",
    "refused",
    "session_limit",
    "ticket_expired",
    "link_dead",
    "password_unfit",
    "busy",
    "unavailable",
];

/// Counts since start; atomics, read by the metrics.
#[derive(Debug, Default)]
pub struct Tally {
    sign_ins: [AtomicU64; OUTCOMES.len()],
    letters: [[AtomicU64; LetterOutcome::ALL.len()]; LetterKind::ALL.len()],
    /// A gauge: letters that wait, as of the sender's last look.
    pub letters_waiting: AtomicU64,
    /// A gauge: for how many seconds the oldest of them waits.
    pub letters_oldest_seconds: AtomicU64,
    /// Locks that were set by failures.
    pub lockouts: AtomicU64,
    /// Sessions that a later sign-in displaced.
    pub displacements: AtomicU64,
    /// Accounts that disuse banned.
    pub bans: AtomicU64,
    /// Password hashes computed.
    pub hashes: AtomicU64,
    /// A gauge: hashes waiting or under way.
    pub hashes_waiting: AtomicU64,
    /// A gauge: sessions that are live, those that lapsed since the last housekeeping included.
    pub live_sessions: AtomicU64,
}

impl Tally {
    /// Steps of sign-ins by outcome.
    pub fn sign_ins(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.sign_ins.iter().map(|count| count.load(Ordering::Relaxed));
        OUTCOMES.into_iter().zip(counts)
    }

    /// Steps of sign-ins of one outcome; 0 for a word that is none.
    pub fn sign_ins_of(&self, outcome: &str) -> u64 {
        self.sign_ins()
            .find_map(|(code, count)| (code == outcome).then_some(count))
            .unwrap_or(0)
    }

    /// Letters by kind and outcome.
    pub fn letters(&self) -> impl Iterator<Item = (LetterKind, LetterOutcome, u64)> {
        let kinds = LetterKind::ALL.into_iter().zip(&self.letters);
        kinds.flat_map(|(kind, counts)| {
            let outcomes = LetterOutcome::ALL.into_iter().zip(counts);
            outcomes.map(move |(outcome, count)| (kind, outcome, count.load(Ordering::Relaxed)))
        })
    }

    pub(super) fn letter(&self, kind: LetterKind, outcome: LetterOutcome) {
        let counts = LetterKind::ALL
            .iter()
            .zip(&self.letters)
            .find(|(known, _)| **known == kind);
        let outcomes = counts
            .into_iter()
            .flat_map(|(_, counts)| LetterOutcome::ALL.iter().zip(counts));
        for (_, count) in outcomes.filter(|(known, _)| **known == outcome) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn waiting(&self, waiting: Waiting, now: Timestamp) {
        let oldest = waiting.oldest.map_or(0, |oldest| now.since(oldest).as_secs());
        self.letters_waiting.store(waiting.letters.into(), Ordering::Relaxed);
        self.letters_oldest_seconds.store(oldest, Ordering::Relaxed);
    }

    pub(super) fn noted(&self, progress: Result<Progress, SignInRefusal>) -> Result<Progress, SignInRefusal> {
        self.noted_with(progress, |progress| progress)
    }

    pub(super) fn noted_with<T>(
        &self,
        result: Result<T, SignInRefusal>,
        progress: impl FnOnce(&T) -> &Progress,
    ) -> Result<T, SignInRefusal> {
        let outcome = match result.as_ref().map(progress) {
            Ok(Progress::Open(_)) => "succeeded",
            Ok(Progress::Needs(step, _)) => step.code(),
            Err(refusal) => refusal.code(),
        };
        let counted = OUTCOMES.iter().zip(&self.sign_ins).find(|(code, _)| **code == outcome);
        if let Some((_, count)) = counted {
            count.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    pub(super) fn measured(self: &Arc<Self>, house: &House) -> Arc<Self> {
        let gauge = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        self.hashes.store(house.hashes.computed(), Ordering::Relaxed);
        self.hashes_waiting
            .store(gauge(house.hashes.taken()), Ordering::Relaxed);
        self.live_sessions.store(gauge(house.memory.count()), Ordering::Relaxed);
        Arc::clone(self)
    }
}
