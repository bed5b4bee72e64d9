//! How long a visitor may take for what, from first byte to last.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use stagedoor_config::Limits;
use tokio::time::{Instant, Sleep};

use crate::wire::{Stage, Turn, WireFault};

mod alarm;
mod taking;

use alarm::Alarm;
use taking::{Look, Taking};

/// A body is looked at this often.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);
/// After a refusal, until it is given up that the visitor reads it.
const FAREWELL: Duration = Duration::from_secs(5);

/// Far enough for anybody; an overflow would panic.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// A visitor's time limits.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// For the first byte of a request.
    pub waiting: Duration,
    /// From then on for the rest of its head.
    pub head: Duration,
    /// For its body.
    pub body: Duration,
    /// The slowest the body may come, in bytes a second.
    pub body_bytes_per_second_min: u64,
    /// The slowest its answer may be taken, in bytes a second.
    pub answer_bytes_per_second_min: u64,
    /// How far the visitor may fall behind that.
    pub answer_stall: Duration,
}

impl Pace {
    /// On a new connection, on which the first request is expected at once.
    pub fn at_first(limits: &Limits) -> Self {
        Self {
            waiting: limits.header_deadline,
            head: limits.header_deadline,
            body: limits.body_deadline,
            body_bytes_per_second_min: limits.body_bytes_per_second_min,
            answer_bytes_per_second_min: limits.answer_bytes_per_second_min,
            answer_stall: limits.answer_stall_max,
        }
    }

    /// On one that may first be idle.
    pub fn after_the_first(limits: &Limits) -> Self {
        Self {
            waiting: limits.keepalive,
            ..Self::at_first(limits)
        }
    }
}

#[cfg(test)]
impl Default for Pace {
    fn default() -> Self {
        let hour = Duration::from_secs(3600);
        Self {
            waiting: hour,
            head: hour,
            body: hour,
            body_bytes_per_second_min: 0,
            answer_bytes_per_second_min: 0,
            answer_stall: hour,
        }
    }
}

/// What is to be done with a visitor that fell behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// Tell it why.
    Refuse(WireFault),
    /// Break its answer off: it does not take it.
    BreakOff,
    /// Nothing: it is the console that was waited for too long.
    Console,
    /// Close the connection: there is nothing to answer, or it does not listen.
    GiveUp,
}

/// Watches one request.
#[derive(Debug)]
pub struct Timer<'s> {
    pace: Pace,
    alarm: Alarm<'s>,
    stage: Stage,
    /// When the visitor will have fallen behind, as things stand.
    due: Option<Instant>,
    body_began: Instant,
    body_bytes_seen: u64,
    told: bool,
    answer: Taking,
}

impl<'s> Timer<'s> {
    /// For a request that is waited for since `began`; `sleep` comes from [`Timer::first`] and is set as needed.
    pub fn new(pace: Pace, began: Instant, sleep: Pin<&'s mut Sleep>) -> Self {
        Self {
            pace,
            alarm: Alarm::new(sleep),
            stage: Stage::Waiting,
            due: Some(began + pace.waiting.min(YEAR)),
            body_began: began,
            body_bytes_seen: 0,
            told: false,
            answer: Taking::new(pace),
        }
    }

    /// Until when nobody falls behind: mostly it is asked for again only when the request is over.
    pub fn first(pace: Pace, began: Instant) -> Sleep {
        tokio::time::sleep_until(began + pace.waiting.min(LOOK_INTERVAL))
    }

    /// Ready where the visitor has fallen behind, or its console, which is waited for until `console_due`.
    pub fn poll(&mut self, turn: &Turn, console_due: Option<Instant>, context: &mut Context<'_>) -> Poll<Late> {
        let stage = turn.stage();
        if stage != self.stage {
            self.enter(stage);
        }
        loop {
            if stage == Stage::Answer {
                self.look_at_answer(turn);
            }
            let due = match (self.due, console_due) {
                (Some(visitors), Some(consoles)) => visitors.min(consoles),
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => return Poll::Pending,
            };
            ready!(self.alarm.poll_until(due, context));
            if console_due == Some(due) {
                return Poll::Ready(Late::Console);
            }
            if stage == Stage::Body && !self.told && self.keeps_up(turn) {
                self.is_due_in(LOOK_INTERVAL);
                continue;
            }
            let fault = match stage {
                Stage::Head => WireFault::HeadTooSlow,
                Stage::Body => WireFault::BodyTooSlow,
                Stage::Answer => return Poll::Ready(Late::BreakOff),
                Stage::Waiting => return Poll::Ready(Late::GiveUp),
            };
            if std::mem::replace(&mut self.told, true) {
                return Poll::Ready(Late::GiveUp);
            }
            self.is_due_in(FAREWELL);
            return Poll::Ready(Late::Refuse(fault));
        }
    }

    /// The visitor may hold its answer up for as long as what it took of it allows.
    fn look_at_answer(&mut self, turn: &Turn) {
        match self.answer.look(turn) {
            Look::Free => self.due = None,
            Look::HeldUpSince(began, left) => self.due = Some(began + left),
            Look::HeldUp => {}
        }
    }

    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        match stage {
            Stage::Waiting => self.is_due_in(self.pace.waiting),
            Stage::Head => self.is_due_in(self.pace.head),
            Stage::Body => {
                self.body_began = Instant::now();
                self.body_bytes_seen = 0;
                self.is_due_in(LOOK_INTERVAL.min(self.pace.body));
            }
            Stage::Answer => self.due = None,
        }
    }

    fn keeps_up(&mut self, turn: &Turn) -> bool {
        let arrived = turn.body_bytes();
        let wanted = self
            .pace
            .body_bytes_per_second_min
            .saturating_mul(LOOK_INTERVAL.as_secs());
        let fast_enough = arrived.saturating_sub(self.body_bytes_seen) >= wanted;
        self.body_bytes_seen = arrived;
        // While the console takes nothing in, nothing is asked of the visitor; the console has limits of its own.
        let fast_enough = fast_enough || !turn.is_awaiting_body();
        fast_enough && self.body_began.elapsed() < self.pace.body
    }

    fn is_due_in(&mut self, time: Duration) {
        self.due = Some(Instant::now() + time.min(YEAR));
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    const PACE: Pace = Pace {
        waiting: Duration::from_secs(75),
        head: Duration::from_secs(10),
        body: Duration::from_secs(3600),
        body_bytes_per_second_min: 100,
        answer_bytes_per_second_min: 100,
        answer_stall: Duration::from_secs(30),
    };

    async fn late(timer: &mut Timer<'_>, turn: &Turn) -> (Late, u64) {
        let began = Instant::now();
        let late = std::future::poll_fn(|context| timer.poll(turn, None, context)).await;
        (late, began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_nothing_is_left_and_who_sends_half_a_head_is_told() {
        let turn = Turn::default();
        let mut sleep = pin!(Timer::first(PACE, Instant::now()));
        let mut timer = Timer::new(PACE, Instant::now(), sleep.as_mut());
        assert_eq!(late(&mut timer, &turn).await, (Late::GiveUp, 75));
        let mut sleep = pin!(Timer::first(PACE, Instant::now()));
        let mut timer = Timer::new(PACE, Instant::now(), sleep.as_mut());
        turn.head_begins();
        assert_eq!(
            late(&mut timer, &turn).await,
            (Late::Refuse(WireFault::HeadTooSlow), 10)
        );
        assert_eq!(late(&mut timer, &turn).await, (Late::GiveUp, 5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_slower_than_the_slowest_rate_is_refused() {
        let turn = Turn::default();
        turn.body_begins();
        let mut sleep = pin!(Timer::first(PACE, Instant::now()));
        let mut timer = Timer::new(PACE, Instant::now(), sleep.as_mut());
        turn.body_arrives(3000);
        turn.awaits_body();
        // Enough for the first look, nothing for the second.
        assert_eq!(
            late(&mut timer, &turn).await,
            (Late::Refuse(WireFault::BodyTooSlow), 60)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn while_the_console_takes_nothing_in_the_visitor_is_not_late() {
        let turn = Turn::default();
        turn.body_begins();
        turn.body_arrives(1);
        let mut sleep = pin!(Timer::first(PACE, Instant::now()));
        let mut timer = Timer::new(PACE, Instant::now(), sleep.as_mut());
        let blocked = tokio::time::timeout(Duration::from_secs(600), late(&mut timer, &turn));
        assert!(blocked.await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_keeps_up_may_take_as_long_as_bodies_may() {
        let turn = Turn::default();
        turn.body_begins();
        let pace = Pace {
            body_bytes_per_second_min: 0,
            ..PACE
        };
        let mut sleep = pin!(Timer::first(pace, Instant::now()));
        let mut timer = Timer::new(pace, Instant::now(), sleep.as_mut());
        assert_eq!(
            late(&mut timer, &turn).await,
            (Late::Refuse(WireFault::BodyTooSlow), 3600)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn while_the_door_answers_the_visitor_may_take_its_time() {
        let turn = Turn::default();
        turn.head_ends();
        let mut sleep = pin!(Timer::first(PACE, Instant::now()));
        let mut timer = Timer::new(PACE, Instant::now(), sleep.as_mut());
        let answering = tokio::time::timeout(Duration::from_secs(100_000), late(&mut timer, &turn));
        assert!(answering.await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_console_is_waited_for_until_it_is_due_whatever_the_visitor_may_do_until_then() {
        for (seconds, begins_body) in [(1, false), (7, true), (45, true), (300, false)] {
            let turn = Turn::default();
            turn.head_ends();
            if begins_body {
                turn.body_begins();
            }
            let began = Instant::now();
            let mut sleep = pin!(Timer::first(PACE, began));
            let mut timer = Timer::new(PACE, began, sleep.as_mut());
            let due = began + Duration::from_secs(seconds);
            let late = std::future::poll_fn(|context| timer.poll(&turn, Some(due), context)).await;
            assert_eq!((late, began.elapsed().as_secs()), (Late::Console, seconds));
        }
    }
}
