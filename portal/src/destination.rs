//! Where a visitor goes after signing in. It comes from the query, so it is worth nothing until it has passed here.

use http::uri::PathAndQuery;

const DESTINATION_BYTES_MAX: usize = 2048;

/// What becomes the start of another host's address once it is decoded, once or twice.
const HOST_TO_DECODERS: [&str; 4] = ["/%2f", "/%5c", "/%252f", "/%255c"];

/// A path (and query) of the visitor's own origin. Nothing else can be held, so nothing else can be redirected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination(PathAndQuery);

impl Destination {
    /// The start page of the console.
    pub(crate) fn home() -> Self {
        Self(PathAndQuery::from_static("/"))
    }

    /// What was asked for, or [`Destination::home`] where that is not a plain path of ours.
    pub(crate) fn parse(asked: &str, prefix: &str) -> Self {
        Self::plain(asked, prefix).unwrap_or_else(Self::home)
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn is_home(&self) -> bool {
        self.as_str() == "/"
    }

    /// For the query of a link.
    pub(crate) fn escaped(&self) -> String {
        escaped(self.as_str().as_bytes())
    }

    fn plain(asked: &str, prefix: &str) -> Option<Self> {
        // A fragment would be cut off in silence; browsers never send one.
        let visible = asked
            .bytes()
            .all(|byte| matches!(byte, 0x21..=0x7e) && !matches!(byte, b'\\' | b'#'));
        if asked.len() > DESTINATION_BYTES_MAX || !visible || !asked.starts_with('/') {
            return None;
        }
        let parsed: PathAndQuery = asked.parse().ok()?;
        let path = parsed.path();
        // The door's own pages for coming and going would lead round in a circle.
        let own = path.strip_prefix(prefix).unwrap_or_default();
        let circle = own.starts_with("login") || own.starts_with("logout");
        // `//` would name another host, also to whoever decodes it first.
        let names_a_host = path.contains("//") || HOST_TO_DECODERS.iter().any(|start| begins_with(path, start));
        if names_a_host || hides_a_control_byte(asked) || circle {
            return None;
        }
        Some(Self(parsed))
    }
}

/// Bytes as they go into a query: only those that can end neither a parameter nor a header stay as they are.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/');
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if plain(*byte) {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

fn begins_with(path: &str, start: &str) -> bool {
    path.get(..start.len())
        .is_some_and(|there| there.eq_ignore_ascii_case(start))
}

fn hides_a_control_byte(text: &str) -> bool {
    text.split('%').skip(1).any(|rest| {
        let digits = rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        digits.is_none_or(|byte| byte.is_ascii_control())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_of_the_console_is_kept_with_its_query() {
        for asked in [
            "/",
            "/a",
            "/a/b.php?x=1&y=%2F",
            "/caf%C3%A9",
            "/a?next=https://example.org/",
            "/.stagedoor/profile",
        ] {
            assert_eq!(Destination::parse(asked, "/.stagedoor/").as_str(), asked);
        }
    }

    #[test]
    fn whatever_could_lead_elsewhere_leads_home() {
        let hostile = [
            "",
            "a",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "/%2fevil.example",
            "/%2F%2Fevil.example",
            "/%5cevil.example",
            "/%252fevil.example",
            "/%255Cevil.example",
            "\\\\evil.example",
            "/a//evil.example",
            "/a#b",
            "https://evil.example/",
            "http:evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            " /a",
            "/a b",
            "/\t/evil",
            "/\r\nSet-Cookie: x=1",
            "/%0d%0aSet-Cookie:%20x=1",
            "/a%00",
            "/a%",
            "/a%zz",
            "/\u{0}",
            "/é",
            "/\u{2028}",
            "/.stagedoor/logout",
            "/.stagedoor/login?to=/a",
            "@evil.example",
            ".evil.example",
        ];
        for asked in hostile {
            assert!(
                Destination::parse(asked, "/.stagedoor/").is_home(),
                "{asked:?} was accepted"
            );
        }
        assert!(Destination::parse(&format!("/{}", "a".repeat(4096)), "/.stagedoor/").is_home());
    }

    #[test]
    fn in_a_link_it_survives_one_decoding() {
        assert_eq!(
            Destination::parse("/a?b=c&d=%20", "/x/").escaped(),
            "/a%3Fb%3Dc%26d%3D%2520"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn no_text_leads_off_this_origin(pieces in proptest::collection::vec(proptest::sample::select(vec![
            "/", "\\", ":", "@", "?", "#", "%0d", "%", "%2f", "\r\n", " ", "a", "é", "//", "evil.example", "https:", ".stagedoor", "login",
        ]), 0..6)) {
            for asked in [pieces.concat(), format!("/{}", pieces.concat())] {
                let destination = Destination::parse(&asked, "/.stagedoor/");
                let text = destination.as_str();
                prop_assert!(text == asked || destination.is_home(), "{} became {}", asked, text);
                prop_assert!(text.starts_with('/') && !text.starts_with("//") && !text.contains('\\'), "{}", text);
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{}", text);
                prop_assert!(!text.starts_with("/.stagedoor/login"), "{}", text);
            }
        }
    }
}
