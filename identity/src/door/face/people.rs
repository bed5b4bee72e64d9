//! What people do about themselves: invitations accepted, passwords forgotten, names and addresses changed.

use std::sync::Arc;

use super::super::house::see_through;
use super::super::{Accepted, ChangeFault, Doorkeeper, OwnChange, OwnFault};
use crate::LiveSession;
use crate::account::{Account, AccountName};
use crate::picture::Picture;
use crate::port::{LinkPurpose, StoreError};
use crate::secret::{Password, Secret};
use crate::sign_in::{Origin, SignInRefusal};

impl Doorkeeper {
    /// Accepts an invitation by setting a password, and goes on to sign in by that channel.
    /// # Errors
    /// `LinkDead`; `PasswordUnfit`; as [`Doorkeeper::sign_in`]. Nothing has been accepted then.
    pub async fn accept(
        &self,
        token: &Secret,
        password: &Password,
        channel: &str,
        from: Origin,
    ) -> Result<Accepted, SignInRefusal> {
        let (house, token, password) = (Arc::clone(&self.house), token.clone(), password.clone());
        let channel = channel.to_owned();
        see_through(async move { house.accept(&token, &password, channel, from).await }).await
    }

    /// Sends a link for a new password to the account of that address, if there is one. The answer and the work are the same
    /// whether there is one or not; so are the limits, per address and per source, which nobody is told of.
    /// # Errors
    /// Where the store failed.
    pub async fn ask_password_reset(&self, email: &str, from: &Origin) -> Result<(), StoreError> {
        let (house, email, from) = (Arc::clone(&self.house), email.to_owned(), from.clone());
        see_through(async move { house.ask_password_reset(&email, &from).await }).await
    }

    /// Sets a new password by a link, once; every session of the account ends. Answers the name to sign in with.
    /// # Errors
    /// `LinkDead`; `PasswordUnfit`; `Busy`; `Unavailable`.
    pub async fn reset_password_by_link(
        &self,
        token: &Secret,
        password: &Password,
        from: &Origin,
    ) -> Result<AccountName, SignInRefusal> {
        let (house, token, password, from) = (Arc::clone(&self.house), token.clone(), password.clone(), from.clone());
        let reset = async move { house.reset_password_by_link(&token, &password, &from).await };
        see_through(reset).await.map(|account| account.name)
    }

    /// Whether a link is still worth something, and whose name it is for: for the page it leads to.
    /// # Errors
    /// Where the store failed.
    pub async fn name_behind(&self, token: &Secret, purpose: LinkPurpose) -> Result<Option<AccountName>, StoreError> {
        let Some(link) = self.house.live_link(token, purpose).await? else {
            return Ok(None);
        };
        Ok(self
            .house
            .store
            .account(link.account)
            .await?
            .map(|account| account.name))
    }

    /// Changes what one is shown as, and one's choices.
    /// # Errors
    /// As [`Doorkeeper::change_account`]; `Refused` where the session is over.
    pub async fn change_own_profile(
        &self,
        session: &LiveSession,
        expected: Option<u64>,
        change: OwnChange,
        from: &Origin,
    ) -> Result<Account, ChangeFault> {
        let (house, session, from) = (Arc::clone(&self.house), session.record(), from.clone());
        see_through(async move { house.change_own_profile(&session, expected, change, &from).await }).await
    }

    /// Sets what one is shown by in the place of the former picture; `None` takes it away.
    /// # Errors
    /// `Refused` where the session is over; the store.
    pub async fn set_own_picture(
        &self,
        session: &LiveSession,
        picture: Option<Picture>,
        from: &Origin,
    ) -> Result<(), ChangeFault> {
        let (house, session, from) = (Arc::clone(&self.house), session.record(), from.clone());
        see_through(async move { house.set_own_picture(&session, picture.as_ref(), &from).await }).await
    }

    /// Changes the name one signs in with, proved by the current password. Sessions go on.
    /// # Errors
    /// `Unproved` where the password is wrong, which counts towards the account's lock; else as
    /// [`Doorkeeper::change_account`].
    pub async fn change_own_name(
        &self,
        session: &LiveSession,
        current: &Password,
        name: AccountName,
        from: &Origin,
    ) -> Result<Account, OwnFault> {
        let (house, session, from) = (Arc::clone(&self.house), session.record(), from.clone());
        let current = current.clone();
        see_through(async move { house.change_own_name(&session, &current, name, &from).await }).await
    }

    /// Asks for another address to be one's own, proved by the current password: a link goes to it, and it is once that was
    /// followed.
    /// # Errors
    /// `Unproved` as with [`Doorkeeper::change_own_name`]; `Unfit` for what is no address; `Refused` where no letters are sent,
    /// where they were asked for too often, or where the session is over.
    pub async fn ask_email_change(
        &self,
        session: &LiveSession,
        current: &Password,
        email: &str,
        from: &Origin,
    ) -> Result<(), OwnFault> {
        let (house, session, from) = (Arc::clone(&self.house), session.record(), from.clone());
        let (current, email) = (current.clone(), email.to_owned());
        see_through(async move { house.ask_email_change(&session, &current, &email, &from).await }).await
    }

    /// Confirms an address by the link that was sent to it; the former address is told.
    /// # Errors
    /// `LinkDead`; where the store failed.
    pub async fn confirm_email(&self, token: &Secret, from: &Origin) -> Result<Account, StoreError> {
        let (house, token, from) = (Arc::clone(&self.house), token.clone(), from.clone());
        see_through(async move { house.confirm_email(&token, &from).await }).await
    }
}
