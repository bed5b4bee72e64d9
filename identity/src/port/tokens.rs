//! Bearer tokens of the admin API.

use async_trait::async_trait;
use stagedoor_policy::time::Timestamp;

use super::StoreError;
use crate::AccountId;
use crate::secret::TokenHash;

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
    /// The account it acts as; `None`: the operator's. Removed with the account, and when its credentials change or it is
    /// disabled.
    pub account: Option<AccountId>,
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
