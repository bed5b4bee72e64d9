//! Passwords and second factors.

use async_trait::async_trait;
use stagedoor_policy::time::Timestamp;

use super::StoreError;
use crate::AccountId;
use crate::secret::TokenHash;
use crate::session::{EndReason, SessionId};

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
    /// Replaces the password, ends the account's live sessions but `keep`, takes away its links and the tokens that act as it,
    /// in one step.
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
    /// Enrols a second factor: sealed secret, the step that proved it (used up), hashes of recovery codes. Takes away the
    /// account's links. Where a `right` was shown, uses it up: `LinkDead` where it is worth nothing at that time, and then
    /// nothing is enrolled.
    async fn set_second_factor(
        &self,
        id: AccountId,
        totp_sealed: &[u8],
        used_step: u64,
        recovery_code_hashes: &[[u8; 32]],
        right: Option<(&TokenHash, Timestamp)>,
    ) -> Result<(), StoreError>;
    /// Takes the second factor, the recovery codes, the links and the tokens that act as the account away; ends its live
    /// sessions.
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
