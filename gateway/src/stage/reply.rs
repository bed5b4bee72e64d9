//! Last: what the console answers, without what only the gateway may say, and with what the site says of framing and
//! keeping.

use http::{HeaderValue, StatusCode, header};
use pingora::Result;
use pingora::http::ResponseHeader;
use stagedoor_config::Site;

use crate::caching::keep_private;
use crate::headers::{met, remove_from_answer};
use crate::stage::decide::Admitted;
use crate::upstream::lines::Lines;

/// As visitors get them. A text that is always there is not copied by the header map.
const CONTENT_SECURITY_POLICY: &str = "Content-Security-Policy";
const CACHE_CONTROL: &str = "Cache-Control";
/// What `frame_ancestors = ["self"]` says, the default.
const SELF: &[u8] = b"frame-ancestors 'self'";
const NOBODY: &[u8] = b"frame-ancestors 'none'";

/// Makes a console's answer the visitor's. What the door says of it goes into `lines`, where somebody writes those behind its
/// head; else into the answer itself.
///
/// # Errors
/// Where a header cannot be written back.
pub fn finish(answer: &mut ResponseHeader, site: &Site, admitted: &Admitted, lines: Option<&mut Lines>) -> Result<()> {
    clean(answer)?;
    if answer.status.is_informational() {
        return Ok(());
    }
    if answer.status == StatusCode::NO_CONTENT {
        answer.remove_header(&header::CONTENT_LENGTH);
    }
    let keeping = admitted.session.as_ref().and_then(|_| keep_private(answer));
    let framing = site.frame_ancestors.header_value();
    let framing = framing.map(|ancestors| who_may_frame(answer, ancestors));
    let said = [(CACHE_CONTROL, keeping), (CONTENT_SECURITY_POLICY, framing)];
    let mut said = said.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let Some(lines) = lines else {
        return said.try_for_each(|(name, value)| answer.append_header(name, value).map(|_| ()));
    };
    lines.begin();
    said.for_each(|(name, value)| lines.say_value(name, &value));
    lines.end();
    Ok(())
}

/// Cleans a console's answer. Interim answers (1xx) too: browsers take cookies from the 101 that opens a WebSocket.
///
/// # Errors
/// Where a cookie header cannot be written back.
pub fn clean(answer: &mut ResponseHeader) -> Result<()> {
    remove_from_answer(answer);
    let sets_ours = |value: &HeaderValue| sets_our_cookie(value.as_bytes());
    let [sets_cookies] = met(&answer.headers, &[header::SET_COOKIE]);
    if !sets_cookies || !answer.headers.get_all(header::SET_COOKIE).iter().any(sets_ours) {
        return Ok(());
    }
    let fields = answer.headers.get_all(header::SET_COOKIE);
    let theirs: Vec<_> = fields.iter().filter(|value| !sets_ours(value)).cloned().collect();
    answer.remove_header(&header::SET_COOKIE);
    theirs
        .into_iter()
        .try_for_each(|value| answer.append_header(header::SET_COOKIE, value).map(|_| ()))
}

/// What the door says in a policy of its own beside the console's, so that both hold. Browsers that know it ignore `X-Frame-Options`, so that a
/// console's `DENY` is said again in our words, unless the site names who may: then the site's word stands.
fn who_may_frame(answer: &mut ResponseHeader, ancestors: &HeaderValue) -> HeaderValue {
    let says_deny = |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"deny");
    let [has_options] = met(&answer.headers, &[header::X_FRAME_OPTIONS]);
    let denied = has_options && answer.headers.get_all(header::X_FRAME_OPTIONS).iter().any(says_deny);
    match ancestors.as_bytes() {
        SELF if denied => HeaderValue::from_static("frame-ancestors 'none'"),
        SELF | NOBODY => ancestors.clone(),
        _ => {
            answer.remove_header(&header::X_FRAME_OPTIONS);
            ancestors.clone()
        }
    }
}

/// Whether a browser would take this for one of our cookies, or send it back as one: it trims blanks, and what has no name
/// (`=stagedoor=x`, `stagedoor`) comes back as if its value were name and value.
fn sets_our_cookie(value: &[u8]) -> bool {
    let pair = value.split(|byte| *byte == b';').next().unwrap_or_default();
    let start = pair
        .iter()
        .position(|byte| !matches!(byte, b'=' | b' ' | b'\t' | b'"'))
        .unwrap_or(pair.len());
    let mut name = pair.get(start..).unwrap_or_default();
    // `__Host-`, `__Secure-`, `__Host-Http-` and whatever prefix browsers may yet learn.
    while let Some(rest) = name.strip_prefix(b"__") {
        let after = rest.iter().position(|byte| *byte == b'-').map(|dash| dash + 1);
        name = after.and_then(|after| rest.get(after..)).unwrap_or_default();
    }
    for prefix in [&b"http-"[..], b"host-", b"secure-"] {
        name = match name.get(..prefix.len()) {
            Some(start) if start.eq_ignore_ascii_case(prefix) => name.get(prefix.len()..).unwrap_or_default(),
            _ => name,
        };
    }
    name.get(..9)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"stagedoor"))
        && matches!(name.get(9), None | Some(b'-' | b'=' | b' ' | b'\t' | b'"'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stagedoor_portal::is_own_cookie;

    use super::*;

    /// What a browser sends back for a `Set-Cookie` (RFC 6265bis, sections 5.6 and 5.8.3).
    fn sent_back(line: &str) -> String {
        let pair = line.split(';').next().unwrap_or_default();
        let (name, value) = pair.split_once('=').unwrap_or(("", pair));
        let (name, value) = (name.trim_matches([' ', '\t']), value.trim_matches([' ', '\t']));
        if name.is_empty() {
            value.to_owned()
        } else {
            format!("{name}={value}")
        }
    }

    proptest! {
        #[test]
        fn no_cookie_that_a_browser_would_send_back_as_ours_is_let_through(
            pieces in proptest::collection::vec(
                prop_oneof![Just("stagedoor"), Just("__Host-"), Just("__Secure-"), Just("="), Just(" "), Just("\t"),
                    Just("-form"), Just("-step"), Just("; "), Just("x"), Just("\"")],
                0..8,
            ),
        ) {
            let line = pieces.concat();
            let back = sent_back(&line);
            let name = back.split('=').next().unwrap_or_default().trim();
            prop_assert!(!is_own_cookie(name.as_bytes()) || sets_our_cookie(line.as_bytes()), "{line:?} comes back as {back:?}");
        }
    }

    fn answer(status: u16, headers: &[(&'static str, &str)]) -> ResponseHeader {
        let mut answer = ResponseHeader::build(status, None).unwrap();
        headers.iter().for_each(|(name, value)| {
            answer.append_header(*name, *value).unwrap();
        });
        answer
    }

    fn values(answer: &ResponseHeader, name: &str) -> Vec<String> {
        let values = answer.headers.get_all(name).iter();
        values.map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_console_cannot_set_our_cookie_but_can_set_its_own() {
        for ours in [
            "__Host-stagedoor=x",
            "__Secure-stagedoor=x",
            "__host-STAGEDOOR=x; Path=/",
            "__Host-Http-stagedoor=x",
            " stagedoor =y",
            "\tStagedoor\t=y",
            "stagedoor-form=z",
            "__Secure-stagedoor-step=z",
            "stagedoor",
            "=stagedoor=x",
            " = stagedoor=x",
            "stagedoor=; Max-Age=0",
            "\"stagedoor\"=x",
        ] {
            let mut answer = answer(200, &[("Set-Cookie", ours), ("Set-Cookie", "sid=1; Path=/")]);
            clean(&mut answer).unwrap();
            assert_eq!(values(&answer, "set-cookie"), ["sid=1; Path=/"], "{ours}");
        }
        for theirs in [
            "sid=1; Path=/",
            "stagedoorman=1",
            "xstagedoor=2",
            "a=stagedoor=1",
            "__Host-sid=3",
            "__utma=1",
        ] {
            let mut answer = answer(200, &[("Set-Cookie", theirs), ("Set-Cookie", "stagedoor=x")]);
            clean(&mut answer).unwrap();
            assert_eq!(values(&answer, "set-cookie"), [theirs]);
        }
    }

    #[test]
    fn the_answer_that_opens_a_websocket_cannot_set_our_cookie_either() {
        let mut answer = answer(
            101,
            &[
                ("upgrade", "websocket"),
                ("connection", "Upgrade"),
                ("set-cookie", "stagedoor=x; Path=/"),
                ("x-stagedoor-user", "root"),
                ("X_Stagedoor.Role", "root"),
            ],
        );
        clean(&mut answer).unwrap();
        assert!(answer.headers.contains_key("upgrade") && answer.headers.contains_key("connection"));
        assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("x-stagedoor-user"));
        assert!(!answer.headers.contains_key("x_stagedoor.role"));
    }

    #[test]
    fn who_may_frame_a_console_is_added_to_what_the_console_says_of_it() {
        let own = "default-src 'self'; frame-ancestors *";
        for (ancestors, framed, said, kept) in [
            ("frame-ancestors 'self'", "SAMEORIGIN", "frame-ancestors 'self'", true),
            ("frame-ancestors 'self'", " deny", "frame-ancestors 'none'", true),
            ("frame-ancestors 'none'", "SAMEORIGIN", "frame-ancestors 'none'", true),
            (
                "frame-ancestors https://p.test",
                "DENY",
                "frame-ancestors https://p.test",
                false,
            ),
        ] {
            let mut answer = answer(200, &[("Content-Security-Policy", own), ("X-Frame-Options", framed)]);
            let policy = who_may_frame(&mut answer, &HeaderValue::from_static(ancestors));
            assert_eq!(policy, said);
            assert_eq!(values(&answer, "content-security-policy"), [own]);
            assert_eq!(
                answer.headers.contains_key("x-frame-options"),
                kept,
                "{ancestors} {framed}"
            );
        }
    }
}
