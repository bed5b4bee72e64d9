//! The threads that hash passwords: few, with their own memory, behind a queue that is never long.
//!
//! A place is taken before anything is counted or looked up ([`HashPool::place`]); who gets none is told to come back. So a
//! flood of sign-ins costs the door a fixed number of threads and 19 MiB for each, and never the consoles behind it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stagedoor_policy::Policy;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

pub(crate) use super::hash::Verified;
#[cfg(test)]
pub(crate) use super::hash::tests::weak_hash;
use super::hash::{self, OUTPUT_BYTES, SALT_BYTES, Scratch};
use super::password::{self, Owner};
use crate::{Chance, Password};

/// Places in the queue for each thread.
const QUEUED_PER_THREAD: usize = 4;
/// More threads than this is a slip of the pen: 19 MiB each.
const THREADS_MAX: usize = 64;
/// After so long without a password the memory for hashing is given back.
const KEPT_FOR: Duration = Duration::from_secs(10);
/// Added to the threads' niceness (setpriority(2)): whoever is let through already goes before whoever signs in.
const NICENESS: i32 = 10;

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
    jobs: SyncSender<Job>,
    places: Arc<Semaphore>,
    places_max: usize,
    computed: AtomicU64,
}

struct Job(Box<dyn FnOnce(&mut Scratch) + Send>);

/// What the threads share.
struct Bench {
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
        let places_max = threads * (QUEUED_PER_THREAD + 1);
        // As long as there are places, so that handing a job in never waits.
        let (jobs, queue) = sync_channel(places_max);
        let bench = Arc::new(Bench {
            queue: Mutex::new(queue),
            spare: Mutex::default(),
            kept_for,
        });
        for number in 0..threads {
            let bench = Arc::clone(&bench);
            std::thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || bench.work())?;
        }
        let pool = Self {
            jobs,
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
        job: impl FnOnce(&mut Scratch) -> T + Send + 'static,
    ) -> Result<T, HashFailed> {
        let (answer, answered) = oneshot::channel();
        let job = Job(Box::new(move |scratch| {
            // Nobody waiting for the answer any more is no reason to do anything.
            let _ = answer.send(job(scratch));
        }));
        self.jobs.try_send(job).map_err(|_| HashFailed)?;
        answered.await.map_err(|_| HashFailed)
    }
}

impl Bench {
    fn work(&self) {
        // Without the right to, it hashes as well; Linux takes it for this thread alone.
        let _ = rustix::process::nice(NICENESS);
        while let Some(Job(job)) = self.next() {
            let mut scratch = self.spare().pop().unwrap_or_default();
            match catch_unwind(AssertUnwindSafe(|| job(&mut scratch))) {
                Ok(()) => self.spare().push(scratch),
                Err(_) => tracing::error!("a password hash panicked; its sign-in was refused, the thread goes on"),
            }
        }
    }

    /// Waits for a job; `None` once there will be none.
    fn next(&self) -> Option<Job> {
        loop {
            let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            match queue.recv_timeout(self.kept_for) {
                Ok(job) => return Some(job),
                Err(RecvTimeoutError::Timeout) => *self.spare() = Vec::new(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Scratch>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
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
    async fn a_panic_in_a_hash_fails_that_hash_alone() {
        let pool = HashPool::start(1).unwrap();
        let place = pool.place().unwrap();
        let fallen: Result<(), HashFailed> = pool.run(&place, |_| panic!("made to fall in a test")).await;
        assert_eq!(fallen, Err(HashFailed));
        assert_eq!(pool.run(&place, |_| 7).await, Ok(7));
    }

    #[test]
    fn the_threads_end_with_the_pool() {
        let (jobs, queue) = sync_channel(1);
        let bench = Bench {
            queue: Mutex::new(queue),
            spare: Mutex::default(),
            kept_for: KEPT_FOR,
        };
        let thread = std::thread::spawn(move || bench.work());
        drop::<SyncSender<Job>>(jobs);
        thread.join().unwrap();
    }
}
