use std::sync::atomic::{AtomicU64, Ordering};

use crate::Chance;
use crate::secret::TokenHash;

/// Bytes that look like chance and are the same in every run: SHA-256 of a seed and a counter.
#[derive(Debug)]
pub struct SeededChance {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededChance {
    /// The sequence of that seed, from its beginning.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            drawn: AtomicU64::new(0),
        }
    }
}

impl Chance for SeededChance {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.drawn.fetch_add(1, Ordering::SeqCst);
            let mut input = [0_u8; 16];
            let (left, right) = input.split_at_mut(8);
            left.copy_from_slice(&self.seed.to_be_bytes());
            right.copy_from_slice(&count.to_be_bytes());
            for (byte, drawn) in chunk.iter_mut().zip(TokenHash::of(&input).0) {
                *byte = drawn;
            }
        }
    }
}
