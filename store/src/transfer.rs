//! Moving everything from one store into another: counters and locks too, so that moving lets nobody begin to guess anew.

use std::fmt;

use async_trait::async_trait;
use stagedoor_identity::event::StoredEvent;
use stagedoor_identity::letter::DueLetter;
use stagedoor_identity::picture::Picture;
use stagedoor_identity::port::{ApiToken, Device, Link, Lockout, NotedPolicy, StoreError, StoredCredentials};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::session::SessionRecord;
use stagedoor_identity::{Account, AccountId, Secret};
use stagedoor_policy::time::Timestamp;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Batches that may be on their way at once.
const ON_THE_WAY_MAX: usize = 4;
/// Records in a batch.
pub(crate) const BATCH_RECORDS: usize = 200;

/// One thing that a store keeps.
#[derive(Debug)]
pub enum Record {
    /// An account with its secrets.
    Account(Box<HeldAccount>),
    /// An account's picture, in a batch of its own.
    Picture(AccountId, Picture),
    /// A device, and the hash of its key.
    Device(Device, TokenHash),
    /// A one-time link.
    Link(Link),
    /// That something was asked for.
    Asked(Asked),
    /// A letter that waits.
    Letter(Box<HeldLetter>),
    /// A session, ended or not.
    Session(Box<SessionRecord>),
    /// A failure to sign in.
    Failure(Failure),
    /// A lock, and the hash of the name it is for.
    Lock(Lockout, [u8; 32]),
    /// A token of the admin API.
    Token(ApiToken, TokenHash),
    /// A line of the audit; they come in the order of their numbers.
    Event(Box<StoredEvent>),
    /// One of the door's own keys.
    Key(String, Secret),
    /// A policy; they come in the order of their revisions.
    Policy(NotedPolicy),
}

/// An account with its secrets.
#[derive(Debug)]
pub struct HeldAccount {
    /// The account.
    pub account: Account,
    /// Its secrets.
    pub credentials: StoredCredentials,
    /// Hashes of its recovery codes.
    pub codes: Vec<[u8; 32]>,
    /// The disuse that it was warned of last: when that began.
    pub warned_of: Option<Timestamp>,
}

/// That something was asked for, by or for somebody.
#[derive(Debug)]
pub struct Asked {
    /// Of what is counted.
    pub key: [u8; 32],
    /// When.
    pub at: Timestamp,
}

/// A letter that waits, with all that is known of its tries.
#[derive(Debug)]
pub struct HeldLetter {
    /// The letter; its own time is when it was queued.
    pub due: DueLetter,
    /// When it is tried next, or its claim ends.
    pub due_at: Timestamp,
    /// Who has claimed it.
    pub worker: Option<String>,
    /// Why it failed last.
    pub last_failure: Option<String>,
}

/// A failure to sign in.
#[derive(Debug)]
pub struct Failure {
    /// Rises with each.
    pub number: u64,
    /// The hash of the name that was tried.
    pub name: [u8; 32],
    /// From where.
    pub source: String,
    /// When.
    pub at: Timestamp,
    /// Not used up for its source by a lock or a right attempt.
    pub counts: bool,
}

/// A part of what is on its way. A channel that closes before `Done` was cut off, and nothing of it may stand.
#[derive(Debug)]
pub enum Batch {
    /// Some records.
    Records(Vec<Record>),
    /// That was all.
    Done,
}

/// A store that can be read out whole, and filled while it is empty.
#[async_trait]
pub trait Movable: Send + Sync {
    /// Whether nothing is kept in it.
    async fn is_empty(&self) -> Result<bool, StoreError>;
    /// Sends everything, accounts before what is theirs, and [`Batch::Done`] at the end.
    async fn read_out(&self, to: Sender<Batch>) -> Result<(), StoreError>;
    /// Keeps everything that comes, or, where it is cut off, nothing that anybody could take for a store.
    async fn take_in(&self, from: Receiver<Batch>) -> Result<Moved, StoreError>;
}

/// How much was moved.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Accounts.
    pub accounts: u64,
    /// Their pictures.
    pub pictures: u64,
    /// Devices.
    pub devices: u64,
    /// One-time links.
    pub links: u64,
    /// Counts of what was asked for.
    pub asked: u64,
    /// Letters that wait.
    pub letters: u64,
    /// Sessions, ended ones too.
    pub sessions: u64,
    /// Failures to sign in.
    pub failures: u64,
    /// Locks.
    pub locks: u64,
    /// Tokens.
    pub tokens: u64,
    /// Lines of the audit.
    pub events: u64,
    /// The door's keys.
    pub keys: u64,
    /// Policies.
    pub policies: u64,
}

impl Moved {
    pub(crate) fn count(&mut self, record: &Record) {
        let which = match record {
            Record::Account(_) => &mut self.accounts,
            Record::Picture(..) => &mut self.pictures,
            Record::Device(..) => &mut self.devices,
            Record::Link(_) => &mut self.links,
            Record::Asked(_) => &mut self.asked,
            Record::Letter(_) => &mut self.letters,
            Record::Session(_) => &mut self.sessions,
            Record::Failure(_) => &mut self.failures,
            Record::Lock(..) => &mut self.locks,
            Record::Token(..) => &mut self.tokens,
            Record::Event(_) => &mut self.events,
            Record::Key(..) => &mut self.keys,
            Record::Policy(_) => &mut self.policies,
        };
        *which = which.saturating_add(1);
    }
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "accounts {}, pictures {}, devices {}, links {}, askings {}, letters {}, ",
            self.accounts, self.pictures, self.devices, self.links, self.asked, self.letters,
        )?;
        write!(
            f,
            "sessions {}, failures {}, locks {}, tokens {}, events {}, keys {}, policies {}",
            self.sessions, self.failures, self.locks, self.tokens, self.events, self.keys, self.policies,
        )
    }
}

/// Why nothing was copied, or not all.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The second store is in use.
    #[error("the store to copy into is not empty: name one that is")]
    NotEmpty,
    /// The first store could not be read out.
    #[error("the store to copy from: {0}")]
    From(StoreError),
    /// The second store could not be filled.
    #[error("the store to copy into: {0}")]
    Into(StoreError),
}

/// Copies everything. Nobody else may use either store meanwhile.
/// # Errors
/// See [`CopyError`]; the second store holds nothing then, or refuses to be opened until it is emptied.
pub async fn copy(from: &dyn Movable, into: &dyn Movable) -> Result<Moved, CopyError> {
    if !into.is_empty().await.map_err(CopyError::Into)? {
        return Err(CopyError::NotEmpty);
    }
    let (send, receive) = channel(ON_THE_WAY_MAX);
    let (read, taken) = tokio::join!(from.read_out(send), into.take_in(receive));
    // Where both failed, the one is why the other was cut off.
    match (read, taken) {
        (Ok(()), Ok(moved)) => Ok(moved),
        (Ok(()), Err(fault)) => Err(CopyError::Into(fault)),
        (Err(StoreError::Engine(why)), Err(fault)) if why.contains(NOBODY_TAKES) => Err(CopyError::Into(fault)),
        (Err(fault), _) => Err(CopyError::From(fault)),
    }
}

pub(crate) const NOBODY_TAKES: &str = "nobody takes what is read out";
pub(crate) const CUT_OFF: &str = "the copy was cut off before its end";
