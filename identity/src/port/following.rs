//! Hearing what other doors on the same store change.

use async_trait::async_trait;

use super::StoreError;
use crate::AccountId;
use crate::session::SessionId;

/// What a step of some door changed, of what is judged from memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Sessions that were opened or have ended.
    pub sessions: Vec<SessionId>,
    /// Accounts that are otherwise now, or gone.
    pub accounts: Vec<AccountId>,
    /// Whether another policy is the newest.
    pub policy: bool,
}

impl Changes {
    /// Takes what another step changed along, each thing once.
    pub fn add(&mut self, other: Self) {
        for id in other.sessions {
            if !self.sessions.contains(&id) {
                self.sessions.push(id);
            }
        }
        for id in other.accounts {
            if !self.accounts.contains(&id) {
                self.accounts.push(id);
            }
        }
        self.policy |= other.policy;
    }
}

/// Who keeps a memory as the store is. Both may be asked for the same change more than once.
#[async_trait]
pub trait Follower: Send + Sync + std::fmt::Debug {
    /// Takes in what has changed: when it answers `Ok`, memory is as new as that.
    async fn take_in(&self, changes: &Changes) -> Result<(), StoreError>;
    /// Takes in everything, since what has changed cannot be told.
    async fn take_in_everything(&self) -> Result<(), StoreError>;
}
