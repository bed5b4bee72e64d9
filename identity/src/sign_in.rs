//! Signing in, step by step.

pub(crate) mod ticket;

use std::sync::Arc;

use stagedoor_policy::request::ClientAddress;
use stagedoor_policy::time::Timestamp;

use crate::{LiveSession, Password, Secret, SessionToken};

/// When somebody who found every hashing place taken should come back.
const BUSY_RETRY_SECONDS: u32 = 2;

/// Somebody at the door.
pub struct Attempt {
    /// As typed.
    pub name: String,
    /// As typed.
    pub password: Password,
    /// A TOTP code or a recovery code, where it came along.
    pub code: Option<String>,
    /// `browser`, or what a program says it is.
    pub channel: String,
    /// The token of a link that lets a second factor be enrolled, where it came along.
    pub right: Option<Secret>,
    /// The key of the device, where it has one: what a channel with `linked_device` demands.
    pub device_key: Option<Secret>,
    /// From where, what with.
    pub from: Origin,
}

/// Neither name nor code: people type passwords in the wrong field.
impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// From where somebody signs in, and what with.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The address as the gateway sees it.
    pub address: ClientAddress,
    /// `User-Agent`, at most 256 characters.
    pub user_agent: String,
}

/// What a step of a sign-in came to.
#[derive(Debug)]
pub enum Progress {
    /// In.
    Open(OpenSession),
    /// One more step; the ticket proves those before.
    Needs(NextStep, Ticket),
}

/// A session that was just opened.
#[derive(Debug)]
pub struct OpenSession {
    /// For the cookie.
    pub token: SessionToken,
    /// The session.
    pub session: Arc<LiveSession>,
    /// How many sessions were displaced by it.
    pub displaced: usize,
}

/// What is still missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// `second_factor_required`.
    SecondFactor,
    /// `second_factor_enrolment_required`.
    EnrolSecondFactor,
    /// `password_change_required`.
    ChangePassword,
}

/// Proof of the steps already taken: account, channel, address, credentials version, time, and during enrolment the new
/// secret; sealed (AES-256-GCM) with the door's key, good for 10 minutes and for the address it was made for. Opaque text.
#[derive(Clone)]
pub struct Ticket(pub(crate) String);

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[ticket]")
    }
}

impl Ticket {
    /// From a form or cookie; checked when it is used.
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }
    /// For a form or cookie.
    pub fn as_text(&self) -> &str {
        &self.0
    }
}

/// An enrolment under way.
#[derive(Debug)]
pub struct Enrolment {
    /// `otpauth://totp/…`, for the QR code.
    pub uri: Secret,
    /// The same secret in base32, in groups of four, for typing.
    pub typed: Secret,
    /// Carries the new secret to the confirmation.
    pub ticket: Ticket,
}

/// Why a sign-in, or a step of one, was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SignInRefusal {
    /// `invalid_credentials`: wrong name, wrong password, disabled: outside they all look the same.
    #[error("name or password is wrong")]
    InvalidCredentials,
    /// `invalid_code`: wrong or used second factor.
    #[error("the code is wrong or was used before")]
    InvalidCode,
    /// `locked`: too many failures for this name from this source; said of unknown names just the same.
    #[error("too many failed attempts")]
    Locked {
        /// When the lock ends by itself.
        until: Timestamp,
    },
    /// `refused`: the address, the channel or the inactivity rule refuses; only told to who had the right password.
    #[error("refused")]
    Refused {
        /// Why.
        reason: RefusedBecause,
    },
    /// `session_limit`: every session this account may have is in use, and the rule says refuse.
    #[error("signed in elsewhere")]
    SessionLimit {
        /// When the oldest of them was opened.
        opened_at: Timestamp,
        /// From where.
        address: std::net::IpAddr,
    },
    /// `ticket_expired`: begin again.
    #[error("this took too long; sign in again")]
    TicketExpired,
    /// `link_dead`: the link was used, has run out, was replaced by a newer one, or never was.
    #[error("this link has been used or has run out; ask for a new one")]
    LinkDead,
    /// `password_unfit`: the new password breaks these rules, one sentence each.
    #[error("the new password does not meet the requirements")]
    PasswordUnfit(Vec<String>),
    /// `busy`: too many sign-ins under way; try again in so many seconds.
    #[error("too many sign-ins under way")]
    Busy {
        /// When to come back.
        retry_after_seconds: u32,
    },
    /// `unavailable`: the store failed. Refused, never guessed.
    #[error("the door cannot check this now")]
    Unavailable,
}

/// See [`SignInRefusal::Refused`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedBecause {
    /// Not from this address.
    Address,
    /// Not by this channel.
    Channel,
    /// Banned for disuse.
    Inactive,
    /// A second factor has to be enrolled, and that needs a link from an administrator.
    EnrolmentRight,
    /// Not from a device that is linked to the account.
    Device,
}

impl SignInRefusal {
    /// The stable code of the outside contract.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidCredentials => "invalid_credentials",
            Self::InvalidCode => "invalid_code",
            Self::Locked { .. } => "locked",
            Self::Refused { .. } => "refused",
            Self::SessionLimit { .. } => "session_limit",
            Self::TicketExpired => "ticket_expired",
            Self::LinkDead => "link_dead",
            Self::PasswordUnfit(_) => "password_unfit",
            Self::Busy { .. } => "busy",
            Self::Unavailable => "unavailable",
        }
    }
}

impl NextStep {
    /// The stable code of the outside contract.
    pub fn code(self) -> &'static str {
        match self {
            Self::SecondFactor => "second_factor_required",
            Self::EnrolSecondFactor => "second_factor_enrolment_required",
            Self::ChangePassword => "password_change_required",
        }
    }
}

impl RefusedBecause {
    /// A stable code for the audit.
    pub fn code(self) -> &'static str {
        match self {
            Self::Address => "address_not_allowed",
            Self::Channel => "channel_not_allowed",
            Self::Inactive => "banned_for_disuse",
            Self::EnrolmentRight => "enrolment_right_needed",
            Self::Device => "device_not_linked",
        }
    }
}

/// A store that fails refuses: nothing is guessed.
impl From<crate::port::StoreError> for SignInRefusal {
    fn from(fault: crate::port::StoreError) -> Self {
        if matches!(fault, crate::port::StoreError::LinkDead) {
            return Self::LinkDead;
        }
        tracing::error!(%fault, "a sign-in was refused, since the store could not be asked");
        Self::Unavailable
    }
}

impl From<crate::credential::pool::Busy> for SignInRefusal {
    fn from(_: crate::credential::pool::Busy) -> Self {
        Self::Busy {
            retry_after_seconds: BUSY_RETRY_SECONDS,
        }
    }
}

impl From<crate::credential::pool::HashFailed> for SignInRefusal {
    fn from(_: crate::credential::pool::HashFailed) -> Self {
        Self::Unavailable
    }
}
