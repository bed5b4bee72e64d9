//! The time, as an argument.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stagedoor_policy::time::Timestamp;

/// Where the time comes from: the machine in the product, a hand in a test.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the machine for the time"
    )]
    fn now(&self) -> Timestamp {
        // A clock before 1970 is broken; the epoch is then the narrowest answer, since everything else lies after it.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Timestamp::from_micros(0).after(since_epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_knows_that_2026_has_begun() {
        assert!(SystemClock.now() > Timestamp::from_micros(1_767_225_600_000_000));
    }
}
