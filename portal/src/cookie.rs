//! Cookies of the door's own: the session, the form, and the step a sign-in is at.
//!
//! Over TLS all of them bear the `__Host-` prefix, so no other host and no plain connection can plant one. Over plain HTTP
//! (loopback and tests) browsers would drop that prefix, so it is left out. A cookie that is there twice counts as not there:
//! whoever could plant the second one must not choose which is believed.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use stagedoor_identity::SessionToken;

/// How long the state between two steps of a sign-in is kept by the browser, in seconds: as long as a ticket is good.
const STEP_SECONDS: u32 = 600;

/// How many of the console's cookies a sign-out expires at most.
const FOREIGN_COOKIES_MAX: usize = 64;

/// The name of the session cookie.
pub fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-stagedoor" } else { "stagedoor" }
}

/// Whether a cookie of this name is the door's own: the console must neither get nor set it. Either form of the name,
/// whatever the connection.
pub fn is_own_cookie(name: &[u8]) -> bool {
    let bare = name.strip_prefix(b"__Host-").unwrap_or(name);
    [&b"stagedoor"[..], b"stagedoor-form", b"stagedoor-step"].contains(&bare)
}

/// What a request presents as its session.
#[derive(Debug)]
pub enum Presented {
    /// No session cookie, or one that no door ever made.
    None,
    /// Exactly one.
    One(SessionToken),
    /// Several: nobody can say which is meant. Not signed in.
    Ambiguous,
}

/// The session token of a request, from however many `Cookie` headers it has (HTTP/2 may split them).
pub fn presented_token(headers: &HeaderMap, secure: bool) -> Presented {
    match find(headers, cookie_name(secure)) {
        Found::None => Presented::None,
        Found::One(value) => SessionToken::parse(value).map_or(Presented::None, Presented::One),
        Found::Several => Presented::Ambiguous,
    }
}

/// One of the door's cookies beside the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Jar {
    /// A random value that forms of strangers are tied to.
    Form,
    /// What is carried from one step of a sign-in to the next, sealed.
    Step,
}

impl Jar {
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Form, true) => "__Host-stagedoor-form",
            (Self::Form, false) => "stagedoor-form",
            (Self::Step, true) => "__Host-stagedoor-step",
            (Self::Step, false) => "stagedoor-step",
        }
    }

    /// The one value that was presented; `None` also where there are several.
    pub(crate) fn presented(self, headers: &HeaderMap, secure: bool) -> Option<&str> {
        match find(headers, self.name(secure)) {
            Found::One(value) => std::str::from_utf8(value).ok(),
            Found::None | Found::Several => None,
        }
    }

    /// The header that sets it.
    pub(crate) fn set(self, value: &str, secure: bool) -> Option<HeaderValue> {
        let age = match self {
            Self::Form => None,
            Self::Step => Some(STEP_SECONDS),
        };
        set_cookie(self.name(secure), value, age, secure)
    }

    /// The header that takes it away.
    pub(crate) fn clear(self, secure: bool) -> Option<HeaderValue> {
        set_cookie(self.name(secure), "", Some(0), secure)
    }
}

/// The header that hands the session out. Without an age: it goes when the browser closes, and the door ends it earlier.
pub(crate) fn set_session(token: &SessionToken, secure: bool) -> Option<HeaderValue> {
    set_cookie(cookie_name(secure), token.expose(), None, secure)
}

/// The header that takes the session away.
pub(crate) fn clear_session(secure: bool) -> Option<HeaderValue> {
    set_cookie(cookie_name(secure), "", Some(0), secure)
}

/// Headers that expire the console's cookies which this request brought, as far as they lie at `/`: on a shared machine the
/// next person must not step into the console's own session of the one before. (`Clear-Site-Data: "cookies"` would reach
/// every host of the domain, which is not ours to clear.)
pub(crate) fn clear_foreign(headers: &HeaderMap, secure: bool) -> Vec<HeaderValue> {
    let mut names: Vec<&[u8]> = Vec::new();
    for (name, _) in pairs(headers) {
        if names.len() < FOREIGN_COOKIES_MAX && !is_own_cookie(name) && is_token(name) && !names.contains(&name) {
            names.push(name);
        }
    }
    let expire = |name: &&[u8]| {
        let name = std::str::from_utf8(name).ok()?;
        let secure = if secure { "; Secure" } else { "" };
        HeaderValue::try_from(format!("{name}=; Path=/; Max-Age=0{secure}")).ok()
    };
    names.iter().filter_map(expire).collect()
}

enum Found<'a> {
    None,
    One(&'a [u8]),
    Several,
}

fn find<'a>(headers: &'a HeaderMap, name: &str) -> Found<'a> {
    let mut found = Found::None;
    for (candidate, value) in pairs(headers) {
        if candidate == name.as_bytes() {
            match found {
                Found::None => found = Found::One(value),
                Found::One(_) | Found::Several => return Found::Several,
            }
        }
    }
    found
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
        .map(|pair| match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => {
                let (name, value) = pair.split_at(at);
                (name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii())
            }
            None => (pair.trim_ascii(), &b""[..]),
        })
}

fn is_token(name: &[u8]) -> bool {
    !name.is_empty()
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

fn set_cookie(name: &str, value: &str, max_age_seconds: Option<u32>, secure: bool) -> Option<HeaderValue> {
    let age = max_age_seconds
        .map(|seconds| format!("; Max-Age={seconds}"))
        .unwrap_or_default();
    let secure = if secure { "; Secure" } else { "" };
    let mut header =
        HeaderValue::try_from(format!("{name}={value}; Path=/{age}{secure}; HttpOnly; SameSite=Lax")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn headers(cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        headers
    }

    fn presented(cookies: &[String], secure: bool) -> Presented {
        let cookies: Vec<&str> = cookies.iter().map(String::as_str).collect();
        presented_token(&headers(&cookies), secure)
    }

    #[test]
    fn one_session_cookie_among_others_is_found_however_they_are_split() {
        for cookies in [
            vec![format!("stagedoor={TOKEN}")],
            vec![format!("a=1; stagedoor={TOKEN};b=2")],
            vec![
                "a=1".to_owned(),
                format!("stagedoor={TOKEN}"),
                "b=stagedoor=x".to_owned(),
            ],
        ] {
            let Presented::One(token) = presented(&cookies, false) else {
                panic!("not found in {cookies:?}")
            };
            assert_eq!(token.expose(), TOKEN);
        }
    }

    #[test]
    fn two_session_cookies_are_none_even_when_they_agree() {
        for cookies in [
            vec![format!("stagedoor={TOKEN}; stagedoor={TOKEN}")],
            vec![format!("stagedoor={TOKEN}"), "stagedoor=".to_owned()],
            vec![format!("stagedoor; stagedoor={TOKEN}")],
        ] {
            assert!(
                matches!(presented(&cookies, false), Presented::Ambiguous),
                "{cookies:?}"
            );
        }
    }

    #[test]
    fn what_no_door_made_is_no_session() {
        for value in [
            "",
            "short",
            "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
            "AAAA AAAA",
        ] {
            assert!(
                matches!(presented(&[format!("stagedoor={value}")], false), Presented::None),
                "{value:?}"
            );
        }
    }

    #[test]
    fn the_cookie_of_a_plain_connection_is_worth_nothing_over_tls() {
        assert!(matches!(
            presented(&[format!("stagedoor={TOKEN}")], true),
            Presented::None
        ));
        assert!(matches!(
            presented(&[format!("__Host-stagedoor={TOKEN}")], true),
            Presented::One(_)
        ));
        assert!(matches!(
            presented(&[format!("__Host-stagedoor={TOKEN}")], false),
            Presented::None
        ));
    }

    #[test]
    fn own_cookies_are_known_in_both_forms() {
        for name in [
            "stagedoor",
            "__Host-stagedoor",
            "stagedoor-form",
            "__Host-stagedoor-step",
        ] {
            assert!(is_own_cookie(name.as_bytes()), "{name}");
        }
        assert!(!is_own_cookie(b"stagedoors"));
        assert!(!is_own_cookie(b"sessionid"));
    }

    #[test]
    fn a_session_cookie_over_tls_cannot_be_read_by_scripts_or_sent_in_clear() {
        let token = SessionToken::parse(TOKEN.as_bytes()).unwrap();
        let header = set_session(&token, true).unwrap();
        assert_eq!(
            header.to_str().unwrap(),
            format!("__Host-stagedoor={TOKEN}; Path=/; Secure; HttpOnly; SameSite=Lax")
        );
        assert!(header.is_sensitive());
    }

    #[test]
    fn signing_out_expires_the_consoles_cookies_but_echoes_nothing_strange() {
        let headers = headers(&[&format!(
            "sessionid=s3cret; stagedoor={TOKEN}; sessionid=2; b\"d=1; csrftoken=x"
        )]);
        let cleared: Vec<String> = clear_foreign(&headers, false)
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect();
        assert_eq!(
            cleared,
            ["sessionid=; Path=/; Max-Age=0", "csrftoken=; Path=/; Max-Age=0"]
        );
    }

    proptest! {
        #[test]
        fn a_planted_cookie_is_never_believed_beside_the_own_one(
            pieces in proptest::collection::vec(proptest::sample::select(vec![
                "stagedoor", "__Host-stagedoor", "=", ";", " ", "\"", "a=1", TOKEN, ",", "$Version=1;", "\t",
            ]), 0..12),
            secure in any::<bool>(),
        ) {
            let sent = pieces.concat();
            let planted = format!("{}={}", cookie_name(secure), "B".repeat(TOKEN.len()));
            let before = presented(std::slice::from_ref(&sent), secure);
            for both in [[sent.clone(), planted.clone()], [planted, sent]] {
                let after = presented(&both, secure);
                prop_assert!(!matches!((&before, after), (Presented::One(_), Presented::One(_))));
            }
        }
    }
}
