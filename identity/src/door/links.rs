//! Making one-time links: 32 random bytes, of which the store keeps a hash, sent in a letter or shown once to who asked.

use std::time::Duration;

use stagedoor_policy::time::Timestamp;

use super::ChangeFault;
use super::house::House;
use crate::event::Event;
use crate::letter::{self, Letter, Says};
use crate::port::{FreshLink, Link, LinkPurpose, StoreError};
use crate::{Account, Secret, SessionToken};

/// How long a letter about the second factor, or one that confirms an address, can be used.
pub(super) const LETTER_LINK_LASTS: Duration = Duration::from_secs(24 * 3600);

/// A link that is about to be stored.
pub(super) struct Made {
    /// For the store's step.
    pub(super) fresh: FreshLink,
    /// Its secret.
    secret: Secret,
}

impl Made {
    /// What whoever asked is shown: the secret where no letter carries it.
    pub(super) fn shown(self) -> Option<Secret> {
        self.fresh.letter.is_none().then_some(self.secret)
    }

    /// Whether it goes by letter, for the audit.
    pub(super) fn noted(&self, event: Event) -> Event {
        event.detail("by_letter", if self.fresh.letter.is_some() { "yes" } else { "no" })
    }
}

/// What a link is to be.
pub(super) struct Wanted<'a> {
    pub(super) account: &'a Account,
    pub(super) purpose: LinkPurpose,
    /// Of the account's credentials.
    pub(super) credentials_version: u64,
    pub(super) lasts: Duration,
    /// Where the letter goes; `None`: no letter.
    pub(super) to: Option<&'a str>,
    /// The address to be confirmed.
    pub(super) email: Option<&'a str>,
}

impl House {
    /// Makes a link, and the letter that carries it where letters are sent and there is somewhere to send it.
    pub(super) fn make_link(
        &self,
        wanted: &Wanted<'_>,
        says: impl FnOnce(letter::Link, Timestamp) -> Says,
    ) -> Result<Made, StoreError> {
        let now = self.clock.now();
        let token = SessionToken::generate(self.chance.as_ref());
        let link = Link {
            hash: token.hash(),
            account: wanted.account.id,
            purpose: wanted.purpose,
            email: wanted.email.map(str::to_owned),
            credentials_version: wanted.credentials_version,
            made_at: now,
            expires_at: now.after(wanted.lasts),
        };
        let letter = match (self.letterhead(), wanted.to) {
            (Some(head), Some(to)) => self.queued(&Letter {
                account: Some(wanted.account.id),
                to: to.to_owned(),
                display_name: wanted.account.display_name.clone(),
                says: says(
                    head.link(
                        &format!("{}{}", self.links_under, wanted.purpose.page()),
                        token.expose(),
                    ),
                    link.expires_at,
                ),
            })?,
            _ => None,
        };
        Ok(Made {
            fresh: FreshLink { link, letter },
            secret: Secret::new(token.expose()),
        })
    }

    /// The link behind a token, while it is worth anything.
    pub(super) async fn live_link(&self, token: &Secret, purpose: LinkPurpose) -> Result<Option<Link>, StoreError> {
        match SessionToken::parse(token.expose()) {
            Some(token) => self.store.link(&token.hash(), purpose, self.clock.now()).await,
            None => Ok(None),
        }
    }

    pub(super) async fn credentials_version(&self, account: &Account) -> Result<u64, ChangeFault> {
        let stored = self.store.credentials(account.id).await?;
        Ok(stored.ok_or(StoreError::NotFound)?.credentials_version)
    }
}

impl LinkPurpose {
    /// The page of the door that takes its token, as it stands behind the door's own prefix.
    pub const fn page(self) -> &'static str {
        match self {
            Self::Invitation => "invitation?token=",
            Self::PasswordReset => "reset?token=",
            Self::SecondFactor => "recovery?token=",
            Self::Email => "email?token=",
        }
    }
}
