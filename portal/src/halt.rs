//! Why the portal stops answering a request as asked.

use axum::http::StatusCode;

use crate::words::UNAVAILABLE_RETRY_SECONDS;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The body cannot be read as what it says it is.
    Malformed,
    /// Only for people who are signed in.
    SignInFirst,
    /// Another site sent it.
    Forged,
    /// The form's token was not made for this visitor.
    FormExpired,
    /// Not for this visitor; the code says why.
    NoEntry(&'static str),
    /// There is no such page.
    NotFound,
    /// Not by this method.
    WrongMethod,
    /// The body is larger than a form of ours.
    TooLarge,
    /// The body is neither a form nor JSON.
    WrongType,
    /// A fault of ours.
    Broken,
    /// The store failed.
    Unavailable,
}

impl Halt {
    /// From what the reading of a body came to.
    pub(crate) fn of_body(status: StatusCode) -> Self {
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::WrongType,
            _ => Self::Malformed,
        }
    }

    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::SignInFirst => StatusCode::UNAUTHORIZED,
            Self::Forged | Self::FormExpired | Self::NoEntry(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::WrongType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::SignInFirst => "sign_in_required",
            Self::Forged => "forged",
            Self::FormExpired => "form_expired",
            Self::NoEntry(code) => code,
            Self::NotFound => "not_found",
            Self::WrongMethod => "method_not_allowed",
            Self::TooLarge => "too_large",
            Self::WrongType => "unsupported_media_type",
            Self::Broken => "internal",
            Self::Unavailable => "unavailable",
        }
    }

    pub(crate) fn retry_after_seconds(self) -> Option<u64> {
        (self == Self::Unavailable).then_some(UNAVAILABLE_RETRY_SECONDS)
    }
}
