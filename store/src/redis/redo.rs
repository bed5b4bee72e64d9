//! Steps that were acknowledged lately, kept to be made again by a server that lacks them.
//!
//! Redis copies to its replicas after it has answered, and to disk once a second where it is not told otherwise. So whoever
//! takes over, or comes back, may lack the last steps. Each step leaves its answer under its number: offered again, one that is
//! there is answered and not made twice, one that was lost is made. Each door offers its own, in their order, before it makes
//! or reads anything else there. What a door made and took with it when it died at the same time stays lost.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::script::Script;

/// How long a step is kept: half as long as Redis keeps its answer (`step_end.lua`), or it might be made twice. Replicas that lag
/// further behind are nobody's successors.
const KEPT_FOR: Duration = Duration::from_secs(60);
/// What all of them may take; the oldest go first.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// See the module.
#[derive(Default)]
pub(super) struct Redo {
    steps: Mutex<Steps>,
}

#[derive(Default)]
struct Steps {
    queue: VecDeque<Step>,
    bytes: usize,
}

/// A step as it was sent.
#[derive(Clone)]
pub(super) struct Step {
    made: Instant,
    pub(super) script: &'static Script,
    pub(super) args: Vec<Vec<u8>>,
}

impl Step {
    fn bytes(&self) -> usize {
        self.args.iter().map(Vec::len).sum()
    }
}

impl Redo {
    /// Keeps a step that was acknowledged at `now`.
    pub(super) fn keep(&self, script: &'static Script, args: &[Vec<u8>], now: Instant) {
        let step = Step {
            made: now,
            script,
            args: args.to_vec(),
        };
        let mut steps = self.steps();
        steps.bytes = steps.bytes.saturating_add(step.bytes());
        steps.queue.push_back(step);
        steps.drop_what_is_old(now);
    }

    /// What a server may lack at `now`, in the order in which it was made.
    pub(super) fn steps_at(&self, now: Instant) -> Vec<Step> {
        let mut steps = self.steps();
        steps.drop_what_is_old(now);
        steps.queue.iter().cloned().collect()
    }

    fn steps(&self) -> MutexGuard<'_, Steps> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Steps {
    fn drop_what_is_old(&mut self, now: Instant) {
        while let Some(oldest) = self.queue.front()
            && (now.saturating_duration_since(oldest.made) >= KEPT_FOR || self.bytes > BYTES_MAX)
        {
            self.bytes = self.bytes.saturating_sub(oldest.bytes());
            self.queue.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::script::writing;
    use super::*;

    static SOME: Script = writing!("end_session", "session_lib");

    fn kept(redo: &Redo, now: Instant) -> Vec<Vec<Vec<u8>>> {
        redo.steps_at(now).into_iter().map(|step| step.args).collect()
    }

    #[test]
    fn steps_are_kept_in_their_order_for_a_minute() {
        let (redo, began) = (Redo::default(), Instant::now());
        redo.keep(&SOME, &[b"one".to_vec()], began);
        redo.keep(&SOME, &[b"two".to_vec()], began + Duration::from_secs(30));
        assert_eq!(kept(&redo, began).len(), 2);
        assert_eq!(kept(&redo, began + KEPT_FOR), [[b"two".to_vec()]]);
        assert!(kept(&redo, began + 2 * KEPT_FOR).is_empty());
        assert_eq!(redo.steps().bytes, 0);
    }

    #[test]
    fn large_steps_drive_out_the_oldest() {
        let (redo, now) = (Redo::default(), Instant::now());
        for number in 0..3_u8 {
            redo.keep(&SOME, &[vec![number; BYTES_MAX / 2]], now);
        }
        let left: Vec<u8> = kept(&redo, now).iter().map(|args| args[0][0]).collect();
        assert_eq!(left, [1, 2]);
    }
}
