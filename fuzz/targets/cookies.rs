//! The session cookie. Each line: one `Cookie` header.
#![no_main]

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use stagedoor_portal::{Presented, cookie_name, presented_token};

/// Base64url of 32 bytes.
const TOKEN_CHARS: usize = 43;

fuzz_target!(|input: &[u8]| {
    let headers: HeaderMap = input
        .split(|byte| *byte == b'\n')
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .map(|value| (COOKIE, value))
        .collect();
    for secure in [true, false] {
        let found = token_of(&headers, secure);
        assert_eq!(
            found,
            token_of(&in_crumbs(&headers), secure),
            "the cut between headers mattered"
        );
        let mut doubled = headers.clone();
        let planted = format!("{}={}", cookie_name(secure), "A".repeat(TOKEN_CHARS));
        doubled.append(COOKIE, HeaderValue::try_from(planted).expect("a header"));
        let after = token_of(&doubled, secure);
        assert!(
            found.is_err() || after.is_err(),
            "a planted cookie was believed beside the own one"
        );
    }
});

/// The token, or why there is none.
fn token_of(headers: &HeaderMap, secure: bool) -> Result<String, bool> {
    match presented_token(headers, secure) {
        Presented::One(token) => {
            let text = token.expose();
            assert_eq!(text.len(), TOKEN_CHARS);
            assert!(
                text.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            );
            Ok(text.to_owned())
        }
        Presented::None => Err(false),
        Presented::Ambiguous => Err(true),
    }
}

/// One header a cookie, as HTTP/2 may send them.
fn in_crumbs(headers: &HeaderMap) -> HeaderMap {
    let values = headers.get_all(COOKIE).iter();
    let crumbs = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    crumbs
        .map(|crumb| (COOKIE, HeaderValue::from_bytes(crumb).expect("part of a header")))
        .collect()
}
