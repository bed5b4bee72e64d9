//! The head of an answer, read strictly: one reading, or none. What frames the body is taken from here, before Pingora has
//! mended anything.

use super::fault::{AnswerFault, HEADER_BYTES_MAX, HEADER_COUNT_MAX};
use crate::wire::http1::head::is_name_byte;

/// Digits of a length: as many as 64 bits can hold without overflowing.
const LENGTH_DIGITS_MAX: usize = 18;

/// What a head says of what comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The status.
    pub status: u16,
    /// How the body ends, where the request was one that has one.
    pub framing: Framing,
    /// Whether the connection may serve another request afterwards.
    pub lasting: bool,
    /// Bytes of the status line, its end included.
    pub status_line_bytes: usize,
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// After as many bytes.
    Length(u64),
    /// With the last chunk.
    Chunks,
    /// With the connection.
    Close,
}

/// Where the head ends, with its empty line; `None` while it is not all there. Nothing ends in the first `searched` bytes.
///
/// # Errors
/// Where it is larger than an answer's header may be.
pub(super) fn end(bytes: &[u8], searched: usize) -> Result<Option<usize>, AnswerFault> {
    // The status line comes on top; the end may have begun before.
    let (allowed, start) = (HEADER_BYTES_MAX + 1024, searched.saturating_sub(3));
    let fresh = bytes.get(start..bytes.len().min(allowed)).unwrap_or_default();
    let is_end = |at: &usize| fresh.get(..=*at).is_some_and(|until| until.ends_with(b"\r\n\r\n"));
    match memchr::memchr_iter(b'\n', fresh).find(is_end) {
        Some(at) => Ok(Some(start + at + 1)),
        None if bytes.len() > allowed => Err(AnswerFault::HeaderTooLarge),
        None => Ok(None),
    }
}

/// Reads a whole head.
///
/// # Errors
/// Where two readers could take it for different things.
pub(super) fn read(head: &[u8]) -> Result<Head, AnswerFault> {
    let mut lines = Lines(head);
    let status_line = lines.next().unwrap_or(Err(AnswerFault::LineMalformed))?;
    let (old, status) = status(status_line)?;
    let (mut length, mut chunked, mut close) = (None, false, old);
    for (count, line) in lines.by_ref().enumerate() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if count >= HEADER_COUNT_MAX {
            return Err(AnswerFault::HeaderTooLarge);
        }
        let (name, value) = field(line)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            if length.is_some() {
                return Err(AnswerFault::LengthUnclear);
            }
            length = Some(number(value)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if chunked || old || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(AnswerFault::CodingUnclear);
            }
            chunked = true;
        } else if name.eq_ignore_ascii_case(b"connection") {
            close |= value
                .split(|byte| *byte == b',')
                .any(|word| word.trim_ascii().eq_ignore_ascii_case(b"close"));
        }
    }
    if !head.ends_with(b"\r\n\r\n") || !lines.0.is_empty() {
        return Err(AnswerFault::LineMalformed);
    }
    let framing = match (length, chunked) {
        (Some(_), true) => return Err(AnswerFault::CodingUnclear),
        (Some(length), false) => Framing::Length(length),
        (None, true) => Framing::Chunks,
        (None, false) => Framing::Close,
    };
    Ok(Head {
        status,
        framing,
        lasting: !close,
        status_line_bytes: status_line.len() + 2,
    })
}

/// Lines without their ends. A line ends with CR and LF, and neither stands anywhere else.
struct Lines<'h>(&'h [u8]);

impl<'h> Iterator for Lines<'h> {
    type Item = Result<&'h [u8], AnswerFault>;

    fn next(&mut self) -> Option<Self::Item> {
        let end = memchr::memchr(b'\n', self.0)?;
        let (line, rest) = self.0.split_at_checked(end + 1)?;
        self.0 = rest;
        let line = line
            .strip_suffix(b"\r\n")
            .filter(|line| memchr::memchr(b'\r', line).is_none());
        Some(line.ok_or(AnswerFault::LineMalformed))
    }
}

/// Whether the version is the old one, and the status.
fn status(line: &[u8]) -> Result<(bool, u16), AnswerFault> {
    let malformed = Err(AnswerFault::StatusMalformed);
    let (old, rest) = match (line.strip_prefix(b"HTTP/1.1 "), line.strip_prefix(b"HTTP/1.0 ")) {
        (Some(rest), _) => (false, rest),
        (None, Some(rest)) => (true, rest),
        (None, None) => return malformed,
    };
    let Some((digits, reason)) = rest.split_at_checked(3) else {
        return malformed;
    };
    if !digits.iter().all(u8::is_ascii_digit) || !(reason.is_empty() || reason.starts_with(b" ")) || !is_text(reason) {
        return malformed;
    }
    let status = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match status {
        100..=599 => Ok((old, status)),
        _ => Err(AnswerFault::StatusUnknown),
    }
}

fn field(line: &[u8]) -> Result<(&[u8], &[u8]), AnswerFault> {
    let colon = memchr::memchr(b':', line).ok_or(AnswerFault::LineMalformed)?;
    let (name, value) = line.split_at_checked(colon).ok_or(AnswerFault::LineMalformed)?;
    let value = value.get(1..).unwrap_or_default();
    if name.is_empty() || !name.iter().all(|byte| is_name_byte(*byte)) || !is_text(value) {
        return Err(AnswerFault::LineMalformed);
    }
    Ok((name, value.trim_ascii()))
}

fn is_text(bytes: &[u8]) -> bool {
    // Folded rather than `all`, so that the compiler can look at many bytes at once.
    let fit = |fit: bool, byte: &u8| fit & (((*byte >= 0x20) & (*byte != 0x7f)) | (*byte == b'\t'));
    bytes.iter().fold(true, fit)
}

fn number(digits: &[u8]) -> Result<u64, AnswerFault> {
    if !matches!(digits.len(), 1..=LENGTH_DIGITS_MAX) || !digits.iter().all(u8::is_ascii_digit) {
        return Err(AnswerFault::LengthUnclear);
    }
    Ok(digits
        .iter()
        .fold(0, |sum: u64, digit| sum * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_with_one_reading_is_read() {
        for (head, status, framing, lasting) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
                200,
                Framing::Length(5),
                true,
            ),
            (
                "HTTP/1.1 200\r\ncontent-length:5\t\r\n\r\n",
                200,
                Framing::Length(5),
                true,
            ),
            (
                "HTTP/1.1 200 \r\nTransfer-Encoding: Chunked\r\n\r\n",
                200,
                Framing::Chunks,
                true,
            ),
            (
                "HTTP/1.1 200 Gut so\r\nX: \u{e4}\r\nEmpty:\r\n\r\n",
                200,
                Framing::Close,
                true,
            ),
            (
                "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n",
                200,
                Framing::Length(0),
                false,
            ),
            (
                "HTTP/1.0 404 No\r\nContent-Length: 0\r\n\r\n",
                404,
                Framing::Length(0),
                false,
            ),
            ("HTTP/1.1 103 Early\r\n\r\n", 103, Framing::Close, true),
        ] {
            let expected = Head {
                status,
                framing,
                lasting,
                status_line_bytes: head.find('\n').unwrap() + 1,
            };
            assert_eq!(read(head.as_bytes()), Ok(expected), "{head:?}");
        }
    }

    #[test]
    fn a_head_with_two_readings_is_none() {
        let (line, length, coding) = (
            AnswerFault::LineMalformed,
            AnswerFault::LengthUnclear,
            AnswerFault::CodingUnclear,
        );
        for (fields, fault) in [
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", coding),
            ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", coding),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", coding),
            ("Transfer-Encoding: gzip, chunked\r\n", coding),
            ("Transfer-Encoding: \r\n", coding),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", length),
            ("Content-Length: 5, 5\r\n", length),
            ("Content-Length: 9999999999999999999\r\n", length),
            ("Content-Length : 5\r\n", line),
            ("X: a\r\n b\r\n", line),
            ("X: a\nY: b\r\n", line),
            ("X: a\rY: b\r\n", line),
            ("X: a\0b\r\n", line),
            ("X: a\x0bb\r\n", line),
            ("X\r\n", line),
            (": x\r\n", line),
            ("X Y: x\r\n", line),
            ("X\u{e4}: x\r\n", line),
        ] {
            let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
            assert_eq!(read(head.as_bytes()), Err(fault), "{head:?}");
        }
        for status in [
            "HTTP/1.1 20 OK",
            "HTTP/1.1 2000",
            "HTTP/2.0 200 OK",
            "http/1.1 200 OK",
            "HTTP/1.1  200 OK",
            "",
            " HTTP/1.1 200 OK",
        ] {
            let head = format!("{status}\r\nContent-Length: 0\r\n\r\n");
            assert_eq!(read(head.as_bytes()), Err(AnswerFault::StatusMalformed), "{status:?}");
        }
    }

    #[test]
    fn a_head_has_no_more_fields_than_it_may_have() {
        let head = |fields| format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(fields));
        assert!(read(head(HEADER_COUNT_MAX).as_bytes()).is_ok());
        let fault = Err(AnswerFault::HeaderTooLarge);
        assert_eq!(read(head(HEADER_COUNT_MAX + 1).as_bytes()), fault);
    }

    #[test]
    fn a_head_is_waited_for_as_long_as_it_may_be() {
        let head = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody";
        for searched in 0..25 {
            assert_eq!(end(head.get(..searched).unwrap(), 0), Ok(None));
            assert_eq!(end(head, searched), Ok(Some(25)), "{searched}");
        }
        for searched in [0, HEADER_BYTES_MAX] {
            assert_eq!(end(&[b'x'; HEADER_BYTES_MAX + 1024], searched), Ok(None));
            let fault = Err(AnswerFault::HeaderTooLarge);
            assert_eq!(end(&[b'x'; HEADER_BYTES_MAX + 1025], searched), fault);
        }
    }
}
