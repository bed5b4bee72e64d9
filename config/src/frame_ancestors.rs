//! Which pages may show a site in a frame, as the header that tells the browser.

use std::net::IpAddr;

use http::HeaderValue;

use crate::host::host_name;
use crate::upstream::{Address, Scheme};

/// `frame_ancestors` of a site, made into a header's value once, when the files are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameAncestors(Option<HeaderValue>);

/// What is wrong, and with which entry of the list; `None` is the list itself.
pub(crate) type Wrong = Vec<(Option<usize>, &'static str)>;

const SELF: &str = "self";
const NONE: &str = "none";
const ANY: &str = "any";

impl FrameAncestors {
    /// The value of `Content-Security-Policy` that says so: `frame-ancestors 'self'`. `None` where any page may, and the
    /// console's own word stands.
    pub fn header_value(&self) -> Option<&HeaderValue> {
        self.0.as_ref()
    }

    /// # Errors
    /// Each entry that is no origin, what stands beside `none` or `any`, and an empty list, which could mean either.
    pub(crate) fn parse(texts: &[String]) -> Result<Self, Wrong> {
        match texts {
            [] => return Err(vec![(None, "an empty list could mean nobody as well as anybody")]),
            [only] if only == ANY => return Ok(Self(None)),
            [only] if only == NONE => return Ok(Self::of("'none'")),
            _ => {}
        }
        let mut sources: Vec<String> = Vec::with_capacity(texts.len());
        let mut wrong = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            match source(text) {
                Ok(source) if sources.contains(&source) => wrong.push((Some(index), "stands here twice")),
                Ok(source) => sources.push(source),
                Err(why) => wrong.push((Some(index), why)),
            }
        }
        if wrong.is_empty() {
            Ok(Self::of(&sources.join(" ")))
        } else {
            Err(wrong)
        }
    }

    /// The sources are visible ASCII by now; were they not, no page may frame the site.
    fn of(sources: &str) -> Self {
        let nobody = || HeaderValue::from_static("frame-ancestors 'none'");
        Self(Some(
            HeaderValue::from_str(&format!("frame-ancestors {sources}")).unwrap_or_else(|_| nobody()),
        ))
    }
}

impl Default for FrameAncestors {
    /// The site's own pages.
    fn default() -> Self {
        Self::of("'self'")
    }
}

/// One source as the header spells it.
fn source(text: &str) -> Result<String, &'static str> {
    match text {
        SELF => return Ok("'self'".to_owned()),
        NONE | ANY => return Err("must stand alone"),
        "'self'" | "'none'" => return Err("is written without the single quotes"),
        _ => {}
    }
    if text.ends_with('/') {
        return Err("is no origin: an origin has no path, and no `/` at its end");
    }
    // The wildcard is no part of a name, so the rest of the name is what is checked.
    let (below, rest) = match text.split_once("://*.") {
        Some((scheme, rest)) => ("*.", format!("{scheme}://{rest}")),
        None => ("", text.to_owned()),
    };
    let Address { scheme, host, port } = Address::parse(&rest)?;
    let (scheme, usual_port) = match scheme {
        Scheme::Http => ("http", 80),
        Scheme::Https => ("https", 443),
    };
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) if below.is_empty() => {}
        Ok(IpAddr::V6(_)) => return Err("is no origin that a browser could match: IPv6 addresses have no form there"),
        _ => {
            if host_name(&host)? != host {
                return Err("must not end with a dot");
            }
        }
    }
    Ok(if port == usual_port {
        format!("{scheme}://{below}{host}")
    } else {
        format!("{scheme}://{below}{host}:{port}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<FrameAncestors, Wrong> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        FrameAncestors::parse(&texts)
    }

    fn shown(texts: &[&str]) -> String {
        let ancestors = parse(texts).expect("fine");
        let value = ancestors.header_value().expect("a header");
        value.to_str().expect("visible").to_owned()
    }

    #[test]
    fn the_header_says_what_the_list_says() {
        assert_eq!(shown(&["self"]), "frame-ancestors 'self'");
        assert_eq!(shown(&["none"]), "frame-ancestors 'none'");
        assert_eq!(
            shown(&[
                "self",
                "https://Portal.Example",
                "http://10.0.0.1:8080",
                "https://*.example.com:443"
            ]),
            "frame-ancestors 'self' https://portal.example http://10.0.0.1:8080 https://*.example.com"
        );
        assert_eq!(parse(&["any"]).expect("fine").header_value(), None);
        assert_eq!(parse(&["self"]), Ok(FrameAncestors::default()));
    }

    #[test]
    fn none_and_any_stand_alone_and_an_empty_list_stands_for_nothing() {
        for (texts, place) in [
            (&["self", "none"][..], Some(1)),
            (&["any", "self"], Some(0)),
            (&["any", "any"], Some(0)),
            (&["self", "self"], Some(1)),
            (&[], None),
        ] {
            let wrong = parse(texts).expect_err("at fault");
            assert_eq!(
                wrong.first().map(|(index, _)| *index),
                Some(place),
                "{texts:?}: {wrong:?}"
            );
        }
    }

    #[test]
    fn an_entry_that_is_no_origin_cannot_become_part_of_the_header() {
        for text in [
            "",
            "'self'",
            "portal.example.com",
            "https://portal.example.com/",
            "https://portal.example.com/path",
            "https://portal.example.com?x",
            "https://portal.example.com; script-src *",
            "https://a, https://b",
            "https://a https://b",
            "https://user@a.example",
            "https://[::1]",
            "https://*",
            "https://*.10.0.0.1",
            "https://a.*.example",
            "https://a.example.",
            "https://a.example:0",
            "ftp://a.example",
            "data:",
            "*",
            "https://b\u{fc}cher.example",
            "https://a.example\r\nX: y",
        ] {
            assert!(parse(&[text]).is_err(), "{text:?} was taken");
        }
    }
}
