//! One-time links.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stagedoor_policy::time::Timestamp;

use super::StoreError;
use crate::account::{Account, AccountId};
use crate::letter::QueuedLetter;
use crate::secret::TokenHash;
use crate::session::{EndReason, SessionId};

/// What a link is for. A link for one thing is worthless for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkPurpose {
    /// Accepting an invitation, or one to come back.
    Invitation,
    /// Setting a new password in place of a forgotten one.
    PasswordReset,
    /// Enrolling a second factor, the first one or another one in place of a lost one.
    SecondFactor,
    /// Confirming a new address.
    Email,
}

impl LinkPurpose {
    /// Every purpose.
    pub const ALL: [Self; 4] = [Self::Invitation, Self::PasswordReset, Self::SecondFactor, Self::Email];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::PasswordReset => "password_reset",
            Self::SecondFactor => "second_factor",
            Self::Email => "email",
        }
    }

    /// The purpose of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}

/// A link, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What its secret hashes to.
    pub hash: TokenHash,
    /// Whose it is; removed with the account.
    pub account: AccountId,
    /// What it is for; an account has one link of each purpose at most.
    pub purpose: LinkPurpose,
    /// The address to be confirmed.
    pub email: Option<String>,
    /// Of the account's credentials when it was made: it is worthless once they are others.
    pub credentials_version: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// Worthless from then on.
    pub expires_at: Timestamp,
}

/// A link that a step makes, and the letter that carries it, where letters are sent: both or neither.
#[derive(Debug, Clone)]
pub struct FreshLink {
    /// The link.
    pub link: Link,
    /// Its letter.
    pub letter: Option<QueuedLetter>,
}

/// What was asked for by somebody unknown, and how often that may be.
#[derive(Debug, Clone)]
pub struct Asking {
    /// What is counted, each with its limit: hashes, of an address and of a source.
    pub counted: Vec<([u8; 32], u32)>,
    /// Counted from then on.
    pub since: Timestamp,
    /// Now.
    pub now: Timestamp,
}

/// One-time links. Each is redeemed once, in one step with what it is for.
#[async_trait]
pub trait Links {
    /// Stores a link in the place of the account's former one of its purpose, and queues its letter. For an invitation, notes
    /// it in the account. `NotFound` where the account is gone, `LinkDead` where its credentials are others already.
    async fn add_link(&self, fresh: &FreshLink) -> Result<Account, StoreError>;
    /// The link, while it is worth anything at `now`: it has not run out, and the account is there, not disabled, and has the
    /// credentials of when the link was made.
    async fn link(&self, hash: &TokenHash, purpose: LinkPurpose, now: Timestamp) -> Result<Option<Link>, StoreError>;
    /// Uses up an invitation or a reset: sets the password, not a temporary one, ends the account's sessions, and takes away all
    /// of its links and the tokens that act as it. By an invitation the account is accepted, and disuse counted from `now`.
    /// `LinkDead` where it is worth nothing.
    async fn redeem_for_password(
        &self,
        hash: &TokenHash,
        purpose: LinkPurpose,
        password_hash: &str,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<(Account, Vec<SessionId>), StoreError>;
    /// Uses up a link that confirms an address: it is the account's from now on, and every other link of the account is
    /// worthless. `LinkDead` where it is worth nothing.
    async fn redeem_for_email(&self, hash: &TokenHash, now: Timestamp) -> Result<Account, StoreError>;
    /// Takes the account's link of that purpose away; `false` where there was none.
    async fn revoke_link(&self, account: AccountId, purpose: LinkPurpose) -> Result<bool, StoreError>;
    /// Counts that something was asked for, and stores the link and its letter, if there is one, all in one step. `false` where
    /// a limit was reached: then nothing else is done. With a link or without, as much is written.
    async fn ask(&self, asking: &Asking, fresh: Option<&FreshLink>) -> Result<bool, StoreError>;
    /// Forgets links that ran out before `before`, and what was counted before then. Bounded work; returns how many.
    async fn forget_links(&self, before: Timestamp) -> Result<u32, StoreError>;
}
