//! Why what a console says is not passed on: two readers could frame it differently, or it is no answer at all. The
//! connection it came by is not used again.

/// Names and values of an answer's header; browsers themselves give up at a few hundred KiB.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;
/// Header fields of an answer.
pub const HEADER_COUNT_MAX: usize = 200;
/// Interim answers (1xx) before the answer; more are a flood.
pub const INTERIM_ANSWERS_MAX: u32 = 16;

/// Why an answer cannot be passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// It opens a tunnel that nobody judged.
    #[error("a 101 that nobody asked for")]
    SwitchUnasked,
    /// A 101 that does not agree to the WebSocket that was asked for, or to more than that.
    #[error("a 101 that does not answer the handshake")]
    HandshakeUnanswered,
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
    /// A 1xx or 204 that announces a body.
    #[error("a body where there can be none")]
    BodyImpossible,
}
