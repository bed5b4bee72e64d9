//! Sessions.

use std::net::IpAddr;

use async_trait::async_trait;
use stagedoor_policy::rules::WhenFull;
use stagedoor_policy::time::Timestamp;

use super::StoreError;
use crate::AccountId;
use crate::session::{EndReason, SessionId, SessionRecord};

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
    /// `opened_at < expires_at` and `opened_at < last_used_at + idle_after`); the device it came from, where it names one, still being linked to the account;
    /// displacing the oldest where it is full and `when_full` says so; `last_sign_in_at` and
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
    /// Those of them that are kept, in any order.
    async fn sessions_by_id(&self, ids: &[SessionId]) -> Result<Vec<SessionRecord>, StoreError>;
    /// Notes when sessions were last used, and so their accounts. Never moves a time backwards.
    async fn touch(&self, used: &[(SessionId, AccountId, Timestamp)]) -> Result<(), StoreError>;
    /// Forgets sessions that expired before `before`. Bounded work; returns how many.
    async fn forget_sessions(&self, before: Timestamp) -> Result<u32, StoreError>;
}
