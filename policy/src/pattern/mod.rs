//! Path patterns, and which of two is the more specific.
//!
//! A pattern is written in decoded form. `*` stands for one or more characters within a segment, alone or beside fixed text
//! (`*.php`, `report-*`); `**`, only as the last segment, for any number of segments, none included: `/admin/**` holds
//! `/admin`, `/admin/` and all below. Apart from that a trailing slash matters: `/admin/` ends in an empty segment, which
//! neither `/admin` nor `/admin/*` matches.
//!
//! Patterns are compared segment by segment from the left: fixed text before `*` with fixed text (the longer one first)
//! before `*` before `**`.

use std::cmp::Ordering;
use std::fmt;

use crate::request::is_step;

mod paths;
mod trie;

pub(crate) use paths::Paths;
pub(crate) use trie::{Clash, Trie};

/// How many segments a pattern may have.
pub(crate) const PATTERN_SEGMENTS_MAX: usize = 64;
/// How long a pattern may be, in bytes.
pub(crate) const PATTERN_BYTES_MAX: usize = 1024;

/// A pattern, segment by segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Pattern {
    segments: Box<[Segment]>,
    /// Whether it ends in `**`.
    open_ended: bool,
}

/// One segment of a pattern that is not `**`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Segment {
    /// Just this text; empty behind a trailing slash.
    Literal(Box<str>),
    /// `before*behind`, with text on at least one side.
    Glob(Glob),
    /// `*`.
    Any,
}

/// Fixed text on one or both sides of a `*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Glob {
    before: Box<str>,
    behind: Box<str>,
}

impl Pattern {
    /// # Errors
    /// What is wrong with it, and what to do about it.
    pub(crate) fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let fault = |why: &str, help: &str| Err((format!("the pattern `{text}` {why}"), Some(help.to_owned())));
        let Some(rest) = text.strip_prefix('/') else {
            return fault(
                "does not begin with `/`",
                "patterns are paths from the root of the site, such as `/devices/**`",
            );
        };
        if text.len() > PATTERN_BYTES_MAX {
            return fault(
                "is too long",
                &format!("a pattern has at most {PATTERN_BYTES_MAX} bytes"),
            );
        }
        if let Some(never) = text
            .chars()
            .find(|c| c.is_control() || matches!(c, '\\' | ';' | '?' | '#' | '%'))
        {
            let why = format!("has the character `{}`, which no path has", never.escape_default());
            return fault(
                &why,
                "patterns are compared with the decoded path, without the query; write the character itself",
            );
        }
        if text.contains("//") {
            return fault("has an empty segment", "a path with `//` never passes the door");
        }
        let mut segments: Vec<&str> = rest.split('/').collect();
        let open_ended = segments.last() == Some(&"**");
        if open_ended {
            segments.pop();
        }
        if segments.len() > PATTERN_SEGMENTS_MAX {
            return fault(
                "is too deep",
                &format!("a pattern has at most {PATTERN_SEGMENTS_MAX} segments"),
            );
        }
        if segments.iter().any(|segment| is_step(segment)) {
            return fault(
                "has a dot segment",
                "a path with a segment of dots alone, or one that ends in `..`, never passes the door",
            );
        }
        let parsed: Option<Box<[Segment]>> = segments.iter().map(|segment| Segment::parse(segment)).collect();
        match parsed {
            Some(segments) => Ok(Self { segments, open_ended }),
            None => fault(
                "has a segment with more than one `*`",
                "a segment has one `*` at most, and `**` stands alone as the last one",
            ),
        }
    }

    /// For a site that folds the case of letters.
    ///
    /// # Errors
    /// As for [`Self::parse`]; and a letter beyond ASCII, since no path is folded there.
    pub(crate) fn parse_folded(text: &str) -> Result<Self, (String, Option<String>)> {
        if let Some(letter) = text
            .chars()
            .find(|c| !c.is_ascii() && (c.is_lowercase() || c.is_uppercase()))
        {
            let message =
                format!("the pattern `{text}` has the letter `{letter}`, and this site is `case-insensitive`");
            let help = "only the letters from A to Z are folded: use `*` in its place";
            return Err((message, Some(help.to_owned())));
        }
        Self::parse(&text.to_ascii_lowercase())
    }

    /// With its letters from A to Z in lower case; `None` where it has none.
    pub(crate) fn folded(&self) -> Option<Self> {
        let segments = self.segments.iter().map(Segment::folded).collect();
        let folded = Self {
            segments,
            open_ended: self.open_ended,
        };
        (folded != *self).then_some(folded)
    }

    /// Whether every path that `other` matches is matched by this one.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        let depth = self.segments.len();
        let begins = other.segments.len() >= depth
            && self
                .segments
                .iter()
                .zip(&other.segments)
                .all(|(ours, theirs)| ours.contains(theirs));
        begins && (self.open_ended || (other.segments.len() == depth && !other.open_ended))
    }

    /// Greater is more specific. Means something for two patterns that some path matches both of.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        for (ours, theirs) in self.segments.iter().zip(&other.segments) {
            let order = ours.rank().cmp(&theirs.rank());
            if order.is_ne() {
                return order;
            }
        }
        let lengths = self.segments.len().cmp(&other.segments.len());
        lengths.then(other.open_ended.cmp(&self.open_ended))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => write!(f, "/{text}")?,
                Segment::Glob(glob) => write!(f, "/{}*{}", glob.before, glob.behind)?,
                Segment::Any => f.write_str("/*")?,
            }
        }
        if self.open_ended { f.write_str("/**") } else { Ok(()) }
    }
}

impl Segment {
    fn parse(text: &str) -> Option<Self> {
        match text.split_once('*') {
            None => Some(Self::Literal(text.into())),
            Some(("", "")) => Some(Self::Any),
            Some((_, behind)) if behind.contains('*') => None,
            Some((before, behind)) => Some(Self::Glob(Glob {
                before: before.into(),
                behind: behind.into(),
            })),
        }
    }

    fn folded(&self) -> Self {
        match self {
            Self::Literal(text) => Self::Literal(text.to_ascii_lowercase().into()),
            Self::Glob(glob) => Self::Glob(Glob {
                before: glob.before.to_ascii_lowercase().into(),
                behind: glob.behind.to_ascii_lowercase().into(),
            }),
            Self::Any => Self::Any,
        }
    }

    /// Literals first, then by the length of the fixed text.
    fn rank(&self) -> (u8, usize) {
        match self {
            Self::Literal(_) => (2, 0),
            Self::Glob(glob) => (1, glob.fixed_bytes()),
            Self::Any => (0, 0),
        }
    }

    fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(ours), Self::Literal(theirs)) => ours == theirs,
            (Self::Literal(_), _) => false,
            (Self::Glob(ours), Self::Literal(theirs)) => ours.matches(theirs),
            (Self::Glob(ours), Self::Glob(theirs)) => {
                theirs.before.starts_with(&*ours.before) && theirs.behind.ends_with(&*ours.behind)
            }
            (Self::Glob(_), Self::Any) => false,
            (Self::Any, Self::Literal(theirs)) => !theirs.is_empty(),
            (Self::Any, _) => true,
        }
    }
}

impl Glob {
    fn matches(&self, segment: &str) -> bool {
        segment.len() > self.fixed_bytes() && segment.starts_with(&*self.before) && segment.ends_with(&*self.behind)
    }

    /// Whether some segment is matched by both.
    fn overlaps(&self, other: &Self) -> bool {
        let before = self.before.starts_with(&*other.before) || other.before.starts_with(&*self.before);
        let behind = self.behind.ends_with(&*other.behind) || other.behind.ends_with(&*self.behind);
        before && behind
    }

    fn fixed_bytes(&self) -> usize {
        self.before.len() + self.behind.len()
    }
}

#[cfg(test)]
mod tests;
