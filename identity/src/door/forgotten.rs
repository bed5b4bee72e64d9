//! What was forgotten or lost: a password set anew by a link sent to the account's address, a second factor enrolled anew by a
//! link that somebody sends who manages the account.

use std::time::Duration;

use aws_lc_rs::hmac;

use super::administration::about;
use super::house::House;
use super::invitations::no_address;
use super::links::{LETTER_LINK_LASTS, Wanted};
use super::refused::refused;
use super::{Actor, ChangeFault, RefusedWhy};
use crate::event::{Event, Kind, Outcome};
use crate::letter::{self, Says, is_address};
use crate::port::{Asking, LinkPurpose, Source, StoreError};
use crate::sign_in::{Origin, SignInRefusal};
use crate::{Account, AccountId, Password, Secret};

/// Resets asked for by one address of a letter, and by one source, that are counted.
pub(super) const ASKED_WITHIN: Duration = Duration::from_secs(3600);
/// Letters that one address gets within that time, whoever asks.
pub(super) const ASKED_PER_ADDRESS_MAX: u32 = 3;
/// Addresses that one source may ask for within that time.
const ASKED_PER_SOURCE_MAX: u32 = 20;

impl House {
    /// Sends a link to the account of that address, if there is one and letters are sent. Whoever asks is told the same either
    /// way, and as much is done and written: the link of nobody is made and thrown away.
    pub(super) async fn ask_password_reset(&self, email: &str, from: &Origin) -> Result<(), StoreError> {
        let now = self.clock.now();
        let email = email.trim();
        let found = if is_address(email) {
            self.store.accounts_by_email(email).await?
        } else {
            Vec::new()
        };
        let (account, mut outcome) = match found.as_slice() {
            [account] if account.disabled => (None, "account_disabled"),
            [account] if account.accepted_at.is_none() => (None, "account_invited"),
            [account] if self.letterhead().is_some() => (Some(account), "link_sent"),
            [_] => (None, "no_letters"),
            [] => (None, "no_such_address"),
            _ => (None, "address_of_several_accounts"),
        };
        let made = self.reset_link(account, email, from).await?;
        let asking = Asking {
            counted: vec![
                (self.keyed("reset for", &email.to_lowercase()), ASKED_PER_ADDRESS_MAX),
                (
                    self.keyed("reset from", &Source::of(from.address).0),
                    ASKED_PER_SOURCE_MAX,
                ),
            ],
            since: super::housekeeping::earlier(now, ASKED_WITHIN),
            now,
        };
        let fresh = account.and(made.as_ref()).map(|made| &made.fresh);
        match self.store.ask(&asking, fresh).await {
            Ok(true) => {}
            Ok(false) => outcome = "too_many",
            // Told to nobody who asks: it would tell that the address is known.
            Err(StoreError::OutboxFull { .. }) => outcome = "outbox_full",
            Err(StoreError::LinkDead | StoreError::NotFound) => outcome = "account_changed",
            Err(fault) => return Err(fault),
        }
        let event = Event::new(Kind::PasswordResetAsked, Outcome::Done, now)
            .address(from.address.ip())
            .reason(outcome);
        let event = match account {
            Some(account) => event.account(account.name.as_str()),
            None => event,
        };
        self.store.record(&[event]).await
    }

    /// Sets a new password by a link. The second factor is asked for at the sign-in all the same.
    pub(super) async fn reset_password_by_link(
        &self,
        token: &Secret,
        password: &Password,
        from: &Origin,
    ) -> Result<Account, SignInRefusal> {
        let purpose = LinkPurpose::PasswordReset;
        let account = self.set_by_link(token, purpose, password, from).await?;
        self.tell_of_change(&account, Says::PasswordChanged, from.address.ip())
            .await;
        Ok(account)
    }

    pub(super) async fn send_second_factor_recovery(
        &self,
        id: AccountId,
        by: &Actor,
    ) -> Result<Option<Secret>, ChangeFault> {
        let _turn = self.turns.take(id).await;
        let account = self.managed(id, &self.authority(by).await?).await?;
        if account.accepted_at.is_none() {
            let sentence = "The account has not been accepted yet: its invitation is the right to enrol.";
            return Err(refused(RefusedWhy::NotAccepted, sentence));
        }
        if account.disabled {
            return Err(refused(
                RefusedWhy::NotPossible,
                "The account is disabled. Enable it first.",
            ));
        }
        if self.letterhead().is_some() && account.email.is_none() {
            return Err(no_address());
        }
        let wanted = Wanted {
            account: &account,
            purpose: LinkPurpose::SecondFactor,
            credentials_version: self.credentials_version(&account).await?,
            lasts: LETTER_LINK_LASTS,
            to: account.email.as_deref(),
            email: None,
        };
        let made = self.make_link(&wanted, |link, valid_until| Says::SecondFactorRecovery {
            link,
            valid_until,
        })?;
        self.store.add_link(&made.fresh).await?;
        let event = about(Kind::SecondFactorLinkSent, &account, by, self.clock.now());
        self.store.record(&[made.noted(event)]).await?;
        Ok(made.shown())
    }

    /// Tells the account's address of a change, where letters are sent: the change stands, whether the letter can be queued or
    /// not.
    pub(super) async fn tell_of_change(
        &self,
        account: &Account,
        says: impl FnOnce(letter::Change) -> Says,
        from: std::net::IpAddr,
    ) {
        let Some(to) = account.email.clone() else { return };
        let letter = letter::Letter {
            account: Some(account.id),
            to,
            display_name: account.display_name.clone(),
            says: says(letter::Change {
                at: self.clock.now(),
                from: Some(from),
            }),
        };
        if let Err(fault) = self.queue_letter(&letter).await {
            tracing::warn!(%fault, "a letter that tells of a change could not be queued");
        }
    }

    /// The link, made for nobody where nobody has the address.
    async fn reset_link(
        &self,
        account: Option<&Account>,
        email: &str,
        from: &Origin,
    ) -> Result<Option<super::links::Made>, StoreError> {
        let nobody;
        let of = match account {
            Some(account) => account,
            None => {
                nobody = self.nobody()?;
                &nobody
            }
        };
        let stored = self.store.credentials(of.id).await?;
        let wanted = Wanted {
            account: of,
            purpose: LinkPurpose::PasswordReset,
            credentials_version: stored.map_or(0, |stored| stored.credentials_version),
            lasts: self.policy().reset().valid_for,
            to: of.email.as_deref().or(Some(email)).filter(|to| is_address(to)),
            email: None,
        };
        let asked_from = Some(from.address.ip());
        self.make_link(&wanted, |link, valid_until| Says::PasswordReset {
            link,
            valid_until,
            asked_from,
        })
        .map(Some)
    }

    /// An account that there is not.
    fn nobody(&self) -> Result<Account, StoreError> {
        let name = crate::account::AccountName::parse("nobody");
        let name = name.map_err(|why| StoreError::Engine(why.to_owned()))?;
        Ok(Account::new(AccountId(uuid::Uuid::nil()), name, "", self.clock.now()))
    }

    pub(super) fn keyed(&self, what: &str, value: &str) -> [u8; 32] {
        let tag = hmac::sign(&self.name_key, format!("{what}\0{value}").as_bytes());
        let mut key = [0_u8; 32];
        for (byte, from) in key.iter_mut().zip(tag.as_ref()) {
            *byte = *from;
        }
        key
    }
}
