//! What administrators do with accounts. Each change is in the store, in memory and in the audit before it is answered.

use std::sync::PoisonError;

use stagedoor_policy::time::Timestamp;

use super::house::House;
use super::{Actor, ChangeFault};
use crate::account::{AccountChange, NewAccount, check_change, check_new};
use crate::chance::uuid_v7;
use crate::credential::password;
use crate::credential::pool::{Busy, HashFailed};
use crate::event::{Event, Kind};
use crate::port::{StoreError, Structure};
use crate::session::EndReason;
use crate::{Account, AccountId, Password};

impl From<Busy> for ChangeFault {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

impl From<HashFailed> for ChangeFault {
    fn from(_: HashFailed) -> Self {
        Self::Store(StoreError::Engine("no memory for password hashing".to_owned()))
    }
}

impl House {
    pub(super) async fn create_account(&self, new: NewAccount, by: &Actor) -> Result<Account, ChangeFault> {
        let place = self.hashes.place()?;
        let policy = self.policy();
        let unfit = password::faults(&new.password, &new.name, policy.password());
        let unfit: Vec<_> = unfit.into_iter().map(|sentence| ("password", sentence)).collect();
        let role = match check_new(&policy, &new) {
            Ok(role) if unfit.is_empty() => role,
            Ok(_) => return Err(ChangeFault::Unfit(unfit)),
            Err(faults) => return Err(ChangeFault::Unfit(faults.into_iter().chain(unfit).collect())),
        };
        let hash = self.hashes.hash(&place, &new.password, self.chance.as_ref()).await?;
        drop(place);
        let now = self.clock.now();
        let id = AccountId(uuid_v7(self.chance.as_ref(), now));
        let account = Account {
            display_name: new.display_name,
            email: new.email,
            grants: new.grants,
            networks: new.networks,
            password_temporary: new.password_temporary,
            ..Account::new(id, new.name, &role, now)
        };
        self.store
            .create_account(&account, &hash, &Structure::default())
            .await?;
        let event = about(Kind::AccountCreated, &account, by, now).detail("role", &account.role);
        self.store.record(&[event]).await?;
        Ok(account)
    }

    pub(super) async fn change_account(
        &self,
        id: AccountId,
        expected: Option<u64>,
        change: AccountChange,
        by: &Actor,
    ) -> Result<Account, ChangeFault> {
        let _turn = self.turns.take(id).await;
        let before = self.account_or_not_found(id).await?;
        check_change(&self.policy(), &before, &change)?;
        let now = self.clock.now();
        let reason = ends_sessions(&before, &change);
        let end = reason.as_ref().map(|reason| (reason, now));
        let (after, ended) = self
            .store
            .change_account(id, expected, &change, end, &Structure::default())
            .await?;
        self.memory.refresh(after.clone());
        if let Some(reason) = &reason {
            self.end_in_memory(id, None, reason, now);
        }
        let fields = changed_fields(&before, &after).join(" ");
        let event = about(Kind::AccountChanged, &after, by, now)
            .detail("fields", fields)
            .detail("sessions_ended", ended.len().to_string());
        self.store.record(&[event]).await?;
        Ok(after)
    }

    pub(super) async fn remove_account(
        &self,
        id: AccountId,
        expected: Option<u64>,
        by: &Actor,
    ) -> Result<(), ChangeFault> {
        let _turn = self.turns.take(id).await;
        let account = self.account_or_not_found(id).await?;
        let now = self.clock.now();
        let ended = self.store.remove_account(id, expected, &Structure::default()).await?;
        self.end_in_memory(id, None, &EndReason::AccountRemoved, now);
        self.banned.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let event = about(Kind::AccountRemoved, &account, by, now);
        self.store
            .record(&[event.detail("sessions_ended", ended.len().to_string())])
            .await?;
        Ok(())
    }

    pub(super) async fn reset_password(
        &self,
        id: AccountId,
        temporary: &Password,
        by: &Actor,
    ) -> Result<(), ChangeFault> {
        let place = self.hashes.place()?;
        let account = self.account_or_not_found(id).await?;
        let unfit = password::faults(temporary, &account.name, self.policy().password());
        if !unfit.is_empty() {
            let unfit = unfit.into_iter().map(|sentence| ("password", sentence)).collect();
            return Err(ChangeFault::Unfit(unfit));
        }
        let hash = self.hashes.hash(&place, temporary, self.chance.as_ref()).await?;
        drop(place);
        let _turn = self.turns.take(id).await;
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
        let account = self.account_or_not_found(id).await?;
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
        let account = self.account_or_not_found(id).await?;
        let locks = self.store.unlock(&account.name).await?;
        let event = about(Kind::AccountUnlocked, &account, by, self.clock.now());
        self.store.record(&[event.detail("locks", locks.to_string())]).await?;
        Ok(locks)
    }

    pub(super) async fn end_lockout(&self, id: &str, by: &Actor) -> Result<bool, ChangeFault> {
        let now = self.clock.now();
        let locks = self.store.lockouts(None, now).await?;
        let lock = locks.into_iter().find(|lock| lock.id == id);
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
        let now = self.clock.now();
        let account = self.store.reinstate_account(id, now).await?;
        self.memory.refresh(account.clone());
        self.banned.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let event = about(Kind::AccountReinstated, &account, by, now);
        self.store.record(&[event]).await?;
        Ok(account)
    }

    pub(super) async fn account_or_not_found(&self, id: AccountId) -> Result<Account, StoreError> {
        self.store.account(id).await?.ok_or(StoreError::NotFound)
    }
}

/// An administrator's event about an account.
pub(super) fn about(kind: Kind, account: &Account, by: &Actor, now: Timestamp) -> Event {
    Event::done(kind, by, now).account(account.name.as_str())
}

/// Whether the change takes effect by ending what is open, and with which word.
fn ends_sessions(before: &Account, change: &AccountChange) -> Option<EndReason> {
    fn differs<T: PartialEq>(new: Option<&T>, old: &T) -> bool {
        new.is_some_and(|new| new != old)
    }
    if change.disabled == Some(true) {
        return Some(EndReason::AccountDisabled);
    }
    let rights = differs(change.role.as_ref(), &before.role)
        || differs(change.grants.as_ref(), &before.grants)
        || differs(change.networks.as_ref(), &before.networks);
    rights.then_some(EndReason::AccountChanged)
}

/// Names only: values may be private, and the account itself can be asked for.
fn changed_fields(before: &Account, after: &Account) -> Vec<&'static str> {
    let fields = [
        ("display_name", before.display_name != after.display_name),
        ("email", before.email != after.email),
        ("role", before.role != after.role),
        ("grants", before.grants != after.grants),
        ("networks", before.networks != after.networks),
        ("disabled", before.disabled != after.disabled),
    ];
    fields
        .into_iter()
        .filter_map(|(name, changed)| changed.then_some(name))
        .collect()
}
