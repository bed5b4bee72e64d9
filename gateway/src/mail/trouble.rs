//! What went wrong with a letter: at which step, why, and whose fault it is.

use std::fmt;
use std::time::Duration;

use lettre::transport::smtp::Error;

/// The steps of sending, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Reading the password and the authority.
    Files,
    /// Finding the server, connecting, its greeting.
    Connect,
    /// Making the connection a private one.
    StartTls,
    /// Signing in.
    SignIn,
    /// Saying who the letter is from.
    Sender,
    /// Saying who it is for.
    Recipient,
    /// Handing it over.
    HandOver,
}

impl Step {
    /// In words, after "while".
    pub(crate) const fn doing(self) -> &'static str {
        match self {
            Self::Files => "reading the files that [mail] names",
            Self::Connect => "connecting",
            Self::StartTls => "securing the connection (TLS)",
            Self::SignIn => "signing in",
            Self::Sender => "naming the sender",
            Self::Recipient => "naming the recipient",
            Self::HandOver => "handing the letter over",
        }
    }
}

/// Whose fault it is, which decides what becomes of the letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The server's, the network's or the settings': no letter would get through now. All wait.
    Server,
    /// This letter's, for now: it is tried again, the others go on.
    LetterForNow,
    /// This letter's, for good: it is given up.
    Letter,
    /// Nobody knows: the server had all of the letter, and its answer was lost.
    Unknown,
}

/// Why a letter was not sent.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) step: Step,
    pub(crate) blame: Blame,
    pub(crate) why: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "while {}: {}", self.step.doing(), self.why)
    }
}

impl Trouble {
    pub(super) fn server(step: Step, why: &str) -> Self {
        Self::new(step, Blame::Server, why.to_owned())
    }

    pub(super) fn letter_refused(step: Step, why: &str) -> Self {
        Self::new(step, Blame::Letter, why.to_owned())
    }

    /// The server has not answered in time.
    pub(super) fn too_slow(step: Step, limit: Duration) -> Self {
        let why = format!("no answer within {} s", limit.as_secs_f32());
        Self::new(step, blame(step, None), why)
    }

    pub(super) fn of(step: Step, error: &Error) -> Self {
        Self::new(step, blame(step, error.status().map(u16::from)), error.to_string())
    }

    fn new(step: Step, blame: Blame, why: String) -> Self {
        Self { step, blame, why }
    }
}

/// By the step, and what the server said there, if it said something.
fn blame(step: Step, code: Option<u16>) -> Blame {
    match (step, code) {
        // The server is going down, or wants another sign-in than it got: no fault of the letter's, wherever it is said.
        (_, Some(421 | 530 | 534 | 535 | 538)) => Blame::Server,
        // A sender that is refused is refused for every letter: the settings are wrong.
        (Step::Files | Step::Connect | Step::StartTls | Step::SignIn | Step::Sender, _) => Blame::Server,
        (Step::Recipient | Step::HandOver, Some(400..=499)) => Blame::LetterForNow,
        (Step::Recipient | Step::HandOver, Some(500..=599)) => Blame::Letter,
        (Step::Recipient, _) => Blame::Server,
        (Step::HandOver, _) => Blame::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_recipient_is_given_up_and_a_refused_sender_or_sign_in_never_costs_a_letter() {
        for (step, code, expected) in [
            (Step::Connect, Some(554), Blame::Server),
            (Step::SignIn, Some(535), Blame::Server),
            (Step::Sender, Some(550), Blame::Server),
            (Step::Recipient, Some(550), Blame::Letter),
            (Step::Recipient, Some(530), Blame::Server),
            (Step::Recipient, Some(451), Blame::LetterForNow),
            (Step::Recipient, Some(421), Blame::Server),
            (Step::Recipient, None, Blame::Server),
            (Step::HandOver, Some(554), Blame::Letter),
            (Step::HandOver, Some(452), Blame::LetterForNow),
            (Step::HandOver, None, Blame::Unknown),
        ] {
            assert_eq!(blame(step, code), expected, "{step:?} {code:?}");
        }
    }
}
