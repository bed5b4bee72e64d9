//! Accounts, and the rules about them that hold at once with each change.

use async_trait::async_trait;
use stagedoor_policy::time::Timestamp;

use super::{FreshLink, HandOver, StoreError, Structure};
use crate::account::{Account, AccountChange, AccountId, AccountName, AccountQuery};
use crate::session::{EndReason, SessionId};

/// Accounts.
#[async_trait]
pub trait Accounts {
    /// Stores a new account with its password hash, if the structure allows one more like it; with its invitation, where it is
    /// invited.
    async fn create_account(
        &self,
        account: &Account,
        password_hash: &str,
        invitation: Option<&FreshLink>,
        structure: &Structure,
    ) -> Result<(), StoreError>;
    /// By id.
    async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError>;
    /// Those of these ids that there are, in any order.
    async fn accounts_by_id(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError>;
    /// By name.
    async fn account_by_name(&self, name: &AccountName) -> Result<Option<Account>, StoreError>;
    /// In the order of names.
    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError>;
    /// Changes an account if its version is still `expected` (`None`: whatever it is) and the structure allows it, raises the
    /// version. Where `end` is given, ends its live sessions for that reason in the same step. A new name takes the failures
    /// and locks of the old one along. Another address takes the account's links away, an invitation too: they went to the
    /// former one. Disabling takes away links and the tokens that act as the account.
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
    /// Hands a role that one account holds over to another, in one step: who had it loses it, and no moment has two or none.
    /// Both accounts' sessions end for `reason`. Answers the former and the new holder and the sessions. `VersionMismatch`
    /// where either is no longer as it was.
    async fn hand_over(
        &self,
        handing: &HandOver,
        reason: &EndReason,
        now: Timestamp,
        structure: &Structure,
    ) -> Result<(Account, Account, Vec<SessionId>), StoreError>;
    /// Accounts with that address, whatever its case; two at most, since two are one too many.
    async fn accounts_by_email(&self, email: &str) -> Result<Vec<Account>, StoreError>;
    /// The accounts of a role that are accepted, not disabled and were used last, `count` at most.
    async fn last_used_of(&self, role: &str, count: u32) -> Result<Vec<AccountId>, StoreError>;
    /// Counts disuse from `now` on.
    async fn reinstate_account(&self, id: AccountId, now: Timestamp) -> Result<Account, StoreError>;
}
