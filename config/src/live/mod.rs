//! What is in force, and how it changes: a fault never does, a good file does within a second.

mod following;
mod history;
mod replace;
pub(crate) mod watch;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use stagedoor_identity::letter::{CurrentLetterhead, Letterhead};
use stagedoor_identity::port::{SharedStore, StoreError};
use stagedoor_identity::{Clock, CurrentPolicy, Priority};
use stagedoor_policy::time::Timestamp;
use stagedoor_policy::{Policy, Revision};
use tokio::sync::watch as channel;

pub use replace::ReplaceFault;

use crate::environment::Environment;
use crate::fault::Faults;
use crate::load::{FileTexts, Loaded, Sources, load_texts};
use crate::snapshot::Snapshot;
use following::AtStart;
use watch::Watched;

/// The snapshot in force, swapped while requests run.
#[derive(Debug)]
pub struct Live {
    sources: Arc<Sources>,
    env: Arc<Environment>,
    /// Numbers policies, and keeps those it has numbered.
    store: SharedStore,
    clock: Arc<dyn Clock>,
    /// Whether other doors share the store, so that what they put in force is in force here.
    follows: bool,
    snapshot: ArcSwap<Snapshot>,
    /// One change at a time; what was seen of the files.
    changing: tokio::sync::Mutex<Watched>,
    notes: Mutex<Notes>,
    changed: channel::Sender<Revision>,
    tls_changed: channel::Sender<u64>,
}

/// What an operator may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The policy in force.
    pub revision: Revision,
    /// Its entity tag, quotes included.
    pub etag: String,
    /// When the snapshot in force was taken over.
    pub loaded_at: Timestamp,
    /// By what: a [`Cause`], or who replaced the policy.
    pub loaded_by: String,
    /// When the files were last found at fault and why, until they are found good again.
    pub last_fault: Option<(Timestamp, String)>,
    /// Changes taken over since start.
    pub reloads_ok: u64,
    /// Changes refused since start.
    pub reloads_failed: u64,
    /// Settings whose new value waits for a restart.
    pub restart_needed: Vec<String>,
    /// What is allowed and probably not meant.
    pub warnings: Vec<String>,
    /// The revision that other doors were given and that cannot be in force here; `last_fault` says why.
    pub cannot_take: Option<Revision>,
}

#[derive(Debug, Clone, Default)]
struct Notes {
    loaded_at: Timestamp,
    loaded_by: String,
    last_fault: Option<(Timestamp, String)>,
    reloads_ok: u64,
    reloads_failed: u64,
    restart_needed: Vec<String>,
    warnings: Vec<String>,
    cannot_take: Option<Revision>,
}

/// Why the files are read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The process starts.
    Start,
    /// A file changed.
    File,
    /// Somebody sent a signal.
    Signal,
    /// Somebody asked through the admin API: who.
    Asked(String),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::File => "file",
            Self::Signal => "signal",
            Self::Asked(by) => by,
        })
    }
}

/// What reading the files again came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reloaded {
    /// They say what is in force already.
    Unchanged,
    /// They are in force now, as this revision.
    Swapped(Revision),
    /// They are at fault; what was in force stays. The faults, rendered.
    Refused(String),
    /// The store could not number the policy; what was in force stays, and the watcher tries again.
    Unnumbered(String),
}

/// Why there is nothing to start with.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The files are at fault.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// The policy could not be numbered.
    #[error("the policy could not be numbered: {0}")]
    Store(#[from] StoreError),
    /// Other doors run a policy that this one cannot, and it has none that ever was in force.
    #[error(
        "revision {revision}, which all doors on this store run, cannot be in force here, and the policy file is none that \
         they ever ran: make both files as those of the other doors\n{faults}"
    )]
    Shared {
        /// What the others run.
        revision: u64,
        /// Why it cannot be here.
        faults: Faults,
    },
}

impl Live {
    /// Loads both files and numbers the policy.
    ///
    /// # Errors
    /// Every fault of the files, or what the store says.
    pub async fn open(
        sources: Sources,
        env: Environment,
        store: SharedStore,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, OpenFault> {
        Self::open_checked(sources, env, None, store, clock).await
    }

    /// The same with what the files were found to say a moment ago, which is not checked again if they still do.
    ///
    /// # Errors
    /// See [`Live::open`].
    pub async fn open_checked(
        sources: Sources,
        env: Environment,
        checked: Option<Loaded>,
        store: SharedStore,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, OpenFault> {
        let (sources, env) = (Arc::new(sources), Arc::new(env));
        let files = {
            let sources = Arc::clone(&sources);
            blocking(move || FileTexts::read(&sources)).await
        };
        let loaded = match checked.filter(|checked| files.are_of(checked)) {
            Some(checked) => checked,
            None => check(&sources, &env, &files).await?,
        };
        let now = clock.now();
        let follows = loaded.building.cluster.is_some();
        let start = if follows {
            AtStart::beside_others(&store, (&sources, &env), &files, loaded, now).await?
        } else {
            AtStart::alone(&store, loaded, now).await?
        };
        log_warnings(&start.warnings);
        if let Some((revision, fault)) = &start.cannot_take {
            tracing::error!(
                "revision {} is in force at other doors and cannot be here\n{fault}",
                revision.0
            );
        }
        let mut watched = Watched::new(files, &start.snapshot.building);
        watched.kept_out = start.kept_out;
        let notes = Notes {
            loaded_at: now,
            loaded_by: start.by,
            warnings: start.warnings,
            cannot_take: start.cannot_take.as_ref().map(|(revision, _)| *revision),
            last_fault: start.cannot_take.map(|(_, fault)| (now, fault)),
            ..Notes::default()
        };
        let live = Self {
            sources,
            env,
            store,
            clock,
            follows,
            changed: channel::Sender::new(start.snapshot.policy.revision()),
            tls_changed: channel::Sender::new(0),
            snapshot: ArcSwap::from_pointee(start.snapshot),
            changing: tokio::sync::Mutex::new(watched),
            notes: Mutex::new(notes),
        };
        Ok(Arc::new(live))
    }

    /// The snapshot in force, to be kept for as long as need be.
    pub fn current(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// The snapshot in force, for the hot path. Not to be held across an await.
    pub fn load(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Fires after each swap, also where only the building changed.
    pub fn changed(&self) -> channel::Receiver<Revision> {
        self.changed.subscribe()
    }

    /// Fires when the certificate or the key has other content, or is another file. Counts up.
    pub fn tls_changed(&self) -> channel::Receiver<u64> {
        self.tls_changed.subscribe()
    }

    /// Reads the files and takes them over. A fault keeps what is in force.
    pub async fn reload(&self, why: Cause) -> Reloaded {
        let mut watched = self.changing.lock().await;
        let files = self.read_files().await;
        watched.handled(&files);
        self.take_over(&mut watched, files, &why).await
    }

    /// Checks a policy text as if it stood in the file, against the building in force. Changes nothing.
    ///
    /// # Errors
    /// Every fault of it.
    pub async fn check_policy(&self, text: &str) -> Result<Loaded, Faults> {
        let files = FileTexts {
            building: Ok(Arc::clone(&self.load().texts.building)),
            policy: Ok(Arc::from(text)),
        };
        check(&self.sources, &self.env, &files).await
    }

    /// How things stand.
    pub fn status(&self) -> Status {
        let snapshot = self.current();
        let notes = self.notes().clone();
        Status {
            revision: snapshot.policy.revision(),
            etag: snapshot.policy_etag(),
            loaded_at: notes.loaded_at,
            loaded_by: notes.loaded_by,
            last_fault: notes.last_fault,
            reloads_ok: notes.reloads_ok,
            reloads_failed: notes.reloads_failed,
            restart_needed: notes.restart_needed,
            warnings: notes.warnings,
            cannot_take: notes.cannot_take,
        }
    }

    /// The policy in force, and the one that other doors were given and that cannot be.
    pub fn runs(&self) -> (Revision, Option<Revision>) {
        (self.load().policy.revision(), self.notes().cannot_take)
    }

    /// The text of the policy in force.
    pub fn policy_text(&self) -> Arc<str> {
        self.load().policy_text()
    }

    /// The entity tag of the policy in force, quotes included.
    pub fn policy_etag(&self) -> String {
        self.load().policy_etag()
    }

    async fn read_files(&self) -> FileTexts {
        let sources = Arc::clone(&self.sources);
        blocking(move || FileTexts::read(&sources)).await
    }

    /// Takes over what was read.
    async fn take_over(&self, watched: &mut Watched, files: FileTexts, why: &Cause) -> Reloaded {
        let files = self.without_what_is_kept_out(watched, files);
        if self.is_in_force(&files) {
            self.note_no_fault();
            return Reloaded::Unchanged;
        }
        match check(&self.sources, &self.env, &files).await {
            Ok(loaded) => match self.put_in_force(loaded, &why.to_string()).await {
                Ok(revision) => Reloaded::Swapped(revision),
                Err(error) => {
                    let why = format!("the policy could not be numbered: {error}");
                    self.note_fault(&why);
                    Reloaded::Unnumbered(why)
                }
            },
            Err(faults) => {
                let why = faults.render(false);
                self.note_fault(&why);
                Reloaded::Refused(why)
            }
        }
    }

    fn is_in_force(&self, files: &FileTexts) -> bool {
        let texts = &self.load().texts;
        files.building.as_ref() == Ok(&texts.building) && files.policy.as_ref() == Ok(&texts.policy)
    }

    fn note_fault(&self, why: &str) {
        tracing::error!("the files were not taken over; what was in force stays\n{why}");
        let now = self.clock.now();
        let mut notes = self.notes();
        notes.reloads_failed += 1;
        notes.last_fault = Some((now, why.to_owned()));
    }

    /// What was found good is the next revision, and in force.
    async fn put_in_force(&self, loaded: Loaded, by: &str) -> Result<Revision, StoreError> {
        let (in_force, now) = (self.current(), self.clock.now());
        let revision = if loaded.policy_text == *in_force.texts.policy {
            in_force.policy.revision()
        } else {
            // Beside others it must come after what it was made from: another door may have been faster.
            let after = self.follows.then(|| in_force.policy.revision().0);
            history::number(&self.store, &loaded, by, now, after).await?
        };
        self.swap(loaded, revision, by);
        Ok(revision)
    }

    /// Puts in force what was found good and has its number.
    fn swap(&self, mut loaded: Loaded, revision: Revision, by: &str) {
        let in_force = self.current();
        let restart_needed = loaded.building.keep_fixed(&in_force.building);
        let warnings = std::mem::take(&mut loaded.warnings);
        let snapshot = history::snapshot(loaded, revision);
        log_warnings(&warnings);
        for key in &restart_needed {
            tracing::warn!("`{key}` was changed; the new value waits for a restart");
        }
        let other_tls = snapshot.building.tls != in_force.building.tls;
        self.snapshot.store(Arc::new(snapshot));
        {
            let mut notes = self.notes();
            notes.loaded_at = self.clock.now();
            by.clone_into(&mut notes.loaded_by);
            notes.last_fault = None;
            notes.cannot_take = notes.cannot_take.filter(|newest| *newest > revision);
            notes.reloads_ok += 1;
            notes.restart_needed = restart_needed.into_iter().map(str::to_owned).collect();
            notes.warnings = warnings;
        }
        tracing::info!(revision = revision.0, by, "the changed files are in force");
        self.changed.send_replace(revision);
        if other_tls {
            self.tls_changed.send_modify(|times| *times += 1);
        }
    }

    /// The files are good; a policy of other doors may still be at fault here.
    fn note_no_fault(&self) {
        let mut notes = self.notes();
        if notes.cannot_take.is_none() {
            notes.last_fault = None;
        }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CurrentPolicy for Live {
    fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.load().policy)
    }
}

impl CurrentLetterhead for Live {
    fn letterhead(&self) -> Option<Arc<Letterhead>> {
        self.load().building.letterhead().map(Arc::new)
    }
}

/// Parses and checks on a thread of its own, which gives way to those that serve: a large policy takes a core for a while.
async fn check(sources: &Arc<Sources>, env: &Arc<Environment>, files: &FileTexts) -> Result<Loaded, Faults> {
    let (sources, env, files) = (Arc::clone(sources), Arc::clone(env), files.clone());
    blocking(move || {
        std::thread::scope(|scope| {
            let checking = scope.spawn(|| {
                Priority::Share.take();
                load_texts(&sources, &env, &files)
            });
            checking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
    .await
}

/// Runs `work` where it may block. A panic in it goes on here.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await, // the runtime is shutting down, and this with it
        },
    }
}

fn log_warnings(warnings: &[String]) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}
