//! While this door hears nothing from the store: what its sites let pass all the same, and for how long.

use std::time::{Duration, Instant};

use stagedoor_config::OnStoreLoss;
use stagedoor_identity::Doorkeeper;
use stagedoor_policy::Level;

/// What may be passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A request, which has waited already.
    Request,
    /// A stream that is open: it gets the time that a request waits.
    Stream,
}

/// Whether it goes on by what was last known.
pub fn is_passed_over(rule: OnStoreLoss, door: &Doorkeeper, level: Level, of: Of) -> bool {
    let age = door.freshness().age(Instant::now());
    if of == Of::Stream && age <= door.silence_max() {
        return true;
    }
    passes(rule, age, level)
}

fn passes(rule: OnStoreLoss, age: Duration, level: Level) -> bool {
    match rule {
        OnStoreLoss::Refuse => false,
        OnStoreLoss::ViewOnly(lasts) => age < lasts && level == Level::View,
        OnStoreLoss::LastKnown(lasts) => age < lasts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_says_what_passes_and_for_how_long() {
        let (minute, second) = (Duration::from_secs(60), Duration::from_secs(1));
        assert!(!passes(OnStoreLoss::Refuse, Duration::ZERO, Level::View));
        assert!(passes(OnStoreLoss::ViewOnly(minute), second, Level::View));
        assert!(!passes(OnStoreLoss::ViewOnly(minute), second, Level::Manage));
        assert!(!passes(OnStoreLoss::ViewOnly(minute), minute, Level::View));
        assert!(passes(OnStoreLoss::LastKnown(minute), second, Level::Manage));
        assert!(!passes(OnStoreLoss::LastKnown(minute), minute, Level::View));
    }
}
