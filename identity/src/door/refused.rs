//! Changes that a rule refuses, and the sentences for who asked.

use stagedoor_policy::Policy;
use stagedoor_policy::rules::MessageKey;

use super::ChangeFault;
use crate::port::StoreError;

/// A change that a rule refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which rule, as a word for programs.
    pub why: RefusedWhy,
    /// What is so, what is left, what to do: for who asked.
    pub sentence: String,
}

/// See [`Refused::why`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedWhy {
    /// Whoever asks may not do this, or nothing any more.
    PermissionDenied,
    /// Only its holder, or nobody, may change this role; or nobody may be given it.
    RoleChange,
    /// Too few accounts of the role would be left.
    LastOfRole,
    /// Another account holds the role, and one at most may.
    HeldByOne,
    /// No seat is left.
    SeatsFull {
        /// How many are taken.
        used: u32,
        /// How many there are.
        at_most: u32,
    },
    /// It is signed in by a channel on which it is left alone.
    SignedIn,
    /// Nobody has accepted the account yet.
    NotAccepted,
    /// It was accepted already.
    Accepted,
    /// The role cannot be handed over to this account.
    NotFitToHold,
    /// Something is missing that this needs, such as an address to write to.
    NotPossible,
}

impl RefusedWhy {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::PermissionDenied => "permission_denied",
            Self::RoleChange => "role_change_refused",
            Self::LastOfRole => "last_of_role",
            Self::HeldByOne => "held_by_one",
            Self::SeatsFull { .. } => "seats_full",
            Self::SignedIn => "signed_in",
            Self::NotAccepted => "not_accepted",
            Self::Accepted => "accepted_already",
            Self::NotFitToHold => "not_fit_to_hold",
            Self::NotPossible => "not_possible",
        }
    }
}

/// A refusal with its sentence.
pub(super) fn refused(why: RefusedWhy, sentence: impl Into<String>) -> ChangeFault {
    let sentence = sentence.into();
    ChangeFault::Refused(Refused { why, sentence })
}

/// Whoever asks may not do this.
pub(super) fn denied() -> ChangeFault {
    refused(
        RefusedWhy::PermissionDenied,
        "Permission denied. Ask somebody who may do this, or the operator of the door.",
    )
}

/// What the store refused by the rules that came in with the step, in the policy's words.
pub(super) fn explained(policy: &Policy, fault: StoreError) -> ChangeFault {
    match fault {
        StoreError::SeatsFull { name, used, at_most } => {
            let seats = policy.seats().iter().find(|seats| seats.name == name);
            let advice = seats.and_then(|seats| seats.advice.clone());
            let sentence = format!(
                "{} {used} of {at_most} seats of `{name}` are taken, {} are left. {}",
                policy.message(MessageKey::SeatsFull),
                at_most.saturating_sub(used),
                advice.unwrap_or_else(|| {
                    format!(
                        "Remove an account that is no longer needed, or raise `seats.{name}.at_most` in the policy."
                    )
                })
            );
            refused(RefusedWhy::SeatsFull { used, at_most }, sentence)
        }
        StoreError::LastOfRole { .. } => refused(RefusedWhy::LastOfRole, policy.message(MessageKey::LastOfRole)),
        StoreError::HeldByOne { role } => refused(
            RefusedWhy::HeldByOne,
            format!("Another account holds the role `{role}`, and only one may: its holder can hand it over."),
        ),
        StoreError::ActorChanged => denied(),
        other => ChangeFault::Store(other),
    }
}
