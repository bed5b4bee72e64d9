//! A timer that is seldom set: to set one costs more than most of what it is set for.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::time::{Instant, Sleep};

/// Goes off at a moment that is mostly put off before it comes. So it is set anew only for an earlier one; when it goes off too
/// early, it is set for what is due by then.
#[derive(Debug)]
pub(super) struct Alarm<'s> {
    sleep: Pin<&'s mut Sleep>,
    /// Whom it wakes, once it has been asked.
    wakes: Option<Waker>,
}

impl<'s> Alarm<'s> {
    pub(super) fn new(sleep: Pin<&'s mut Sleep>) -> Self {
        Self { sleep, wakes: None }
    }

    /// Ready from `due` on.
    pub(super) fn poll_until(&mut self, due: Instant, context: &mut Context<'_>) -> Poll<()> {
        if due < self.sleep.deadline() {
            self.set(due);
        }
        loop {
            let wakes_whom_it_should = self
                .wakes
                .as_ref()
                .is_some_and(|wakes| wakes.will_wake(context.waker()));
            if wakes_whom_it_should && !self.sleep.is_elapsed() {
                return Poll::Pending;
            }
            self.wakes = Some(context.waker().clone());
            ready!(self.sleep.as_mut().poll(context));
            if due <= self.sleep.deadline() {
                return Poll::Ready(());
            }
            self.set(due);
        }
    }

    fn set(&mut self, due: Instant) {
        self.sleep.as_mut().reset(due);
        self.wakes = None;
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_goes_off_when_it_is_due_whenever_it_was_set_for() {
        let began = Instant::now();
        for (set_for, due) in [(5, 5), (5, 9), (9, 5), (0, 3), (3, 0)] {
            let now = Instant::now();
            let mut sleep = pin!(tokio::time::sleep_until(now + set_for * SECOND));
            let mut alarm = Alarm::new(sleep.as_mut());
            poll_fn(|context| alarm.poll_until(now + due * SECOND, context)).await;
            assert_eq!(now.elapsed(), due * SECOND, "set for {set_for}");
        }
        assert_eq!(began.elapsed(), 22 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_put_off_again_and_again_comes_in_the_end_and_what_comes_earlier_is_not_missed() {
        let began = Instant::now();
        let mut sleep = pin!(tokio::time::sleep_until(began + 4 * SECOND));
        let mut alarm = Alarm::new(sleep.as_mut());
        for seconds in 1..20 {
            let due = began + (seconds + 10) * SECOND;
            let early = tokio::time::timeout_at(
                began + seconds * SECOND,
                poll_fn(|context| alarm.poll_until(due, context)),
            );
            assert!(early.await.is_err(), "{seconds}");
        }
        poll_fn(|context| alarm.poll_until(began + 20 * SECOND, context)).await;
        assert_eq!(began.elapsed(), 20 * SECOND);
    }
}
