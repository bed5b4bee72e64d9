//! The store on Redis, for when one machine must not be the only one that holds it.
//!
//! # Keys
//! Every key begins with `{PREFIX}:`, so all of them lie in one slot of a Cluster and every step is one script on one server.
//! A step that spans accounts is the rule here, not the exception: a name belongs to one account, the audit is numbered
//! without a gap, a sign-in touches account, credentials, sessions and locks. The price: one shard carries all of a house, and
//! a Cluster adds safety but no speed. A sign-in costs one Argon2id hash on a door and some 100 µs here, and no request
//! waits for the store at all, so one shard outlasts many doors. The connection follows the slot to whichever node has it.
//!
//! | key | holds |
//! | --- | --- |
//! | `meta`, `epoch`, `door` | whose data this is, how often it changed hands, which node holds it until when |
//! | `changes`, `changes_number` | what was changed of what doors judge from memory, under its number; the newest number |
//! | `nodes` | the doors that share the store, up to which change each has heard |
//! | `step:ID` | the answer of a step, for two minutes, in case it is sent again |
//! | `account:ID`, `credential:ID`, `codes:ID` | an account, its secrets, hashes of its recovery codes |
//! | `names`, `names_by_hash`, `of_email:HASH` | from names and addresses to accounts |
//! | `search` | what a search looks through: name, id, role and folded display name of each account, in the order of names |
//! | `of_role:HASH`, `in_use:HASH` | accounts of a role; those accepted and not disabled, by when they were used last |
//! | `link:HASH`, `links`, `links_of:ID` | one-time links, by their end, by account and purpose |
//! | `asked`, `asked:HASH`, `asked_number` | how often something was asked for |
//! | `device:ID`, `device_keys`, `device_names`, `devices`, `devices_of:ID` | devices, by key, by name, in the order of names |
//! | `picture:ID` | what an account is shown by |
//! | `letter:ID`, `letters`, `letters_due`, `letters_queued`, `letters_of:ID` | letters that wait, in three orders, by account |
//! | `session:ID`, `sessions`, `sessions_of:ID` | sessions, by expiry, by account |
//! | `open:ID`, `open_from:ID` | those of an account, and from a device, that have not ended |
//! | `failures:HASH`, `failures`, `failure_numbers` | failures by the hash of a name, and when they may be forgotten |
//! | `lock:ID`, `locks_of:HASH`, `locks`, `locks_of_accounts` | locks, by name, by their end |
//! | `tokens`, `token_names`, `token_hashes` | tokens of the admin API by name, and the hashes they are found by |
//! | `token_accounts`, `tokens_of:ID` | the accounts that tokens act as |
//! | `audit`, `audit:INDEX`, `audit_number` | streams whose ids are the numbers of the events |
//! | `keys`, `policy`, `policies`, `policy_numbers` | the door's keys, the newest policy, all policies, the newest number of each text |
//!
//! What people type is never part of a key: names, sources and the like are values, fields or hashes. No step searches keys.
//!
//! # Steps
//! A step is a Lua script, sent by its hash ([`script`]). It carries a number of its own and leaves its answer under it: cut off
//! from the answer, the store sends the step again on a new connection, and Redis answers it without making it twice.
//! Redis runs a script whole or, out of memory or without its replicas, not at all (`#!lua` makes it look before it begins).
//!
//! # One door, or several
//! Doors judge from memory. So a store belongs to one process at a time ([`lease`]), or to several that follow each other's
//! changes ([`following`]) and take it together; every step says under which lease it is made, and is refused under an older one.
//! Each step that changes what doors judge from memory numbers that change and writes it to the stream `changes`, itself.
//!
//! # How durable
//! An answer means what Redis means by its own: on disk with `appendfsync always`, within a second with `everysec`, and on
//! `wait_replicas` replicas where that is set. What is weaker than the first is said in the log at the start. What a server lacks
//! that takes over or comes back is made again by the doors that made it ([`redo`]).

mod accounts;
mod answer;
mod attempts;
mod audit;
mod client;
mod credentials;
mod devices;
mod following;
mod keys;
mod lease;
mod link;
mod links;
mod moving;
mod outbox;
mod pictures;
mod record;
mod redo;
mod script;
mod sentinel;
mod sessions;
mod settings;
mod structure;
mod tokens;
mod trouble;
mod vet;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use stagedoor_identity::port::StoreError;
use tokio::sync::watch;
use uuid::Uuid;

use crate::Observer;
use crate::gate::{Closed, Gate};
use answer::Answer;
pub use following::Node;
use following::silent::Silent;
use lease::Lease;
pub use lease::Loss;
use link::Link;
use script::Script;
pub use settings::{Sentinels, Settings, Several, Trust};

/// The store on Redis.
pub struct Redis {
    link: Arc<Link>,
    lease: RwLock<Arc<Lease>>,
    /// Counts how often the lease was taken again.
    taken_again: watch::Sender<u64>,
    gate: Gate,
    /// Set where other doors share the store.
    several: Option<Several>,
    settings: Settings,
    observer: Observer,
    /// Makes the numbers of this process's steps its own.
    process: Uuid,
    steps: AtomicU64,
    /// For whom no change is waited.
    silent: Silent,
}

/// Why the store could not be opened. Names the server, never a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Settings that cannot be used.
    #[error("the store's settings cannot be used: {0}")]
    Settings(String),
    /// Not to be reached, or it does not let us in.
    #[error("cannot open the store at {place}: {why}")]
    Unreachable {
        /// Where.
        place: String,
        /// What went wrong, and what to do.
        why: String,
    },
    /// It would lose what it is given, cannot be written, or holds something else.
    #[error("the store at {place} cannot be used: {why}")]
    Unfit {
        /// Where.
        place: String,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// Another process has it.
    #[error("the store at {place} is held by `{holder}`: one door at a time may use it; stop that one first")]
    Held {
        /// Where.
        place: String,
        /// Host, process and number, as the other one named itself.
        holder: String,
    },
}

impl Redis {
    /// Opens the store, makes sure that it is fit, and takes it for this process. Waits for a lease that a dead process left.
    /// # Errors
    /// See [`OpenError`]: nothing is kept where it might be lost or mixed with what is not ours.
    pub async fn open(settings: Settings) -> Result<Self, OpenError> {
        Self::open_observed(settings, Arc::new(|_operation, _took| ())).await
    }

    /// Like [`Redis::open`], and tells `observer` how long each operation took.
    /// # Errors
    /// See [`OpenError`].
    pub async fn open_observed(settings: Settings, observer: Observer) -> Result<Self, OpenError> {
        let process = Uuid::now_v7();
        let link = Arc::new(Link::new(&settings)?);
        vet::refuse_unfit(&link, &settings).await?;
        let lease = Lease::take(Arc::clone(&link), &settings, process).await?;
        Ok(Self {
            link,
            lease: RwLock::new(Arc::new(lease)),
            taken_again: watch::Sender::new(0),
            gate: Gate::default(),
            several: settings.several.clone(),
            settings,
            observer,
            process,
            steps: AtomicU64::new(0),
            silent: Silent::default(),
        })
    }

    /// Resolves when the store is no longer this process's: nothing may be judged from memory after that.
    pub async fn lost(&self) -> Loss {
        let mut taken_again = self.taken_again.subscribe();
        loop {
            let lease = self.lease();
            tokio::select! {
                loss = lease.lost() => return loss,
                // The sender is `self`: this is another lease.
                _ = taken_again.changed() => {}
            }
        }
    }

    /// Gives the store back now, rather than when this is dropped and the lease has run out.
    pub async fn close(&self) {
        self.lease().give_back().await;
    }

    /// Whether other doors share it.
    pub fn is_shared(&self) -> bool {
        self.several.is_some()
    }

    /// For handing the store to another process: no step begins any more, and none is under way.
    pub async fn close_gate(&self) -> Closed {
        self.gate.close().await
    }

    /// Takes the store again that was given back for another process, which did not want it after all.
    /// # Errors
    /// Where somebody else has it, or it cannot be reached.
    pub async fn take_again(&self) -> Result<(), OpenError> {
        let lease = Lease::take(Arc::clone(&self.link), &self.settings, self.process).await?;
        let former = {
            let mut place = self.lease.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *place, Arc::new(lease))
        };
        self.taken_again.send_modify(|times| *times += 1);
        drop(former);
        Ok(())
    }

    fn lease(&self) -> Arc<Lease> {
        Arc::clone(&self.lease.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a step: all of it or nothing, and once, however often it has to be sent.
    async fn write(
        &self,
        operation: &'static str,
        script: &'static Script,
        args: Vec<Vec<u8>>,
    ) -> Result<Answer, StoreError> {
        let _leave = self.gate.leave().await.map_err(|why| self.engine(operation, why))?;
        let asked = Instant::now();
        let number = self.steps.fetch_add(1, Ordering::Relaxed);
        let mut all = Vec::with_capacity(args.len().saturating_add(2));
        all.push(format!("{}-{number}", self.process.simple()).into_bytes());
        all.push(self.lease().epoch().as_bytes().to_vec());
        all.extend(args);
        let answered = self.link.run(script, &all, true).await;
        (self.observer)(operation, asked.elapsed());
        let answer = answered.map_err(|why| self.engine(operation, &why))?;
        let no_step = || self.engine(operation, "a step answered with something else");
        let (answer, number) = answer.of_step().ok_or_else(no_step)?;
        self.wait_until_heard(number).await;
        match answer.word() {
            "not_found" => Err(StoreError::NotFound),
            "name_taken" => Err(StoreError::NameTaken),
            "version_mismatch" => Err(StoreError::VersionMismatch),
            "link_dead" => Err(StoreError::LinkDead),
            "actor_changed" => Err(StoreError::ActorChanged),
            "outbox_full" => Err(StoreError::OutboxFull {
                letters_max: answer.number(1).map_err(self.damaged(operation))?,
            }),
            "not_ours" => Err(self.engine(operation, "another process has taken the store, or its data is gone")),
            _ => Ok(answer),
        }
    }

    /// Reads: no number, no lease, as often as needed. `None`: no such thing.
    async fn read(
        &self,
        operation: &'static str,
        script: &'static Script,
        args: Vec<Vec<u8>>,
    ) -> Result<Option<Answer>, StoreError> {
        let asked = Instant::now();
        let answered = self.link.run(script, &args, false).await;
        (self.observer)(operation, asked.elapsed());
        let answer = answered.map_err(|why| self.engine(operation, &why))?;
        Ok((answer.word() != "not_found").then_some(answer))
    }

    /// An error that says what was tried, where, and what became of it.
    fn engine(&self, operation: &'static str, why: &str) -> StoreError {
        StoreError::Engine(format!("{operation} at {}: {why}", self.link.place()))
    }

    /// For a stored value that cannot be read back.
    fn damaged(&self, operation: &'static str) -> impl Fn(String) -> StoreError {
        let place = self.link.place().to_owned();
        move |what| {
            StoreError::Engine(format!(
                "{operation} at {place}: {what} cannot be read back: restore a backup"
            ))
        }
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("place", &self.link.place())
            .finish_non_exhaustive()
    }
}

/// Arguments of a script from whatever makes bytes.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::redis::script::bytes($value)),*] };
}
use args;
