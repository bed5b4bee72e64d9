//! Entity tags: what a change was meant for.

use http::HeaderMap;
use http::header::IF_MATCH;

use crate::problem::{Problem, Sort};

/// What the caller thinks is there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Nothing was said, or `*`.
    Anything { said: bool },
    /// One of these tags, quotes included.
    OneOf(Vec<String>),
}

impl Expected {
    /// From `If-Match`; weak tags never match, as RFC 9110 has it.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut tags = Vec::new();
        let mut said = false;
        for value in headers.get_all(IF_MATCH) {
            said = true;
            let text = value.to_str().map_err(|_| unreadable())?;
            for tag in members(text) {
                match tag {
                    "*" => return Ok(Self::Anything { said }),
                    _ if tag.strip_prefix("W/").is_some_and(is_tag) => {}
                    _ if is_tag(tag) => tags.push(tag.to_owned()),
                    _ => return Err(unreadable()),
                }
            }
        }
        if said {
            Ok(Self::OneOf(tags))
        } else {
            Ok(Self::Anything { said })
        }
    }

    /// The tag to hand to the one who compares in the same step as he changes: `None` for whatever is there.
    pub(crate) fn against(&self, current: &str) -> Result<Option<String>, Problem> {
        match self {
            Self::Anything { .. } => Ok(None),
            Self::OneOf(tags) if tags.iter().any(|tag| tag == current) => Ok(Some(current.to_owned())),
            Self::OneOf(_) => Err(mismatch(current)),
        }
    }
}

/// A list, cut at the commas that do not stand in a tag (RFC 9110, section 8.8.3).
fn members(list: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    list.split(move |letter| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    })
    .map(str::trim)
}

fn is_tag(text: &str) -> bool {
    let opaque = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    opaque.is_some_and(|opaque| opaque.bytes().all(|byte| byte > b' ' && byte != b'"'))
}

pub(crate) fn mismatch(current: &str) -> Problem {
    Problem::because(
        Sort::VERSION_MISMATCH,
        format!("it is `{current}` now; read it again and repeat the change"),
    )
}

fn unreadable() -> Problem {
    Problem::because(Sort::MALFORMED, "`If-Match` is not a list of quoted tags")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Expected, Problem> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IF_MATCH, value.parse().unwrap());
        }
        Expected::read(&headers)
    }

    #[test]
    fn nothing_and_a_star_differ_only_in_having_been_said() {
        assert_eq!(read(&[]).unwrap(), Expected::Anything { said: false });
        assert_eq!(read(&["*"]).unwrap(), Expected::Anything { said: true });
    }

    #[test]
    fn any_tag_of_the_list_may_match_and_a_weak_one_never_does() {
        let listed = read(&["\"v1\", \"v2\"", "\"v3\""]).unwrap();
        assert_eq!(listed.against("\"v3\"").unwrap().as_deref(), Some("\"v3\""));
        assert!(listed.against("\"v4\"").is_err());
        assert!(read(&["W/\"v1\""]).unwrap().against("\"v1\"").is_err());
    }

    #[test]
    fn a_comma_in_a_tag_ends_nothing() {
        let listed = read(&["\"a,b\",\"c\" , W/\"d,e\""]).unwrap();
        assert_eq!(listed, Expected::OneOf(vec!["\"a,b\"".to_owned(), "\"c\"".to_owned()]));
        assert!(read(&["\"a,b"]).is_err());
        assert!(read(&["\"a\"b\""]).is_err());
        assert!(read(&["W/a"]).is_err());
    }

    #[test]
    fn tags_without_quotes_are_refused_rather_than_guessed() {
        assert!(read(&["v1"]).is_err());
        assert!(read(&["\""]).is_err());
        assert!(read(&[""]).is_err());
    }
}
