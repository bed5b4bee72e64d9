//! Against forged requests: did this post come from a page of ours, and was that page made for this visitor?
//!
//! First what the browser says about itself (`Sec-Fetch-Site`, `Origin`); anything but our own origin is refused. Then the
//! token in the form: an HMAC over what the visitor holds (the session, or a random form cookie before there is one). The
//! token alone decides where a browser says neither.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::ORIGIN;
use stagedoor_identity::{Chance as _, SessionId, SystemChance};

use crate::Caller;

const FORM_COOKIE_BYTES: usize = 32;

/// What forms and carried steps are tied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bond(String);

impl Bond {
    /// A stranger's form cookie; `None` where that is no value of ours.
    pub(crate) fn of_form(cookie: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        (bytes.len() == FORM_COOKIE_BYTES).then(|| Self(format!("form {cookie}")))
    }

    pub(crate) fn of_session(id: SessionId) -> Self {
        Self(format!("session {}", id.0))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A fresh value for the form cookie.
pub(crate) fn fresh_form_cookie() -> String {
    let mut bytes = [0_u8; FORM_COOKIE_BYTES];
    SystemChance.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The token for a form.
pub(crate) fn token(key: &hmac::Key, bond: &Bond) -> String {
    URL_SAFE_NO_PAD.encode(hmac::sign(key, bond.as_bytes()))
}

/// Whether a token was made for this bond; in constant time.
pub(crate) fn is_token_of(key: &hmac::Key, bond: &Bond, presented: &str) -> bool {
    URL_SAFE_NO_PAD
        .decode(presented)
        .is_ok_and(|tag| hmac::verify(key, bond.as_bytes(), &tag).is_ok())
}

/// Whether the browser's own words allow that the post came from a page of ours.
pub(crate) fn may_be_ours(caller: &Caller, headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    let site = sites.next();
    let site_is_ours = site.is_some_and(|site| site == "same-origin");
    if sites.next().is_some() || (site.is_some() && !site_is_ours) {
        return false;
    }
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    if origins.next().is_some() {
        return false;
    }
    let Ok(origin) = origin.to_str() else { return false };
    // Some privacy settings hide the origin; the browser has still said that it is the same.
    (origin == "null" && site_is_ours) || is_origin_of(caller, origin)
}

fn is_origin_of(caller: &Caller, origin: &str) -> bool {
    let (scheme, authority) = match origin.split_once("://") {
        Some(("https", authority)) => ("https", authority),
        // A plain page may have been changed on its way: it cannot speak for the same host over TLS.
        Some(("http", authority)) if !caller.secure => ("http", authority),
        _ => return false,
    };
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let bare = |authority: &str| {
        let lower = authority.to_ascii_lowercase();
        lower.strip_suffix(default_port).map(str::to_owned).unwrap_or(lower)
    };
    bare(authority) == bare(&caller.host)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use stagedoor_policy::request::ClientAddress;
    use stagedoor_policy::time::Timestamp;

    use super::*;

    fn caller(secure: bool, host: &str) -> Caller {
        Caller {
            address: ClientAddress::of_peer([127, 0, 0, 1].into()),
            secure,
            host: host.to_owned(),
            site: None,
            request_id: String::new(),
            now: Timestamp::from_micros(0),
            picture_bytes_max: 0,
            body_too_large: false,
        }
    }

    fn judged(caller: &Caller, headers: &[(&'static str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        may_be_ours(caller, &map)
    }

    #[test]
    fn our_own_pages_may_post_and_so_may_who_says_nothing() {
        let plain = caller(false, "127.0.0.1:8080");
        assert!(judged(&plain, &[]));
        assert!(judged(&plain, &[("origin", "http://127.0.0.1:8080")]));
        assert!(judged(&plain, &[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(judged(
            &caller(true, "Console.example"),
            &[("origin", "https://console.example:443")]
        ));
    }

    #[test]
    fn every_other_origin_is_refused() {
        let plain = caller(false, "127.0.0.1:8080");
        for headers in [
            &[("origin", "http://evil.example")][..],
            &[("origin", "null")],
            &[("origin", "http://127.0.0.1:8081")],
            &[("origin", "http://127.0.0.1")],
            &[("origin", "file://127.0.0.1:8080")],
            &[("origin", "http://127.0.0.1:8080.evil.example")],
            &[("origin", "http://127.0.0.1:8080"), ("origin", "http://evil.example")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin"), ("origin", "http://evil.example")],
            &[("sec-fetch-site", "cross-site"), ("origin", "http://127.0.0.1:8080")],
        ] {
            assert!(!judged(&plain, headers), "{headers:?}");
        }
        assert!(!judged(
            &caller(true, "console.example"),
            &[("origin", "http://console.example")]
        ));
    }

    #[test]
    fn a_token_is_good_for_its_own_bond_and_key_only() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]);
        let bond = Bond::of_form(&fresh_form_cookie()).unwrap();
        let other = Bond::of_form(&fresh_form_cookie()).unwrap();
        let made = token(&key, &bond);
        assert!(is_token_of(&key, &bond, &made));
        assert!(!is_token_of(&key, &other, &made));
        assert!(!is_token_of(&hmac::Key::new(hmac::HMAC_SHA256, &[2; 32]), &bond, &made));
        assert!(!is_token_of(&key, &bond, ""));
        assert!(!is_token_of(&key, &bond, made.get(..20).unwrap()));
    }

    #[test]
    fn a_form_cookie_that_is_not_ours_binds_nothing() {
        for value in ["", "x", "AAAA", "not base64!"] {
            assert_eq!(Bond::of_form(value), None, "{value:?}");
        }
    }
}
