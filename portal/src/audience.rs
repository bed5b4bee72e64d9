//! Who reads an answer: a person before a page, or a program.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};

/// Who reads the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A browser that navigates: gets pages and redirects.
    Person,
    /// Anything else, a console's own scripts included: gets status codes and JSON, never a redirect to a sign-in page.
    Program,
}

impl Audience {
    /// From what a browser says of its request; where it says nothing, from what is accepted.
    pub fn of(headers: &HeaderMap) -> Self {
        let person = match text(headers, "sec-fetch-mode") {
            Some(mode) => mode == "navigate" && !prefers_json(headers),
            None => accepts_pages(headers) && !headers.contains_key("x-requested-with"),
        };
        if person && !has_json_body(headers) {
            Self::Person
        } else {
            Self::Program
        }
    }
}

/// Whether the body says it is JSON. A form of a foreign page cannot say so without asking first (preflight).
pub(crate) fn has_json_body(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn accepts_pages(headers: &HeaderMap) -> bool {
    text(headers, ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/html"))
}

fn prefers_json(headers: &HeaderMap) -> bool {
    text(headers, ACCEPT.as_str())
        .is_some_and(|accept| accept.contains("application/json") && !accept.contains("text/html"))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn audience(headers: &[(&'static str, &'static str)]) -> Audience {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        Audience::of(&headers.iter().map(pair).collect())
    }

    #[test]
    fn a_navigation_is_a_person() {
        assert_eq!(
            audience(&[("sec-fetch-mode", "navigate"), ("accept", "text/html,*/*")]),
            Audience::Person
        );
        assert_eq!(
            audience(&[("accept", "text/html,application/xhtml+xml")]),
            Audience::Person
        );
    }

    #[test]
    fn scripts_sockets_images_and_tools_are_programs() {
        for headers in [
            &[("sec-fetch-mode", "cors"), ("accept", "text/html")][..],
            &[("sec-fetch-mode", "no-cors")],
            &[("sec-fetch-mode", "websocket")],
            &[("accept", "text/html"), ("x-requested-with", "XMLHttpRequest")],
            &[("accept", "*/*")],
            &[("accept", "application/json")],
            &[("sec-fetch-mode", "navigate"), ("accept", "application/json")],
            &[
                ("accept", "text/html"),
                ("content-type", "application/json; charset=utf-8"),
            ],
            &[],
        ] {
            assert_eq!(audience(headers), Audience::Program, "{headers:?}");
        }
    }
}
