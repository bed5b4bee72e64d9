//! The names of what happens.

use serde::{Deserialize, Serialize};

/// Writes the enum, its serde names and both directions of the table from one list, so that they cannot differ.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// What happened. [`Kind::name`] is the stable dotted name: `sign_in.succeeded`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable dotted name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The kind of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// A request was refused.
    RequestRefused = "request.refused",
    /// A sign-in went all the way.
    SignInSucceeded = "sign_in.succeeded",
    /// A name, password or code was wrong.
    SignInFailed = "sign_in.failed",
    /// What was shown was right or not even looked at, and a rule refused.
    SignInRefused = "sign_in.refused",
    /// Too many failures locked a name.
    AccountLocked = "account.locked",
    /// An administrator ended a name's locks.
    AccountUnlocked = "account.unlocked",
    /// A later sign-in took a session's place.
    SessionDisplaced = "session.displaced",
    /// A session was ended, by somebody or by a rule.
    SessionEnded = "session.ended",
    /// A visitor signed out.
    SessionSignedOut = "session.signed_out",
    /// Somebody changed their own password.
    PasswordChanged = "password.changed",
    /// An administrator set a temporary password.
    PasswordReset = "password.reset",
    /// Somebody enrolled a second factor.
    SecondFactorEnrolled = "second_factor.enrolled",
    /// An administrator took a second factor away.
    SecondFactorReset = "second_factor.reset",
    /// A one-time code was wrong or used before.
    SecondFactorFailed = "second_factor.failed",
    /// A recovery code was used up.
    RecoveryCodeUsed = "recovery_code.used",
    /// An account was made.
    AccountCreated = "account.created",
    /// An account was changed.
    AccountChanged = "account.changed",
    /// An account was removed.
    AccountRemoved = "account.removed",
    /// Disuse banned an account.
    AccountBanned = "account.banned",
    /// Somebody was written that disuse is about to ban their account.
    AccountWarned = "account.warned",
    /// An administrator lifted a ban.
    AccountReinstated = "account.reinstated",
    /// Somebody was invited.
    InvitationSent = "invitation.sent",
    /// An invitation was sent again, with another link.
    InvitationResent = "invitation.resent",
    /// Somebody accepted an invitation.
    InvitationAccepted = "invitation.accepted",
    /// A role that one account holds was handed over.
    RoleHandedOver = "role.handed_over",
    /// Somebody asked for a link in place of a forgotten password.
    PasswordResetAsked = "password.reset_asked",
    /// Somebody set a password by such a link.
    PasswordResetByLink = "password.reset_by_link",
    /// Somebody was sent a link that lets them enrol a second factor.
    SecondFactorLinkSent = "second_factor.link_sent",
    /// Somebody asked for another address to be theirs.
    EmailChangeAsked = "email.change_asked",
    /// An address was confirmed by its link.
    EmailConfirmed = "email.confirmed",
    /// Somebody changed their own profile.
    ProfileChanged = "profile.changed",
    /// A device was registered.
    DeviceRegistered = "device.registered",
    /// A device was linked to an account.
    DeviceLinked = "device.linked",
    /// A device was unlinked from its account.
    DeviceUnlinked = "device.unlinked",
    /// A device was removed.
    DeviceRemoved = "device.removed",
    /// Another policy was taken over.
    PolicyChanged = "policy.changed",
    /// A policy was not taken over for its faults.
    PolicyRejected = "policy.rejected",
    /// The building's file was read again.
    SitesReloaded = "sites.reloaded",
    /// A bearer token was made.
    TokenCreated = "token.created",
    /// A bearer token was taken away.
    TokenRevoked = "token.revoked",
    /// The door opened.
    DoorStarted = "door.started",
    /// The door closed.
    DoorStopped = "door.stopped",
    /// A new process took the door over from a running one, or did not come to it.
    DoorUpgraded = "door.upgraded",
    /// A console did not answer.
    UpstreamFailed = "upstream.failed",
    /// An administrator queued a letter to see whether letters arrive.
    LetterTried = "letter.tried",
    /// A mail server took a letter over.
    LetterSent = "letter.sent",
    /// A letter could not be sent for the first time; it is tried again.
    LetterDelayed = "letter.delayed",
    /// A letter is sent again though a mail server may have taken it over: its answer was lost.
    LetterRepeated = "letter.repeated",
    /// A letter was refused for good, or could not be sent in its time.
    LetterGivenUp = "letter.given_up",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_written_as_it() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        assert_eq!(Kind::from_name("door.painted"), None);
    }
}
