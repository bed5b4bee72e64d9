//! The time, as an argument.

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
    fn now(&self) -> Timestamp {
        todo!()
    }
}
