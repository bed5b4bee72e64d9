//! Accounts, and the rules about them that hold at once with each change.

use async_trait::async_trait;
use stagedoor_policy::time::Timestamp;

use super::{StoreError, Structure};
use crate::account::{Account, AccountChange, AccountId, AccountName, AccountQuery};
use crate::session::{EndReason, SessionId};

/// Accounts.
#[async_trait]
pub trait Accounts {
    /// Stores a new account with its password hash, if the structure allows one more like it.
    async fn create_account(
        &self,
        account: &Account,
        password_hash: &str,
        structure: &Structure,
    ) -> Result<(), StoreError>;
    /// By id.
    async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError>;
    /// By name.
    async fn account_by_name(&self, name: &AccountName) -> Result<Option<Account>, StoreError>;
    /// In the order of names.
    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError>;
    /// Changes an account if its version is still `expected` (`None`: whatever it is) and the structure allows it, raises the
    /// version. Where `end` is given, ends its live sessions for that reason in the same step. A new name takes the failures
    /// and locks of the old one along.
    async fn change_account(
        &self,
        id: AccountId,
        expected: Option<u64>,
        change: &AccountChange,
        end: Option<(&EndReason, Timestamp)>,
        structure: &Structure,
    ) -> Result<(Account, Vec<SessionId>), StoreError>;
    /// Removes an account and everything of it but its audit, if the structure allows it; ends its sessions.
    async fn remove_account(
        &self,
        id: AccountId,
        expected: Option<u64>,
        structure: &Structure,
    ) -> Result<Vec<SessionId>, StoreError>;
    /// The accounts of a role that are accepted, not disabled and were used last, `count` at most.
    async fn last_used_of(&self, role: &str, count: u32) -> Result<Vec<AccountId>, StoreError>;
    /// Counts disuse from `now` on.
    async fn reinstate_account(&self, id: AccountId, now: Timestamp) -> Result<Account, StoreError>;
}
