//! What a request's header has that the stages look at, found in one walk: most have none of it.

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CONTENT_LENGTH, ORIGIN, UPGRADE};
use http::{HeaderMap, HeaderName};

use crate::headers::met;
use crate::loops;

static SOUGHT: [HeaderName; 6] = [
    loops::NAME,
    ORIGIN,
    ACCESS_CONTROL_REQUEST_METHOD,
    UPGRADE,
    AUTHORIZATION,
    CONTENT_LENGTH,
];

/// What there is to look at; whatever is not there has been seen not to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asks {
    /// A door's mark, this one's or another's.
    pub marked: bool,
    /// The headers of a preflight, as browsers send before a request from another origin; its method is the policy's to look at.
    pub preflight: bool,
    /// `Upgrade`.
    pub upgrade: bool,
    /// `Authorization`.
    pub credentials: bool,
    /// `Content-Length`.
    pub length: bool,
}

impl Asks {
    /// Of this header.
    pub fn of(headers: &HeaderMap) -> Self {
        let [marked, origin, method, upgrade, credentials, length] = met(headers, &SOUGHT);
        Self {
            marked,
            preflight: origin && method,
            upgrade,
            credentials,
            length,
        }
    }
}
