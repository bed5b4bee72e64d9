//! The one target that is judged and forwarded.
//!
//! Most holes in gateways are a disagreement between two readers of the same bytes. So nothing is repaired here: a target
//! that two servers could read differently is refused, and what is left has one spelling, which is both judged and sent on.
//! A site may ask by name for less ([`Leniency`]); then what passes is brought to one spelling, or judged in each of its
//! readings.

use std::borrow::Cow;

use super::{Leniencies, Leniency};
use crate::verb::Verb;

mod path;
mod readings;

pub(crate) use path::is_step;
pub use readings::READINGS_MAX;
pub(crate) use readings::is_look_alike;

/// The longest request target, path and query together, in bytes.
pub const TARGET_BYTES_MAX: usize = 16 * 1024;

/// The longest path, in bytes as they were sent.
pub const PATH_BYTES_MAX: usize = 4 * 1024;

/// A canonical origin-form target. Only [`Target::parse`] makes one, so what holds one holds what was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'a> {
    method: &'a http::Method,
    verb: Verb,
    /// Canonical and still percent-encoded: what is forwarded.
    path: Cow<'a, str>,
    /// Decoded once: what patterns are matched against.
    decoded: Cow<'a, str>,
    /// The same with the session at its end, which some servers cut off and some do not.
    with_session: Option<Cow<'a, str>>,
    /// What else a server could decode it to.
    others: Vec<String>,
    /// Whether any reading has a letter from A to Z.
    has_capitals: bool,
    query: Option<Cow<'a, str>>,
}

/// Why a target was refused (always 400). `as_str` is a stable code for metrics and audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetFault {
    /// Not one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS in just this spelling.
    MethodNotAllowed,
    /// Does not begin with `/`.
    NotOriginForm,
    /// Longer than [`TARGET_BYTES_MAX`].
    TargetTooLong,
    /// The path is longer than [`PATH_BYTES_MAX`].
    PathTooLong,
    /// A byte of 0x80 or above that is not percent-encoded.
    RawNonAscii,
    /// A control byte, NUL included.
    RawControl,
    /// A space.
    RawSpace,
    /// `#`: some cut the target here, some do not.
    RawHash,
    /// `\`: some take it for `/`.
    RawBackslash,
    /// One of `^{|}`, which no URL has unencoded.
    RawDelimiter,
    /// `"`, `<`, `>` or a backtick, which no URL has unencoded, and which the reader of HTTP in front of this does not take.
    RawBracket,
    /// `;`: some cut parameters off a segment here, some do not.
    RawSemicolon,
    /// `%` without two hexadecimal digits.
    BadEscape,
    /// `%00`.
    EncodedNul,
    /// Another control character, percent-encoded.
    EncodedControl,
    /// `%2F`.
    EncodedSlash,
    /// `%5C`.
    EncodedBackslash,
    /// `%2E`.
    EncodedDot,
    /// `%25`: decoded once more, it becomes something else.
    EncodedPercent,
    /// `%3B`.
    EncodedSemicolon,
    /// `%3F`.
    EncodedQuestionMark,
    /// `%23`.
    EncodedHash,
    /// Not UTF-8 once decoded, overlong forms included.
    NotUtf8,
    /// A segment `.`, or one that ends in `..`.
    DotSegment,
    /// `//`.
    EmptySegment,
    /// A character that some servers take for `/`, `.` or another with a meaning, such as a full-width slash.
    LookAlike,
    /// A name that a system which folds case knows by another name as well: with a dot or blank at its end, with `::`, a
    /// short name such as `ADMINI~1`.
    WindowsName,
    /// More than [`READINGS_MAX`] readings, each of which is allowed.
    TooManyReadings,
    /// A control byte or a space in the query.
    QueryControl,
    /// A byte of 0x80 or above in the query, not allowed or not UTF-8.
    QueryNonAscii,
    /// `#` in the query.
    QueryHash,
    /// `"`, `<` or `>` in the query, which the reader of HTTP in front of this does not take.
    QueryBracket,
}

impl<'a> Target<'a> {
    /// From the method and the raw request target, query included.
    ///
    /// Allocates only where something is percent-encoded or has to be.
    ///
    /// # Errors
    /// Whatever two servers could read differently.
    pub fn parse(method: &'a http::Method, raw: &'a [u8]) -> Result<Self, TargetFault> {
        Self::parse_leniently(method, raw, Leniencies::NONE)
    }
    /// The same for a site that lets some of it pass.
    ///
    /// # Errors
    /// Whatever two servers could read differently and is not allowed, and what would lead elsewhere in any reading.
    pub fn parse_leniently(method: &'a http::Method, raw: &'a [u8], allowed: Leniencies) -> Result<Self, TargetFault> {
        let verb = Verb::parse(method.as_str()).ok_or(TargetFault::MethodNotAllowed)?;
        if raw.len() > TARGET_BYTES_MAX {
            return Err(TargetFault::TargetTooLong);
        }
        if raw.first() != Some(&b'/') {
            return Err(TargetFault::NotOriginForm);
        }
        let mut parts = raw.splitn(2, |byte| *byte == b'?');
        let raw_path = parts.next().unwrap_or_default();
        if raw_path.len() > PATH_BYTES_MAX {
            return Err(TargetFault::PathTooLong);
        }
        let path = path::canonical(raw_path, allowed)?;
        let query = parts.next().map(|query| canonical_query(query, allowed)).transpose()?;
        // Encoding makes longer: what is sent on has to pass again.
        if path.encoded.len() > PATH_BYTES_MAX {
            return Err(TargetFault::PathTooLong);
        }
        if path.encoded.len() + query.as_ref().map_or(0, |query| query.len() + 1) > TARGET_BYTES_MAX {
            return Err(TargetFault::TargetTooLong);
        }
        Ok(Self {
            method,
            verb,
            path: path.encoded,
            decoded: path.decoded,
            with_session: path.with_session,
            others: path.others,
            has_capitals: path.has_capitals,
            query,
        })
    }
    /// The method.
    pub fn method(&self) -> &http::Method {
        self.method
    }
    /// The canonical path, percent-encoded, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }
    /// The path decoded once, in the reading in which an escape that was let pass is part of a name: it stays escaped.
    pub fn decoded_path(&self) -> &str {
        &self.decoded
    }
    /// What else a server could decode the path to, where the site lets that pass. Whoever judges the path has to judge
    /// these as well.
    pub fn other_readings(&self) -> impl Iterator<Item = &str> {
        let others = self.others.iter().map(String::as_str);
        self.with_session.as_deref().into_iter().chain(others)
    }
    /// The query without its `?`.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }
    /// Whether the path and query to forward differ from the raw bytes.
    pub fn is_rewritten(&self) -> bool {
        !matches!(
            (&self.path, &self.query),
            (Cow::Borrowed(_), None | Some(Cow::Borrowed(_)))
        )
    }
    /// The path and query to forward, where it differs from the raw bytes; `None` where they are already canonical.
    pub fn rewritten(&self) -> Option<String> {
        if !self.is_rewritten() {
            return None;
        }
        Some(match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone().into_owned(),
        })
    }
    /// Whether any reading of the path has a letter from A to Z in it.
    pub(crate) fn has_capitals(&self) -> bool {
        self.has_capitals
    }
    pub(crate) fn verb(&self) -> Verb {
        self.verb
    }
}

impl TargetFault {
    /// Every reason there is, for metrics that want each label from the start.
    pub const ALL: [Self; 32] = [
        Self::MethodNotAllowed,
        Self::NotOriginForm,
        Self::TargetTooLong,
        Self::PathTooLong,
        Self::RawNonAscii,
        Self::RawControl,
        Self::RawSpace,
        Self::RawHash,
        Self::RawBackslash,
        Self::RawDelimiter,
        Self::RawBracket,
        Self::RawSemicolon,
        Self::BadEscape,
        Self::EncodedNul,
        Self::EncodedControl,
        Self::EncodedSlash,
        Self::EncodedBackslash,
        Self::EncodedDot,
        Self::EncodedPercent,
        Self::EncodedSemicolon,
        Self::EncodedQuestionMark,
        Self::EncodedHash,
        Self::NotUtf8,
        Self::DotSegment,
        Self::EmptySegment,
        Self::LookAlike,
        Self::WindowsName,
        Self::TooManyReadings,
        Self::QueryControl,
        Self::QueryNonAscii,
        Self::QueryHash,
        Self::QueryBracket,
    ];

    /// What a site would have to allow for the target to come further.
    pub fn leniency(self) -> Option<Leniency> {
        Some(match self {
            Self::RawNonAscii | Self::QueryNonAscii => Leniency::RawNonAscii,
            Self::RawDelimiter => Leniency::RawDelimiters,
            Self::RawSemicolon => Leniency::Semicolon,
            Self::EncodedSlash => Leniency::EncodedSlash,
            Self::EncodedBackslash => Leniency::EncodedBackslash,
            Self::EncodedDot => Leniency::EncodedDot,
            Self::EncodedPercent => Leniency::EncodedPercent,
            Self::EncodedSemicolon => Leniency::EncodedSemicolon,
            Self::EncodedQuestionMark => Leniency::EncodedQuestionMark,
            Self::EncodedHash => Leniency::EncodedHash,
            Self::EmptySegment => Leniency::EmptySegment,
            Self::LookAlike => Leniency::LookAlikes,
            _ => return None,
        })
    }

    /// A stable code for metrics, audit and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NotOriginForm => "not_origin_form",
            Self::TargetTooLong => "target_too_long",
            Self::PathTooLong => "path_too_long",
            Self::RawNonAscii => "raw_non_ascii",
            Self::RawControl => "raw_control",
            Self::RawSpace => "raw_space",
            Self::RawHash => "raw_hash",
            Self::RawBackslash => "raw_backslash",
            Self::RawDelimiter => "raw_delimiter",
            Self::RawBracket => "raw_bracket",
            Self::RawSemicolon => "raw_semicolon",
            Self::BadEscape => "bad_escape",
            Self::EncodedNul => "encoded_nul",
            Self::EncodedControl => "encoded_control",
            Self::EncodedSlash => "encoded_slash",
            Self::EncodedBackslash => "encoded_backslash",
            Self::EncodedDot => "encoded_dot",
            Self::EncodedPercent => "encoded_percent",
            Self::EncodedSemicolon => "encoded_semicolon",
            Self::EncodedQuestionMark => "encoded_question_mark",
            Self::EncodedHash => "encoded_hash",
            Self::NotUtf8 => "not_utf8",
            Self::DotSegment => "dot_segment",
            Self::EmptySegment => "empty_segment",
            Self::LookAlike => "look_alike",
            Self::WindowsName => "windows_name",
            Self::TooManyReadings => "too_many_readings",
            Self::QueryControl => "query_control",
            Self::QueryNonAscii => "query_non_ascii",
            Self::QueryHash => "query_hash",
            Self::QueryBracket => "query_bracket",
        }
    }
}

/// The query is not judged, so it is passed on byte for byte, as long as it can neither end the request line nor the target.
fn canonical_query(query: &[u8], allowed: Leniencies) -> Result<Cow<'_, str>, TargetFault> {
    let mut plain = true;
    for byte in query {
        match byte {
            0x80.. if allowed.contains(Leniency::RawNonAscii) => plain = false,
            0x80.. => return Err(TargetFault::QueryNonAscii),
            0..=b' ' | 0x7f => return Err(TargetFault::QueryControl),
            b'#' => return Err(TargetFault::QueryHash),
            b'"' | b'<' | b'>' => return Err(TargetFault::QueryBracket),
            _ => {}
        }
    }
    let query = std::str::from_utf8(query).map_err(|_| TargetFault::QueryNonAscii)?;
    if plain {
        return Ok(Cow::Borrowed(query));
    }
    let mut encoded = String::with_capacity(query.len() * 2);
    for byte in query.bytes() {
        match byte {
            0x80.. => encoded.extend(path::escape(byte)),
            byte => encoded.push(char::from(byte)),
        }
    }
    Ok(Cow::Owned(encoded))
}

#[cfg(test)]
mod tests;
