//! The path of a target: its one canonical spelling, and what it says once decoded.

use std::borrow::Cow;

use super::TargetFault;
use super::readings::{self, is_look_alike};
use crate::request::{Leniencies, Leniency};

/// A path that only one reading is left of, or whose other readings are known.
pub(super) struct Path<'a> {
    /// As it is forwarded: unreserved characters plain, every other escape in upper case.
    pub(super) encoded: Cow<'a, str>,
    /// As it is matched, without the session. What servers could take for a separator or for an end stays escaped in here, so that no pattern
    /// matches it.
    pub(super) decoded: Cow<'a, str>,
    /// The same with the session at its end, where there is one: what it says to a server that cuts nothing off.
    pub(super) with_session: Option<Cow<'a, str>>,
    /// What else servers could take it for, decoded. Empty where nothing was allowed.
    pub(super) others: Vec<String>,
    /// Whether there is a letter from A to Z in any of them; where in doubt, yes.
    pub(super) has_capitals: bool,
}

/// Decodes once and refuses whatever is left ambiguous, as far as it is not allowed.
pub(super) fn canonical(raw: &[u8], allowed: Leniencies) -> Result<Path<'_>, TargetFault> {
    let (judged, session) = match allowed.contains(Leniency::Semicolon) {
        true => without_session(raw),
        false => (raw, ""),
    };
    let (mut rewritten, mut has_capitals) = (false, !session.is_empty());
    for byte in judged {
        has_capitals |= byte.is_ascii_uppercase();
        rewritten |= needs_rewriting(*byte, allowed)?;
    }
    let path = match std::str::from_utf8(judged) {
        Ok(plain) if !rewritten && !is_merged(plain, allowed) => Path {
            encoded: Cow::Borrowed(std::str::from_utf8(raw).map_err(|_| TargetFault::NotUtf8)?),
            decoded: Cow::Borrowed(plain),
            with_session: whole(raw, session, allowed),
            others: Vec::new(),
            has_capitals,
        },
        _ => rewrite(raw, judged, session, allowed)?,
    };
    if path.decoded.as_bytes().windows(2).any(|pair| pair == b"//") {
        return Err(TargetFault::EmptySegment);
    }
    let others = path
        .others
        .iter()
        .map(String::as_str)
        .chain(path.with_session.as_deref());
    for reading in others.chain([&*path.decoded]) {
        check_segments(reading, allowed)?;
    }
    Ok(path)
}

/// The path before `;jsessionid=…`, and that; servlet containers cut it off before they look for the resource.
fn without_session(raw: &[u8]) -> (&[u8], &str) {
    let whole = (raw, "");
    let Some(place) = raw.iter().position(|byte| *byte == b';') else {
        return whole;
    };
    let Some((before, Ok(session))) = raw
        .split_at_checked(place)
        .map(|(before, session)| (before, std::str::from_utf8(session)))
    else {
        return whole;
    };
    let Some((name, value)) = session.split_once('=') else {
        return whole;
    };
    // What the containers put there; nothing that any of them could take for the path's own.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!:+".contains(&byte);
    if name.eq_ignore_ascii_case(";jsessionid") && !value.is_empty() && value.bytes().all(plain) {
        (before, session)
    } else {
        whole
    }
}

/// A path that needs no rewriting, with its session; `None` where it has none.
fn whole<'a>(raw: &'a [u8], session: &str, allowed: Leniencies) -> Option<Cow<'a, str>> {
    let whole = std::str::from_utf8(raw).ok().filter(|_| !session.is_empty())?;
    if allowed.contains(Leniency::CaseInsensitive) && session.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some(Cow::Owned(whole.to_ascii_lowercase()));
    }
    Some(Cow::Borrowed(whole))
}

/// Whether the byte cannot be sent on as it is.
fn needs_rewriting(byte: u8, allowed: Leniencies) -> Result<bool, TargetFault> {
    let (fault, leniency) = match byte {
        b'%' => return Ok(true),
        b'A'..=b'Z' => return Ok(allowed.contains(Leniency::CaseInsensitive)),
        b'^' | b'{' | b'|' | b'}' => (TargetFault::RawDelimiter, Leniency::RawDelimiters),
        b'"' | b'<' | b'>' | b'`' => return Err(TargetFault::RawBracket),
        0x80.. => (TargetFault::RawNonAscii, Leniency::RawNonAscii),
        0..0x20 | 0x7f => return Err(TargetFault::RawControl),
        b' ' => return Err(TargetFault::RawSpace),
        b'#' => return Err(TargetFault::RawHash),
        b'\\' => return Err(TargetFault::RawBackslash),
        b';' => return Err(TargetFault::RawSemicolon),
        _ => return Ok(false),
    };
    if allowed.contains(leniency) {
        Ok(true)
    } else {
        Err(fault)
    }
}

fn is_merged(plain: &str, allowed: Leniencies) -> bool {
    allowed.contains(Leniency::EmptySegment) && plain.contains("//")
}

fn rewrite<'a>(raw: &'a [u8], judged: &[u8], session: &str, allowed: Leniencies) -> Result<Path<'a>, TargetFault> {
    let mut spelling = Spelling::of(judged.len() + session.len(), allowed);
    let mut bytes = judged.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => spelling.escaped(octet(bytes.next(), bytes.next())?)?,
            byte => spelling.raw(byte)?,
        }
    }
    let Spelling {
        mut encoded,
        decoded,
        mut ambiguous,
        ..
    } = spelling;
    encoded.push_str(session);
    let decoded = String::from_utf8(decoded).map_err(|_| TargetFault::NotUtf8)?;
    for letter in decoded.chars().filter(|letter| !letter.is_ascii()) {
        if letter.is_control() {
            return Err(TargetFault::EncodedControl); // U+0080 to U+009F; the others were caught byte by byte
        }
        ambiguous |= check_letter(letter, allowed)?;
    }
    // Escapes that are left are in capitals, and fold like any letter.
    let has_capitals = decoded.bytes().any(|byte| byte.is_ascii_uppercase()) || !session.is_empty();
    let with_session = (!session.is_empty()).then(|| match allowed.contains(Leniency::CaseInsensitive) {
        true => [&*decoded, &session.to_ascii_lowercase()].concat(),
        false => [&*decoded, session].concat(),
    });
    let others = if ambiguous {
        readings::others(&decoded, with_session.as_deref())?
    } else {
        Vec::new()
    };
    Ok(Path {
        encoded: match std::str::from_utf8(raw) {
            Ok(raw) if raw == encoded => Cow::Borrowed(raw),
            _ => Cow::Owned(encoded),
        },
        decoded: Cow::Owned(decoded),
        with_session: with_session.map(Cow::Owned),
        others,
        has_capitals,
    })
}

/// Whether a letter beyond ASCII has a second reading.
fn check_letter(letter: char, allowed: Leniencies) -> Result<bool, TargetFault> {
    // Long s, the Kelvin sign and the two Turkish letters become plain ones where case is folded beyond ASCII.
    let folds = matches!(letter, '\u{17f}' | '\u{212a}' | '\u{130}' | '\u{131}');
    if folds && allowed.contains(Leniency::CaseInsensitive) {
        return Err(TargetFault::LookAlike);
    }
    match is_look_alike(letter) {
        true if !allowed.contains(Leniency::LookAlikes) => Err(TargetFault::LookAlike),
        ambiguous => Ok(ambiguous),
    }
}

/// A path on its way to its canonical spelling.
struct Spelling {
    encoded: String,
    decoded: Vec<u8>,
    allowed: Leniencies,
    /// The last byte was a `%` of its own.
    after_percent: bool,
    /// Something was let pass that has a second reading.
    ambiguous: bool,
}

impl Spelling {
    fn of(bytes: usize, allowed: Leniencies) -> Self {
        Self {
            encoded: String::with_capacity(bytes),
            decoded: Vec::with_capacity(bytes),
            allowed,
            after_percent: false,
            ambiguous: false,
        }
    }

    /// A byte that stood there unencoded; it has been checked.
    fn raw(&mut self, byte: u8) -> Result<(), TargetFault> {
        if byte == b'/' && self.allowed.contains(Leniency::EmptySegment) && self.encoded.ends_with('/') {
            return Ok(());
        }
        match byte {
            0x80.. | b'^' | b'{' | b'|' | b'}' => self.put(byte, false),
            _ => self.put(byte, true),
        }
    }

    /// A byte that was percent-encoded.
    fn escaped(&mut self, byte: u8) -> Result<(), TargetFault> {
        let (fault, leniency) = match byte {
            0 => return Err(TargetFault::EncodedNul),
            1..0x20 | 0x7f => return Err(TargetFault::EncodedControl),
            b'/' => (TargetFault::EncodedSlash, Leniency::EncodedSlash),
            b'\\' => (TargetFault::EncodedBackslash, Leniency::EncodedBackslash),
            b'.' => (TargetFault::EncodedDot, Leniency::EncodedDot),
            b'%' => (TargetFault::EncodedPercent, Leniency::EncodedPercent),
            b';' => (TargetFault::EncodedSemicolon, Leniency::EncodedSemicolon),
            b'?' => (TargetFault::EncodedQuestionMark, Leniency::EncodedQuestionMark),
            b'#' => (TargetFault::EncodedHash, Leniency::EncodedHash),
            _ => return self.put(byte, byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~')),
        };
        if !self.allowed.contains(leniency) {
            return Err(fault);
        }
        match byte {
            b'.' => self.put(byte, true),
            b'%' => {
                self.put(byte, false)?;
                self.after_percent = true;
                Ok(())
            }
            _ => {
                self.ambiguous = true;
                self.after_percent = false;
                self.encoded.extend(escape(byte));
                // Still escaped, so that no pattern takes it for anything; the other readings are made from it.
                self.decoded.extend(String::from_iter(escape(byte)).bytes());
                Ok(())
            }
        }
    }

    fn put(&mut self, byte: u8, plain: bool) -> Result<(), TargetFault> {
        // Whoever decodes once more must find no escape: not `%41`, not `%u0041`, nothing that only few take for one.
        if std::mem::take(&mut self.after_percent) && (byte.is_ascii_alphanumeric() || !byte.is_ascii()) {
            return Err(TargetFault::EncodedPercent);
        }
        let byte = if self.allowed.contains(Leniency::CaseInsensitive) {
            byte.to_ascii_lowercase()
        } else {
            byte
        };
        if plain {
            self.encoded.push(char::from(byte));
        } else {
            self.encoded.extend(escape(byte));
        }
        self.decoded.push(byte);
        Ok(())
    }
}

fn octet(high: Option<u8>, low: Option<u8>) -> Result<u8, TargetFault> {
    let nibble = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
    let (Some(high), Some(low)) = (nibble(high), nibble(low)) else {
        return Err(TargetFault::BadEscape);
    };
    u8::try_from(high << 4 | low).map_err(|_| TargetFault::BadEscape)
}

/// The byte percent-encoded.
pub(super) fn escape(byte: u8) -> [char; 3] {
    let digit = |nibble: u8| {
        char::from_digit(u32::from(nibble), 16)
            .unwrap_or('0')
            .to_ascii_uppercase()
    };
    ['%', digit(byte >> 4), digit(byte & 0x0f)]
}

/// No segment may point elsewhere, in no reading.
fn check_segments(reading: &str, allowed: Leniencies) -> Result<(), TargetFault> {
    // A console that redirects to the path it has read would send the visitor to another host.
    if reading.starts_with("//") {
        return Err(TargetFault::EmptySegment);
    }
    // Most paths have no dot at all.
    if reading.as_bytes().contains(&b'.') && reading.split('/').any(is_step) {
        return Err(TargetFault::DotSegment);
    }
    if allowed.contains(Leniency::CaseInsensitive) && reading.split('/').any(is_known_by_another_name) {
        return Err(TargetFault::WindowsName);
    }
    Ok(())
}

/// Whether some system takes the segment for a step: `.`, `..`, with the dots and blanks behind them that some drop, `...`,
/// which some take for a step further up, and whatever ends in `..`. A server that puts the rest of a path behind a folder's
/// name, as nginx does for an `alias` without its slash, comes from `/static../x` to `/folder/../x`.
pub(crate) fn is_step(segment: &str) -> bool {
    let name = segment.trim_end_matches(' ');
    name.ends_with("..") || name.ends_with('.') && name.bytes().all(|byte| matches!(byte, b'.' | b' '))
}

/// Whether a system that folds case may know the same file by another name as well: without the dots and blanks at the end,
/// without the stream behind a colon, by its long name.
fn is_known_by_another_name(segment: &str) -> bool {
    let short = |(place, _): (usize, &str)| {
        let after = segment.get(place + 1..).unwrap_or_default();
        place > 0 && after.starts_with(|letter: char| letter.is_ascii_digit())
    };
    segment.ends_with(['.', ' '])
        || segment.contains("::")
        || segment.contains(":$")
        || segment.match_indices('~').any(short)
}
