//! The one spelling of a target: what is judged, logged and forwarded. Mostly it is the request's own, and then shared with it.

use http::uri::PathAndQuery;
use pingora::http::RequestHeader;
use stagedoor_policy::request::Target;

/// The canonical path and query of a request.
#[derive(Debug, Clone)]
pub struct Spelling(Text);

#[derive(Debug, Clone)]
enum Text {
    /// The request's own.
    Own(PathAndQuery),
    Rewritten(String),
}

impl Spelling {
    /// Of a target that was read from this request.
    pub fn of(target: &Target<'_>, request: &RequestHeader) -> Self {
        match request.uri.path_and_query() {
            Some(own) if is_spelt(target, own.as_str()) => Self(Text::Own(own.clone())),
            _ => Self(Text::Rewritten(match target.query() {
                Some(query) => [target.path(), "?", query].concat(),
                None => target.path().to_owned(),
            })),
        }
    }

    /// Path and query.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Own(text) => text.as_str(),
            Text::Rewritten(text) => text,
        }
    }

    /// The path alone, still percent-encoded.
    pub fn path(&self) -> &str {
        let text = self.as_str();
        let end = memchr::memchr(b'?', text.as_bytes());
        end.and_then(|end| text.get(..end)).unwrap_or(text)
    }
}

/// Whether a text is path and query of this target, to the byte.
fn is_spelt(target: &Target<'_>, text: &str) -> bool {
    match (text.strip_prefix(target.path()), target.query()) {
        (Some(""), None) => true,
        (Some(rest), Some(query)) => rest.strip_prefix('?') == Some(query),
        (_, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use stagedoor_policy::request::{Leniencies, Leniency};

    use super::*;

    #[test]
    fn what_is_judged_is_what_is_forwarded_and_shared_where_it_was_sent_like_that() {
        for (sent, spelt, shared) in [
            ("/a/b", "/a/b", true),
            ("/a/b?", "/a/b?", true),
            ("/a?b=c?d", "/a?b=c?d", true),
            ("/%61?b", "/a?b", false),
            ("/a%c3%a4", "/a%C3%A4", false),
            ("//a///b?c", "/a/b?c", false),
        ] {
            let request = RequestHeader::build(Method::GET, sent.as_bytes(), None).unwrap();
            let allowed = Leniencies::NONE.with(Leniency::EmptySegment);
            let target = Target::parse_leniently(&Method::GET, sent.as_bytes(), allowed).unwrap();
            let spelling = Spelling::of(&target, &request);
            assert_eq!(spelling.as_str(), spelt);
            assert_eq!(spelling.path(), target.path());
            assert_eq!(matches!(spelling.0, Text::Own(_)), shared, "{sent}");
            assert_eq!(target.is_rewritten(), !shared, "{sent}");
        }
    }
}
