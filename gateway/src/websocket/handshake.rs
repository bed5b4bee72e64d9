//! What makes a handshake one (RFC 6455, section 4): the visitor's before a console hears of it, and the console's agreement
//! before a tunnel opens. Whatever lies between the two ends takes each for an ordinary exchange where it is not whole.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName};

use crate::refusal::Refused;
use crate::upstream::fault::AnswerFault;

/// The only version there is; what a visitor of another one is told to speak.
pub const VERSION: &str = "13";
/// Bytes behind a key, once it is decoded (RFC 6455, section 4.1).
const KEY_BYTES: usize = 16;
/// Behind the key in what the console hashes (RFC 6455, section 1.3).
const SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Whether a request that offers to become a WebSocket can be one.
///
/// # Errors
/// What is to be answered instead.
pub fn check(headers: &HeaderMap) -> Result<(), Refused> {
    let has_key = only(headers, &SEC_WEBSOCKET_KEY)
        .filter(|key| STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == KEY_BYTES))
        .is_some();
    // What is named there belongs to this hop, and is taken out: the console would see half a handshake.
    let takes_out = [SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION]
        .iter()
        .any(|name| has_token(headers, &CONNECTION, name.as_str()));
    if !has_key || takes_out || !has_token(headers, &CONNECTION, "upgrade") {
        return Err(Refused::HandshakeMalformed);
    }
    match only(headers, &SEC_WEBSOCKET_VERSION) {
        Some(version) if version == VERSION.as_bytes() => Ok(()),
        Some(_) => Err(Refused::HandshakeVersion),
        None => Err(Refused::HandshakeMalformed),
    }
}

/// Whether a console's 101 agrees to the handshake that it was sent, and to nothing that it was not asked for.
///
/// # Errors
/// Where it does not.
pub fn check_agreement(asked: &HeaderMap, answer: &HeaderMap) -> Result<(), AnswerFault> {
    let upgrades = only(answer, &UPGRADE).is_some_and(|to| to.eq_ignore_ascii_case(b"websocket"));
    let expected = only(asked, &SEC_WEBSOCKET_KEY).map(accept_for);
    let accepts = expected.is_some_and(|expected| only(answer, &SEC_WEBSOCKET_ACCEPT) == Some(expected.as_bytes()));
    let protocol = match only(answer, &SEC_WEBSOCKET_PROTOCOL) {
        Some(chosen) => offered(asked, &SEC_WEBSOCKET_PROTOCOL).any(|each| each == chosen),
        None => !answer.contains_key(SEC_WEBSOCKET_PROTOCOL),
    };
    let extensions = offered(answer, &SEC_WEBSOCKET_EXTENSIONS).map(extension);
    let mut unasked = extensions.filter(|name| {
        let mut asked_for = offered(asked, &SEC_WEBSOCKET_EXTENSIONS).map(extension);
        !asked_for.any(|each| each.eq_ignore_ascii_case(name))
    });
    let agrees = upgrades && accepts && protocol && has_token(answer, &CONNECTION, "upgrade");
    if agrees && unasked.next().is_none() {
        Ok(())
    } else {
        Err(AnswerFault::HandshakeUnanswered)
    }
}

/// What shows that a console read the handshake with this key.
fn accept_for(key: &[u8]) -> String {
    let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(key);
    hash.update(SUFFIX);
    STANDARD.encode(hash.finish())
}

/// The value of a header that is there once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h [u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.as_bytes())
}

/// The members of a list, over all its lines.
fn offered<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    let values = headers.get_all(name).iter();
    let members = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    members.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    offered(headers, name).any(|each| each.eq_ignore_ascii_case(token.as_bytes()))
}

/// An extension's name, without its parameters.
fn extension(member: &[u8]) -> &[u8] {
    member
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From RFC 6455, section 1.3.
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_handshake_has_one_key_of_sixteen_bytes_one_version_and_upgrades_the_connection() {
        let with = |key: &str, version: &str, connection: &str| {
            let lines = [
                ("sec-websocket-key", key),
                ("sec-websocket-version", version),
                ("connection", connection),
            ];
            check(&headers(&lines))
        };
        assert_eq!(with(KEY, "13", "keep-alive, UPGRADE"), Ok(()));
        for (key, version, connection) in [
            ("", "13", "upgrade"),
            ("dGhlIHNhbXBsZSBub25jZQ", "13", "upgrade"),
            ("dGhlIHNhbXBsZSBub25jZTE3", "13", "upgrade"),
            ("dGhlIHNhbXBsZSBub25jZQ==, x", "13", "upgrade"),
            (KEY, "13", "keep-alive"),
            (KEY, "13", "upgraded"),
            (KEY, "13", "upgrade, Sec-WebSocket-Key"),
            (KEY, "13", "sec-websocket-version, upgrade"),
        ] {
            assert_eq!(
                with(key, version, connection),
                Err(Refused::HandshakeMalformed),
                "{key} {connection}"
            );
        }
        for version in ["8", "13, 8", "013", ""] {
            assert_eq!(
                with(KEY, version, "upgrade"),
                Err(Refused::HandshakeVersion),
                "{version}"
            );
        }
        let whole = [
            ("sec-websocket-key", KEY),
            ("sec-websocket-version", "13"),
            ("connection", "upgrade"),
        ];
        for line in whole {
            let twice = [&whole[..], &[line]].concat();
            let outcome = check(&headers(&twice));
            assert_eq!(outcome.is_ok(), line.0 == "connection", "{line:?} twice");
            let without: Vec<_> = whole.into_iter().filter(|each| *each != line).collect();
            assert_eq!(
                check(&headers(&without)),
                Err(Refused::HandshakeMalformed),
                "without {line:?}"
            );
        }
    }

    #[test]
    fn an_agreement_answers_the_key_and_chooses_from_what_was_asked_for() {
        let asked = headers(&[
            ("sec-websocket-key", KEY),
            ("sec-websocket-protocol", "chat, superchat"),
            (
                "sec-websocket-extensions",
                "permessage-deflate; client_max_window_bits, x-a",
            ),
        ]);
        let agreed = [
            ("upgrade", "WebSocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-accept", ACCEPT),
        ];
        let with = |more: &[(&'static str, &str)]| {
            let lines = [&agreed[..], more].concat();
            check_agreement(&asked, &headers(&lines))
        };
        for fine in [
            &[][..],
            &[("sec-websocket-protocol", "superchat")],
            &[(
                "sec-websocket-extensions",
                "permessage-deflate;server_no_context_takeover, X-A",
            )],
        ] {
            assert_eq!(with(fine), Ok(()), "{fine:?}");
        }
        let fault = Err(AnswerFault::HandshakeUnanswered);
        for wrong in [
            &[("sec-websocket-protocol", "other")][..],
            &[("sec-websocket-protocol", "Chat")],
            &[("sec-websocket-protocol", "chat, superchat")],
            &[
                ("sec-websocket-protocol", "chat"),
                ("sec-websocket-protocol", "superchat"),
            ],
            &[("sec-websocket-extensions", "x-b")],
            &[("sec-websocket-extensions", "x-a, x-b")],
            &[("sec-websocket-accept", ACCEPT)],
            &[("upgrade", "websocket")],
        ] {
            assert_eq!(with(wrong), fault, "{wrong:?}");
        }
        for line in agreed {
            let without: Vec<_> = agreed.into_iter().filter(|each| *each != line).collect();
            assert_eq!(check_agreement(&asked, &headers(&without)), fault, "without {line:?}");
        }
        let other_key = headers(&[("sec-websocket-key", "AQIDBAUGBwgJCgsMDQ4PEA==")]);
        assert_eq!(check_agreement(&other_key, &headers(&agreed)), fault);
    }
}
