//! Where an account stands in its life.

use stagedoor_policy::Policy;
use stagedoor_policy::time::Timestamp;

use super::Account;
use crate::live::{disused_since, is_banned_since};

/// What an account is at a moment. Where several hold, the first of this order is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    /// Switched off by an administrator.
    Disabled,
    /// Waits to be accepted.
    Invited,
    /// The invitation ran out before it was accepted.
    Expired,
    /// Banned for disuse.
    Banned,
    /// Too many failures locked its name, from some source or from all.
    Locked,
    /// None of these.
    Active,
}

impl AccountState {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Invited => "invited",
            Self::Expired => "expired",
            Self::Banned => "banned",
            Self::Locked => "locked",
            Self::Active => "active",
        }
    }
}

impl Account {
    /// What it is at `now`. `locked` comes from the store's locks. Of the last accounts of a protected role, which disuse
    /// does not ban, only the doorkeeper knows: see [`crate::Doorkeeper::state_of`].
    pub fn state(&self, now: Timestamp, policy: &Policy, locked: bool) -> AccountState {
        match (self.accepted_at, self.invitation) {
            _ if self.disabled => AccountState::Disabled,
            (None, Some(invitation)) if now < invitation.expires_at => AccountState::Invited,
            (None, _) => AccountState::Expired,
            _ if is_banned_since(policy, &self.role, disused_since(self), now) => AccountState::Banned,
            _ if locked => AccountState::Locked,
            _ => AccountState::Active,
        }
    }
}
