//! What each letter says. Whoever reads it did not ask for it, perhaps: so it says what happened, what to do, and what to do
//! where it was somebody else.

use std::net::IpAddr;

use stagedoor_policy::time::Timestamp;

use super::{Change, Letterhead, Link, Says};
use crate::when;

/// The parts of a letter, in the order they are read.
pub(super) struct Words<'a> {
    pub(super) subject: String,
    pub(super) before: Vec<String>,
    /// What the link is called, and the link.
    pub(super) link: Option<(&'static str, &'a Link)>,
    pub(super) after: Vec<String>,
}

/// The words of a letter. `title` is on one line already.
pub(super) fn of<'a>(says: &'a Says, title: &str, head: &Letterhead) -> Words<'a> {
    match says {
        Says::Invitation {
            name,
            link,
            valid_until,
        } => invitation(
            format!("You are invited to {title}"),
            format!("An account for {title} has been prepared for you. You will sign in as {name}."),
            (link, *valid_until),
        ),
        Says::InvitationReminder {
            name,
            link,
            valid_until,
        } => invitation(
            format!("Your invitation to {title} is waiting"),
            format!(
                "The account for {title} that was prepared for you has not been accepted yet. You will sign in as {name}. \
                 Links from earlier invitations no longer work."
            ),
            (link, *valid_until),
        ),
        Says::PasswordReset {
            link,
            valid_until,
            asked_from,
        } => Words {
            subject: format!("Set a new password for {title}"),
            before: vec![format!(
                "A new password for your account at {title} was asked for{}.",
                from(*asked_from)
            )],
            link: Some(("Set a new password", link)),
            after: vec![
                once_until(*valid_until),
                "If that was not you, ignore this letter: your password stays as it is.".to_owned(),
            ],
        },
        Says::SecondFactorRecovery { link, valid_until } => Words {
            subject: format!("Set up sign-in codes for {title} again"),
            before: vec![format!(
                "An administrator of {title} has sent you this link so that you can set up the app that shows your \
                 sign-in codes again. You will be asked for your password as well."
            )],
            link: Some(("Set up sign-in codes", link)),
            after: vec![once_until(*valid_until), IF_UNEXPECTED.to_owned()],
        },
        Says::EmailConfirmation {
            name,
            link,
            valid_until,
            asked_from,
        } => Words {
            subject: format!("Confirm your e-mail address for {title}"),
            before: vec![format!(
                "This address was entered for the account {name} at {title}{}. It counts once you confirm it.",
                from(*asked_from)
            )],
            link: Some(("Confirm this address", link)),
            after: vec![
                once_until(*valid_until),
                "If that was not you, ignore this letter: nothing changes.".to_owned(),
            ],
        },
        Says::InactivityWarning { blocked_at } => Words {
            subject: format!("Your account at {title} will be blocked"),
            before: vec![
                format!(
                    "Your account at {title} has not been used for a long time. It will be blocked on {}.",
                    when::for_people(*blocked_at)
                ),
                format!(
                    "To keep it, sign in before then at {} (type the address yourself).",
                    head.public_url
                ),
            ],
            link: None,
            after: Vec::new(),
        },
        Says::PasswordChanged(change) => notice(title, "password", "changed", *change),
        Says::SecondFactorChanged(change) => notice(title, "second factor", "changed", *change),
        Says::EmailChanged(change) => {
            let mut words = notice(title, "e-mail address", "changed", *change);
            words
                .after
                .push("No more letters will come to this address.".to_owned());
            words
        }
        Says::Trial => Words {
            subject: format!("A letter from {title} to see whether letters arrive"),
            before: vec![format!(
                "Letters from {title} reach this address. There is nothing to do."
            )],
            link: None,
            after: Vec::new(),
        },
    }
}

const IF_UNEXPECTED: &str = "If you did not expect this, ignore this letter and tell your administrator.";

fn invitation(subject: String, sentence: String, (link, valid_until): (&Link, Timestamp)) -> Words<'_> {
    Words {
        subject,
        before: vec![
            sentence,
            "To accept, follow this link and choose a password.".to_owned(),
        ],
        link: Some(("Accept the invitation", link)),
        after: vec![once_until(valid_until), IF_UNEXPECTED.to_owned()],
    }
}

/// Something was changed: for the eyes of the one who may not have done it.
fn notice(title: &str, what: &str, happened: &str, change: Change) -> Words<'static> {
    Words {
        subject: format!("Your {what} for {title} was {happened}"),
        before: vec![format!(
            "The {what} of your account at {title} was {happened} on {}{}.",
            when::for_people(change.at),
            from(change.from)
        )],
        link: None,
        after: vec![
            "If that was you, there is nothing to do. If it was not, tell your administrator at once.".to_owned(),
        ],
    }
}

fn once_until(valid_until: Timestamp) -> String {
    format!(
        "The link works once, until {}. Do not pass this letter on: whoever has the link can use it.",
        when::for_people(valid_until)
    )
}

fn from(address: Option<IpAddr>) -> String {
    address.map_or_else(String::new, |address| format!(" from the address {address}"))
}
