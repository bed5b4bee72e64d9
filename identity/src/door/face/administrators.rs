//! For administrators: accounts, sessions, tokens.

use std::sync::Arc;

use stagedoor_policy::time::Timestamp;

use super::super::house::see_through;
use super::super::{Actor, ChangeFault, Doorkeeper, Invited};
use crate::account::{Account, AccountChange, AccountId, AccountQuery, AccountState, NewAccount, NewInvitation};
use crate::port::{ApiToken, StoreError};
use crate::secret::{Password, Secret};
use crate::session::{EndReason, SessionId, SessionRecord};

impl Doorkeeper {
    /// Makes an account.
    /// # Errors
    /// Every field that is wrong at once; the name being taken; the store.
    pub async fn create_account(&self, new: NewAccount, by: &Actor) -> Result<Account, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.create_account(new, &by).await }).await
    }

    /// Invites somebody: makes an account that waits to be accepted, and its link.
    /// # Errors
    /// As [`Doorkeeper::create_account`].
    pub async fn invite(&self, new: NewInvitation, by: &Actor) -> Result<Invited, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.invite(new, &by).await }).await
    }

    /// Sends an invitation again, with a link in the place of the former one; also to somebody banned for disuse, to come back.
    /// # Errors
    /// `Refused` where the account is in use, disabled or has no address.
    pub async fn resend_invitation(&self, id: AccountId, by: &Actor) -> Result<Invited, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.resend_invitation(id, &by).await }).await
    }

    /// Hands the role that `by` alone holds over to another account, in one step; both accounts' sessions end. Answers the
    /// former holder and the new one.
    /// # Errors
    /// `Refused` where `by` is not the account that holds such a role, or the other cannot take it over.
    pub async fn hand_over(&self, to: AccountId, by: &Actor) -> Result<(Account, Account), ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.hand_over(to, &by).await }).await
    }

    /// Everything that keeps an account from being made like that, whoever asks; nothing is made.
    /// # Errors
    /// `Unfit` with every field that is wrong; `Busy`.
    pub async fn check_new_account(&self, new: &NewAccount) -> Result<(), ChangeFault> {
        self.house.check_new_account(new).await
    }

    /// Changes an account. A changed role, changed grants or networks, or disabling ends its sessions.
    /// # Errors
    /// As [`Doorkeeper::create_account`], and where the version is no longer `expected`.
    pub async fn change_account(
        &self,
        id: AccountId,
        expected: Option<u64>,
        change: AccountChange,
        by: &Actor,
    ) -> Result<Account, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.change_account(id, expected, change, &by).await }).await
    }

    /// Removes an account.
    /// # Errors
    /// Where there is none, or its version is no longer `expected`.
    pub async fn remove_account(&self, id: AccountId, expected: Option<u64>, by: &Actor) -> Result<(), ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.remove_account(id, expected, &by).await }).await
    }

    /// Sets a temporary password; ends the account's sessions.
    /// # Errors
    /// `Unfit` for field `password`, judged as everybody's passwords are.
    pub async fn reset_password(&self, id: AccountId, temporary: Password, by: &Actor) -> Result<(), ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.reset_password(id, &temporary, &by).await }).await
    }

    /// Takes the second factor away; ends the account's sessions.
    /// # Errors
    /// Where there is no such account.
    pub async fn reset_second_factor(&self, id: AccountId, by: &Actor) -> Result<(), ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.reset_second_factor(id, &by).await }).await
    }

    /// Sends a link that lets the account enrol a second factor, the first one or another in place of a lost one: with the
    /// password, at one sign-in. Answers its token where no letter carries it.
    /// # Errors
    /// Where there is no such account, or it is not in use.
    pub async fn send_second_factor_recovery(&self, id: AccountId, by: &Actor) -> Result<Option<Secret>, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.send_second_factor_recovery(id, &by).await }).await
    }

    /// Ends every lock of the account. How many there were.
    /// # Errors
    /// Where there is no such account.
    pub async fn unlock(&self, id: AccountId, by: &Actor) -> Result<u32, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.unlock(id, &by).await }).await
    }

    /// Ends one lock by its id, of an unknown name too; `false` where there is none.
    /// # Errors
    /// Where the store failed.
    pub async fn end_lockout(&self, id: &str, by: &Actor) -> Result<bool, ChangeFault> {
        let (house, id, by) = (Arc::clone(&self.house), id.to_owned(), by.clone());
        see_through(async move { house.end_lockout(&id, &by).await }).await
    }

    /// Lifts an inactivity ban.
    /// # Errors
    /// Where there is no such account.
    pub async fn reinstate(&self, id: AccountId, by: &Actor) -> Result<Account, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.reinstate(id, &by).await }).await
    }

    /// Whether the account is banned for disuse at `now`, by the policy of the moment.
    pub fn is_banned(&self, account: &Account, now: Timestamp) -> bool {
        self.house.memory.is_banned(account, &self.house.policy(), now)
    }

    /// Where the account stands in its life.
    /// # Errors
    /// Where the store failed.
    pub async fn state_of(&self, account: &Account) -> Result<AccountState, StoreError> {
        let now = self.now();
        let locked = !self.house.store.lockouts(Some(&account.name), now).await?.is_empty();
        let (told, policy) = (account.state(now, &self.house.policy(), locked), self.house.policy());
        if told != AccountState::Banned && told != AccountState::Locked && told != AccountState::Active {
            return Ok(told);
        }
        // Uses that memory knows of, and the last of a role, whom disuse passes over.
        Ok(match (self.house.is_banned(account, &policy, now).await?, locked) {
            (true, _) => AccountState::Banned,
            (false, true) => AccountState::Locked,
            (false, false) => AccountState::Active,
        })
    }

    /// Every live session, oldest first.
    pub fn sessions(&self) -> Vec<(SessionRecord, Arc<Account>)> {
        self.house.live_sessions(self.house.memory.sessions())
    }

    /// Ends a session; `false` where it is not live.
    /// # Errors
    /// Where the store failed.
    pub async fn end_session(&self, id: SessionId, reason: EndReason, by: &Actor) -> Result<bool, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.end_session(id, &reason, &by).await }).await
    }

    /// Ends all sessions of an account. How many.
    /// # Errors
    /// Where the store failed.
    pub async fn end_sessions_of(&self, account: AccountId, by: &Actor) -> Result<usize, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.end_sessions_of(account, &by).await }).await
    }

    /// Makes a bearer token for the admin API: `sdt_` and 43 characters, shown once. `created_at` is set to now.
    /// # Errors
    /// `Unfit` for a name, scope or end that is none; the name being taken.
    pub async fn create_token(&self, token: ApiToken, by: &Actor) -> Result<Secret, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.create_token(token, &by).await }).await
    }

    /// Takes a bearer token away; `false` where there is none of that name.
    /// # Errors
    /// Where the store failed.
    pub async fn revoke_token(&self, name: &str, by: &Actor) -> Result<bool, ChangeFault> {
        let (house, name, by) = (Arc::clone(&self.house), name.to_owned(), by.clone());
        see_through(async move { house.revoke_token(&name, &by).await }).await
    }

    /// Who presents this bearer token; found by its hash, so that no comparison tells how near a guess was; `None` where
    /// unknown or expired.
    /// # Errors
    /// Where the store failed.
    pub async fn token(&self, presented: &str) -> Result<Option<ApiToken>, StoreError> {
        self.house.token(presented).await
    }

    /// Who acts with that token: the operator, or the account it is bound to, which is `None` where it acts no more.
    /// # Errors
    /// Where the store failed.
    pub async fn actor_of(&self, token: &ApiToken) -> Result<Option<Actor>, StoreError> {
        self.house.actor_of(token).await
    }

    /// The account, for somebody who may see it.
    /// # Errors
    /// `NotFound` where there is none, or none for whoever asks.
    pub async fn account(&self, id: AccountId, by: &Actor) -> Result<Account, ChangeFault> {
        self.house.seen(id, &self.house.authority(by).await?).await
    }

    /// The accounts that somebody may see, in the order of names.
    /// # Errors
    /// Where whoever asks may do nothing, or the store failed.
    pub async fn accounts(&self, query: AccountQuery, by: &Actor) -> Result<Vec<Account>, ChangeFault> {
        self.house.accounts(query, by).await
    }
}
