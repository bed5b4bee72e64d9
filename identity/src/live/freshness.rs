//! Until when memory is known to be as the store is. Alone at a store, a door always knows. Where several share one, each
//! knows it for a moment at a time: for as long as the lease it holds on what it has heard.
//!
//! A request asks one question of it, one atomic load against the time it has read already.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use stagedoor_policy::time::Timestamp;
use tokio::sync::watch;

use crate::Clock;

/// See the module.
#[derive(Debug)]
pub struct Freshness {
    /// Microseconds of the wall clock, against which a request compares the time it has read.
    until: AtomicI64,
    /// When the lease was proved last, in microseconds since `began`: of a clock that is never set back.
    proved: AtomicU64,
    began: Instant,
    lapses: AtomicU64,
    /// Counts how often it came back after it had lapsed.
    back: watch::Sender<u64>,
}

impl Freshness {
    /// For a door that has its store to itself.
    pub fn always() -> Self {
        Self::until(i64::MAX)
    }

    /// For one of several doors, before it has heard anything.
    pub fn not_yet() -> Self {
        Self::until(i64::MIN)
    }

    fn until(micros: i64) -> Self {
        Self {
            until: AtomicI64::new(micros),
            proved: AtomicU64::new(0),
            began: Instant::now(),
            lapses: AtomicU64::new(0),
            back: watch::Sender::new(0),
        }
    }

    /// Whether memory may be judged from at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        now.as_micros() < self.until.load(Ordering::Acquire)
    }

    /// Memory was as the store is at `proved`, and whoever changes the store waits until `until`, of the wall clock, before
    /// relying on this door having heard of it.
    pub fn renew(&self, proved: Instant, until: Timestamp) {
        let since = proved.saturating_duration_since(self.began).as_micros();
        self.proved
            .store(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Release);
        let before = self.until.swap(until.as_micros(), Ordering::AcqRel);
        // Woken are only those who wait, and nobody waits while it holds.
        if before == i64::MIN {
            self.back.send_modify(|times| *times = times.wrapping_add(1));
        }
    }

    /// It has run out by the clock that is never set back.
    pub fn lapse(&self) {
        if self.until.swap(i64::MIN, Ordering::AcqRel) != i64::MIN {
            self.lapses.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often it has run out.
    pub fn lapses(&self) -> u64 {
        self.lapses.load(Ordering::Relaxed)
    }

    /// How long ago memory was last known to be as the store is.
    pub fn age(&self, now: Instant) -> Duration {
        let proved = Duration::from_micros(self.proved.load(Ordering::Acquire));
        now.saturating_duration_since(self.began).saturating_sub(proved)
    }

    /// Waits until it holds, `at_most` that long, and answers whether it does.
    pub async fn wait(&self, clock: &dyn Clock, at_most: Duration) -> bool {
        if self.holds(clock.now()) {
            return true;
        }
        let mut back = self.back.subscribe();
        let came_back = async {
            // The sender is `self`: waiting cannot fail.
            while !self.holds(clock.now()) && back.changed().await.is_ok() {}
        };
        // In vain or not, what counts is whether it holds now.
        let _waited = tokio::time::timeout(at_most, came_back).await;
        self.holds(clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ManualClock;

    #[test]
    fn a_lease_holds_until_its_end_and_not_at_it() {
        let freshness = Freshness::not_yet();
        let now = Timestamp::from_micros(1_000_000);
        assert!(!freshness.holds(now));
        freshness.renew(Instant::now(), now.after(Duration::from_millis(250)));
        assert!(freshness.holds(now.after(Duration::from_millis(249))));
        assert!(!freshness.holds(now.after(Duration::from_millis(250))));
        freshness.lapse();
        freshness.lapse();
        assert!(!freshness.holds(now), "set back, the wall clock does not revive it");
        assert_eq!(freshness.lapses(), 1);
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_when_it_is_back_and_gives_up_when_it_is_not() {
        let clock = ManualClock::default();
        let freshness = Freshness::not_yet();
        assert!(!freshness.wait(&clock, Duration::from_millis(1)).await);
        let until = clock.now().after(Duration::from_secs(1));
        let (waited, ()) = tokio::join!(freshness.wait(&clock, Duration::from_secs(600)), async {
            freshness.renew(Instant::now(), until);
        });
        assert!(waited);
    }
}
