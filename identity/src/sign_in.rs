//! Signing in, step by step.

use std::sync::Arc;

use stagedoor_policy::request::ClientAddress;
use stagedoor_policy::time::Timestamp;

use crate::{LiveSession, Password, Secret, SessionToken};

/// Somebody at the door.
#[derive(Debug)]
pub struct Attempt {
    /// As typed.
    pub name: String,
    /// As typed.
    pub password: Password,
    /// A TOTP code or a recovery code, where it came along.
    pub code: Option<String>,
    /// `browser`, or what a program says it is.
    pub channel: String,
    /// From where, what with.
    pub from: Origin,
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
    Locked { until: Timestamp },
    /// `refused`: the address, the channel or the inactivity rule refuses; only told to who had the right password.
    #[error("refused")]
    Refused {
        /// Why.
        reason: RefusedBecause,
    },
    /// `session_limit`: every session this account may have is in use, and the rule says refuse.
    #[error("signed in elsewhere")]
    SessionLimit {
        opened_at: Timestamp,
        address: std::net::IpAddr,
    },
    /// `ticket_expired`: begin again.
    #[error("this took too long; sign in again")]
    TicketExpired,
    /// `password_unfit`: the new password breaks these rules, one sentence each.
    #[error("the new password does not meet the requirements")]
    PasswordUnfit(Vec<String>),
    /// `busy`: too many sign-ins under way; try again in so many seconds.
    #[error("too many sign-ins under way")]
    Busy { retry_after_seconds: u32 },
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
}

impl SignInRefusal {
    /// The stable code of the outside contract.
    pub fn code(&self) -> &'static str {
        todo!()
    }
}
