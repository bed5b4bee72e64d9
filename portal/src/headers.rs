//! Headers that every answer of the door's own bears, whoever made it and whatever it says.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Marks answers that the door gave itself, so that a console's scripts can tell them from the console's.
pub const ANSWERED_BY: HeaderName = HeaderName::from_static("x-stagedoor-answer");

/// No scripts, nothing from elsewhere, in nobody's frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
                                       frame-ancestors 'none'; base-uri 'none'";

/// `same-origin` and not `no-referrer`: with the latter, browsers hide the `Origin` of our own forms.
const REFERRER_POLICY: &str = "same-origin";

/// Of a page that says nothing of its own.
pub(crate) fn secured() -> HeaderMap {
    static SECURED: LazyLock<HeaderMap> = LazyLock::new(|| {
        let mut headers = HeaderMap::new();
        secure(&mut headers);
        headers
    });
    SECURED.clone()
}

/// Adds them. An answer that has said for how long it may be kept, or what it may do that is no page, stays so; everything else
/// may not be kept, and is a page.
pub(crate) fn secure(headers: &mut HeaderMap) {
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, REFERRER_POLICY),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (ANSWERED_BY, "door"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_of_the_door_may_be_framed_by_nobody_and_kept_by_nobody() {
        let mut headers = HeaderMap::new();
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        secure(&mut headers);
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"));
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"));
        assert_eq!(headers[header::X_FRAME_OPTIONS], "DENY");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }

    #[test]
    fn an_answer_that_said_how_long_it_may_be_kept_stays_so() {
        let mut headers = HeaderMap::new();
        let kept = HeaderValue::from_static("public, max-age=300");
        headers.insert(header::CACHE_CONTROL, kept.clone());
        secure(&mut headers);
        assert_eq!(headers[header::CACHE_CONTROL], kept);
    }
}
