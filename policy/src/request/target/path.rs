//! The path of a target: its one canonical spelling, and what it says once decoded.

use std::borrow::Cow;

use super::TargetFault;

/// A path that only one reading is left of.
pub(super) struct Path<'a> {
    /// As it is forwarded: unreserved characters plain, every other escape in upper case.
    pub(super) encoded: Cow<'a, str>,
    /// As it is matched.
    pub(super) decoded: Cow<'a, str>,
}

/// Decodes once and refuses whatever is left ambiguous.
pub(super) fn canonical(raw: &[u8]) -> Result<Path<'_>, TargetFault> {
    let mut escaped = false;
    for byte in raw {
        check_raw(*byte)?;
        escaped |= *byte == b'%';
    }
    let raw = std::str::from_utf8(raw).map_err(|_| TargetFault::RawNonAscii)?;
    let path = if escaped {
        unescape(raw)?
    } else {
        Path {
            encoded: Cow::Borrowed(raw),
            decoded: Cow::Borrowed(raw),
        }
    };
    check_segments(&path.decoded)?;
    Ok(path)
}

fn check_raw(byte: u8) -> Result<(), TargetFault> {
    Err(match byte {
        0x80.. => TargetFault::RawNonAscii,
        0..0x20 | 0x7f => TargetFault::RawControl,
        b' ' => TargetFault::RawSpace,
        b'#' => TargetFault::RawHash,
        b'\\' => TargetFault::RawBackslash,
        b';' => TargetFault::RawSemicolon,
        b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' => TargetFault::RawDelimiter,
        _ => return Ok(()),
    })
}

fn unescape(raw: &str) -> Result<Path<'_>, TargetFault> {
    let mut encoded = String::with_capacity(raw.len());
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            encoded.push(char::from(byte));
            decoded.push(byte);
            continue;
        }
        let byte = octet(bytes.next(), bytes.next())?;
        check_escaped(byte)?;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(digit(byte >> 4));
            encoded.push(digit(byte & 0x0f));
        }
        decoded.push(byte);
    }
    let decoded = String::from_utf8(decoded).map_err(|_| TargetFault::NotUtf8)?;
    if decoded.chars().any(char::is_control) {
        return Err(TargetFault::EncodedControl); // U+0080 to U+009F; the others were caught byte by byte
    }
    Ok(Path {
        encoded: if encoded == raw {
            Cow::Borrowed(raw)
        } else {
            Cow::Owned(encoded)
        },
        decoded: Cow::Owned(decoded),
    })
}

fn octet(high: Option<u8>, low: Option<u8>) -> Result<u8, TargetFault> {
    let nibble = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
    let (Some(high), Some(low)) = (nibble(high), nibble(low)) else {
        return Err(TargetFault::BadEscape);
    };
    u8::try_from(high << 4 | low).map_err(|_| TargetFault::BadEscape)
}

fn check_escaped(byte: u8) -> Result<(), TargetFault> {
    Err(match byte {
        0 => TargetFault::EncodedNul,
        1..0x20 | 0x7f => TargetFault::EncodedControl,
        b'/' => TargetFault::EncodedSlash,
        b'\\' => TargetFault::EncodedBackslash,
        b'.' => TargetFault::EncodedDot,
        b'%' => TargetFault::EncodedPercent,
        b';' => TargetFault::EncodedSemicolon,
        b'?' => TargetFault::EncodedQuestionMark,
        b'#' => TargetFault::EncodedHash,
        _ => return Ok(()),
    })
}

fn digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16)
        .unwrap_or('0')
        .to_ascii_uppercase()
}

/// Only the last segment may be empty, and none may point elsewhere.
fn check_segments(decoded: &str) -> Result<(), TargetFault> {
    if decoded.contains("//") {
        return Err(TargetFault::EmptySegment);
    }
    if decoded.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(TargetFault::DotSegment);
    }
    Ok(())
}
