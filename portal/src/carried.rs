//! What is carried from one page to the next in the step cookie: a sign-in under way, or what was just done.
//!
//! Sealed (AES-256-GCM) and tied to the visitor it was made for, so a reload shows the same page again, a copied cookie is
//! worth nothing to another visitor, and the door keeps no state of half-done sign-ins.

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use stagedoor_identity::sign_in::{Enrolment, NextStep, Ticket};
use stagedoor_policy::Policy;
use stagedoor_policy::rules::MessageKey;

use crate::forgery::Bond;
use crate::keys::Keys;

/// Browsers keep cookies up to 4,096 bytes, name and attributes included.
const SEALED_BYTES_MAX: usize = 3800;

/// See the module.
#[derive(Serialize, Deserialize)]
pub(crate) enum Carried {
    /// A step is still to be taken.
    Pending(Pending),
    /// A sentence for the profile page.
    Done(Done),
}

/// A step that is still to be taken, and what proves those before it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pending {
    /// Which.
    pub(crate) step: Step,
    ticket: String,
    /// Where the visitor wanted to go; checked again when it is used.
    pub(crate) to: String,
    /// During enrolment: the secret, for showing the same code again after a reload.
    pub(crate) secret: Option<SharedSecret>,
}

/// A secret that the visitor's app must come to know.
#[derive(Serialize, Deserialize)]
pub(crate) struct SharedSecret {
    /// For the QR code.
    pub(crate) uri: String,
    /// For typing.
    pub(crate) typed: String,
}

/// Which step comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// A code of the second factor.
    SecondFactor,
    /// Enrolling a second factor during sign-in.
    Enrol,
    /// Changing a temporary password.
    ChangePassword,
    /// Enrolling a second factor while signed in.
    OwnEnrolment,
}

/// What was just done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Done {
    /// And every other session ended.
    PasswordChanged,
    /// What one is shown as, or what one chose.
    DetailsChanged,
    /// The name to sign in with.
    NameChanged,
    /// A letter goes to another address.
    EmailAsked,
    /// What one is shown by.
    PictureSet,
    /// There is none any more.
    PictureRemoved,
    /// One other session.
    SessionEnded,
    /// All others; so many.
    SessionsEnded(usize),
    /// To an account that one administers.
    Account(AccountDone),
}

/// What was just done on the pages about accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AccountDone {
    /// Made.
    Added,
    /// Changed.
    Changed,
    /// It has a temporary password.
    PasswordReset,
    /// It has none any more.
    SecondFactorReset,
    /// Its locks are lifted.
    Unlocked,
    /// So many.
    SessionsEnded(usize),
    /// Switched off.
    Disabled,
    /// Switched on.
    Enabled,
    /// The ban is lifted.
    Reinstated,
    /// It is gone.
    Deleted,
    /// Somebody, by letter.
    Invited,
    /// A right to set a second factor up anew, by letter.
    RecoverySent,
    /// A role that one alone holds.
    HandedOver,
    /// To an account.
    DeviceLinked,
    /// From its account.
    DeviceUnlinked,
    /// It is gone.
    DeviceRemoved,
}

impl AccountDone {
    /// For who did it.
    pub(crate) fn sentence(self, policy: &Policy) -> String {
        let sentence = match self {
            Self::Added => "The account is made. Its password is temporary: it is changed at the first sign-in.",
            Self::Changed => "The account is changed.",
            Self::PasswordReset => {
                "The account has a temporary password, to be changed at the next sign-in. Its sessions have ended."
            }
            Self::SecondFactorReset => {
                "The account has no second factor any more and can set one up anew. Its sessions have ended."
            }
            Self::Unlocked => policy.message(MessageKey::Unlocked),
            Self::SessionsEnded(0) => "There was no session.",
            Self::SessionsEnded(1) => "One session has ended.",
            Self::SessionsEnded(number) => return format!("{number} sessions have ended."),
            Self::Disabled => "The account is switched off. Its sessions have ended.",
            Self::Enabled => "The account is switched on.",
            Self::Reinstated => "The ban is lifted. Disuse is counted from now on.",
            Self::Deleted => "The account is deleted.",
            Self::Invited => "The invitation is on its way by e-mail.",
            Self::RecoverySent => {
                "The recovery letter is on its way. Its link lets the holder set up a second factor anew, with the password."
            }
            Self::HandedOver => "The role is handed over.",
            Self::DeviceLinked => "The device is linked.",
            Self::DeviceUnlinked => "The device is nobody's. Sessions that were opened from it have ended.",
            Self::DeviceRemoved => "The device is removed. Sessions that were opened from it have ended.",
        };
        sentence.to_owned()
    }
}

impl Pending {
    pub(crate) fn new(step: NextStep, ticket: &Ticket, to: &str) -> Self {
        let step = match step {
            NextStep::SecondFactor => Step::SecondFactor,
            NextStep::EnrolSecondFactor => Step::Enrol,
            NextStep::ChangePassword => Step::ChangePassword,
        };
        Self {
            step,
            ticket: ticket.as_text().to_owned(),
            to: to.to_owned(),
            secret: None,
        }
    }

    pub(crate) fn enrolment(step: Step, enrolment: &Enrolment, to: &str) -> Self {
        let secret = SharedSecret {
            uri: enrolment.uri.expose_text().to_owned(),
            typed: enrolment.typed.expose_text().to_owned(),
        };
        Self {
            step,
            ticket: enrolment.ticket.as_text().to_owned(),
            to: to.to_owned(),
            secret: Some(secret),
        }
    }

    pub(crate) fn ticket(&self) -> Ticket {
        Ticket::from_text(&self.ticket)
    }
}

impl Carried {
    /// For the cookie; `None` where it would be too long for one.
    pub(crate) fn seal(&self, keys: &Keys, bond: &Bond) -> Option<String> {
        let mut text = serde_json::to_vec(self).ok()?;
        let nonce = keys
            .steps
            .seal_in_place_append_tag(Aad::from(bond.as_bytes()), &mut text)
            .ok()?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut text);
        let sealed = URL_SAFE_NO_PAD.encode(sealed);
        (sealed.len() <= SEALED_BYTES_MAX).then_some(sealed)
    }

    /// From the cookie; `None` where it was not sealed by us for this visitor.
    pub(crate) fn open(sealed: &str, keys: &Keys, bond: &Bond) -> Option<Self> {
        let mut bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, text) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = keys.steps.open_in_place(nonce, Aad::from(bond.as_bytes()), text).ok()?;
        serde_json::from_slice(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forgery::fresh_form_cookie;

    fn keys() -> Keys {
        Keys::from_secret(&[7; 32]).unwrap()
    }

    fn bond() -> Bond {
        Bond::of_form(&fresh_form_cookie()).unwrap()
    }

    fn pending() -> Carried {
        let mut pending = Pending::new(NextStep::EnrolSecondFactor, &Ticket::from_text("ticket"), "/a");
        pending.secret = Some(SharedSecret {
            uri: "otpauth://totp/x".to_owned(),
            typed: "ABCD EFGH".to_owned(),
        });
        Carried::Pending(pending)
    }

    #[test]
    fn what_was_carried_comes_back_whole() {
        let (keys, bond) = (keys(), bond());
        let sealed = pending().seal(&keys, &bond).unwrap();
        let Some(Carried::Pending(opened)) = Carried::open(&sealed, &keys, &bond) else {
            panic!("not opened")
        };
        assert_eq!(opened.step, Step::Enrol);
        assert_eq!(opened.ticket().as_text(), "ticket");
        assert_eq!(opened.secret.unwrap().typed, "ABCD EFGH");
        assert_eq!(opened.to, "/a");
    }

    #[test]
    fn it_opens_for_nobody_else_and_not_when_it_was_touched() {
        let (keys, bond) = (keys(), bond());
        let sealed = pending().seal(&keys, &bond).unwrap();
        assert!(Carried::open(&sealed, &keys, &self::bond()).is_none());
        assert!(Carried::open(&sealed, &Keys::from_secret(&[8; 32]).unwrap(), &bond).is_none());
        assert!(Carried::open(sealed.get(1..).unwrap(), &keys, &bond).is_none());
        for broken in ["", "AAAA", "not base64!"] {
            assert!(Carried::open(broken, &keys, &bond).is_none(), "{broken:?}");
        }
    }

    #[test]
    fn the_cookie_shows_nothing_of_the_secret() {
        let sealed = pending().seal(&keys(), &bond()).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(sealed).unwrap();
        assert!(!bytes.windows(7).any(|window| window == b"otpauth"));
    }

    #[test]
    fn what_no_cookie_could_hold_is_not_sealed() {
        let pending = Pending::new(NextStep::SecondFactor, &Ticket::from_text(&"x".repeat(4000)), "/");
        assert!(Carried::Pending(pending).seal(&keys(), &bond()).is_none());
    }
}
