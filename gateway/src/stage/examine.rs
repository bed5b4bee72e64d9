//! Before the answer is cleaned: whether it is one. What two readers could frame differently is not passed on, and the
//! connection it came by is not used again.

use http::{HeaderMap, StatusCode, Version, header};
use pingora::http::ResponseHeader;

/// Names and values of an answer's header; browsers themselves give up at a few hundred KiB.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;
/// Header fields of an answer.
pub const HEADER_COUNT_MAX: usize = 200;
/// Interim answers (1xx) before the answer; more are a flood.
pub const INTERIM_ANSWERS_MAX: u32 = 16;
/// Digits of a length: as many as 64 bits can hold without overflowing.
const LENGTH_DIGITS_MAX: usize = 18;

/// Why an answer cannot be passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// It opens a tunnel that nobody judged.
    #[error("a 101 that nobody asked for")]
    SwitchUnasked,
    /// More than [`INTERIM_ANSWERS_MAX`].
    #[error("too many interim answers")]
    InterimTooMany,
    /// More than [`HEADER_BYTES_MAX`] or [`HEADER_COUNT_MAX`].
    #[error("a header that is too large")]
    HeaderTooLarge,
    /// A status that HTTP does not have.
    #[error("a status beyond 599")]
    StatusUnknown,
    /// More than one length, or one that is none.
    #[error("a Content-Length that is not one number")]
    LengthUnclear,
    /// A transfer coding other than chunked, or one in HTTP/1.0, or beside a length.
    #[error("a Transfer-Encoding other than chunked")]
    CodingUnclear,
    /// A status line that is none.
    #[error("a status line that is none")]
    StatusMalformed,
    /// A line of the header that is none, is folded, or does not end with CR and LF.
    #[error("a header line that is none")]
    LineMalformed,
    /// A chunk whose end two readers could see in different places.
    #[error("a chunk that is none")]
    ChunkMalformed,
    /// More came along with the answer than it announced.
    #[error("bytes behind the answer")]
    BytesBehind,
    /// A 101 that does not agree to the WebSocket that was asked for, or to more than that.
    #[error("a 101 that does not answer the handshake")]
    HandshakeUnanswered,
    /// A 1xx or 204 that announces a body.
    #[error("a body where there can be none")]
    BodyImpossible,
}

/// Examines an answer or an interim answer; `interim_before` interim answers came before it.
///
/// # Errors
/// Why it cannot be passed on.
pub fn examine(answer: &ResponseHeader, interim_before: u32) -> Result<(), AnswerFault> {
    let status = answer.status;
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(AnswerFault::SwitchUnasked);
    }
    if interim_before >= INTERIM_ANSWERS_MAX && status.is_informational() {
        return Err(AnswerFault::InterimTooMany);
    }
    if status.as_u16() > 599 {
        return Err(AnswerFault::StatusUnknown);
    }
    examine_size(&answer.headers)?;
    let length = examine_length(&answer.headers)?;
    let chunked = examine_coding(&answer.headers, answer.version)?;
    if chunked && length.is_some() {
        return Err(AnswerFault::CodingUnclear);
    }
    let bodiless = status.is_informational() || status == StatusCode::NO_CONTENT;
    if bodiless && (chunked || length.is_some_and(|bytes| bytes > 0)) {
        return Err(AnswerFault::BodyImpossible);
    }
    Ok(())
}

/// Whether the header fits the limits.
///
/// # Errors
/// [`AnswerFault::HeaderTooLarge`].
pub fn examine_size(headers: &HeaderMap) -> Result<(), AnswerFault> {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    if bytes > HEADER_BYTES_MAX || headers.len() > HEADER_COUNT_MAX {
        Err(AnswerFault::HeaderTooLarge)
    } else {
        Ok(())
    }
}

fn examine_length(headers: &HeaderMap) -> Result<Option<u64>, AnswerFault> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(length) = lengths.next() else { return Ok(None) };
    let digits = length.as_bytes();
    let is_number = matches!(digits.len(), 1..=LENGTH_DIGITS_MAX) && digits.iter().all(u8::is_ascii_digit);
    if !is_number || lengths.next().is_some() {
        return Err(AnswerFault::LengthUnclear);
    }
    let value = digits
        .iter()
        .fold(0, |sum: u64, digit| sum * 10 + u64::from(digit - b'0'));
    Ok(Some(value))
}

fn examine_coding(headers: &HeaderMap, version: Version) -> Result<bool, AnswerFault> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(false) };
    let chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    if chunked && codings.next().is_none() && version == Version::HTTP_11 {
        Ok(true)
    } else {
        Err(AnswerFault::CodingUnclear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)]) -> ResponseHeader {
        let mut answer = ResponseHeader::build(status, None).unwrap();
        headers.iter().for_each(|(name, value)| {
            answer.append_header(*name, *value).unwrap();
        });
        answer
    }

    #[test]
    fn an_answer_with_one_reading_passes() {
        for (status, headers) in [
            (200, &[("Content-Length", "0")][..]),
            (200, &[("Content-Length", "007")]),
            (200, &[("Transfer-Encoding", "Chunked")]),
            (200, &[]),
            (204, &[("Content-Length", "0")]),
            (304, &[("Content-Length", "1200")]),
            (103, &[("Link", "</a.css>; rel=preload")]),
            (599, &[]),
        ] {
            assert_eq!(examine(&answer(status, headers), 0), Ok(()), "{status} {headers:?}");
        }
    }

    #[test]
    fn an_answer_that_two_readers_could_frame_differently_does_not() {
        let (length, coding) = (AnswerFault::LengthUnclear, AnswerFault::CodingUnclear);
        for (status, headers, fault) in [
            (200, &[("Content-Length", "5"), ("Content-Length", "5")][..], length),
            (200, &[("Content-Length", "5, 5")], length),
            (200, &[("Content-Length", "+5")], length),
            (200, &[("Content-Length", "0x5")], length),
            (200, &[("Content-Length", "")], length),
            (200, &[("Content-Length", "9999999999999999999")], length),
            (200, &[("Transfer-Encoding", "gzip, chunked")], coding),
            (200, &[("Transfer-Encoding", "identity")], coding),
            (
                200,
                &[("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
                coding,
            ),
            (
                200,
                &[("Transfer-Encoding", "chunked"), ("Content-Length", "5")],
                coding,
            ),
            (204, &[("Content-Length", "5")], AnswerFault::BodyImpossible),
            (204, &[("Transfer-Encoding", "chunked")], AnswerFault::BodyImpossible),
            (103, &[("Content-Length", "5")], AnswerFault::BodyImpossible),
            (101, &[("Upgrade", "websocket")], AnswerFault::SwitchUnasked),
            (600, &[], AnswerFault::StatusUnknown),
        ] {
            assert_eq!(examine(&answer(status, headers), 0), Err(fault), "{status} {headers:?}");
        }
        let mut old = answer(200, &[("Transfer-Encoding", "chunked")]);
        old.set_version(Version::HTTP_10);
        assert_eq!(examine(&old, 0), Err(coding));
    }

    #[test]
    fn limits_are_met_and_not_passed() {
        let interim = answer(103, &[]);
        assert_eq!(examine(&interim, INTERIM_ANSWERS_MAX - 1), Ok(()));
        assert_eq!(examine(&interim, INTERIM_ANSWERS_MAX), Err(AnswerFault::InterimTooMany));
        assert_eq!(examine(&answer(200, &[]), INTERIM_ANSWERS_MAX), Ok(()));
        let mut many = answer(200, &[]);
        for _ in 0..HEADER_COUNT_MAX {
            many.append_header("a", "1").unwrap();
        }
        assert_eq!(examine(&many, 0), Ok(()));
        many.append_header("a", "1").unwrap();
        assert_eq!(examine(&many, 0), Err(AnswerFault::HeaderTooLarge));
        let large = "x".repeat(HEADER_BYTES_MAX - 5);
        assert_eq!(examine(&answer(200, &[("a", &large)]), 0), Ok(()));
        assert_eq!(
            examine(&answer(200, &[("ab", &large)]), 0),
            Err(AnswerFault::HeaderTooLarge)
        );
    }
}
