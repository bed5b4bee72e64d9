//! What the domain asks of a store. Each method is one atomic, durable step: when it answers `Ok`, the change survives
//! `kill -9`; when it answers `Err`, nothing has changed or the same call may be made again. A store decides nothing: rules
//! come in as arguments, times too.

mod accounts;
mod attempts;
mod credentials;
mod devices;
mod following;
mod links;
mod outbox;
mod pictures;
mod sessions;
mod structure;
mod tokens;

use std::sync::Arc;

use async_trait::async_trait;
use stagedoor_policy::time::Timestamp;

use crate::event::{AuditQuery, Event, StoredEvent};
use crate::secret::Secret;

pub use accounts::Accounts;
pub use attempts::{Attempts, Lockout, Reserved, Source};
pub use credentials::{Credentials, StoredCredentials};
pub use devices::{Device, DeviceId, DeviceQuery, Devices};
pub use following::{Changes, Follower};
pub use links::{Asking, FreshLink, Link, LinkPurpose, Links};
pub use outbox::Outbox;
pub use pictures::Pictures;
pub use sessions::{Opened, Sessions};
pub use structure::{Acting, HandOver, KeepRule, Move, Others, Place, SeatRule, Structure};
pub use tokens::{ApiToken, Tokens};

/// Why a store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine failed: disk full, unreachable, corrupt. Says what and where, never a secret.
    #[error("the store failed: {0}")]
    Engine(String),
    /// No such thing.
    #[error("not found")]
    NotFound,
    /// The name is taken.
    #[error("the name is taken")]
    NameTaken,
    /// Somebody else changed it first.
    #[error("changed by somebody else meanwhile")]
    VersionMismatch,
    /// Every seat of that rule is taken; see [`Structure`].
    #[error("all {at_most} seats of `{name}` are taken")]
    SeatsFull {
        /// The rule's name.
        name: String,
        /// How many are taken.
        used: u32,
        /// How many there are.
        at_most: u32,
    },
    /// Too few accounts of the role would be left.
    #[error("the role `{role}` would have too few accounts left")]
    LastOfRole {
        /// The role.
        role: String,
    },
    /// Another account holds the role, and only one may.
    #[error("the role `{role}` is held by another account, and by one at most")]
    HeldByOne {
        /// The role.
        role: String,
    },
    /// As many letters wait as may.
    #[error("{letters_max} letters wait already: see why the mail server does not take them, and try again")]
    OutboxFull {
        /// How many may wait.
        letters_max: u32,
    },
    /// The link was used, has run out, or what it was made for has changed.
    #[error("the link was used, has run out or was replaced")]
    LinkDead,
    /// The account that does it was changed after its rights were judged.
    #[error("the account that does this was changed meanwhile")]
    ActorChanged,
}

/// All ports together.
pub trait Store:
    Accounts
    + Credentials
    + Attempts
    + Sessions
    + Tokens
    + Audit
    + Devices
    + Keys
    + Links
    + Outbox
    + Pictures
    + std::fmt::Debug
    + Send
    + Sync
{
}
impl<T> Store for T where
    T: Accounts
        + Credentials
        + Attempts
        + Sessions
        + Tokens
        + Audit
        + Devices
        + Keys
        + Links
        + Outbox
        + Pictures
        + std::fmt::Debug
        + Send
        + Sync
{
}

/// A shared store.
pub type SharedStore = Arc<dyn Store>;

/// The audit.
#[async_trait]
pub trait Audit {
    /// Appends events; durable when it answers.
    async fn record(&self, events: &[Event]) -> Result<(), StoreError>;
    /// Newest first.
    async fn events(&self, query: &AuditQuery) -> Result<Vec<StoredEvent>, StoreError>;
}

/// The door's own keys, made once.
#[async_trait]
pub trait Keys {
    /// The key of that name; stores and answers `fresh` where there is none yet.
    async fn key_or_insert(&self, name: &str, fresh: &Secret) -> Result<Secret, StoreError>;
    /// The highest policy revision ever taken over, and its source text's SHA-256.
    async fn policy_revision(&self) -> Result<Option<(u64, [u8; 32])>, StoreError>;
    /// The policy with the highest revision ever taken over.
    async fn newest_policy(&self) -> Result<Option<NotedPolicy>, StoreError>;
    /// The highest revision that had this text; none where it never was taken over.
    async fn revision_of(&self, sha256: &[u8; 32]) -> Result<Option<u64>, StoreError>;
    /// Notes a policy that was taken over: the same text keeps its number, another text gets the next. Where it is to come
    /// `after` a revision and another is the newest by now, [`StoreError::VersionMismatch`].
    async fn note_policy(&self, fresh: &FreshPolicy, after: Option<u64>) -> Result<u64, StoreError>;
    /// Puts a policy back that the store has lost. Changes nothing where it has one as new.
    async fn restore_policy(&self, policy: &NotedPolicy) -> Result<(), StoreError>;
}

/// A policy that is taken over, and gets its number from the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreshPolicy {
    /// Of its text.
    pub sha256: [u8; 32],
    /// Its source text.
    pub text: String,
    /// Who has it taken over.
    pub by: String,
    /// Now.
    pub at: Timestamp,
}

impl FreshPolicy {
    /// As the store keeps it under that number.
    pub fn numbered(&self, revision: u64) -> NotedPolicy {
        let Self { sha256, text, by, at } = self.clone();
        NotedPolicy {
            revision,
            sha256,
            text,
            by,
            at,
        }
    }
}

/// A policy that was taken over, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedPolicy {
    /// Its number.
    pub revision: u64,
    /// Of its text.
    pub sha256: [u8; 32],
    /// Its source text.
    pub text: String,
    /// Who had it taken over.
    pub by: String,
    /// When.
    pub at: Timestamp,
}
