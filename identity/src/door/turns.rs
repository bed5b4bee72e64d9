//! One at a time for each account: what the store answers and what memory notes of it happen in the same order.
//!
//! Without it, of two sign-ins the second could displace the first before the first is in memory, and leave two live.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::AccountId;

/// Accounts that are remembered while nobody waits for them, before the unused are forgotten.
const UNUSED_MAX: usize = 1024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<AccountId, Arc<tokio::sync::Mutex<()>>>>);

/// Somebody's turn; over when it is dropped.
#[derive(Debug)]
pub(super) struct Turn(#[expect(dead_code, reason = "held for its drop")] OwnedMutexGuard<()>);

impl Turns {
    /// Waits for the account's turn. Not to be asked for while one is held.
    pub(super) async fn take(&self, account: AccountId) -> Turn {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if locks.len() > UNUSED_MAX {
                locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            }
            Arc::clone(locks.entry(account).or_default())
        };
        Turn(lock.lock_owned().await)
    }
}
