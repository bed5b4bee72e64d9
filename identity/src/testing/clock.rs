use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use stagedoor_policy::time::Timestamp;

use crate::Clock;

/// A clock that stands still until it is moved. Begins on 2026-01-01T00:00:00Z.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// At 2026-01-01T00:00:00Z.
    pub fn new() -> Self {
        Self::at(Timestamp::from_micros(1_767_225_600_000_000))
    }

    /// At a moment of one's own.
    pub fn at(moment: Timestamp) -> Self {
        Self(AtomicI64::new(moment.as_micros()))
    }

    /// Moves it on.
    pub fn advance(&self, span: Duration) {
        let now = self.now().after(span);
        self.set(now);
    }

    /// Moves it anywhere, backwards too.
    pub fn set(&self, moment: Timestamp) {
        self.0.store(moment.as_micros(), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}
