//! What administrators do for people who cannot get in: passwords, second factors, locks, bans.

use std::sync::{Arc, PoisonError};

use stagedoor_policy::rules::{MessageKey, ReturnsBy};

use super::administration::{about, unfit_password};
use super::house::House;
use super::refused::refused;
use super::{Actor, ChangeFault, RefusedWhy};
use crate::credential::password::Owner;
use crate::event::{Event, Kind};
use crate::port::Lockout;
use crate::session::EndReason;
use crate::{Account, AccountId, Password};

impl House {
    pub(super) async fn reset_password(
        &self,
        id: AccountId,
        temporary: &Password,
        by: &Actor,
    ) -> Result<(), ChangeFault> {
        let account = self.managed(id, &self.authority(by).await?).await?;
        accepted(&account)?;
        let place = self.hashes.place()?;
        let policy = self.policy();
        let owner = Owner::from(&account);
        let unfit = self.hashes.judge(&place, temporary, owner, Arc::clone(&policy)).await?;
        if !unfit.is_empty() {
            let unfit = unfit_password(&policy, MessageKey::NewPasswordUnfit, unfit);
            return Err(ChangeFault::Unfit(unfit));
        }
        let hash = self.hashes.hash(&place, temporary, self.chance.as_ref()).await?;
        drop(place);
        let _turn = self.turns.take(id).await;
        // Anew: hashing took its time.
        accepted(&self.managed(id, &self.authority(by).await?).await?)?;
        let now = self.clock.now();
        let reason = EndReason::CredentialsChanged;
        let ended = self.store.set_password(id, &hash, true, None, &reason, now).await?;
        self.end_in_memory(id, None, &reason, now);
        self.refresh(id).await?;
        let event = about(Kind::PasswordReset, &account, by, now);
        self.store
            .record(&[event.detail("sessions_ended", ended.len().to_string())])
            .await?;
        Ok(())
    }

    pub(super) async fn reset_second_factor(&self, id: AccountId, by: &Actor) -> Result<(), ChangeFault> {
        let _turn = self.turns.take(id).await;
        let account = self.managed(id, &self.authority(by).await?).await?;
        let now = self.clock.now();
        let reason = EndReason::CredentialsChanged;
        let ended = self.store.clear_second_factor(id, &reason, now).await?;
        self.end_in_memory(id, None, &reason, now);
        self.refresh(id).await?;
        let event = about(Kind::SecondFactorReset, &account, by, now);
        self.store
            .record(&[event.detail("sessions_ended", ended.len().to_string())])
            .await?;
        Ok(())
    }

    pub(super) async fn unlock(&self, id: AccountId, by: &Actor) -> Result<u32, ChangeFault> {
        let account = self.managed(id, &self.authority(by).await?).await?;
        let locks = self.store.unlock(&account.name).await?;
        let event = about(Kind::AccountUnlocked, &account, by, self.clock.now());
        self.store.record(&[event.detail("locks", locks.to_string())]).await?;
        Ok(locks)
    }

    pub(super) async fn end_lockout(&self, id: &str, by: &Actor) -> Result<bool, ChangeFault> {
        let now = self.clock.now();
        let locks = self.store.lockouts(None, now).await?;
        let lock = locks.into_iter().find(|lock| lock.id == id);
        if !self.may_end(lock.as_ref(), by).await? {
            return Ok(false);
        }
        if !self.store.unlock_one(id).await? {
            return Ok(false);
        }
        let event = Event::done(Kind::AccountUnlocked, by, now).detail("lock", id);
        let event = match lock.and_then(|lock| lock.account) {
            Some(name) => event.account(name.as_str()),
            None => event,
        };
        self.store.record(&[event]).await?;
        Ok(true)
    }

    pub(super) async fn reinstate(&self, id: AccountId, by: &Actor) -> Result<Account, ChangeFault> {
        let _turn = self.turns.take(id).await;
        self.managed(id, &self.authority(by).await?).await?;
        if self.policy().inactivity("").returns_by == ReturnsBy::Invitation {
            let sentence = "Whom disuse has banned comes back by a new invitation. Send it.";
            return Err(refused(RefusedWhy::NotPossible, sentence));
        }
        let now = self.clock.now();
        let account = self.store.reinstate_account(id, now).await?;
        self.memory.refresh(account.clone());
        self.banned.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let event = about(Kind::AccountReinstated, &account, by, now);
        self.store.record(&[event]).await?;
        Ok(account)
    }

    /// Whether somebody may end this lock: an account only those of accounts it manages, and never one of an unknown name.
    async fn may_end(&self, lock: Option<&Lockout>, by: &Actor) -> Result<bool, ChangeFault> {
        let authority = self.authority(by).await?;
        if authority.account().is_none() {
            return Ok(true);
        }
        let Some(name) = lock.and_then(|lock| lock.account.as_ref()) else {
            return Ok(false);
        };
        let account = self.store.account_by_name(name).await?;
        let policy = self.policy();
        Ok(account.is_some_and(|account| !authority.is(account.id) && authority.sees(&policy, &account)))
    }
}

/// Refuses for an account that still waits to be accepted: its holder has yet to show that the address is theirs.
fn accepted(account: &Account) -> Result<(), ChangeFault> {
    if account.accepted_at.is_some() {
        return Ok(());
    }
    let sentence = "The account has not been accepted yet. Send its invitation again instead.";
    Err(refused(RefusedWhy::NotAccepted, sentence))
}
