//! How fast a visitor takes its answer, counted only while it is the visitor who holds the answer up.

use std::time::Duration;

use tokio::time::Instant;

use super::Pace;
use crate::wire::Turn;

/// No answer has more time than this; nobody waits for it, and sums of it do not overflow.
const TIME_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// How it is with the answer at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// The visitor takes what there is.
    Free,
    /// It has begun to hold the answer up, and may for so long.
    HeldUpSince(Instant, Duration),
    /// It still does.
    HeldUp,
}

/// An account of time: what the visitor holds up is taken off, and what it takes of the answer is added, at the slowest rate.
/// More than a stall is never saved up, so that bytes now and then do not pay for long waits.
#[derive(Debug)]
pub(super) struct Taking {
    bytes_per_second_min: u64,
    stall: Duration,
    left: Duration,
    bytes_seen: u64,
    held_up_since: Option<Instant>,
}

impl Taking {
    pub(super) fn new(pace: Pace) -> Self {
        let stall = pace.answer_stall.min(TIME_MAX);
        Self {
            bytes_per_second_min: pace.answer_bytes_per_second_min,
            stall,
            left: stall,
            bytes_seen: 0,
            held_up_since: None,
        }
    }

    /// To be asked whenever something may have changed.
    pub(super) fn look(&mut self, turn: &Turn) -> Look {
        if self.bytes_per_second_min == 0 {
            return Look::Free;
        }
        let bytes = turn.answer_bytes();
        let handed_over = bytes.saturating_sub(self.bytes_seen);
        let is_held_up = turn.is_held_up();
        if handed_over > 0 || !is_held_up {
            self.settle();
        }
        if handed_over > 0 {
            self.bytes_seen = bytes;
            // Whoever is handed more has taken what it was handed before.
            self.left = self.left.min(self.stall).saturating_add(self.time_for(handed_over));
        }
        match (is_held_up, self.held_up_since) {
            (false, _) => Look::Free,
            (true, Some(_)) => Look::HeldUp,
            (true, None) => {
                let now = Instant::now();
                self.held_up_since = Some(now);
                Look::HeldUpSince(now, self.left.min(TIME_MAX))
            }
        }
    }

    fn settle(&mut self) {
        if let Some(since) = self.held_up_since.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
    }

    fn time_for(&self, bytes: u64) -> Duration {
        let millis = bytes.saturating_mul(1000) / self.bytes_per_second_min.max(1);
        Duration::from_millis(millis).min(TIME_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALL: Duration = Duration::from_secs(30);

    fn taking() -> Taking {
        Taking::new(Pace {
            answer_bytes_per_second_min: 100,
            answer_stall: STALL,
            ..Pace::default()
        })
    }

    /// Hands pieces over, each of which is held up for so long; after how many seconds it is too much.
    async fn broken_off_after(pieces: impl Iterator<Item = (usize, u64)>) -> Option<u64> {
        let (mut taking, turn, began) = (taking(), Turn::default(), Instant::now());
        for (bytes, seconds) in pieces {
            turn.hands_over(bytes);
            turn.awaits_room(true);
            let Look::HeldUpSince(since, left) = taking.look(&turn) else {
                panic!("it is held up");
            };
            let time = Duration::from_secs(seconds);
            if time >= left {
                return Some((since + left - began).as_secs());
            }
            tokio::time::advance(time).await;
            assert_eq!(taking.look(&turn), Look::HeldUp);
            turn.awaits_room(false);
            assert_eq!(taking.look(&turn), Look::Free);
        }
        None
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_taken_is_broken_off() {
        assert_eq!(broken_off_after([(1000, 3600)].into_iter()).await, Some(40));
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_now_and_then_do_not_keep_an_answer_open() {
        let drops = std::iter::repeat_n((32, 5), 1000);
        assert_eq!(broken_off_after(drops).await, Some(32));
        // Neither do many at first.
        let burst = [(10_000_000, 1)].into_iter().chain(std::iter::repeat_n((32, 5), 1000));
        assert!(broken_off_after(burst).await.is_some_and(|seconds| seconds < 40));
    }

    #[tokio::test(start_paused = true)]
    async fn who_keeps_up_may_stall_now_and_then() {
        let slow_but_steady = std::iter::repeat_n((500, 5), 1000);
        assert_eq!(broken_off_after(slow_but_steady).await, None);
        let stalls = std::iter::repeat_n([(10_000, 1), (10, 25)], 100).flatten();
        assert_eq!(broken_off_after(stalls).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn while_nothing_is_held_up_no_time_passes_for_the_visitor() {
        let (mut taking, turn) = (taking(), Turn::default());
        turn.hands_over(1);
        for _ in 0..100 {
            tokio::time::advance(Duration::from_secs(600)).await;
            assert_eq!(taking.look(&turn), Look::Free);
        }
        let stream = Turn::default();
        stream.becomes_stream();
        stream.awaits_console(true);
        stream.hands_over(1);
        assert_eq!(taking.look(&stream), Look::Free);
        stream.awaits_console(false);
        assert!(matches!(taking.look(&stream), Look::HeldUpSince(_, left) if left >= STALL));
    }
}
