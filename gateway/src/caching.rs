//! Who may keep an answer that somebody's session had a part in: his browser, and no cache between it and the door.
//!
//! What the console says of its own browser's cache stays; a console that says nothing at all, and gives nothing to ask
//! again with, has its answer kept by nobody.

use http::{HeaderName, HeaderValue, StatusCode, header};
use pingora::http::ResponseHeader;

use crate::headers::met;

/// What says who may keep an answer, and what a browser that kept it can ask again with.
static OF_KEEPING: [HeaderName; 4] = [
    header::CACHE_CONTROL,
    header::ETAG,
    header::LAST_MODIFIED,
    header::EXPIRES,
];

/// Whether it is a header by which shared caches are told otherwise than by `Cache-Control`.
fn is_for_shared_caches(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "cdn-cache-control"
            | "cloudflare-cdn-cache-control"
            | "edge-control"
            | "surrogate-control"
            | "vercel-cdn-cache-control"
            | "x-accel-expires"
    )
}

/// What `Cache-Control` is to say, so that the answer is one person's; what it said instead is taken out. `None` where that can
/// stay.
pub fn keep_private(answer: &mut ResponseHeader) -> Option<HeaderValue> {
    // Names are collected first: removing while walking is not possible, and there is rarely one to remove.
    let found: Vec<_> = answer
        .headers
        .keys()
        .filter(|name| is_for_shared_caches(name))
        .cloned()
        .collect();
    for name in found {
        answer.remove_header(&name);
    }
    let [is_said, may_be_asked_again @ ..] = met(&answer.headers, &OF_KEEPING);
    if !is_said {
        let private = may_be_asked_again.contains(&true) || answer.status == StatusCode::NOT_MODIFIED;
        return Some(HeaderValue::from_static(if private { "private" } else { "no-store" }));
    }
    let narrowed = narrowed(answer)?;
    answer.remove_header(&header::CACHE_CONTROL);
    Some(narrowed)
}

/// What `Cache-Control` has to say instead of what it says; `None` where it can stay.
fn narrowed(answer: &ResponseHeader) -> Option<HeaderValue> {
    let (mut kept, mut private, mut shared) = (Vec::new(), false, false);
    for line in answer.headers.get_all(header::CACHE_CONTROL) {
        // What cannot be read cannot be narrowed.
        let Some(line) = line.to_str().ok().filter(|line| is_readable(line)) else {
            return Some(HeaderValue::from_static("no-store"));
        };
        for directive in directives(line) {
            let name = directive
                .split('=')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase();
            match name.as_str() {
                "" => {}
                "public" | "s-maxage" => shared = true,
                // `private="x"` speaks of one header only.
                "private" | "no-store" => {
                    private |= !directive.contains('=');
                    kept.push(directive);
                }
                _ => kept.push(directive),
            }
        }
    }
    if private && !shared {
        return None;
    }
    if !private {
        kept.push("private");
    }
    Some(HeaderValue::from_str(&kept.join(", ")).unwrap_or_else(|_| HeaderValue::from_static("no-store")))
}

/// Whether every quotation that begins also ends, in one way only.
fn is_readable(line: &str) -> bool {
    line.matches('"').count().is_multiple_of(2) && !line.contains('\\')
}

/// The directives of a line; a comma between quotation marks parts nothing.
fn directives(line: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    line.split(move |letter| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    })
    .map(str::trim)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_was_said_the_outcome_is_private_and_stays_what_it_is(
            words in proptest::collection::vec(
                prop_oneof![Just("public"), Just("s-maxage=1"), Just("private"), Just("PRIVATE=\"a,b\""), Just("no-store"),
                    Just("\""), Just(","), Just(", "), Just("="), Just("max-age=1"), Just(" ")],
                0..12,
            ),
        ) {
            let once = kept(&[("Cache-Control", &words.concat())]);
            let names: Vec<_> = directives(&once).map(str::to_ascii_lowercase).collect();
            let is_private = names.iter().any(|name| name == "private" || name == "no-store");
            prop_assert!(is_private, "{once}");
            let shared = names.iter().any(|name| name == "public" || name.starts_with("s-maxage"));
            prop_assert!(!shared, "{once}");
            prop_assert_eq!(kept(&[("Cache-Control", &once)]), once);
        }
    }

    fn kept(headers: &[(&'static str, &str)]) -> String {
        let mut answer = ResponseHeader::build(200, None).unwrap();
        headers.iter().for_each(|(name, value)| {
            answer.append_header(*name, *value).unwrap();
        });
        if let Some(said) = keep_private(&mut answer) {
            assert!(!answer.headers.contains_key(header::CACHE_CONTROL), "it is said twice");
            answer.insert_header(header::CACHE_CONTROL, said).unwrap();
        }
        assert!(!answer.headers.keys().any(is_for_shared_caches));
        assert_eq!(answer.headers.get_all(header::CACHE_CONTROL).iter().count(), 1);
        answer.headers["cache-control"].to_str().unwrap().to_owned()
    }

    #[test]
    fn what_a_session_had_a_part_in_is_kept_by_no_shared_cache() {
        for (said, narrowed) in [
            ("public, max-age=3600", "max-age=3600, private"),
            ("max-age=3600, s-maxage=60", "max-age=3600, private"),
            ("Public", "private"),
            ("private, s-maxage=60", "private"),
            (
                "private=\"set-cookie, public\", max-age=1",
                "private=\"set-cookie, public\", max-age=1, private",
            ),
            ("max-age=31536000, immutable", "max-age=31536000, immutable, private"),
            ("no-cache", "no-cache, private"),
        ] {
            assert_eq!(kept(&[("Cache-Control", said)]), narrowed, "{said}");
        }
        assert_eq!(
            kept(&[
                ("Cache-Control", "max-age=5"),
                ("Cache-Control", "public"),
                ("Surrogate-Control", "max-age=9")
            ]),
            "max-age=5, private"
        );
        for unreadable in ["p\u{fc}blic", "private, x=\"", "x=\"\\\", public\""] {
            assert_eq!(kept(&[("Cache-Control", unreadable)]), "no-store", "{unreadable}");
        }
    }

    #[test]
    fn what_is_private_already_stays_as_it_was() {
        for said in [
            "private",
            "no-store",
            "no-cache,no-store, must-revalidate",
            "private,max-age=60",
        ] {
            assert_eq!(kept(&[("Cache-Control", said)]), said);
        }
    }

    #[test]
    fn an_answer_that_says_nothing_is_kept_by_nobody_unless_the_browser_can_ask_again() {
        assert_eq!(kept(&[]), "no-store");
        assert_eq!(kept(&[("ETag", "\"7\"")]), "private");
        assert_eq!(kept(&[("Last-Modified", "Sun, 22 Nov 2026 18:00:00 GMT")]), "private");
    }
}
