use async_trait::async_trait;
use stagedoor_policy::time::Timestamp;

use super::{Holder, MemoryStore, State};
use crate::account::{AccountChange, AccountName, AccountQuery, folded};
use crate::live::disused_since;
use crate::port::{
    Accounts, Credentials, FreshLink, HandOver, LinkPurpose, Move, Place, StoreError, StoredCredentials, Structure,
};
use crate::secret::TokenHash;
use crate::session::{EndReason, SessionId};
use crate::{Account, AccountId};

#[async_trait]
impl Accounts for MemoryStore {
    async fn create_account(
        &self,
        account: &Account,
        password_hash: &str,
        invitation: Option<&FreshLink>,
        structure: &Structure,
    ) -> Result<(), StoreError> {
        let mut state = self.state("create_account")?;
        state.name_is_free(&account.name)?;
        state.judge(structure, &[(account.id, None, Some(account))])?;
        let holder = Holder::of(account.clone(), password_hash);
        state.accounts.insert(account.id, holder);
        if let Some(fresh) = invitation
            && let Err(fault) = state.put_link(fresh)
        {
            state.accounts.remove(&account.id);
            return Err(fault);
        }
        Ok(())
    }

    async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        let state = self.state("account")?;
        Ok(state.accounts.get(&id).map(|holder| holder.account.clone()))
    }

    async fn accounts_by_id(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        let state = self.state("accounts_by_id")?;
        let found = ids.iter().filter_map(|id| state.accounts.get(id));
        Ok(found.map(|holder| holder.account.clone()).collect())
    }

    async fn account_by_name(&self, name: &AccountName) -> Result<Option<Account>, StoreError> {
        let state = self.state("account_by_name")?;
        let found = state.accounts.values().find(|holder| holder.account.name == *name);
        Ok(found.map(|holder| holder.account.clone()))
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError> {
        let state = self.state("list_accounts")?;
        let Some(part) = query.folded() else {
            return Ok(Vec::new());
        };
        let mut found: Vec<Account> = state
            .accounts
            .values()
            .map(|holder| &holder.account)
            .filter(|account| query.after.as_ref().is_none_or(|after| account.name > *after))
            .filter(|account| query.roles.as_ref().is_none_or(|roles| roles.contains(&account.role)))
            .filter(|account| {
                let in_name = !query.display_name_only && account.name.as_str().contains(&part);
                in_name || folded(&account.display_name).contains(&part)
            })
            .cloned()
            .collect();
        found.sort_by(|left, right| left.name.cmp(&right.name));
        found.truncate(usize::try_from(query.limit.clamp(1, 1000)).unwrap_or(1000));
        Ok(found)
    }

    async fn change_account(
        &self,
        id: AccountId,
        expected: Option<u64>,
        change: &AccountChange,
        end: Option<(&EndReason, Timestamp)>,
        structure: &Structure,
    ) -> Result<(Account, Vec<SessionId>), StoreError> {
        let mut state = self.state("change_account")?;
        let before = state.at_version(id, expected)?;
        let mut after = before.clone();
        change.clone().apply(&mut after);
        if after.name != before.name {
            state.name_is_free(&after.name)?;
        }
        state.judge(structure, &[(id, Some(&before), Some(&after))])?;
        state.drop_what_led_to(&before, &mut after);
        after.version = after.version.saturating_add(1);
        state.rename_attempts(&before.name, &after.name);
        state.holder(id)?.account = after.clone();
        let ended = end.map(|(reason, now)| state.end_all(id, None, reason, now));
        Ok((after, ended.unwrap_or_default()))
    }

    async fn remove_account(
        &self,
        id: AccountId,
        expected: Option<u64>,
        structure: &Structure,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut state = self.state("remove_account")?;
        let account = state.at_version(id, expected)?;
        state.judge(structure, &[(id, Some(&account), None)])?;
        state.accounts.remove(&id);
        state.drop_links_and_tokens(id);
        for (device, _) in state.devices.values_mut() {
            device.account = device.account.filter(|account| *account != id);
        }
        state.attempts.retain(|place, _| place.name != account.name.as_str());
        state.forget_letters_of(id);
        let (gone, kept) = std::mem::take(&mut state.sessions)
            .into_iter()
            .partition(|(_, session)| session.account == id);
        state.sessions = kept;
        Ok(gone
            .into_values()
            .filter(|session| session.ended.is_none())
            .map(|session| session.id)
            .collect())
    }

    async fn hand_over(
        &self,
        handing: &HandOver,
        reason: &EndReason,
        now: Timestamp,
        structure: &Structure,
    ) -> Result<(Account, Account, Vec<SessionId>), StoreError> {
        let mut state = self.state("hand_over")?;
        let ((holder, was), (heir, is)) = (handing.holder, handing.heir);
        let before = [state.at_version(holder, Some(was))?, state.at_version(heir, Some(is))?];
        let [mut former, mut new] = before.clone();
        handing.holder_becomes.clone().apply(&mut former);
        handing.heir_becomes.clone().apply(&mut new);
        let steps = [
            (holder, before.first(), Some(&former)),
            (heir, before.last(), Some(&new)),
        ];
        state.judge(structure, &steps)?;
        let mut ended = Vec::new();
        for account in [&mut former, &mut new] {
            account.version = account.version.saturating_add(1);
            state.holder(account.id)?.account = account.clone();
            ended.extend(state.end_all(account.id, None, reason, now));
        }
        Ok((former, new, ended))
    }

    async fn accounts_by_email(&self, email: &str) -> Result<Vec<Account>, StoreError> {
        let state = self.state("accounts_by_email")?;
        let accounts = state.accounts.values().map(|holder| &holder.account);
        let same = |account: &&Account| {
            account
                .email
                .as_ref()
                .is_some_and(|own| own.eq_ignore_ascii_case(email))
        };
        Ok(accounts.filter(same).take(2).cloned().collect())
    }

    async fn last_used_of(&self, role: &str, count: u32) -> Result<Vec<AccountId>, StoreError> {
        let state = self.state("last_used_of")?;
        let accounts = state.accounts.values().map(|holder| &holder.account);
        let mut found: Vec<_> = accounts
            .filter(|account| account.role == role && Place::of(account).in_use)
            .map(|account| (disused_since(account), account.id))
            .collect();
        found.sort_unstable_by(|left, right| right.cmp(left));
        found.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }

    async fn reinstate_account(&self, id: AccountId, now: Timestamp) -> Result<Account, StoreError> {
        let mut state = self.state("reinstate_account")?;
        let account = &mut state.holder(id)?.account;
        account.reinstated_at = account.reinstated_at.max(Some(now));
        account.version = account.version.saturating_add(1);
        Ok(account.clone())
    }
}

#[async_trait]
impl Credentials for MemoryStore {
    async fn credentials(&self, id: AccountId) -> Result<Option<StoredCredentials>, StoreError> {
        let state = self.state("credentials")?;
        Ok(state.accounts.get(&id).map(|holder| holder.credentials.clone()))
    }

    async fn set_password(
        &self,
        id: AccountId,
        hash: &str,
        temporary: bool,
        keep: Option<SessionId>,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut state = self.state("set_password")?;
        let holder = state.holder(id)?;
        hash.clone_into(&mut holder.credentials.password_hash);
        holder.account.password_temporary = temporary;
        holder.changed();
        state.drop_links_and_tokens(id);
        Ok(state.end_all(id, keep, reason, now))
    }

    async fn rehash_password(&self, id: AccountId, old: &str, new: &str) -> Result<(), StoreError> {
        let mut state = self.state("rehash_password")?;
        if let Some(holder) = state.accounts.get_mut(&id)
            && holder.credentials.password_hash == old
        {
            new.clone_into(&mut holder.credentials.password_hash);
        }
        Ok(())
    }

    async fn set_second_factor(
        &self,
        id: AccountId,
        totp_sealed: &[u8],
        used_step: u64,
        recovery_code_hashes: &[[u8; 32]],
        right: Option<(&TokenHash, Timestamp)>,
    ) -> Result<(), StoreError> {
        let mut state = self.state("set_second_factor")?;
        if let Some((hash, now)) = right {
            let link = state.live_link(hash, LinkPurpose::SecondFactor, now);
            link.filter(|link| link.account == id).ok_or(StoreError::LinkDead)?;
        }
        state.links.retain(|link| link.account != id);
        let holder = state.holder(id)?;
        holder.credentials.totp_sealed = Some(totp_sealed.to_vec());
        holder.credentials.totp_last_step = Some(used_step);
        holder.recovery_codes = recovery_code_hashes.iter().copied().collect();
        holder.account.second_factor = true;
        holder.count_codes();
        holder.changed();
        Ok(())
    }

    async fn clear_second_factor(
        &self,
        id: AccountId,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut state = self.state("clear_second_factor")?;
        let holder = state.holder(id)?;
        holder.credentials.totp_sealed = None;
        holder.credentials.totp_last_step = None;
        holder.recovery_codes.clear();
        holder.account.second_factor = false;
        holder.count_codes();
        holder.changed();
        state.drop_links_and_tokens(id);
        Ok(state.end_all(id, None, reason, now))
    }

    async fn use_totp_step(&self, id: AccountId, step: u64) -> Result<bool, StoreError> {
        let mut state = self.state("use_totp_step")?;
        let Some(holder) = state.accounts.get_mut(&id) else {
            return Ok(false);
        };
        let credentials = &mut holder.credentials;
        let enrolled = credentials.totp_sealed.is_some();
        let fresh = enrolled && credentials.totp_last_step.is_none_or(|last| step > last);
        if fresh {
            credentials.totp_last_step = Some(step);
        }
        Ok(fresh)
    }

    async fn use_recovery_code(&self, id: AccountId, hash: &[u8; 32]) -> Result<bool, StoreError> {
        let mut state = self.state("use_recovery_code")?;
        let Some(holder) = state.accounts.get_mut(&id) else {
            return Ok(false);
        };
        let held = holder.recovery_codes.remove(hash);
        holder.count_codes();
        Ok(held)
    }
}

impl Holder {
    pub(super) fn changed(&mut self) {
        self.credentials.credentials_version = self.credentials.credentials_version.saturating_add(1);
        self.account.version = self.account.version.saturating_add(1);
    }

    fn count_codes(&mut self) {
        self.account.recovery_codes_left = u32::try_from(self.recovery_codes.len()).unwrap_or(u32::MAX);
    }
}

impl State {
    /// The account, if it is there and nobody has changed it since `expected`.
    fn at_version(&mut self, id: AccountId, expected: Option<u64>) -> Result<Account, StoreError> {
        let account = self.holder(id)?.account.clone();
        match expected {
            Some(expected) if expected != account.version => Err(StoreError::VersionMismatch),
            _ => Ok(account),
        }
    }

    fn name_is_free(&self, name: &AccountName) -> Result<(), StoreError> {
        let taken = self.accounts.values().any(|holder| holder.account.name == *name);
        if taken { Err(StoreError::NameTaken) } else { Ok(()) }
    }

    /// Holds a step to the rules: each account it touches, before and after.
    fn judge(
        &self,
        structure: &Structure,
        steps: &[(AccountId, Option<&Account>, Option<&Account>)],
    ) -> Result<(), StoreError> {
        if let Some(acting) = &structure.acting {
            let same = |holder: &Holder| holder.account.version == acting.version && Place::of(&holder.account).in_use;
            if !self.accounts.get(&acting.id).is_some_and(same) {
                return Err(StoreError::ActorChanged);
            }
        }
        let moves: Vec<Move<'_>> = steps
            .iter()
            .map(|(_, before, after)| Move {
                before: before.map(Place::of),
                after: after.map(Place::of),
            })
            .collect();
        structure.judge(&moves, |asked| {
            let others = self.accounts.values().map(|holder| &holder.account);
            let meant = others.filter(|account| {
                steps.iter().all(|(id, ..)| *id != account.id)
                    && asked.roles.contains(&account.role)
                    && (!asked.in_use || Place::of(account).in_use)
            });
            Ok(u32::try_from(meant.count()).unwrap_or(u32::MAX))
        })
    }

    /// Ends an account's sessions that had not ended before, but `keep`.
    pub(super) fn end_all(
        &mut self,
        account: AccountId,
        keep: Option<SessionId>,
        reason: &EndReason,
        now: Timestamp,
    ) -> Vec<SessionId> {
        let mut ended = Vec::new();
        for session in self.sessions.values_mut() {
            let concerned = session.account == account && Some(session.id) != keep;
            if concerned && super::sessions::end(session, reason, now) {
                ended.push(session.id);
            }
        }
        ended
    }
}
