//! The threads that own the connections: one that writes, a few that read, each fed by a bounded queue.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, TransactionBehavior};
use stagedoor_identity::Priority;

use super::fault;
use super::step::Step;
use super::{OpenError, connection};

/// Steps that may wait for the writer, and as many for the readers; one more is refused at once.
const QUEUE_STEPS_MAX: usize = 4096;
/// Steps that share one commit: enough to make the sync cheap, few enough that the first does not wait long.
const COMMIT_STEPS_MAX: usize = 256;
const READERS: usize = 3;

type Job = Box<dyn Step>;

/// A queue and the threads that serve it. Dropping it lets the queue drain, then waits for the threads.
pub(super) struct Threads {
    queue: Option<SyncSender<Job>>,
    running: Vec<JoinHandle<()>>,
}

impl Threads {
    /// The writer: makes the file what it has to be before this returns.
    pub(super) fn writer(file: &Path) -> Result<Self, OpenError> {
        let mut connection = connection::for_writing(file)?;
        let (queue, jobs) = sync_channel(QUEUE_STEPS_MAX);
        let running = spawn("store-writer", move || write(&mut connection, &jobs))?;
        Ok(Self {
            queue: Some(queue),
            running: vec![running],
        })
    }

    /// The readers. The writer must have made the file.
    pub(super) fn readers(file: &Path) -> Result<Self, OpenError> {
        let (queue, jobs) = sync_channel(QUEUE_STEPS_MAX);
        let jobs = Arc::new(Mutex::new(jobs));
        let mut running = Vec::with_capacity(READERS);
        for _reader in 0..READERS {
            let connection = connection::for_reading(file)?;
            let jobs = Arc::clone(&jobs);
            running.push(spawn("store-reader", move || read(&connection, &jobs))?);
        }
        Ok(Self {
            queue: Some(queue),
            running,
        })
    }

    /// Queues a step.
    /// # Errors
    /// Why it was not queued; it has had no effect then.
    pub(super) fn send(&self, job: Job) -> Result<(), &'static str> {
        let queue = self.queue.as_ref().ok_or(STOPPED)?;
        queue.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => "too many steps wait already: the disk is too slow for this load",
            TrySendError::Disconnected(_) => STOPPED,
        })
    }
}

/// What is said where a thread has gone.
pub(super) const STOPPED: &str = "the store's thread has stopped: restart the door and report what its log says";

impl Drop for Threads {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.running.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the store had panicked");
            }
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(|| {
            // Whoever is let through already goes before what is written down.
            Priority::Share.take();
            run();
        })
        .map_err(OpenError::Thread)
}

fn write(connection: &mut Connection, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        batch.extend(jobs.try_iter().take(COMMIT_STEPS_MAX - 1));
        let lost = commit_together(connection, &mut batch).err();
        if let Some(why) = &lost {
            tracing::error!(steps = batch.len(), why, "the store could not commit");
        }
        for job in batch {
            job.answer(lost.as_deref());
        }
    }
}

/// One transaction, one sync for all; each step in a savepoint of its own, so that one that is refused leaves no trace.
fn commit_together(connection: &mut Connection, batch: &mut [Job]) -> Result<(), String> {
    let text = |error: rusqlite::Error| fault::describe(&error);
    let mut transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(text)?;
    for job in batch {
        let savepoint = transaction.savepoint().map_err(text)?;
        match job.run(&savepoint) {
            Ok(()) => savepoint.commit().map_err(text)?,
            // SQLite rolls everything back by itself after some errors (disk full): then all is lost, not just this step.
            Err(why) if savepoint.is_autocommit() => return Err(why),
            Err(_refused) => savepoint.finish().map_err(text)?,
        }
    }
    transaction.commit().map_err(text)
}

fn read(connection: &Connection, jobs: &Mutex<Receiver<Job>>) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(mut job) = next else { return };
        // The answer tells of the failure; there is nothing to roll back.
        let _ = job.run(connection);
        job.answer(None);
    }
}
