//! The one place where a refusal becomes an answer: little for the visitor, everything for the audit.

use http::StatusCode;
use stagedoor_identity::session::Ended;
use stagedoor_policy::{AreaId, Refusal, Scope};

use crate::wire::WireFault;

const TARGET_SENTENCE: &str = "The address of this page is not written in a way that can be checked.";

/// Why a request does not reach a console, whichever stage found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The visitor's address cannot be told.
    AddressUnknown,
    /// No `Host`.
    HostMissing,
    /// A `Host` that is none, or more than one.
    HostMalformed,
    /// No site has this host.
    HostUnknown,
    /// A target that two servers could read differently; carries the fault's code.
    TargetMalformed(&'static str),
    /// A method that is not let through to any console.
    MethodNotAllowed,
    /// The header is larger than the limit.
    HeaderTooLarge,
    /// The body is larger than the site's limit.
    BodyTooLarge,
    /// The policy says no.
    Policy(Refusal),
    /// There was a session, and it is over.
    SessionEnded(Ended),
    /// Whether there still is a session cannot be told: this door hears nothing from the store.
    StoreLost,
    /// Plain HTTP, where only HTTPS is served.
    HttpsRequired,
    /// The site takes no WebSockets, or the upgrade is none.
    UpgradeNotAllowed,
    /// A WebSocket is asked for by a handshake that is not whole.
    HandshakeMalformed,
    /// A WebSocket is asked for in a version that there is not.
    HandshakeVersion,
    /// More came behind a WebSocket's handshake before it was answered.
    HandshakeOvertaken,
    /// A WebSocket opened by another site's page.
    ForeignOrigin,
    /// The account, or the address where nobody is signed in, has as many WebSockets open as it may.
    TooManyWebSockets,
    /// The console cannot be reached, or broke off before it answered.
    UpstreamUnreachable,
    /// The console took too long.
    UpstreamTimeout,
    /// The console's answer cannot be passed on.
    UpstreamMalformed,
    /// What came is no well-formed request, or came too slowly.
    Wire(WireFault),
    /// A door has sent it: an upstream leads back here.
    Loop,
    /// A fault of our own.
    Internal,
}

impl Refused {
    /// The status a program is answered.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::AddressUnknown
            | Self::HostMissing
            | Self::HostMalformed
            | Self::TargetMalformed(_)
            | Self::HandshakeMalformed
            | Self::HandshakeOvertaken
            | Self::Policy(Refusal::CaseAmbiguous) => StatusCode::BAD_REQUEST,
            Self::HandshakeVersion => StatusCode::UPGRADE_REQUIRED,
            Self::HostUnknown => StatusCode::MISDIRECTED_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::HeaderTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Policy(Refusal::SignInRequired | Refusal::SecondFactorRequired) | Self::SessionEnded(_) => {
                StatusCode::UNAUTHORIZED
            }
            Self::Policy(_) | Self::HttpsRequired | Self::UpgradeNotAllowed | Self::ForeignOrigin => {
                StatusCode::FORBIDDEN
            }
            Self::TooManyWebSockets => StatusCode::TOO_MANY_REQUESTS,
            Self::UpstreamUnreachable | Self::UpstreamMalformed => StatusCode::BAD_GATEWAY,
            Self::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Loop => StatusCode::LOOP_DETECTED,
            Self::StoreLost => StatusCode::SERVICE_UNAVAILABLE,
            Self::Wire(fault) => fault.status(),
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A stable code, for metrics, audit and JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AddressUnknown => "address_unknown",
            Self::HostMissing => "host_missing",
            Self::HostMalformed => "host_malformed",
            Self::HostUnknown => "host_unknown",
            Self::TargetMalformed(code) => code,
            Self::MethodNotAllowed => "method_not_allowed",
            Self::HeaderTooLarge => "header_too_large",
            Self::BodyTooLarge => "body_too_large",
            Self::Policy(refusal) => refusal.code(),
            Self::SessionEnded(_) => "session_ended",
            Self::StoreLost => "store_lost",
            Self::HttpsRequired => "https_required",
            Self::UpgradeNotAllowed => "upgrade_not_allowed",
            Self::HandshakeMalformed => "websocket_handshake_malformed",
            Self::HandshakeVersion => "websocket_version_not_supported",
            Self::HandshakeOvertaken => "websocket_handshake_overtaken",
            Self::ForeignOrigin => "foreign_origin",
            Self::TooManyWebSockets => "too_many_websockets",
            Self::UpstreamUnreachable => "upstream_unreachable",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamMalformed => "upstream_malformed",
            Self::Loop => "loop",
            Self::Wire(fault) => fault.code(),
            Self::Internal => "internal",
        }
    }

    /// A plain sentence for the visitor. Says nothing of rules.
    pub fn sentence(&self) -> &'static str {
        match self {
            Self::AddressUnknown => "Your network address could not be determined.",
            Self::HostMissing | Self::HostMalformed => "The request does not say which site it is for.",
            Self::HostUnknown => "There is no site of this name here.",
            Self::TargetMalformed(_) => TARGET_SENTENCE,
            Self::MethodNotAllowed => "This way of asking is not let through.",
            Self::HeaderTooLarge => "The request's header is too large. Deleting this site's cookies may help.",
            Self::BodyTooLarge => "What you are sending is larger than this site allows.",
            Self::Policy(refusal) => policy_sentence(*refusal),
            Self::SessionEnded(_) => "Your session has ended. Please sign in again.",
            Self::StoreLost => "Who is signed in cannot be checked at the moment. Please try again in a while.",
            Self::HttpsRequired => "This site is open by HTTPS alone. What was sent just now could be read on its way.",
            Self::UpgradeNotAllowed => "This site does not take live connections here.",
            Self::HandshakeMalformed | Self::HandshakeOvertaken => {
                "The request for a live connection is not written in a way that can be checked."
            }
            Self::HandshakeVersion => "This kind of live connection is not spoken here.",
            Self::TooManyWebSockets => {
                "Too many live connections are open already. Closing other tabs of this site helps."
            }
            Self::ForeignOrigin => "This live connection was opened by another site's page.",
            Self::UpstreamUnreachable => "The console behind this door does not answer. Please try again in a while.",
            Self::UpstreamTimeout => "The console behind this door took too long to answer.",
            Self::UpstreamMalformed => "The console behind this door gave an answer that cannot be passed on.",
            Self::Wire(fault) => wire_sentence(*fault),
            Self::Loop => "What should be the console behind this door is this door itself.",
            Self::Internal => "Something went wrong at this door. It has been noted.",
        }
    }

    /// The area that was asked for, where the refusal knows it.
    pub fn area(&self) -> Option<AreaId> {
        match self {
            Self::Policy(Refusal::NotGranted { area }) => Some(*area),
            _ => None,
        }
    }

    /// Whether a program that is broken or hostile sent this, so that it counts against its address.
    pub fn is_malformed(&self) -> bool {
        match self {
            Self::Wire(fault) => fault.is_malformed(),
            Self::HostMissing
            | Self::HostMalformed
            | Self::TargetMalformed(_)
            | Self::HandshakeMalformed
            | Self::HandshakeOvertaken
            | Self::Policy(Refusal::CaseAmbiguous) => true,
            _ => false,
        }
    }

    /// Whether signing in may help, so that a person's browser is sent there.
    pub fn asks_to_sign_in(&self) -> bool {
        self.status() == StatusCode::UNAUTHORIZED
    }
}

fn wire_sentence(fault: WireFault) -> &'static str {
    match fault {
        WireFault::HeadTooLarge | WireFault::TooManyHeaders => {
            "The request's header is too large. Deleting this site's cookies may help."
        }
        WireFault::HeadTooSlow | WireFault::BodyTooSlow => "The request took too long to arrive. Please try again.",
        WireFault::Busy => "There are too many requests at the moment. Please try again in a while.",
        WireFault::VisitorUnknown => "Your network address could not be determined.",
        WireFault::HostMissing | WireFault::Host => "The request does not say which site it is for.",
        WireFault::Connect => "This way of asking is not let through.",
        WireFault::Expect => "The request expects something that this door cannot promise.",
        _ => "The request is not written in a way that can be checked.",
    }
}

fn policy_sentence(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::SignInRequired => "Please sign in.",
        Refusal::SecondFactorRequired => "Please sign in again with your second factor.",
        Refusal::AddressNotAllowed(Scope::Site) => "This site may not be used from your network.",
        Refusal::AddressNotAllowed(Scope::Role | Scope::Account) | Refusal::AccountHasNoNetworks => {
            "Your account may not be used from your network."
        }
        Refusal::CaseAmbiguous => TARGET_SENTENCE,
        Refusal::ChannelNotAllowed => "Your account may not come in this way.",
        Refusal::RoleUnknown | Refusal::NoArea | Refusal::NotGranted { .. } => {
            "Your account does not have the right to do this."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refusals_that_signing_in_can_mend_send_a_person_there() {
        assert!(Refused::Policy(Refusal::SignInRequired).asks_to_sign_in());
        assert!(!Refused::Policy(Refusal::NoArea).asks_to_sign_in());
        assert!(!Refused::HostUnknown.asks_to_sign_in());
    }

    #[test]
    fn a_path_that_is_ambiguous_by_its_case_is_answered_and_counted_like_any_target_with_two_readings() {
        let (ambiguous, malformed) = (
            Refused::Policy(Refusal::CaseAmbiguous),
            Refused::TargetMalformed("encoded_slash"),
        );
        assert_eq!(ambiguous.status(), malformed.status());
        assert_eq!(ambiguous.sentence(), malformed.sentence());
        assert!(ambiguous.is_malformed() && malformed.is_malformed());
        assert_eq!((ambiguous.code(), ambiguous.area()), ("case_ambiguous", None));
    }
}
