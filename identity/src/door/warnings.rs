//! A letter to whoever disuse is about to lock out: once for each time they stay away.

use std::sync::PoisonError;

use stagedoor_policy::Policy;
use stagedoor_policy::time::Timestamp;

use super::house::House;
use super::housekeeping::earlier;
use crate::Account;
use crate::event::{Event, Kind, Outcome};
use crate::letter::{Letter, Says};
use crate::port::StoreError;

impl House {
    /// Writes to the account's holder where the policy wants it by now. Without mail, or an address, nobody is written, and
    /// nothing noted: they are once there is both.
    pub(super) async fn warn_of_disuse(
        &self,
        account: &Account,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let since = self.memory.disused_since(account);
        let Some(blocked_at) = self.to_be_warned_of(account, policy, since, now) else {
            self.warned().remove(&account.id);
            return Ok(());
        };
        let Some(to) = account.email.clone() else { return Ok(()) };
        if self.warned().get(&account.id) == Some(&since) {
            return Ok(());
        }
        let letter = Letter {
            account: Some(account.id),
            to,
            display_name: account.display_name.clone(),
            says: Says::InactivityWarning { blocked_at },
        };
        let Some(queued) = self.queued(&letter)? else {
            return Ok(());
        };
        match self.store.warn_once(account.id, since, &queued).await {
            Ok(true) => {
                let event = Event::by_itself(Kind::AccountWarned, Outcome::Done, now)
                    .account(account.name.as_str())
                    .detail("blocked_at", crate::when::exact(blocked_at));
                self.store.record(&[event]).await?;
            }
            Ok(false) => {}
            // The letters that wait go first, and a removed account needs none; neither keeps the house from being kept.
            Err(StoreError::OutboxFull { .. } | StoreError::NotFound) => return Ok(()),
            Err(fault) => return Err(fault),
        }
        self.warned().insert(account.id, since);
        Ok(())
    }

    /// When disuse will ban the account, if its holder is to be told by now.
    fn to_be_warned_of(
        &self,
        account: &Account,
        policy: &Policy,
        since: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let rules = policy.inactivity(&account.role);
        let blocked_at = since.after(rules.block_after?);
        let in_use = account.accepted_at.is_some() && !account.disabled && !self.memory.is_kept(account.id);
        (in_use && now >= earlier(blocked_at, rules.warn_before?) && now < blocked_at).then_some(blocked_at)
    }

    fn warned(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<crate::AccountId, Timestamp>> {
        self.warned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
