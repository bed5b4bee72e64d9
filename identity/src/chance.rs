//! Randomness, as an argument.

use uuid::Uuid;

use stagedoor_policy::time::Timestamp;

/// Where random bytes come from: the system's generator in the product, a seed in a test.
pub trait Chance: Send + Sync + std::fmt::Debug {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The system's cryptographic generator (aws-lc-rs).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    /// Ends the process where the generator fails: a guessable token would open the door to anybody.
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            tracing::error!("the system's random generator failed; nothing safe can be done without it");
            std::process::abort();
        }
    }
}

/// A UUID v7 of this moment: sorts by time, and 74 bits of it are chance.
pub(crate) fn uuid_v7(chance: &dyn Chance, now: Timestamp) -> Uuid {
    let mut random = [0_u8; 10];
    chance.fill(&mut random);
    let millis = u64::try_from(now.as_micros().div_euclid(1000)).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_fillings_of_the_system_generator_differ() {
        let (mut first, mut second) = ([0_u8; 32], [0_u8; 32]);
        SystemChance.fill(&mut first);
        SystemChance.fill(&mut second);
        assert_ne!(first, second);
    }

    #[test]
    fn identities_sort_by_the_time_they_were_made() {
        let early = uuid_v7(&SystemChance, Timestamp::from_micros(1_000_000));
        let late = uuid_v7(&SystemChance, Timestamp::from_micros(2_000_000));
        assert!(early < late);
        assert_eq!(early.get_version_num(), 7);
    }
}
