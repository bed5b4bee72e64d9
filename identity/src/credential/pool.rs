//! The threads that hash passwords: few, with their own memory, behind a queue that is never long.
//!
//! A place is taken before anything is counted or looked up ([`HashPool::place`]); who gets none is told to come back. So a
//! flood of sign-ins costs the door a fixed number of threads and 19 MiB for each, and never the consoles behind it.
//!
//! They hash in spare time, so that whoever is let through already goes before whoever signs in. Where there is none
//! ([`PATIENCE`]), as many threads with a share of their own do it, for a while at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stagedoor_policy::Policy;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout};

pub(crate) use super::hash::Verified;
#[cfg(test)]
pub(crate) use super::hash::tests::weak_hash;
use super::hash::{self, OUTPUT_BYTES, SALT_BYTES, Scratch};
use super::password::{self, Owner};
use crate::priority::PATIENCE;
use crate::{Chance, Password, Priority};

/// Places in the queue for each thread.
const QUEUED_PER_THREAD: usize = 4;
/// More threads of a priority than this is a slip of the pen: 19 MiB each.
const THREADS_MAX: usize = 64;
/// After so long without a password the memory for hashing is given back.
const KEPT_FOR: Duration = Duration::from_secs(10);
/// For so long no spare time is waited for, once there was none.
const SHORT_FOR: Duration = Duration::from_secs(10);

/// The right to hand in one password after the other.
#[derive(Debug)]
pub(crate) struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// Every place is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

/// A thread could not do it: out of memory, or it fell over this very job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HashFailed;

/// See the module. The threads end when it is dropped.
#[derive(Debug)]
pub(crate) struct HashPool {
    in_spare_time: SyncSender<Job>,
    with_a_share: SyncSender<Job>,
    /// Until when there is no time to spare, as far as is known.
    short_until: Mutex<Option<Instant>>,
    places: Arc<Semaphore>,
    places_max: usize,
    computed: AtomicU64,
}

/// May be done twice, at once; answers whether it did not panic.
type Job = Arc<dyn Fn(&mut Scratch) -> bool + Send + Sync>;

/// What threads of one priority share.
struct Bench {
    priority: Priority,
    queue: Mutex<Receiver<Job>>,
    /// Memory that no hash is using.
    spare: Mutex<Vec<Scratch>>,
    kept_for: Duration,
}

impl HashPool {
    /// Starts the threads.
    /// # Errors
    /// Where the system gives no thread.
    pub(crate) fn start(threads: usize) -> std::io::Result<Self> {
        Self::start_keeping(threads, KEPT_FOR).map(|(pool, _)| pool)
    }

    fn start_keeping(threads: usize, kept_for: Duration) -> std::io::Result<(Self, Arc<Bench>)> {
        let threads = threads.clamp(1, THREADS_MAX);
        let (in_spare_time, bench) = Bench::open(Priority::SpareTime, ("hash", threads), kept_for)?;
        let (with_a_share, _) = Bench::open(Priority::Share, ("hash-share", threads), kept_for)?;
        let places_max = threads * (QUEUED_PER_THREAD + 1);
        let pool = Self {
            in_spare_time,
            with_a_share,
            short_until: Mutex::default(),
            places: Arc::new(Semaphore::new(places_max)),
            places_max,
            computed: AtomicU64::new(0),
        };
        Ok((pool, bench))
    }

    /// The hash of no password, to compare with where there is no account: at the cost of any other.
    pub(crate) fn nobodys_hash(chance: &dyn Chance) -> Option<String> {
        let (mut salt, mut output) = ([0; SALT_BYTES], [0; OUTPUT_BYTES]);
        chance.fill(&mut salt);
        chance.fill(&mut output);
        hash::of_nobody(salt, output)
    }

    /// Takes a place, or says that all are taken. Never waits.
    pub(crate) fn place(&self) -> Result<Place, Busy> {
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Busy)?;
        Ok(Place(permit))
    }

    /// How many places are taken: hashes waiting or under way.
    pub(crate) fn taken(&self) -> usize {
        self.places_max.saturating_sub(self.places.available_permits())
    }

    /// How many hashes were computed since start.
    pub(crate) fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    /// The PHC string of a password, with a fresh salt.
    pub(crate) async fn hash(
        &self,
        place: &Place,
        password: &Password,
        chance: &dyn Chance,
    ) -> Result<String, HashFailed> {
        let mut salt = [0_u8; SALT_BYTES];
        chance.fill(&mut salt);
        let password = password.clone();
        self.computed.fetch_add(1, Ordering::Relaxed);
        self.run(place, move |scratch| {
            hash::hash(password.expose().as_bytes(), salt, scratch)
        })
        .await?
        .ok_or(HashFailed)
    }

    /// Whether the password is the one of the PHC string.
    pub(crate) async fn verify(&self, place: &Place, password: &Password, phc: &str) -> Result<Verified, HashFailed> {
        let (password, phc) = (password.clone(), phc.to_owned());
        self.computed.fetch_add(1, Ordering::Relaxed);
        self.run(place, move |scratch| {
            hash::verify(password.expose().as_bytes(), &phc, scratch)
        })
        .await
    }

    /// Every rule the password does not keep: see [`password::faults`]. Here, because it takes milliseconds.
    pub(crate) async fn judge(
        &self,
        place: &Place,
        password: &Password,
        owner: Owner,
        policy: Arc<Policy>,
    ) -> Result<Vec<String>, HashFailed> {
        let password = password.clone();
        self.run(place, move |_| password::faults(&password, &owner, &policy))
            .await
    }

    async fn run<T: Send + 'static>(
        &self,
        _place: &Place,
        job: impl Fn(&mut Scratch) -> T + Send + Sync + 'static,
    ) -> Result<T, HashFailed> {
        let (answer, mut answered) = oneshot::channel();
        let job = answering(job, answer);
        if !self.is_short_of_time() {
            // Full, it is of jobs that were done with a share, and that nobody had the time to throw away.
            if self.in_spare_time.try_send(Arc::clone(&job)).is_ok()
                && let Ok(answer) = timeout(PATIENCE, &mut answered).await
            {
                return answer.map_err(|_| HashFailed);
            }
            *self.short_until() = Some(Instant::now() + SHORT_FOR);
        }
        self.with_a_share.try_send(job).map_err(|_| HashFailed)?;
        answered.await.map_err(|_| HashFailed)
    }

    fn is_short_of_time(&self) -> bool {
        self.short_until().is_some_and(|until| Instant::now() < until)
    }

    fn short_until(&self) -> MutexGuard<'_, Option<Instant>> {
        held(&self.short_until)
    }
}

/// A job that answers once, whoever is done first. Nobody waiting for the answer any more is no reason to do anything.
fn answering<T: Send + 'static>(
    job: impl Fn(&mut Scratch) -> T + Send + Sync + 'static,
    answer: oneshot::Sender<T>,
) -> Job {
    let waiting = Mutex::new(Some(answer));
    Arc::new(move |scratch| {
        if held(&waiting).is_none() {
            return true;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| job(scratch)));
        let (answer, done) = (held(&waiting).take(), outcome.is_ok());
        if let (Some(answer), Ok(outcome)) = (answer, outcome) {
            let _ = answer.send(outcome);
        }
        done
    })
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bench {
    /// Starts threads of this name and number; as many jobs fit into the queue as there are places.
    fn open(
        priority: Priority,
        (name, threads): (&str, usize),
        kept_for: Duration,
    ) -> std::io::Result<(SyncSender<Job>, Arc<Self>)> {
        // As long as there are places, so that handing a job in never waits.
        let (jobs, queue) = sync_channel(threads * (QUEUED_PER_THREAD + 1));
        let bench = Arc::new(Self {
            priority,
            queue: Mutex::new(queue),
            spare: Mutex::default(),
            kept_for,
        });
        for number in 0..threads {
            let bench = Arc::clone(&bench);
            std::thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || bench.work())?;
        }
        Ok((jobs, bench))
    }

    fn work(&self) {
        self.priority.take();
        while let Some(job) = self.next() {
            let mut scratch = self.spare().pop().unwrap_or_default();
            if job(&mut scratch) {
                self.spare().push(scratch);
            } else {
                tracing::error!("a password hash panicked; its sign-in was refused, the thread goes on");
            }
        }
    }

    /// Waits for a job; `None` once there will be none.
    fn next(&self) -> Option<Job> {
        loop {
            let queue = held(&self.queue);
            match queue.recv_timeout(self.kept_for) {
                Ok(job) => return Some(job),
                Err(RecvTimeoutError::Timeout) => *self.spare() = Vec::new(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Scratch>> {
        held(&self.spare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededChance;

    fn password(text: &str) -> Password {
        Password::new(text).unwrap()
    }

    #[tokio::test]
    async fn a_hashed_password_verifies_and_another_does_not() {
        let pool = HashPool::start(1).unwrap();
        let place = pool.place().unwrap();
        let phc = pool
            .hash(&place, &password("right"), &SeededChance::new(1))
            .await
            .unwrap();
        assert!(pool.verify(&place, &password("right"), &phc).await.unwrap().right);
        assert!(!pool.verify(&place, &password("wrong"), &phc).await.unwrap().right);
        assert_eq!(pool.computed(), 3);
    }

    #[tokio::test]
    async fn two_hashes_of_one_password_have_different_salts() {
        let pool = HashPool::start(1).unwrap();
        let (place, chance) = (pool.place().unwrap(), SeededChance::new(1));
        let first = pool.hash(&place, &password("same"), &chance).await.unwrap();
        assert_ne!(first, pool.hash(&place, &password("same"), &chance).await.unwrap());
    }

    #[test]
    fn who_finds_every_place_taken_is_told_so_at_once() {
        let pool = HashPool::start(2).unwrap();
        let held: Vec<Place> = (0..10).map(|_| pool.place().unwrap()).collect();
        assert_eq!(pool.place().err(), Some(Busy));
        assert_eq!(pool.taken(), 10);
        drop(held);
        assert!(pool.place().is_ok());
    }

    #[tokio::test]
    async fn memory_for_hashing_is_given_back_once_nobody_signs_in_any_more() {
        let (pool, bench) = HashPool::start_keeping(2, Duration::from_millis(1)).unwrap();
        let place = pool.place().unwrap();
        pool.hash(&place, &password("right"), &SeededChance::new(1))
            .await
            .unwrap();
        while !bench.spare().is_empty() {
            tokio::task::yield_now().await;
        }
        let phc = pool
            .hash(&place, &password("right"), &SeededChance::new(1))
            .await
            .unwrap();
        assert!(pool.verify(&place, &password("right"), &phc).await.unwrap().right);
    }

    #[tokio::test]
    async fn while_there_is_no_time_to_spare_passwords_are_hashed_with_a_share() {
        let (in_spare_time, nobody) = sync_channel(1);
        let pool = HashPool {
            in_spare_time,
            ..HashPool::start(1).unwrap()
        };
        let place = pool.place().unwrap();
        assert_eq!(pool.run(&place, |_| 1).await, Ok(1));
        assert!(nobody.try_recv().is_ok(), "it was waited for in vain");
        assert_eq!(pool.run(&place, |_| 2).await, Ok(2));
        assert!(nobody.try_recv().is_err(), "for a while it is not even tried");
        for queue in ["empty", "full"] {
            *pool.short_until() = Some(Instant::now());
            assert_eq!(pool.run(&place, |_| 3).await, Ok(3), "{queue}");
        }
        assert!(nobody.try_recv().is_ok(), "afterwards it is");
    }

    #[test]
    fn what_another_thread_has_done_is_not_done_again() {
        let done = Arc::new(AtomicU64::new(0));
        let (answer, mut answered) = oneshot::channel();
        let job = {
            let done = Arc::clone(&done);
            answering(move |_| done.fetch_add(1, Ordering::SeqCst), answer)
        };
        assert!(job(&mut Scratch::default()) && job(&mut Scratch::default()));
        assert_eq!((answered.try_recv(), done.load(Ordering::SeqCst)), (Ok(0), 1));
    }

    #[tokio::test]
    async fn a_panic_in_a_hash_fails_that_hash_alone() {
        let pool = HashPool::start(1).unwrap();
        let place = pool.place().unwrap();
        let fallen: Result<(), HashFailed> = pool
            .run(&place, |_: &mut Scratch| panic!("made to fall in a test"))
            .await;
        assert_eq!(fallen, Err(HashFailed));
        assert_eq!(pool.run(&place, |_| 7).await, Ok(7));
    }

    #[test]
    fn the_threads_end_with_the_pool() {
        let (jobs, bench) = Bench::open(Priority::Share, ("hash", 2), KEPT_FOR).unwrap();
        drop(jobs);
        while Arc::strong_count(&bench) > 1 {
            std::thread::yield_now();
        }
    }
}
