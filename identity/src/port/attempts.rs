//! Failures and locks.

use std::net::IpAddr;

use async_trait::async_trait;
use stagedoor_policy::request::ClientAddress;
use stagedoor_policy::rules::LockoutRules;
use stagedoor_policy::time::Timestamp;

use super::StoreError;
use crate::account::AccountName;

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

    /// See [`Source::of`].
    pub fn of_ip(address: IpAddr) -> Self {
        Self::of(ClientAddress::of_peer(address))
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
