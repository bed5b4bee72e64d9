//! What the domain asks of a store. Each method is one atomic, durable step: when it answers `Ok`, the change survives
//! `kill -9`; when it answers `Err`, nothing has changed or the same call may be made again. A store decides nothing: rules
//! come in as arguments, times too.

mod outbox;

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use stagedoor_policy::request::ClientAddress;
use stagedoor_policy::rules::{LockoutRules, WhenFull};
use stagedoor_policy::time::Timestamp;

use crate::account::{Account, AccountChange, AccountId, AccountName, AccountQuery};
use crate::event::{AuditQuery, Event, StoredEvent};
use crate::secret::{Secret, TokenHash};
use crate::session::{EndReason, SessionId, SessionRecord};

pub use outbox::Outbox;

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
    /// As many letters wait as may.
    #[error("{letters_max} letters wait already: see why the mail server does not take them, and try again")]
    OutboxFull {
        /// How many may wait.
        letters_max: u32,
    },
}

/// All ports together.
pub trait Store:
    Accounts + Credentials + Attempts + Sessions + Tokens + Audit + Keys + Outbox + std::fmt::Debug + Send + Sync
{
}
impl<T> Store for T where
    T: Accounts + Credentials + Attempts + Sessions + Tokens + Audit + Keys + Outbox + std::fmt::Debug + Send + Sync
{
}

/// A shared store.
pub type SharedStore = Arc<dyn Store>;

/// Accounts.
#[async_trait]
pub trait Accounts {
    /// Stores a new account with its password hash.
    async fn create_account(&self, account: &Account, password_hash: &str) -> Result<(), StoreError>;
    /// By id.
    async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError>;
    /// By name.
    async fn account_by_name(&self, name: &AccountName) -> Result<Option<Account>, StoreError>;
    /// In the order of names.
    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError>;
    /// Changes an account if its version is still `expected` (`None`: whatever it is), raises the version. Where `end` is
    /// given, ends its live sessions for that reason in the same step.
    async fn change_account(
        &self,
        id: AccountId,
        expected: Option<u64>,
        change: &AccountChange,
        end: Option<(&EndReason, Timestamp)>,
    ) -> Result<(Account, Vec<SessionId>), StoreError>;
    /// Removes an account and everything of it but its audit; ends its sessions.
    async fn remove_account(&self, id: AccountId, expected: Option<u64>) -> Result<Vec<SessionId>, StoreError>;
    /// Counts disuse from `now` on.
    async fn reinstate_account(&self, id: AccountId, now: Timestamp) -> Result<Account, StoreError>;
}

/// What proves who somebody is.
#[derive(Clone)]
pub struct StoredCredentials {
    /// PHC string.
    pub password_hash: String,
    /// TOTP secret, sealed with the door's key; `None` where no second factor is enrolled.
    pub totp_sealed: Option<Vec<u8>>,
    /// The last TOTP step that was used up.
    pub totp_last_step: Option<u64>,
    /// Rises with each change of password or second factor: a ticket from before is worthless.
    pub credentials_version: u64,
}

/// Their version alone: hashes and sealed secrets do not belong in logs.
impl std::fmt::Debug for StoredCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredCredentials")
            .field("credentials_version", &self.credentials_version)
            .finish_non_exhaustive()
    }
}

/// Passwords and second factors.
#[async_trait]
pub trait Credentials {
    /// The credentials of an account.
    async fn credentials(&self, id: AccountId) -> Result<Option<StoredCredentials>, StoreError>;
    /// Replaces the password and ends the account's live sessions but `keep`, in one step.
    async fn set_password(
        &self,
        id: AccountId,
        hash: &str,
        temporary: bool,
        keep: Option<SessionId>,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError>;
    /// Replaces the hash by one of other cost for the same password; touches nothing else. Ignored where `old` is no longer there.
    async fn rehash_password(&self, id: AccountId, old: &str, new: &str) -> Result<(), StoreError>;
    /// Enrols a second factor: sealed secret, the step that proved it (used up), hashes of recovery codes.
    async fn set_second_factor(
        &self,
        id: AccountId,
        totp_sealed: &[u8],
        used_step: u64,
        recovery_code_hashes: &[[u8; 32]],
    ) -> Result<(), StoreError>;
    /// Takes the second factor and the recovery codes away; ends the account's live sessions.
    async fn clear_second_factor(
        &self,
        id: AccountId,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError>;
    /// Uses up a TOTP step: `false` if this step or a later one was used before.
    async fn use_totp_step(&self, id: AccountId, step: u64) -> Result<bool, StoreError>;
    /// Uses up a recovery code: `false` if the account has none of this hash.
    async fn use_recovery_code(&self, id: AccountId, hash: &[u8; 32]) -> Result<bool, StoreError>;
}

/// Where failures are counted from: an IPv4 address as `a.b.c.d`, an IPv6 /64 as `x::/64`; the text is the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source(pub String);

impl Source {
    /// See `ClientAddress::source`.
    pub fn of(address: ClientAddress) -> Self {
        let network = address.source();
        if network.addr().is_ipv4() {
            Self(network.addr().to_string())
        } else {
            Self(network.to_string())
        }
    }
}

/// What became of an attempt that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// Go ahead; the attempt counts as a failure until [`Attempts::forgive`].
    Go {
        /// How many failures there are from this source with this one.
        failures: u32,
        /// The end of the lock it set, where it was the last one.
        locks_until: Option<Timestamp>,
    },
    /// Locked: no hash is to be computed.
    Locked {
        /// When the lock ends by itself; the later one where there are two.
        until: Timestamp,
    },
}

/// A lock that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockout {
    /// The name as it was tried, where an account has it; else `None`.
    pub account: Option<AccountName>,
    /// A stable id for unlocking it by hand (hex of a hash of name and source).
    pub id: String,
    /// The source, or `None` where the name is locked for every source.
    pub source: Option<Source>,
    /// Failures counted.
    pub failures: u32,
    /// When it was set.
    pub since: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
}

/// Failures and locks. `name` is an account's name, or for a name that no account has `unknown:` and 32 hex digits of a keyed
/// hash of it, made by the caller: unknown names count and lock just the same, and are never stored.
#[async_trait]
pub trait Attempts {
    /// Reserves an attempt before anything is verified, so that parallel guesses cannot outrun the count: counts it for
    /// (name, source) and for (name, anywhere), sets the lock when a limit is reached.
    async fn reserve_attempt(
        &self,
        name: &str,
        source: &Source,
        rules: &LockoutRules,
        now: Timestamp,
    ) -> Result<Reserved, StoreError>;
    /// The attempt was right: takes it and all failures of (name, source) back, and the latest of (name, anywhere), with the
    /// locks that these set.
    async fn forgive(&self, name: &str, source: &Source) -> Result<(), StoreError>;
    /// Locks of a name, or all, that hold at `now`.
    async fn lockouts(&self, name: Option<&AccountName>, now: Timestamp) -> Result<Vec<Lockout>, StoreError>;
    /// Ends every lock of a name and forgets its failures. How many locks there were.
    async fn unlock(&self, name: &AccountName) -> Result<u32, StoreError>;
    /// Ends one lock by its id.
    async fn unlock_one(&self, id: &str) -> Result<bool, StoreError>;
    /// Forgets what lies before `before` and holds no lock. Bounded work; returns how many.
    async fn forget_attempts(&self, before: Timestamp, now: Timestamp) -> Result<u32, StoreError>;
}

/// What opening a session came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It is open.
    Open {
        /// These were displaced by it.
        displaced: Vec<SessionId>,
    },
    /// The account has all the sessions it may have, and the rule says `refuse`.
    Full {
        /// When the oldest of them was opened.
        opened_at: Timestamp,
        /// From where.
        address: IpAddr,
    },
    /// The account or its credentials changed since they were checked: begin again.
    Stale,
}

/// Sessions.
#[async_trait]
pub trait Sessions {
    /// Opens a session, in one step with: the account still exists, is not disabled, has this `credentials_version` and
    /// this `role`; the limit for (account, channel) counted over sessions that are live at `session.opened_at` (not ended,
    /// `opened_at < expires_at` and `opened_at < last_used_at + idle_after`); displacing the oldest where it is full and `when_full` says so; `last_sign_in_at` and
    /// `last_used_at` set. `per_account` 0 is any number.
    async fn open_session(
        &self,
        session: &SessionRecord,
        credentials_version: u64,
        role: &str,
        per_account: u32,
        when_full: WhenFull,
    ) -> Result<Opened, StoreError>;
    /// Ends a session; `false` if it had ended before.
    async fn end_session(&self, id: SessionId, reason: &EndReason, now: Timestamp) -> Result<bool, StoreError>;
    /// Ends all live sessions of an account but `keep`.
    async fn end_sessions_of(
        &self,
        account: AccountId,
        keep: Option<SessionId>,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError>;
    /// Every session that has not expired, ended ones included: what memory is filled with at start.
    async fn sessions(&self, now: Timestamp) -> Result<Vec<SessionRecord>, StoreError>;
    /// Notes when sessions were last used, and so their accounts. Never moves a time backwards.
    async fn touch(&self, used: &[(SessionId, AccountId, Timestamp)]) -> Result<(), StoreError>;
    /// Forgets sessions that expired before `before`. Bounded work; returns how many.
    async fn forget_sessions(&self, before: Timestamp) -> Result<u32, StoreError>;
}

/// A bearer token of the admin API, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// A short name, unique.
    pub name: String,
    /// `accounts:read`, `accounts:write`, `sessions:…`, `policy:…`, `audit:read`, `lockouts:…`, `tokens:…`, `*`.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// Bearer tokens.
#[async_trait]
pub trait Tokens {
    /// Stores a token under its hash.
    async fn add_token(&self, token: &ApiToken, hash: &TokenHash) -> Result<(), StoreError>;
    /// By the hash of what was presented.
    async fn token(&self, hash: &TokenHash) -> Result<Option<ApiToken>, StoreError>;
    /// In the order of names.
    async fn list_tokens(&self) -> Result<Vec<ApiToken>, StoreError>;
    /// Takes a token away; `false` where there is none of that name.
    async fn revoke_token(&self, name: &str) -> Result<bool, StoreError>;
}

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
    /// Notes a policy that was taken over: the same text keeps its number, another text gets the next.
    async fn note_policy(&self, sha256: &[u8; 32], text: &str, by: &str, now: Timestamp) -> Result<u64, StoreError>;
}
