use async_trait::async_trait;
use stagedoor_policy::time::Timestamp;

use super::{MemoryStore, State};
use crate::account::{Account, AccountId, Invitation};
use crate::port::{Asking, FreshLink, Link, LinkPurpose, Links, StoreError};
use crate::secret::TokenHash;
use crate::session::{EndReason, SessionId};

#[async_trait]
impl Links for MemoryStore {
    async fn add_link(&self, fresh: &FreshLink) -> Result<Account, StoreError> {
        super::wait_as_for_a_disk().await;
        let mut state = self.state("add_link")?;
        state.put_link(fresh)?;
        Ok(state.holder(fresh.link.account)?.account.clone())
    }

    async fn link(&self, hash: &TokenHash, purpose: LinkPurpose, now: Timestamp) -> Result<Option<Link>, StoreError> {
        Ok(self.state("link")?.live_link(hash, purpose, now))
    }

    async fn redeem_for_password(
        &self,
        hash: &TokenHash,
        purpose: LinkPurpose,
        password_hash: &str,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<(Account, Vec<SessionId>), StoreError> {
        super::wait_as_for_a_disk().await;
        let mut state = self.state("redeem_for_password")?;
        let id = state.live_link(hash, purpose, now).ok_or(StoreError::LinkDead)?.account;
        let holder = state.holder(id)?;
        password_hash.clone_into(&mut holder.credentials.password_hash);
        let account = &mut holder.account;
        account.password_temporary = false;
        if purpose == LinkPurpose::Invitation {
            account.accepted_at = account.accepted_at.or(Some(now));
            account.invitation = None;
            account.reinstated_at = account.reinstated_at.max(Some(now));
        }
        holder.changed();
        let account = holder.account.clone();
        state.drop_links_and_tokens(id);
        let ended = state.end_all(id, None, reason, now);
        Ok((account, ended))
    }

    async fn redeem_for_email(&self, hash: &TokenHash, now: Timestamp) -> Result<Account, StoreError> {
        let mut state = self.state("redeem_for_email")?;
        let link = state
            .live_link(hash, LinkPurpose::Email, now)
            .ok_or(StoreError::LinkDead)?;
        let account = &mut state.holder(link.account)?.account;
        account.email = link.email;
        account.invitation = None;
        account.version = account.version.saturating_add(1);
        let account = account.clone();
        state.links.retain(|other| other.account != account.id);
        Ok(account)
    }

    async fn revoke_link(&self, account: AccountId, purpose: LinkPurpose) -> Result<bool, StoreError> {
        let mut state = self.state("revoke_link")?;
        let count = state.links.len();
        state
            .links
            .retain(|link| link.account != account || link.purpose != purpose);
        Ok(state.links.len() < count)
    }

    async fn ask(&self, asking: &Asking, fresh: Option<&FreshLink>) -> Result<bool, StoreError> {
        super::wait_as_for_a_disk().await;
        let mut state = self.state("ask")?;
        let reached = asking.counted.iter().any(|(key, at_most)| {
            let counted = state
                .asked
                .iter()
                .filter(|(other, at)| other == key && *at >= asking.since);
            u32::try_from(counted.count()).unwrap_or(u32::MAX) >= *at_most
        });
        if reached {
            return Ok(false);
        }
        if let Some(fresh) = fresh {
            state.put_link(fresh)?;
        }
        let counted = asking.counted.iter().map(|(key, _)| (*key, asking.now));
        state.asked.extend(counted);
        Ok(true)
    }

    async fn forget_links(&self, before: Timestamp) -> Result<u32, StoreError> {
        let mut state = self.state("forget_links")?;
        let count = state.links.len() + state.asked.len();
        state.links.retain(|link| link.expires_at >= before);
        state.asked.retain(|(_, at)| *at >= before);
        Ok(u32::try_from(count - state.links.len() - state.asked.len()).unwrap_or(u32::MAX))
    }
}

impl State {
    pub(super) fn live_link(&self, hash: &TokenHash, purpose: LinkPurpose, now: Timestamp) -> Option<Link> {
        let link = self.links.iter().find(|link| link.hash == *hash)?;
        let holder = self.accounts.get(&link.account)?;
        let live = link.purpose == purpose
            && now < link.expires_at
            && !holder.account.disabled
            && holder.credentials.credentials_version == link.credentials_version;
        live.then(|| link.clone())
    }

    /// All of it or nothing.
    pub(super) fn put_link(&mut self, fresh: &FreshLink) -> Result<(), StoreError> {
        let link = &fresh.link;
        if self.holder(link.account)?.credentials.credentials_version != link.credentials_version {
            return Err(StoreError::LinkDead);
        }
        if let Some(letter) = &fresh.letter {
            self.queue(letter)?;
        }
        self.links
            .retain(|other| other.account != link.account || other.purpose != link.purpose);
        self.links.push(link.clone());
        if link.purpose == LinkPurpose::Invitation {
            let account = &mut self.holder(link.account)?.account;
            let invitation = Invitation {
                sent_at: link.made_at,
                expires_at: link.expires_at,
            };
            if account.invitation != Some(invitation) {
                account.invitation = Some(invitation);
                account.version = account.version.saturating_add(1);
            }
        }
        Ok(())
    }

    pub(super) fn drop_links_and_tokens(&mut self, id: AccountId) {
        self.links.retain(|link| link.account != id);
        self.tokens.retain(|_, (token, _)| token.account != Some(id));
    }

    /// Links to a former address, and all that acts for an account that is switched off.
    pub(super) fn drop_what_led_to(&mut self, before: &Account, after: &mut Account) {
        if after.disabled && !before.disabled {
            self.drop_links_and_tokens(after.id);
            after.invitation = None;
        }
        if after.email != before.email {
            self.links.retain(|link| link.account != after.id);
            after.invitation = None;
        }
    }
}
