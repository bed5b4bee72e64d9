//! What administrators do with accounts. Each change is in the store, in memory and in the audit before it is answered.

use std::sync::{Arc, PoisonError};

use stagedoor_policy::Policy;
use stagedoor_policy::rules::MessageKey;
use stagedoor_policy::time::Timestamp;

use super::house::House;
use super::refused::{denied, explained};
use super::structure::structure;
use super::{Actor, ChangeFault};
use crate::account::{AccountChange, NewAccount, check_change, check_new};
use crate::chance::uuid_v7;
use crate::credential::password::Owner;
use crate::credential::pool::{Busy, HashFailed, Place};
use crate::event::{Event, Kind};
use crate::port::StoreError;
use crate::session::EndReason;
use crate::{Account, AccountId};

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
        let authority = self.authority(by).await?;
        let place = self.hashes.place()?;
        let policy = self.policy();
        let role = self.judged(&place, &new, &policy).await?;
        authority.may_give(&policy, &role, &new.grants)?;
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
        let structure = structure(&policy, &authority);
        let created = self.store.create_account(&account, &hash, None, &structure).await;
        created.map_err(|fault| explained(&policy, fault))?;
        self.note_kept().await?;
        let event = about(Kind::AccountCreated, &account, by, now).detail("role", &account.role);
        self.store.record(&[event]).await?;
        Ok(account)
    }

    /// What `new` is made of, judged and not made.
    pub(super) async fn check_new_account(&self, new: &NewAccount) -> Result<(), ChangeFault> {
        let place = self.hashes.place()?;
        self.judged(&place, new, &self.policy()).await.map(|_role| ())
    }

    /// The role of a new account that keeps the rules; else everything about it that does not.
    async fn judged(&self, place: &Place, new: &NewAccount, policy: &Arc<Policy>) -> Result<String, ChangeFault> {
        let owner = Owner::from(new);
        let unfit = self
            .hashes
            .judge(place, &new.password, owner, Arc::clone(policy))
            .await?;
        let unfit = unfit_password(policy, MessageKey::PasswordUnfit, unfit);
        match check_new(policy, new) {
            Ok(role) if unfit.is_empty() => Ok(role),
            Ok(_) => Err(ChangeFault::Unfit(unfit)),
            Err(faults) => Err(ChangeFault::Unfit(faults.into_iter().chain(unfit).collect())),
        }
    }

    pub(super) async fn change_account(
        &self,
        id: AccountId,
        expected: Option<u64>,
        change: AccountChange,
        by: &Actor,
    ) -> Result<Account, ChangeFault> {
        let _turn = self.turns.take(id).await;
        let authority = self.authority(by).await?;
        let before = self.seen(id, &authority).await?;
        let policy = self.policy();
        // What was judged is what is changed: another version would have to be judged anew.
        if expected.is_some_and(|expected| expected != before.version) {
            return Err(StoreError::VersionMismatch.into());
        }
        self.left_alone(&before)?;
        authority.may_change(&policy, &before, &change)?;
        check_change(&policy, &before, &change)?;
        let now = self.clock.now();
        let reason = ends_sessions(&before, &change);
        let end = reason.as_ref().map(|reason| (reason, now));
        let structure = structure(&policy, &authority);
        let changed = self
            .store
            .change_account(id, Some(before.version), &change, end, &structure)
            .await;
        let (after, ended) = changed.map_err(|fault| explained(&policy, fault))?;
        self.note_kept().await?;
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
        let authority = self.authority(by).await?;
        let account = self.seen(id, &authority).await?;
        let policy = self.policy();
        if !authority.administers(&policy, &account.role) {
            return Err(denied());
        }
        if expected.is_some_and(|expected| expected != account.version) {
            return Err(StoreError::VersionMismatch.into());
        }
        self.left_alone(&account)?;
        let now = self.clock.now();
        let structure = structure(&policy, &authority);
        let removed = self.store.remove_account(id, Some(account.version), &structure).await;
        let ended = removed.map_err(|fault| explained(&policy, fault))?;
        self.note_kept().await?;
        self.end_in_memory(id, None, &EndReason::AccountRemoved, now);
        self.banned.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let event = about(Kind::AccountRemoved, &account, by, now);
        self.store
            .record(&[event.detail("sessions_ended", ended.len().to_string())])
            .await?;
        Ok(())
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
        || differs(change.networks.as_ref(), &before.networks)
        || (change.second_factor_demanded == Some(true) && !before.second_factor_demanded);
    rights.then_some(EndReason::AccountChanged)
}

/// Names only: values may be private, and the account itself can be asked for.
pub(super) fn changed_fields(before: &Account, after: &Account) -> Vec<&'static str> {
    let fields = [
        ("display_name", before.display_name != after.display_name),
        ("email", before.email != after.email),
        ("role", before.role != after.role),
        ("grants", before.grants != after.grants),
        ("networks", before.networks != after.networks),
        ("disabled", before.disabled != after.disabled),
        ("name", before.name != after.name),
        (
            "second_factor_demanded",
            before.second_factor_demanded != after.second_factor_demanded,
        ),
        ("preferences", before.preferences != after.preferences),
    ];
    fields
        .into_iter()
        .filter_map(|(name, changed)| changed.then_some(name))
        .collect()
}

/// The rules a password breaks, after the policy's own sentence where it has one.
pub(super) fn unfit_password(policy: &Policy, key: MessageKey, rules: Vec<String>) -> Vec<(&'static str, String)> {
    let own = policy.own_message(key).filter(|_| !rules.is_empty()).map(str::to_owned);
    own.into_iter()
        .chain(rules)
        .map(|sentence| ("password", sentence))
        .collect()
}
