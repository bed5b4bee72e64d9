//! Letters: what the door sends by e-mail, in words.
//!
//! A [`Letter`] is data; [`Letter::render`] makes its words of it (plain text and HTML from one list of paragraphs) and is a
//! pure function. [`Letter::seal`] makes the [`QueuedLetter`] that a store's step puts into its outbox together with the link
//! that is in it; from there the gateway's sender takes it. A letter never names a reason to hurry, holds one link at most,
//! and loads nothing from anywhere.

mod queued;
mod render;
mod words;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stagedoor_policy::time::Timestamp;

use crate::AccountId;
use crate::secret::Secret;

pub use queued::{
    DueLetter, Failure, LONGEST_WAIT, LetterId, OpenedLetter, QueuedLetter, Sealer, Waiting, WaitingLetter, retry_after,
};
pub use render::Rendered;

/// What is the same on every letter of this door, and how long letters wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letterhead {
    /// What the door is called, such as the title of its pages.
    pub title: String,
    /// Where visitors reach the door: scheme, host and port, without a slash at the end.
    pub public_url: String,
    /// What stands behind the `@` of every Message-ID: the domain letters come from.
    pub domain: String,
    /// Letters that may wait at once; a step that would queue one more is refused.
    pub letters_max: u32,
    /// The wait after a letter's first failure; see [`retry_after`].
    pub retry_first: Duration,
    /// How long a letter is tried for.
    pub give_up_after: Duration,
}

impl Letterhead {
    /// A link to a page of the door: `path` begins with `/` and ends where the token begins.
    pub fn link(&self, path: &str, token: &str) -> Link {
        Link(Secret::new(format!("{}{path}{token}", self.public_url)))
    }
}

/// Where the doorkeeper finds the letterhead of the moment.
pub trait CurrentLetterhead: Send + Sync + std::fmt::Debug {
    /// `None`: no mail server is configured, so links are shown once to who asked for them.
    fn letterhead(&self) -> Option<Arc<Letterhead>>;
}

/// No mail server: for programs that send nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLetterhead;

impl CurrentLetterhead for NoLetterhead {
    fn letterhead(&self) -> Option<Arc<Letterhead>> {
        None
    }
}

/// A one-time link, whole. Whoever reads it may use it: it is never printed.
#[derive(Debug, Clone)]
pub struct Link(Secret);

impl Link {
    /// For the one letter or page that hands it out.
    pub fn expose(&self) -> &str {
        self.0.expose_text()
    }
}

/// The longest address, in bytes: what SMTP carries (RFC 5321, 4.5.3.1.3, less the angle brackets).
pub const ADDRESS_BYTES_MAX: usize = 254;

/// Whether a text is one address: one `@` with something on either side, nothing that a header or an address list could read
/// as more than one, and nothing that ends a line.
pub fn is_address(text: &str) -> bool {
    let strange = |c: char| c.is_control() || c.is_whitespace() || "<>()[],;:\\\"\u{ff20}\u{fe6b}".contains(c);
    let shaped = text
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
    text.len() <= ADDRESS_BYTES_MAX && shaped && !text.contains(strange)
}

/// A letter, before it has words.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Whose it is: removed with the account. `None` for letters of nobody's.
    pub account: Option<AccountId>,
    /// The address it goes to, as checked for [`crate::Account::email`].
    pub to: String,
    /// How the reader is addressed; empty: by no name.
    pub display_name: String,
    /// What it says.
    pub says: Says,
}

/// What a letter says, and the facts that are in it.
#[derive(Debug, Clone)]
pub enum Says {
    /// An account waits to be accepted.
    Invitation {
        /// The name it will sign in with.
        name: String,
        /// Follow it to accept.
        link: Link,
        /// When the link ends.
        valid_until: Timestamp,
    },
    /// The invitation again, with a new link.
    InvitationReminder {
        /// The name it will sign in with.
        name: String,
        /// Follow it to accept.
        link: Link,
        /// When the link ends.
        valid_until: Timestamp,
    },
    /// Somebody asked for a new password.
    PasswordReset {
        /// Follow it to set one.
        link: Link,
        /// When the link ends.
        valid_until: Timestamp,
        /// Where it was asked for from.
        asked_from: Option<IpAddr>,
    },
    /// An administrator lets the reader enrol a second factor anew.
    SecondFactorRecovery {
        /// Follow it to enrol.
        link: Link,
        /// When the link ends.
        valid_until: Timestamp,
    },
    /// The address is to become the account's: goes to the new address.
    EmailConfirmation {
        /// The account's name.
        name: String,
        /// Follow it to confirm.
        link: Link,
        /// When the link ends.
        valid_until: Timestamp,
        /// Where it was asked for from.
        asked_from: Option<IpAddr>,
    },
    /// The account will be blocked for disuse.
    InactivityWarning {
        /// When.
        blocked_at: Timestamp,
    },
    /// The password was changed.
    PasswordChanged(Change),
    /// The second factor was enrolled, replaced or taken away.
    SecondFactorChanged(Change),
    /// The address was replaced: goes to the old one.
    EmailChanged(Change),
    /// The operator tries whether letters arrive.
    Trial,
}

/// When and from where something was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// From where; `None` where it was not done over the network.
    pub from: Option<IpAddr>,
}

/// Which letter it is, for the outbox, the metrics and the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterKind {
    /// [`Says::Invitation`].
    Invitation,
    /// [`Says::InvitationReminder`].
    InvitationReminder,
    /// [`Says::PasswordReset`].
    PasswordReset,
    /// [`Says::SecondFactorRecovery`].
    SecondFactorRecovery,
    /// [`Says::EmailConfirmation`].
    EmailConfirmation,
    /// [`Says::InactivityWarning`].
    InactivityWarning,
    /// [`Says::PasswordChanged`].
    PasswordChanged,
    /// [`Says::SecondFactorChanged`].
    SecondFactorChanged,
    /// [`Says::EmailChanged`].
    EmailChanged,
    /// [`Says::Trial`].
    Trial,
}

/// What became of a letter at one try, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterOutcome {
    /// A mail server took it over.
    Sent,
    /// It will be tried again.
    Delayed,
    /// It was sent again though it may have arrived.
    Repeated,
    /// It is not tried any more.
    GivenUp,
}

impl LetterOutcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Sent, Self::Delayed, Self::Repeated, Self::GivenUp];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delayed => "delayed",
            Self::Repeated => "repeated",
            Self::GivenUp => "given_up",
        }
    }
}

impl LetterKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Invitation,
        Self::InvitationReminder,
        Self::PasswordReset,
        Self::SecondFactorRecovery,
        Self::EmailConfirmation,
        Self::InactivityWarning,
        Self::PasswordChanged,
        Self::SecondFactorChanged,
        Self::EmailChanged,
        Self::Trial,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::InvitationReminder => "invitation_reminder",
            Self::PasswordReset => "password_reset",
            Self::SecondFactorRecovery => "second_factor_recovery",
            Self::EmailConfirmation => "email_confirmation",
            Self::InactivityWarning => "inactivity_warning",
            Self::PasswordChanged => "password_changed",
            Self::SecondFactorChanged => "second_factor_changed",
            Self::EmailChanged => "email_changed",
            Self::Trial => "trial",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Kinds whose waiting letters a newer one of this kind makes worthless, since a newer link ends the older one. Empty for
    /// letters without a link: each of them tells of something else.
    pub const fn replaces(self) -> &'static [Self] {
        match self {
            Self::Invitation | Self::InvitationReminder => &[Self::Invitation, Self::InvitationReminder],
            Self::PasswordReset => &[Self::PasswordReset],
            Self::SecondFactorRecovery => &[Self::SecondFactorRecovery],
            Self::EmailConfirmation => &[Self::EmailConfirmation],
            Self::InactivityWarning => &[Self::InactivityWarning],
            Self::PasswordChanged | Self::SecondFactorChanged | Self::EmailChanged | Self::Trial => &[],
        }
    }
}

impl Says {
    /// Which letter it is.
    pub const fn kind(&self) -> LetterKind {
        match self {
            Self::Invitation { .. } => LetterKind::Invitation,
            Self::InvitationReminder { .. } => LetterKind::InvitationReminder,
            Self::PasswordReset { .. } => LetterKind::PasswordReset,
            Self::SecondFactorRecovery { .. } => LetterKind::SecondFactorRecovery,
            Self::EmailConfirmation { .. } => LetterKind::EmailConfirmation,
            Self::InactivityWarning { .. } => LetterKind::InactivityWarning,
            Self::PasswordChanged(_) => LetterKind::PasswordChanged,
            Self::SecondFactorChanged(_) => LetterKind::SecondFactorChanged,
            Self::EmailChanged(_) => LetterKind::EmailChanged,
            Self::Trial => LetterKind::Trial,
        }
    }

    /// From when on the letter is of no use to anybody: nothing is sent after it.
    const fn useless_from(&self) -> Option<Timestamp> {
        match self {
            Self::Invitation { valid_until, .. }
            | Self::InvitationReminder { valid_until, .. }
            | Self::PasswordReset { valid_until, .. }
            | Self::SecondFactorRecovery { valid_until, .. }
            | Self::EmailConfirmation { valid_until, .. } => Some(*valid_until),
            Self::InactivityWarning { blocked_at } => Some(*blocked_at),
            Self::PasswordChanged(_) | Self::SecondFactorChanged(_) | Self::EmailChanged(_) | Self::Trial => None,
        }
    }
}
