//! Randomness, as an argument.

/// Where random bytes come from: the system's generator in the product, a seed in a test.
pub trait Chance: Send + Sync + std::fmt::Debug {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The system's cryptographic generator (aws-lc-rs).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn fill(&self, _bytes: &mut [u8]) {
        todo!()
    }
}
