//! Last: what the console answers, without what only the gateway may say.

use pingora::Result;
use pingora::http::ResponseHeader;

use crate::headers::remove_from_answer;

/// Cleans a console's answer. Interim answers (1xx) too: browsers take cookies from the 101 that opens a WebSocket.
///
/// # Errors
/// Where a cookie header cannot be written back.
pub fn clean(answer: &mut ResponseHeader) -> Result<()> {
    remove_from_answer(answer);
    let sets_ours = |value: &http::HeaderValue| sets_our_cookie(value.as_bytes());
    if !answer.headers.get_all(http::header::SET_COOKIE).iter().any(sets_ours) {
        return Ok(());
    }
    let fields = answer.headers.get_all(http::header::SET_COOKIE);
    let theirs: Vec<_> = fields.iter().filter(|value| !sets_ours(value)).cloned().collect();
    answer.remove_header(&http::header::SET_COOKIE);
    theirs
        .into_iter()
        .try_for_each(|value| answer.append_header(http::header::SET_COOKIE, value).map(|_| ()))
}

fn sets_our_cookie(value: &[u8]) -> bool {
    let name = value
        .split(|byte| matches!(byte, b'=' | b';'))
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let name = name
        .strip_prefix(b"__Host-")
        .or_else(|| name.strip_prefix(b"__host-"))
        .unwrap_or(name);
    name.get(..9)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"stagedoor"))
        && matches!(name.get(9), None | Some(b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_cannot_set_our_cookie_but_can_set_its_own() {
        let mut answer = ResponseHeader::build(200, None).unwrap();
        for value in [
            "sid=1; Path=/",
            "__Host-stagedoor=x",
            " stagedoor =y",
            "stagedoor-form=z",
            "stagedoorman=1",
        ] {
            answer.append_header(http::header::SET_COOKIE, value).unwrap();
        }
        clean(&mut answer).unwrap();
        let kept: Vec<_> = answer
            .headers
            .get_all(http::header::SET_COOKIE)
            .iter()
            .map(|v| v.to_str().unwrap())
            .collect();
        assert_eq!(kept, ["sid=1; Path=/", "stagedoorman=1"]);
    }

    #[test]
    fn the_answer_that_opens_a_websocket_cannot_set_our_cookie_either() {
        let mut answer = ResponseHeader::build(101, None).unwrap();
        for (name, value) in [
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("set-cookie", "stagedoor=x; Path=/"),
            ("x-stagedoor-user", "root"),
        ] {
            answer.append_header(name, value).unwrap();
        }
        clean(&mut answer).unwrap();
        assert!(answer.headers.contains_key("upgrade") && answer.headers.contains_key("connection"));
        assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("x-stagedoor-user"));
    }
}
