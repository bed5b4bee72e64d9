//! A name for each request, unique over restarts and machines, without asking the system for randomness each time.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::figures;

/// 32 hexadecimal digits: 16 of the process, drawn at start, and 16 that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId {
    process: u64,
    number: u64,
}

/// Hands out request ids.
#[derive(Debug)]
pub struct RequestIds {
    process: u64,
    next: AtomicU64,
}

impl RequestIds {
    /// For a process with this random number.
    pub fn new(process: u64) -> Self {
        Self {
            process,
            next: AtomicU64::new(1),
        }
    }

    /// The next one.
    pub fn next(&self) -> RequestId {
        RequestId {
            process: self.process,
            number: self.next.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl RequestId {
    /// As text, written there.
    pub fn push_to(self, to: &mut Vec<u8>) {
        figures::push_hexadecimal(to, self.process);
        figures::push_hexadecimal(to, self.number);
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.process, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_32_hexadecimal_digits_and_differ() {
        let ids = RequestIds::new(0xfeed);
        let (first, second) = (ids.next().to_string(), ids.next().to_string());
        assert_eq!((first.len(), first == second), (32, false));
        let mut pushed = Vec::new();
        RequestId {
            process: 0xfeed,
            number: 1,
        }
        .push_to(&mut pushed);
        assert_eq!(pushed, first.as_bytes());
        assert!(first.chars().all(|c| c.is_ascii_hexdigit()));
    }
}
