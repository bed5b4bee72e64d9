//! The default store: one SQLite file, `stagedoor.db`, in the data folder.
//!
//! One thread writes. It takes what waits in its queue, runs each step in a savepoint inside one immediate transaction,
//! commits once, and only then answers, so an answer means "synced to disk" and many sign-ins share one sync. Other threads
//! read. Another process (the command line) may use the file at the same time: every decision is made inside an immediate
//! transaction, never on what was read before it.

mod accounts;
mod attempts;
mod audit;
mod column;
mod connection;
mod credentials;
mod devices;
mod fault;
mod grants;
mod keys;
mod links;
mod moving;
mod outbox;
mod pictures;
mod place;
mod schema;
mod sessions;
mod step;
mod structure;
mod threads;
mod tokens;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use stagedoor_identity::port::StoreError;
use tokio::sync::oneshot;

use crate::gate::{Closed, Gate};
use fault::Fault;
use threads::Threads;

/// Told of each operation, by its name, and how long it took from being asked for to its answer.
pub type Observer = Arc<dyn Fn(&'static str, Duration) + Send + Sync>;

/// The embedded store.
pub struct Embedded {
    file: Arc<Path>,
    observer: Observer,
    gate: Gate,
    // In this order: the writer closes last and so folds the write-ahead log into the file.
    readers: Threads,
    writer: Threads,
}

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or file could not be made or looked at.
    #[error("cannot use `{}` for the store: {error}", path.display())]
    Place {
        /// What was touched.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Somebody else could write or read it.
    #[error("`{}` is open to others (mode {mode:04o}): run `chmod go-w,o-r {}`", path.display(), path.display())]
    TooOpen {
        /// Folder or file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A folder, link or device is where the file should be.
    #[error("`{}` is not a plain file: move it away", .0.display())]
    NotAFile(PathBuf),
    /// The file belongs to another program.
    #[error("the file is a database of another program: choose another data folder")]
    Foreign,
    /// A newer Stagedoor has written the file.
    #[error("the file has schema {found}, this Stagedoor knows {known} at most: install the newer one again")]
    Newer {
        /// The file's schema.
        found: usize,
        /// The newest schema known here.
        known: usize,
    },
    /// The file system cannot do what durability needs.
    #[error("the file system does not allow a write-ahead log (journal mode is `{0}`): use a local disk")]
    NoWal(String),
    /// SQLite failed; says what to do.
    #[error("cannot open the store: {0}")]
    Engine(String),
    /// No thread to be had.
    #[error("cannot start a thread for the store: {0}")]
    Thread(std::io::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(fault::describe(&error))
    }
}

impl Embedded {
    /// Opens the store in `data_dir`, making what is not there yet.
    /// # Errors
    /// See [`OpenError`]: nothing is served from a file that is not ours alone.
    pub fn open(data_dir: &Path) -> Result<Self, OpenError> {
        Self::open_observed(data_dir, Arc::new(|_operation, _took| ()))
    }

    /// Like [`Embedded::open`], and tells `observer` how long each operation took.
    /// # Errors
    /// See [`OpenError`].
    pub fn open_observed(data_dir: &Path, observer: Observer) -> Result<Self, OpenError> {
        let file: Arc<Path> = place::prepare(data_dir)?.into();
        let writer = Threads::writer(&file)?;
        let readers = Threads::readers(&file)?;
        Ok(Self {
            file,
            observer,
            gate: Gate::default(),
            readers,
            writer,
        })
    }

    /// For handing the store to another process: no step begins any more, and none is under way.
    pub async fn close_gate(&self) -> Closed {
        self.gate.close().await
    }

    /// Whether the file still has the schema that this process knows: another one may have brought it to a newer.
    /// # Errors
    /// Where the file cannot be read, or has another schema.
    pub async fn still_fits(&self) -> Result<(), StoreError> {
        let fits = self
            .read("still_fits", |connection| Ok(schema::is_newest_known(connection)?))
            .await?;
        if fits {
            return Ok(());
        }
        let why = "another version of Stagedoor has changed its schema";
        Err(fault::engine("still_fits", &self.file, why))
    }

    /// Runs `work` in a transaction; the answer comes when it is on disk.
    async fn write<T, W>(&self, operation: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let _leave = self
            .gate
            .leave()
            .await
            .map_err(|why| fault::engine(operation, &self.file, why))?;
        self.through(&self.writer, operation, work).await
    }

    /// Runs `work` on a connection that cannot write.
    async fn read<T, W>(&self, operation: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        self.through(&self.readers, operation, work).await
    }

    async fn through<T, W>(&self, threads: &Threads, operation: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let asked = Instant::now();
        let (step, answer) = step::new(operation, Arc::clone(&self.file), work);
        let answered = match threads.send(step) {
            Ok(()) => self.wait(operation, answer).await,
            Err(why) => Err(fault::engine(operation, &self.file, why)),
        };
        (self.observer)(operation, asked.elapsed());
        answered
    }

    async fn wait<T>(
        &self,
        operation: &'static str,
        answer: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let gone = |_closed| fault::engine(operation, &self.file, threads::STOPPED);
        answer.await.map_err(gone)?
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}
