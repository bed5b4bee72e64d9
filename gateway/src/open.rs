//! What is under way: every request that was let through, and a handle to end it, idle or not.
//!
//! Pingora calls nothing while a stream is idle, so a revocation cannot be noticed from inside a filter. Instead each
//! request runs inside [`Slot::run`], which stops polling it (and so drops the visitor's stream and the console's) once
//! somebody calls [`Slot::end`]. The keeper in `keeping.rs` asks [`Register::judge_again`] whenever the rules or a
//! session may have changed, and four times a second at least.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use crate::bound::PrivateWay;
use crate::pace::{Late, Pace, Timer};
use crate::recall::Recall;
use crate::stage::decide::Admitted;
use crate::upstream::lines::Lines;
use crate::upstream::patience::Patience;
use crate::wire::{Stage, Turn};

const SHARDS: usize = 16;

tokio::task_local! {
    /// The slot of the request that this task is polling; read once, when the request's context is made.
    pub static SLOT: Arc<Slot>;
}

/// What there is to say of the turn of this task's request, where it runs in a slot at all.
pub fn with_turn(say: impl FnOnce(&Turn)) {
    // A connection that waits among the idle ones belongs to no request.
    let _elsewhere = SLOT.try_with(|slot| say(slot.turn()));
}

/// What there is to say of this task's patience with its console.
pub fn with_patience<T>(say: impl FnOnce(&mut Patience) -> T) -> Option<T> {
    SLOT.try_with(|slot| say(&mut slot.patience())).ok()
}

/// So many bytes of this task's answer are about to be written.
pub fn hands_over(bytes: usize) {
    with_turn(|turn| turn.hands_over(bytes));
}

/// One place in the register: a connection's (HTTP/1) or a stream's (HTTP/2).
#[derive(Debug, Default)]
pub struct Slot {
    turn: Turn,
    /// Held for a pointer's exchange, by the request itself and by the keeper.
    admitted: Mutex<Option<Arc<Admitted>>>,
    ended: AtomicBool,
    /// The process is about to end.
    going_away: AtomicBool,
    waker: AtomicWaker,
    private: PrivateWay,
    /// Only the task of the request at hand touches these, so that nobody ever waits for a lock.
    lines: Mutex<Lines>,
    answer_lines: Mutex<Lines>,
    recall: Mutex<Recall>,
    patience: Mutex<Patience>,
}

/// Why a tunnel has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// It is no longer permitted.
    Revoked,
    /// The process is about to end.
    GoingAway,
}

/// How [`Slot::run`] came to its end.
#[derive(Debug)]
pub enum Ran<T> {
    /// The request ran to its end.
    Finished(T),
    /// It was ended from outside.
    Ended,
    /// The visitor took too long, and there was no way to tell it so.
    TooSlow,
    /// The visitor took its answer too slowly.
    NotTaken,
    /// It panicked; the visitor's connection is gone, others do not notice.
    Panicked,
}

impl Slot {
    /// How far the request has come.
    pub fn turn(&self) -> &Turn {
        &self.turn
    }

    /// The request's head has been read.
    pub fn has_head(&self) {
        if matches!(self.turn.stage(), Stage::Waiting | Stage::Head) {
            self.turn.head_ends();
        }
    }

    /// Whether connections to consoles are shared with others, for as long as this slot lasts.
    pub fn private(&self) -> &PrivateWay {
        &self.private
    }

    /// What the door says in the request at hand.
    pub fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the door says of the console's answer to it, where that is written by the guarded stream (HTTP/1).
    pub fn answer_lines(&self) -> MutexGuard<'_, Lines> {
        self.answer_lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the console of the request at hand is waited for.
    pub fn patience(&self) -> MutexGuard<'_, Patience> {
        self.patience.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the request before was for.
    pub fn recall(&self) -> MutexGuard<'_, Recall> {
        self.recall.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the request counts as let through and can be judged again.
    pub fn admit(&self, admitted: Arc<Admitted>) {
        *self.lock_admitted() = Some(admitted);
    }

    /// What was let through and is under way.
    fn admitted(&self) -> Option<Arc<Admitted>> {
        self.lock_admitted().clone()
    }

    fn lock_admitted(&self) -> MutexGuard<'_, Option<Arc<Admitted>>> {
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request is over; the slot waits for the connection's next one.
    pub fn clear(&self) {
        self.patience().end();
        self.answer_lines().begin();
        let over = self.lock_admitted().take();
        drop(over);
    }

    /// Ends what is under way here.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether it was ended.
    pub fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// The process is about to end: a tunnel says goodbye.
    pub fn go_away(&self) {
        self.going_away.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Resolves when a tunnel has to say goodbye, and why. One task at a time may wait.
    pub fn farewell(&self) -> impl Future<Output = Farewell> + '_ {
        std::future::poll_fn(|context| {
            if self.poll_ended(context).is_ready() {
                return Poll::Ready(Farewell::Revoked);
            }
            if self.going_away.load(Ordering::Acquire) {
                return Poll::Ready(Farewell::GoingAway);
            }
            Poll::Pending
        })
    }

    fn poll_ended(&self, context: &mut Context<'_>) -> Poll<()> {
        self.waker.register(context.waker());
        if self.is_ended() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Runs a request until it finishes, panics, the slot is ended, or the visitor falls behind `pace`: pingora limits each
    /// read, so that a byte now and then would hold a connection for ever.
    pub async fn run<T>(self: Arc<Self>, pace: Pace, request: impl Future<Output = T>) -> Ran<T> {
        let mut request = pin!(SLOT.scope(Arc::clone(&self), AssertUnwindSafe(request).catch_unwind()));
        let began = Instant::now();
        let mut sleep = pin!(Timer::first(pace, began));
        let mut timer = Timer::new(pace, began, sleep.as_mut());
        let ran = std::future::poll_fn(|context| {
            loop {
                if let Poll::Ready(outcome) = Pin::new(&mut request).as_mut().poll(context) {
                    return Poll::Ready(outcome.map_or(Ran::Panicked, Ran::Finished));
                }
                let console_due = self.patience().due();
                match timer.poll(&self.turn, console_due, context) {
                    Poll::Pending => break,
                    // Whoever reads from the console, or writes to it, finds that there.
                    Poll::Ready(Late::Console) => self.patience().is_over_now(),
                    // Whoever reads the connection finds the fault there, and the visitor is answered.
                    Poll::Ready(Late::Refuse(fault)) => self.turn.refuse(fault),
                    Poll::Ready(Late::BreakOff) => return Poll::Ready(Ran::NotTaken),
                    Poll::Ready(Late::GiveUp) => return Poll::Ready(Ran::TooSlow),
                }
            }
            // A tunnel says goodbye itself: it waits for `farewell` inside the request, so its waker must not be replaced.
            if self.turn.is_tunnel() {
                return Poll::Pending;
            }
            self.poll_ended(context).map(|()| Ran::Ended)
        })
        .await;
        self.clear();
        ran
    }
}

/// Every slot there is. Locked when a connection comes or goes and when a keeper walks it, never for a request on a
/// connection that is already open.
#[derive(Debug)]
pub struct Register {
    shards: Vec<Mutex<Vec<Arc<Slot>>>>,
    next: AtomicUsize,
}

impl Default for Register {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            next: AtomicUsize::new(0),
        }
    }
}

/// A slot's membership in the register; leaves it when dropped.
#[derive(Debug)]
pub struct Membership {
    register: Arc<Register>,
    shard: usize,
    slot: Arc<Slot>,
}

impl Membership {
    /// The slot.
    pub fn slot(&self) -> Arc<Slot> {
        Arc::clone(&self.slot)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let Some(shard) = self.register.shards.get(self.shard) else {
            return;
        };
        let mut slots = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(position) = slots.iter().position(|slot| Arc::ptr_eq(slot, &self.slot)) {
            slots.swap_remove(position);
        }
    }
}

impl Register {
    /// A new place.
    pub fn join(self: &Arc<Self>) -> Membership {
        let shard = self.next.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let slot = Arc::new(Slot::default());
        if let Some(slots) = self.shards.get(shard) {
            slots
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Arc::clone(&slot));
        }
        Membership {
            register: Arc::clone(self),
            shard,
            slot,
        }
    }

    /// Ends every request under way that `still_permitted` no longer lets through; answers how many.
    pub fn judge_again(&self, still_permitted: impl Fn(&Admitted) -> bool) -> usize {
        let mut ended = 0;
        for shard in &self.shards {
            // Judged outside the lock, so that a long walk keeps no connection waiting.
            let slots: Vec<_> = shard.lock().unwrap_or_else(PoisonError::into_inner).clone();
            for slot in slots {
                let refused = slot.admitted().is_some_and(|admitted| !still_permitted(&admitted));
                if refused && !slot.is_ended() {
                    slot.end();
                    ended += 1;
                }
            }
        }
        ended
    }

    /// What was let through and is under way.
    pub fn admitted(&self) -> Vec<Arc<Admitted>> {
        let admitted = |slots: &Vec<Arc<Slot>>| -> Vec<_> {
            slots.iter().filter_map(|slot| slot.lock_admitted().clone()).collect()
        };
        self.shards
            .iter()
            .flat_map(|shard| admitted(&shard.lock().unwrap_or_else(PoisonError::into_inner)))
            .collect()
    }

    /// The process is about to end: every tunnel says so. Answers how many there are.
    pub fn go_away(&self) -> usize {
        let mut told = 0;
        for shard in &self.shards {
            let slots: Vec<_> = shard.lock().unwrap_or_else(PoisonError::into_inner).clone();
            for slot in slots {
                slot.go_away();
                let is_tunnel = slot
                    .lock_admitted()
                    .as_ref()
                    .is_some_and(|admitted| admitted.tunnelled());
                told += usize::from(is_tunnel);
            }
        }
        told
    }

    /// How many requests are under way that were let through.
    pub fn under_way(&self) -> usize {
        let count = |slots: &Vec<Arc<Slot>>| slots.iter().filter(|slot| slot.lock_admitted().is_some()).count();
        self.shards
            .iter()
            .map(|shard| count(&shard.lock().unwrap_or_else(PoisonError::into_inner)))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ending_a_slot_stops_a_request_that_waits_for_ever() {
        let slot = Arc::new(Slot::default());
        let running = tokio::spawn(Arc::clone(&slot).run(Pace::default(), std::future::pending::<()>()));
        tokio::task::yield_now().await;
        slot.end();
        assert!(matches!(running.await.unwrap(), Ran::Ended));
    }

    #[tokio::test]
    async fn who_goes_away_tells_tunnels_and_lets_requests_come_to_their_end() {
        let register = Arc::new(Register::default());
        let member = register.join();
        register.go_away();
        assert_eq!(member.slot().farewell().await, Farewell::GoingAway);
        assert!(matches!(
            member.slot().run(Pace::default(), async { 7 }).await,
            Ran::Finished(7)
        ));
        member.slot().end();
        assert_eq!(member.slot().farewell().await, Farewell::Revoked);
    }

    #[tokio::test]
    async fn a_panic_ends_only_its_own_request() {
        let slot = Arc::new(Slot::default());
        let panics = async { if slot.is_ended() { 1 } else { panic!("a stage panicked") } };
        assert!(matches!(
            Arc::clone(&slot).run(Pace::default(), panics).await,
            Ran::Panicked
        ));
        assert!(matches!(slot.run(Pace::default(), async { 7 }).await, Ran::Finished(7)));
    }

    #[test]
    fn a_slot_leaves_the_register_with_its_connection() {
        let register = Arc::new(Register::default());
        let members: Vec<_> = (0..100).map(|_| register.join()).collect();
        assert_eq!(
            register
                .shards
                .iter()
                .map(|shard| shard.lock().unwrap().len())
                .sum::<usize>(),
            100
        );
        drop(members);
        assert!(register.shards.iter().all(|shard| shard.lock().unwrap().is_empty()));
    }
}
