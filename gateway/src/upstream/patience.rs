//! How long a console may be silent, or take nothing in, before it is given up.
//!
//! Pingora would arm a timer for each read and each write. Here it is noted when the wait began, and the one timer that the
//! request has anyway (`pace.rs`) wakes whoever waits.

use std::time::Duration;

use tokio::time::Instant;

/// Far enough for anybody; an overflow would panic.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// What a console is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Its next bytes.
    Read,
    /// Room for ours.
    Write,
}

/// It was waited for longer than the site allows.
#[derive(Debug, thiserror::Error)]
#[error("the console took too long")]
pub struct TooSlow;

/// One request's patience with its console. Without limits there is no end to it.
#[derive(Debug, Default)]
pub struct Patience {
    limits: Option<Limits>,
    waiting: Option<(Wait, Instant)>,
    over: bool,
}

/// The longest that one read, or one write, may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the next bytes of an answer.
    pub read: Duration,
    /// For room in the console's buffers.
    pub write: Duration,
}

impl Patience {
    /// For a new exchange.
    pub fn begin(&mut self, limits: Limits) {
        *self = Self {
            limits: Some(limits),
            ..Self::default()
        };
    }

    /// Nothing is waited for any more.
    pub fn end(&mut self) {
        *self = Self::default();
    }

    /// A read or a write made no progress; the time counts from the first that did not.
    pub fn waits(&mut self, wait: Wait) {
        if self.waiting.is_some_and(|(before, _)| before == wait) {
            return;
        }
        self.waiting = self.limits.map(|limits| {
            let within = match wait {
                Wait::Read => limits.read,
                Wait::Write => limits.write,
            };
            (wait, Instant::now() + within.min(YEAR))
        });
    }

    /// It did.
    pub fn goes_on(&mut self) {
        self.waiting = None;
    }

    /// When it is over, as things stand.
    pub fn due(&self) -> Option<Instant> {
        self.waiting.map(|(_, due)| due).filter(|_| !self.over)
    }

    /// That moment has come: whoever reads or writes next is told so.
    pub fn is_over_now(&mut self) {
        self.over = true;
    }

    /// Whether it has.
    pub fn is_over(&self) -> bool {
        self.over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const LIMITS: Limits = Limits {
        read: Duration::from_secs(60),
        write: Duration::from_secs(5),
    };

    #[tokio::test(start_paused = true)]
    async fn the_time_of_a_wait_counts_from_its_beginning_and_anew_after_each_progress() {
        let (mut patience, began) = (Patience::default(), Instant::now());
        patience.waits(Wait::Read);
        assert_eq!(patience.due(), None, "nobody has set a limit");
        patience.begin(LIMITS);
        assert_eq!(patience.due(), None, "nothing is waited for");
        patience.waits(Wait::Read);
        tokio::time::advance(10 * SECOND).await;
        patience.waits(Wait::Read);
        assert_eq!(patience.due(), Some(began + 60 * SECOND));
        patience.waits(Wait::Write);
        assert_eq!(patience.due(), Some(began + 15 * SECOND));
        patience.goes_on();
        assert_eq!(patience.due(), None);
        patience.waits(Wait::Read);
        assert_eq!(patience.due(), Some(began + 70 * SECOND));
        patience.is_over_now();
        assert!(patience.is_over() && patience.due().is_none());
        patience.begin(LIMITS);
        assert!(!patience.is_over(), "another exchange");
    }
}
