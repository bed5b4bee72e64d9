//! One frame, made of whatever parts.

/// The kinds of frames (RFC 9113, section 6).
pub mod kind {
    /// A piece of a body.
    pub const DATA: u8 = 0;
    /// The beginning of a message, or its trailers.
    pub const HEADERS: u8 = 1;
    /// Which stream before which.
    pub const PRIORITY: u8 = 2;
    /// The end of a stream, at once.
    pub const RST_STREAM: u8 = 3;
    /// What one side can do.
    pub const SETTINGS: u8 = 4;
    /// A stream begun by the server.
    pub const PUSH_PROMISE: u8 = 5;
    /// Are you there?
    pub const PING: u8 = 6;
    /// The end of the connection.
    pub const GOAWAY: u8 = 7;
    /// Leave to send more.
    pub const WINDOW_UPDATE: u8 = 8;
    /// More of a header block.
    pub const CONTINUATION: u8 = 9;
}

/// END_STREAM, or ACK.
const LAST: u8 = 1;
const END_HEADERS: u8 = 4;

/// A frame as it goes over the wire; nothing in it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// One of [`kind`], or any other.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream, 0 for the connection.
    pub stream: u32,
    /// What it carries.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Any frame.
    pub fn new(kind: u8, flags: u8, stream: u32, payload: Vec<u8>) -> Self {
        Self {
            kind,
            flags,
            stream,
            payload,
        }
    }

    /// SETTINGS: pairs of identifier and value.
    pub fn settings(pairs: &[(u16, u32)]) -> Self {
        let pair = |(name, value): &(u16, u32)| [&name.to_be_bytes()[..], &value.to_be_bytes()[..]].concat();
        Self::new(kind::SETTINGS, 0, 0, pairs.iter().flat_map(pair).collect())
    }

    /// HEADERS with a whole block.
    pub fn headers(stream: u32, block: Vec<u8>, last: bool) -> Self {
        let flags = END_HEADERS | if last { LAST } else { 0 };
        Self::new(kind::HEADERS, flags, stream, block)
    }

    /// HEADERS whose block goes on in CONTINUATION.
    pub fn headers_begun(stream: u32, block: Vec<u8>, last: bool) -> Self {
        Self::new(kind::HEADERS, if last { LAST } else { 0 }, stream, block)
    }

    /// CONTINUATION.
    pub fn continuation(stream: u32, block: Vec<u8>, end_of_block: bool) -> Self {
        let flags = if end_of_block { END_HEADERS } else { 0 };
        Self::new(kind::CONTINUATION, flags, stream, block)
    }

    /// DATA.
    pub fn data(stream: u32, bytes: impl Into<Vec<u8>>, last: bool) -> Self {
        Self::new(kind::DATA, if last { LAST } else { 0 }, stream, bytes.into())
    }

    /// RST_STREAM with CANCEL.
    pub fn reset(stream: u32) -> Self {
        Self::new(kind::RST_STREAM, 0, stream, 8_u32.to_be_bytes().to_vec())
    }

    /// PING.
    pub fn ping() -> Self {
        Self::new(kind::PING, 0, 0, vec![7; 8])
    }

    /// WINDOW_UPDATE.
    pub fn window_update(stream: u32, bytes: u32) -> Self {
        Self::new(kind::WINDOW_UPDATE, 0, stream, bytes.to_be_bytes().to_vec())
    }

    /// PRIORITY: behind `before`, with the weight of one.
    pub fn priority(stream: u32, before: u32) -> Self {
        let mut payload = before.to_be_bytes().to_vec();
        payload.push(0);
        Self::new(kind::PRIORITY, 0, stream, payload)
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).expect("a frame has three bytes of length");
        let mut bytes = length.to_be_bytes()[1..].to_vec();
        bytes.extend([self.kind, self.flags]);
        bytes.extend(self.stream.to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }
}
