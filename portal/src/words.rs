//! What the pages say: plain sentences for stable codes. Little is told to strangers, everything to who proved the password.

use std::net::IpAddr;

use http::StatusCode;
use stagedoor_identity::EndReason;
use stagedoor_identity::session::Ended;
use stagedoor_identity::sign_in::{RefusedBecause, SignInRefusal};
use stagedoor_policy::Policy;
use stagedoor_policy::rules::MessageKey;
use stagedoor_policy::time::Timestamp;

use crate::when;

/// A headline, a sentence, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) headline: String,
    pub(crate) sentence: String,
    pub(crate) advice: Option<String>,
}

impl Words {
    fn new(headline: &str, sentence: impl Into<String>, advice: &str) -> Self {
        let advice = (!advice.is_empty()).then(|| advice.to_owned());
        Self {
            headline: headline.to_owned(),
            sentence: sentence.into(),
            advice,
        }
    }
}

/// Why a session is over, to the one who held it.
pub(crate) fn ended(ended: &Ended) -> Words {
    let at = when::for_people(Timestamp::from_micros(ended.at_micros));
    match &ended.reason {
        EndReason::SignedOut => Words::new(
            "You are signed out",
            format!("This session was signed out at {at}."),
            "",
        ),
        EndReason::Displaced { by } => Words::new(
            "You have been signed out",
            format!("Somebody signed in to this account from another place: from {by} at {at}."),
            "If that was not you, sign in again and change your password at once, and tell your administrator.",
        ),
        EndReason::EndedByAdministrator => Words::new(
            "You have been signed out",
            format!("An administrator ended this session at {at}."),
            "",
        ),
        EndReason::Idle => Words::new(
            "You have been signed out",
            format!("Nothing was done for a while, so this session ended at {at}."),
            "Sign in again to go on.",
        ),
        EndReason::Expired => Words::new(
            "You have been signed out",
            format!("This session had reached its longest time and ended at {at}."),
            "Sign in again to go on.",
        ),
        EndReason::AccountDisabled => Words::new(
            "You have been signed out",
            format!("This account was switched off at {at}."),
            ASK,
        ),
        EndReason::Inactive => Words::new(
            "You have been signed out",
            "This account was blocked because it was not used for a long time.",
            ASK,
        ),
        EndReason::AccountChanged => Words::new(
            "You have been signed out",
            format!("An administrator changed what this account may do, at {at}."),
            "Sign in again to go on.",
        ),
        EndReason::CredentialsChanged => Words::new(
            "You have been signed out",
            format!("The password or the second factor of this account was changed at {at}."),
            "If that was not you, tell your administrator at once.",
        ),
        EndReason::AccountRemoved => Words::new(
            "You have been signed out",
            format!("This account was removed at {at}."),
            ASK,
        ),
        EndReason::DeviceUnlinked => Words::new(
            "You have been signed out",
            format!("The device you signed in from is no longer linked to this account, since {at}."),
            ASK,
        ),
        EndReason::PolicyChanged => Words::new(
            "You have been signed out",
            format!("The rules of this door changed at {at}."),
            "Sign in again to go on.",
        ),
    }
}

/// The stable code of an ended session, for programs.
pub(crate) fn ended_code(reason: &EndReason) -> &'static str {
    match reason {
        EndReason::SignedOut => "session_signed_out",
        EndReason::Displaced { .. } => "session_displaced",
        EndReason::EndedByAdministrator => "session_ended_by_administrator",
        EndReason::Idle => "session_idle",
        EndReason::Expired => "session_expired",
        EndReason::AccountDisabled => "account_disabled",
        EndReason::Inactive => "account_inactive",
        EndReason::AccountChanged => "account_changed",
        EndReason::CredentialsChanged => "credentials_changed",
        EndReason::AccountRemoved => "account_removed",
        EndReason::DeviceUnlinked => "device_unlinked",
        EndReason::PolicyChanged => "policy_changed",
    }
}

/// Who is told of a refused sign-in, and in whose words.
pub(crate) struct Told<'a> {
    /// Whose sentences stand before the door's own.
    pub(crate) policy: &'a Policy,
    /// By which channel it was tried; empty where that is not known.
    pub(crate) channel: &'a str,
    pub(crate) address: IpAddr,
    pub(crate) now: Timestamp,
}

/// Why a sign-in, or a step of one, was refused: one or two sentences.
pub(crate) fn sign_in(refusal: &SignInRefusal, told: &Told<'_>) -> String {
    let (policy, address, now) = (told.policy, told.address, told.now);
    match refusal {
        SignInRefusal::InvalidCredentials => "The name or the password is wrong.".to_owned(),
        SignInRefusal::InvalidCode => {
            "The code is wrong, or it was used before. Wait for the next one and try again.".to_owned()
        }
        SignInRefusal::Locked { until } => format!(
            "There were too many failed attempts. You can try again in {}, after {}.",
            when::span(now, *until),
            when::for_people(*until)
        ),
        SignInRefusal::Refused {
            reason: RefusedBecause::Address,
        } => match policy.own_message(MessageKey::AddressNotAllowed) {
            Some(own) => own.to_owned(),
            None => format!("This account may not sign in from your address, {address}. {ASK}"),
        },
        SignInRefusal::Refused {
            reason: RefusedBecause::Channel,
        } => match policy.own_channel_refused(told.channel) {
            Some(own) => own.to_owned(),
            None => format!("This account may not sign in this way. {ASK}"),
        },
        SignInRefusal::Refused {
            reason: RefusedBecause::Inactive,
        } => {
            format!("This account is blocked because it was not used for a long time. {ASK}")
        }
        SignInRefusal::Refused {
            reason: RefusedBecause::EnrolmentRight,
        } => {
            format!("A second factor must be set up before this account can sign in, and that needs a link. {ASK}")
        }
        SignInRefusal::Refused {
            reason: RefusedBecause::Device,
        } => {
            format!("This account may sign in this way only from a device that is linked to it. {ASK}")
        }
        SignInRefusal::LinkDead => "This link has been used or has run out. Please ask for a new one.".to_owned(),
        SignInRefusal::SessionLimit { opened_at, address } => format!(
            "This account is signed in elsewhere: from {address} since {}. Sign out there first.",
            when::for_people(*opened_at)
        ),
        SignInRefusal::TicketExpired => "This took too long. Please sign in again.".to_owned(),
        SignInRefusal::PasswordUnfit(_) => policy.message(MessageKey::NewPasswordUnfit).to_owned(),
        SignInRefusal::Busy { retry_after_seconds } => format!(
            "Too many people are signing in right now. Please try again in {retry_after_seconds} {}.",
            if *retry_after_seconds == 1 { "second" } else { "seconds" }
        ),
        SignInRefusal::Unavailable => "The door cannot check this right now. Please try again in a moment.".to_owned(),
    }
}

/// The status that goes with a refused sign-in.
pub(crate) fn sign_in_status(refusal: &SignInRefusal) -> StatusCode {
    match refusal {
        SignInRefusal::Busy { .. } | SignInRefusal::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        SignInRefusal::PasswordUnfit(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::UNAUTHORIZED,
    }
}

/// When to try again, in seconds, where waiting helps.
pub(crate) fn sign_in_retry_after_seconds(refusal: &SignInRefusal, now: Timestamp) -> Option<u64> {
    match refusal {
        SignInRefusal::Locked { until } => Some(when::seconds_until(now, *until).max(1)),
        SignInRefusal::Busy { retry_after_seconds } => Some(u64::from(*retry_after_seconds)),
        SignInRefusal::Unavailable => Some(UNAVAILABLE_RETRY_SECONDS),
        _ => None,
    }
}

/// What a refused request is told. Codes without words of their own get those of their status.
pub(crate) fn refusal(status: StatusCode, code: &str, address: Option<IpAddr>) -> Words {
    let address = address.map(|address| format!(", {address}")).unwrap_or_default();
    match code {
        "address_not_allowed_site" | "address_not_allowed" => Words::new(
            "Not from here",
            format!("This console cannot be used from your address{address}."),
            ASK,
        ),
        "address_not_allowed_role" | "address_not_allowed_account" => Words::new(
            "Not from here",
            format!("Your account cannot be used from your address{address}."),
            ASK,
        ),
        "account_has_no_networks" => Words::new(
            "No address registered",
            "Your role may only come in from registered addresses, and none is registered for your account.",
            ASK,
        ),
        "case_ambiguous" => Words::new(
            "Upper or lower case?",
            "With other upper and lower case letters this address leads to another part of the console, so it was not passed on.",
            "Follow a link of the console's own pages instead of typing the address.",
        ),
        "sign_in_required" => Words::new("Please sign in", "You need to sign in to see this page.", ""),
        "second_factor_required" => Words::new(
            "A second factor is needed",
            "Please sign in again, with the code of your second factor.",
            "",
        ),
        "role_unknown" => Words::new("No way in", "The role of your account has no rights here.", ASK),
        "channel_not_allowed" => Words::new("Not this way", "Your account may not come in this way.", ASK),
        "no_area" | "not_granted" => Words::new(
            "No entry",
            "Your account does not have the right to open this page or do this here.",
            ASK,
        ),
        "forged" => Words::new(
            "This did not come from our page",
            "Your browser says that another site sent this, so nothing was done.",
            "If you meant to do it, open the page here and do it again.",
        ),
        "form_expired" => Words::new(
            "This form is out of date",
            "It was made for another session, or your browser did not keep our cookie. Nothing was done.",
            "Go back, reload the page and try again. Cookies must be allowed for this site.",
        ),
        _ => by_status(status),
    }
}

/// How long to wait after a failure of the store, in seconds.
pub(crate) const UNAVAILABLE_RETRY_SECONDS: u64 = 5;

const ASK: &str = "If you need this, ask your administrator.";

/// Status, headline, sentence, advice.
const BY_STATUS: [(u16, &str, &str, &str); 15] = [
    (
        400,
        "This request cannot be understood",
        "It can be read in more than one way, so it was not passed on.",
        "",
    ),
    (401, "Please sign in", "You need to sign in first.", ""),
    (403, "No entry", "You may not do this here.", ASK),
    (404, "Nothing here", "There is no page at this address.", ""),
    (
        405,
        "Not like this",
        "This page cannot be used that way.",
        "Go back and use the links and buttons of the page.",
    ),
    (
        408,
        "This took too long",
        "The request did not arrive in time.",
        "Please try again.",
    ),
    (413, "Too large", "What you sent is larger than this place accepts.", ""),
    (
        415,
        "Not in this form",
        "What you sent is of a kind that is not accepted here.",
        "",
    ),
    (
        421,
        "Wrong door",
        "No console is served under this name.",
        "Check the address in your browser.",
    ),
    (
        431,
        "Your browser sent too much",
        "The cookies or headers of this request are too large.",
        "Delete the cookies of this site in your browser, then try again.",
    ),
    (
        429,
        "Too many requests",
        "There were too many requests in a short time.",
        "Please wait a little.",
    ),
    (
        502,
        "The console does not answer",
        "The console behind this door cannot be reached right now.",
        "Try again in a moment. If it stays like this, tell your administrator the support code.",
    ),
    (
        503,
        "Not right now",
        "The door cannot check this right now, so it stays closed.",
        "Please try again in a moment.",
    ),
    (
        504,
        "The console takes too long",
        "The console behind the door did not answer in time.",
        "Try again in a moment. If it stays like this, tell your administrator the support code.",
    ),
    (
        508,
        "This leads in a circle",
        "What should be the console behind this door is this door itself.",
        "Tell your administrator the support code.",
    ),
];

fn by_status(status: StatusCode) -> Words {
    let words = BY_STATUS.iter().find(|(code, ..)| *code == status.as_u16());
    match words {
        Some((_, headline, sentence, advice)) => Words::new(headline, *sentence, advice),
        None => Words::new(
            "Something went wrong",
            "The door could not answer this.",
            "If it happens again, tell your administrator the support code.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use stagedoor_policy::rules::Rules;
    use stagedoor_policy::{Revision, compile};

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_362_360_000_000);

    #[test]
    fn who_was_displaced_learns_from_where_and_when_and_what_to_do() {
        let words = ended(&Ended {
            at_micros: NOW.as_micros(),
            reason: EndReason::Displaced {
                by: [198, 51, 100, 7].into(),
            },
        });
        assert_eq!(
            words.sentence,
            "Somebody signed in to this account from another place: from 198.51.100.7 at 22 November 2026, 15:46 (UTC)."
        );
        assert!(words.advice.unwrap().contains("change your password"));
    }

    #[test]
    fn who_is_locked_out_learns_until_when() {
        let until = NOW.after(std::time::Duration::from_secs(840));
        let refusal = SignInRefusal::Locked { until };
        let policy = compile(&Rules::default(), Revision(1)).unwrap();
        let told = Told {
            policy: &policy,
            channel: "browser",
            address: [127, 0, 0, 1].into(),
            now: NOW,
        };
        let sentence = sign_in(&refusal, &told);
        assert!(
            sentence.contains("in 14 minutes, after 22 November 2026, 16:00 (UTC)"),
            "{sentence}"
        );
        assert_eq!(sign_in_retry_after_seconds(&refusal, NOW), Some(840));
    }

    #[test]
    fn waiting_is_only_advised_where_it_helps() {
        assert_eq!(
            sign_in_retry_after_seconds(&SignInRefusal::InvalidCredentials, NOW),
            None
        );
        assert_eq!(
            sign_in_retry_after_seconds(&SignInRefusal::Busy { retry_after_seconds: 2 }, NOW),
            Some(2)
        );
        assert_eq!(
            sign_in_status(&SignInRefusal::Unavailable),
            StatusCode::SERVICE_UNAVAILABLE
        );
    }

    #[test]
    fn every_status_the_door_answers_with_has_words_of_its_own() {
        let other = by_status(StatusCode::IM_A_TEAPOT);
        for status in [
            400, 401, 403, 404, 405, 408, 413, 415, 421, 429, 431, 502, 503, 504, 508,
        ] {
            assert_ne!(by_status(StatusCode::from_u16(status).unwrap()), other, "{status}");
        }
    }
}
