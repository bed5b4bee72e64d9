//! By when a console's answer has to be there.
//!
//! Pingora limits each read, so that a byte now and then would hold a connection for ever, and calls nothing while it waits.
//! What can be noticed with a byte or a silence is noticed by the callbacks, and answered; the rest ends like a stream that is
//! no longer permitted, by the keeper.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A silence is noticed at the limit itself, and answered; the keeper, who can only break off, comes after that.
const ALLOWANCE: Duration = Duration::from_secs(1);
/// Nothing is awaited.
const NOTHING: u64 = 0;

/// The limits of one request and its answer.
#[derive(Debug)]
pub struct Due {
    started: Instant,
    total: Duration,
    /// Microseconds after the start, or [`NOTHING`].
    header: AtomicU64,
}

impl Due {
    /// For a request that began at `started` and may take `total`, its answer included.
    pub fn new(started: Instant, total: Duration) -> Self {
        Self {
            started,
            total,
            header: AtomicU64::new(NOTHING),
        }
    }

    /// What is left of the total.
    pub fn left(&self, now: Instant) -> Duration {
        self.total.saturating_sub(now.saturating_duration_since(self.started))
    }

    /// From now on the answer's header is awaited: the request has been sent whole, or an interim answer has come.
    pub fn await_header(&self, now: Instant, within: Duration) {
        let after_start = now.saturating_duration_since(self.started);
        let due = after_start.saturating_add(within).saturating_add(ALLOWANCE);
        self.header
            .store(u64::try_from(due.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The answer's header is there.
    pub fn header_is_there(&self) {
        self.header.store(NOTHING, Ordering::Relaxed);
    }

    /// Whether nothing is to be waited for any longer.
    pub fn is_over(&self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.started);
        let header = self.header.load(Ordering::Relaxed);
        passed > self.total.saturating_add(ALLOWANCE) || (header != NOTHING && passed > Duration::from_micros(header))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_header_that_drips_in_is_waited_for_no_longer_than_one_that_does_not_come() {
        let start = Instant::now();
        let due = Due::new(start, 3600 * SECOND);
        assert!(
            !due.is_over(start + 100 * SECOND),
            "the request itself is still coming in"
        );
        due.await_header(start + 100 * SECOND, 60 * SECOND);
        assert!(!due.is_over(start + 161 * SECOND));
        assert!(due.is_over(start + 162 * SECOND));
        due.await_header(start + 161 * SECOND, 60 * SECOND);
        assert!(!due.is_over(start + 200 * SECOND), "an interim answer came");
        due.header_is_there();
        assert!(!due.is_over(start + 3000 * SECOND), "a body may take its time");
    }

    #[test]
    fn a_request_and_its_answer_have_one_limit_together() {
        let start = Instant::now();
        let due = Due::new(start, 10 * SECOND);
        assert_eq!(due.left(start + 4 * SECOND), 6 * SECOND);
        assert_eq!(due.left(start + 11 * SECOND), Duration::ZERO);
        assert!(!due.is_over(start + 11 * SECOND) && due.is_over(start + 12 * SECOND));
        assert!(!Due::new(start, Duration::MAX).is_over(start + 1_000_000 * SECOND));
    }
}
