//! The head of a request: the request line and the header lines, checked byte by byte (RFC 9112, sections 2 to 6).

use std::ops::Range;

use stagedoor_policy::request::Host;

use crate::wire::WireFault;

/// More digits than any real length has, and fewer than overflow.
const LENGTH_DIGITS_MAX: usize = 18;
/// Header names that frame or route a message. CGI folds `Content_Length` into `Content-Length`, and other readers have other
/// ideas of what a separator is, so a name that has the letters of one of these has to be it.
const FRAMING_NAMES: [&[u8]; 6] = [
    b"host",
    b"expect",
    b"upgrade",
    b"connection",
    b"content-length",
    b"transfer-encoding",
];

/// How the body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// There is none.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
}

/// What a head that passed says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head<'h> {
    /// Whom it is for, as sent: one well-formed host.
    pub host: &'h [u8],
    /// How the body is framed.
    pub body: Body,
    /// Whether the visitor waits for a 100 before it sends the body.
    pub expects_continue: bool,
    /// Bytes to be taken out, so that a target in absolute form is in origin form.
    pub absolute_prefix: Range<usize>,
}

/// Whether a header's name may hold this byte (`tchar`, RFC 9110, section 5.6.2).
pub fn is_name_byte(byte: u8) -> bool {
    NAME_BYTES.get(usize::from(byte)).copied().unwrap_or_default()
}

/// A table, since every byte of every name is asked for.
#[expect(
    clippy::indexing_slicing,
    reason = "computed by the compiler, which refuses what is out of bounds"
)]
static NAME_BYTES: [bool; 256] = {
    const OTHERS: &[u8] = b"!#$%&'*+-.^_`|~";
    let (mut fit, mut byte) = ([false; 256], 0);
    while byte < fit.len() {
        fit[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut rest = OTHERS;
    while let [other, after @ ..] = rest {
        fit[*other as usize] = true;
        rest = after;
    }
    fit
};

/// Checks a whole head, its empty last line included; every line is known to end with CRLF. `known_host` is one that passed
/// before, or empty.
///
/// # Errors
/// The first thing that two readers could take differently.
pub fn check<'h>(head: &'h [u8], header_count_max: usize, known_host: &[u8]) -> Result<Head<'h>, WireFault> {
    let mut lines = Lines(head);
    let line = RequestLine::parse(lines.next().ok_or(WireFault::RequestLine)?)?;
    let mut framing = Framing::default();
    for (count, header) in lines.take_while(|line| !line.is_empty()).enumerate() {
        if count >= header_count_max {
            return Err(WireFault::TooManyHeaders);
        }
        framing.take_in(header, known_host)?;
    }
    let host = framing.host.ok_or(WireFault::HostMissing)?;
    let body = framing.body(line.is_http10)?;
    if line.is_head && body != Body::None {
        return Err(WireFault::StrayBody);
    }
    Ok(Head {
        host,
        body,
        expects_continue: framing.expects_continue,
        absolute_prefix: line.absolute_prefix(host)?,
    })
}

/// Lines without their CRLF.
struct Lines<'h>(&'h [u8]);

impl<'h> Iterator for Lines<'h> {
    type Item = &'h [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let end = memchr::memchr(b'\n', self.0)?;
        let (line, rest) = self.0.split_at_checked(end + 1)?;
        self.0 = rest;
        Some(line.strip_suffix(b"\r\n").unwrap_or(line))
    }
}

struct RequestLine<'h> {
    target: &'h [u8],
    target_start: usize,
    is_http10: bool,
    is_head: bool,
}

impl<'h> RequestLine<'h> {
    fn parse(line: &'h [u8]) -> Result<Self, WireFault> {
        let mut words = line.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(WireFault::RequestLine);
        };
        if method.is_empty() || target.is_empty() || !method.iter().copied().all(is_name_byte) {
            return Err(WireFault::RequestLine);
        }
        if method == b"CONNECT" {
            return Err(WireFault::Connect);
        }
        let is_http10 = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            _ => return Err(WireFault::Version),
        };
        check_target_bytes(target)?;
        Ok(Self {
            target,
            target_start: method.len() + 1,
            is_http10,
            is_head: method == b"HEAD",
        })
    }

    /// What has to be taken out for the target to be in origin form.
    fn absolute_prefix(&self, host: &[u8]) -> Result<Range<usize>, WireFault> {
        if self.target.first() == Some(&b'/') {
            return Ok(0..0);
        }
        let scheme = [&b"http://"[..], b"https://"]
            .into_iter()
            .find(|scheme| {
                self.target
                    .get(..scheme.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            })
            .ok_or(WireFault::TargetForm)?;
        let prefix = scheme.len() + host.len();
        let same_host = self
            .target
            .get(scheme.len()..prefix)
            .is_some_and(|authority| authority.eq_ignore_ascii_case(host));
        // A target that is only a host would have to be given a path; nobody sends that to a console.
        if same_host && self.target.get(prefix) == Some(&b'/') {
            Ok(self.target_start..self.target_start + prefix)
        } else {
            Err(WireFault::TargetForm)
        }
    }
}

/// Bytes that pingora cuts off, escapes or refuses itself, so that the stages would see something else or nothing. The rest of
/// what is not allowed is for the policy to say, which has words for it.
///
/// # Errors
/// Where there is one of them.
pub fn check_target_bytes(target: &[u8]) -> Result<(), WireFault> {
    let mangled = |byte: u8| matches!(byte, 0..=0x20 | 0x7f | b'#' | b'<' | b'>');
    let (path, query) = match memchr::memchr(b'?', target) {
        Some(mark) => target.split_at_checked(mark).unwrap_or((target, &[])),
        None => (target, &[][..]),
    };
    let refused = target.iter().copied().any(mangled)
        || memchr::memchr(b'`', path).is_some()
        || memchr::memchr(b'"', query).is_some()
        || std::str::from_utf8(target).is_err();
    if refused { Err(WireFault::TargetByte) } else { Ok(()) }
}

/// What the header lines say of the message's borders.
#[derive(Default)]
struct Framing<'h> {
    host: Option<&'h [u8]>,
    length: Option<u64>,
    chunked: bool,
    expects_continue: bool,
}

impl<'h> Framing<'h> {
    fn take_in(&mut self, line: &'h [u8], known_host: &[u8]) -> Result<(), WireFault> {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return Err(WireFault::HeaderFolded);
        }
        let colon = memchr::memchr(b':', line).ok_or(WireFault::HeaderName)?;
        let (name, value) = line.split_at_checked(colon).ok_or(WireFault::HeaderName)?;
        if name.is_empty() || !name.iter().copied().all(is_name_byte) {
            return Err(WireFault::HeaderName);
        }
        let value = value.get(1..).unwrap_or_default();
        // Folded rather than `any`, so that the compiler can look at many bytes at once.
        let control = |found: bool, byte: &u8| found | ((*byte < 0x20) & (*byte != b'\t')) | (*byte == 0x7f);
        if value.iter().fold(false, control) {
            return Err(WireFault::HeaderValue);
        }
        match framing_name(name)? {
            Some(name) => self.frame(name, trim(value), known_host),
            None => Ok(()),
        }
    }

    fn frame(&mut self, name: &[u8], value: &'h [u8], known_host: &[u8]) -> Result<(), WireFault> {
        let (well_formed, fault) = match name {
            b"host" => (
                is_host(value, known_host) && self.host.replace(value).is_none(),
                WireFault::Host,
            ),
            b"content-length" => (self.length.replace(length(value)?).is_none(), WireFault::ContentLength),
            b"transfer-encoding" => (
                value.eq_ignore_ascii_case(b"chunked") && !std::mem::replace(&mut self.chunked, true),
                WireFault::TransferEncoding,
            ),
            b"expect" => {
                self.expects_continue = value.eq_ignore_ascii_case(b"100-continue");
                (self.expects_continue, WireFault::Expect)
            }
            _ => return Ok(()),
        };
        if well_formed { Ok(()) } else { Err(fault) }
    }

    fn body(&self, is_http10: bool) -> Result<Body, WireFault> {
        match (self.length, self.chunked) {
            (Some(_), true) => Err(WireFault::LengthAndEncoding),
            (None, true) if is_http10 => Err(WireFault::TransferEncoding),
            (None, true) => Ok(Body::Chunked),
            (Some(0) | None, false) => Ok(Body::None),
            (Some(bytes), false) => Ok(Body::Length(bytes)),
        }
    }
}

/// No host is empty, so that an empty one that is known makes none well-formed.
fn is_host(value: &[u8], known: &[u8]) -> bool {
    (value == known && !known.is_empty()) || Host::parse(value).is_ok()
}

/// The framing header of this name, in lower case.
///
/// # Errors
/// Where it only becomes one by folding.
pub fn framing_name(name: &[u8]) -> Result<Option<&'static [u8]>, WireFault> {
    if !matches!(letters(name).next(), Some(b'h' | b'e' | b'u' | b'c' | b't')) {
        return Ok(None);
    }
    // No two of them have as many letters, so that a name is compared with one of them at most.
    let count = letter_count(name);
    let of_its_length = FRAMING_NAMES.iter().find(|framing| letter_count(framing) == count);
    match of_its_length.filter(|framing| letters(framing).eq(letters(name))) {
        Some(framing) if name.eq_ignore_ascii_case(framing) => Ok(Some(framing)),
        Some(_) => Err(WireFault::HeaderTwin),
        None => Ok(None),
    }
}

const fn letter_count(name: &[u8]) -> usize {
    let (mut count, mut rest) = (0, name);
    while let [byte, after @ ..] = rest {
        count += byte.is_ascii_alphanumeric() as usize;
        rest = after;
    }
    count
}

/// A name without its separators, in lower case.
fn letters(name: &[u8]) -> impl Iterator<Item = u8> {
    let letters = name.iter().filter(|byte| byte.is_ascii_alphanumeric());
    letters.map(u8::to_ascii_lowercase)
}

/// A `Content-Length`: one plain decimal number.
///
/// # Errors
/// Anything else.
pub fn length(value: &[u8]) -> Result<u64, WireFault> {
    let plain = value.len() <= LENGTH_DIGITS_MAX
        && value.iter().all(u8::is_ascii_digit)
        && (value.first() != Some(&b'0') || value.len() == 1);
    let digits = std::str::from_utf8(value).ok().filter(|_| plain);
    digits
        .and_then(|digits| digits.parse().ok())
        .ok_or(WireFault::ContentLength)
}

/// Without the blanks that may stand around a value.
fn trim(value: &[u8]) -> &[u8] {
    let start = value.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let value = value.get(start..).unwrap_or_default();
    let blanks = value
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    value.get(..value.len() - blanks).unwrap_or_default()
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
