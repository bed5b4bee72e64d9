//! One HTTP/1 request at a time: a whole head that was checked, then its body and not a byte more, then nothing until the
//! door listens again. What does not pass is replaced by [`STAND_IN`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::io::poll_read_buf;

use super::{Turn, WireFault};

pub mod chunks;
pub mod head;

use chunks::Chunks;
use head::Body;

/// What pingora reads instead of a request that was refused. The fault stands in the connection's [`Turn`], and the first
/// stage answers it.
pub const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nHost: refused.invalid\r\nConnection: close\r\n\r\n";
/// Room for a browser's head, in bytes; it grows as far as the limit.
pub const HEAD_BYTES_USUAL: usize = 4096;

/// How much of a head is read.
#[derive(Debug, Clone, Copy)]
pub struct HeadLimits {
    /// Bytes of the request line and the header lines together.
    pub bytes_max: usize,
    /// Header lines.
    pub count_max: usize,
}

#[derive(Debug)]
enum Phase {
    /// The head is being read.
    Head,
    /// So many bytes of the head that was checked are still to be handed on.
    Handing(usize, Body),
    /// So many bytes of the body are still to come.
    Length(u64),
    /// Chunks are still to come.
    Chunked(Chunks),
    /// The stand-in is handed on; whatever else the visitor sends is nobody's.
    Refused(usize),
}

/// The reading half of one HTTP/1 connection.
#[derive(Debug)]
pub struct Http1 {
    limits: HeadLimits,
    phase: Phase,
    /// What was read and not handed on yet.
    buffer: BytesMut,
    /// Up to where the head has been searched for the ends of its lines.
    scanned: usize,
    /// Where the line at hand begins.
    line_start: usize,
    /// The host of the request before, which mostly comes again.
    host: Vec<u8>,
}

impl Http1 {
    /// For a new connection, of which `buffer` has been read already.
    pub fn new(limits: HeadLimits, buffer: BytesMut) -> Self {
        Self {
            limits,
            phase: Phase::Head,
            buffer,
            scanned: 0,
            line_start: 0,
            host: Vec::new(),
        }
    }

    /// Whether the visitor may still be sending something that nobody will read.
    pub fn leaves_something_unread(&self) -> bool {
        !matches!(self.phase, Phase::Head) || !self.buffer.is_empty()
    }

    /// Hands on what belongs to the request at hand.
    ///
    /// # Errors
    /// Those of the connection, and a body that is not framed well or comes too slowly.
    pub fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        turn: &Turn,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if turn.is_tunnel() {
            return poll_any(&mut self.buffer, stream, context, to);
        }
        loop {
            match &mut self.phase {
                Phase::Head if turn.is_listening() => {
                    if !ready!(self.poll_head(stream, turn, context))? {
                        return Poll::Ready(Ok(()));
                    }
                }
                Phase::Head => return self.poll_for_the_end(stream, turn, context),
                Phase::Handing(left, body) => {
                    *left -= hand(&mut self.buffer, to, *left);
                    if *left == 0 {
                        self.phase = begin(*body, turn);
                        turn.note_more_behind(!self.buffer.is_empty());
                    }
                    return Poll::Ready(Ok(()));
                }
                Phase::Refused(0) if turn.is_listening() => return Poll::Ready(Ok(())),
                Phase::Refused(0) => return Poll::Pending,
                Phase::Refused(left) => {
                    *left -= hand(&mut self.buffer, to, *left);
                    if *left == 0 {
                        turn.head_ends();
                    }
                    return Poll::Ready(Ok(()));
                }
                Phase::Length(_) | Phase::Chunked(_) => return self.poll_body(stream, turn, context, to),
            }
        }
    }

    /// `true`: the next phase has begun. `false`: the visitor is gone, or was silent for too long.
    fn poll_head<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        turn: &Turn,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<bool>> {
        loop {
            match self.find_end() {
                Err(fault) => self.refuse(turn, fault),
                Ok(Some(length)) => self.accept(length, stream, turn, context),
                Ok(None) => {
                    if let Some(fault) = turn.fault() {
                        if !self.buffer.is_empty() {
                            self.refuse(turn, fault);
                            return Poll::Ready(Ok(true));
                        }
                        // Known before there is anything to answer: it is answered once there is.
                        if fault != WireFault::VisitorUnknown {
                            return Poll::Ready(Ok(false));
                        }
                    }
                    if !self.buffer.is_empty() {
                        turn.head_begins();
                    }
                    self.buffer.reserve(HEAD_BYTES_USUAL);
                    if ready!(poll_read_buf(Pin::new(stream), context, &mut self.buffer))? > 0 {
                        continue;
                    }
                    if self.buffer.is_empty() {
                        return Poll::Ready(Ok(false));
                    }
                    self.refuse(turn, WireFault::HeadIncomplete);
                }
            }
            return Poll::Ready(Ok(true));
        }
    }

    /// The head's length, once its empty last line is there.
    fn find_end(&mut self) -> Result<Option<usize>, WireFault> {
        while let Some(found) = memchr::memchr(b'\n', self.buffer.get(self.scanned..).unwrap_or_default()) {
            let line_feed = self.scanned + found;
            let line = self.buffer.get(self.line_start..line_feed).unwrap_or_default();
            let is_first = self.line_start == 0;
            let is_last = match line.split_last() {
                Some((b'\r', [])) if is_first => return Err(WireFault::RequestLine),
                Some((b'\r', text)) if memchr::memchr(b'\r', text).is_none() => text.is_empty(),
                _ => return Err(WireFault::LineEnd),
            };
            self.scanned = line_feed + 1;
            self.line_start = self.scanned;
            if self.scanned > self.limits.bytes_max {
                return Err(WireFault::HeadTooLarge);
            }
            if is_last {
                return Ok(Some(self.scanned));
            }
        }
        // Of a line that is not over yet, only the last byte may be a CR: its LF may still come.
        let line = self.buffer.get(self.line_start..).unwrap_or_default();
        if memchr::memchr(b'\r', line).is_some_and(|place| place + 1 < line.len()) {
            return Err(WireFault::LineEnd);
        }
        self.scanned = self.buffer.len();
        if self.scanned >= self.limits.bytes_max {
            return Err(WireFault::HeadTooLarge);
        }
        Ok(None)
    }

    fn accept<S: AsyncRead + Unpin>(&mut self, length: usize, stream: &mut S, turn: &Turn, context: &mut Context<'_>) {
        let whole = self.buffer.get(..length).unwrap_or_default();
        let head = match head::check(whole, self.limits.count_max, &self.host) {
            Ok(head) => head,
            Err(fault) => return self.refuse(turn, fault),
        };
        if self.host != head.host {
            self.host.clear();
            self.host.extend_from_slice(head.host);
        }
        let (body, absolute_prefix) = (head.body, head.absolute_prefix);
        if body == Body::Chunked && !head.expects_continue {
            // What came along with the head is looked at before the console hears of it.
            if self.buffer.len() == length {
                self.buffer.reserve(HEAD_BYTES_USUAL);
                // Nothing there, or an error that the next read meets again.
                let _nothing_yet = poll_read_buf(Pin::new(stream), context, &mut self.buffer);
            }
            let begun = Chunks::default().follow(self.buffer.get(length..).unwrap_or_default());
            if let Err(fault) = begun {
                return self.refuse(turn, fault);
            }
        }
        let taken_out = absolute_prefix.len();
        if taken_out > 0 {
            let rest = self.buffer.split_off(absolute_prefix.end);
            self.buffer.truncate(absolute_prefix.start);
            self.buffer.unsplit(rest);
        }
        (self.scanned, self.line_start) = (0, 0);
        self.phase = Phase::Handing(length - taken_out, body);
    }

    fn refuse(&mut self, turn: &Turn, fault: WireFault) {
        turn.refuse(fault);
        self.buffer.clear();
        self.buffer.extend_from_slice(STAND_IN);
        self.phase = Phase::Refused(STAND_IN.len());
    }

    fn poll_body<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        turn: &Turn,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if turn.is_listening() {
            turn.refuse(WireFault::OutOfStep);
        }
        if let Some(fault) = turn.fault() {
            return Poll::Ready(Err(broken(fault)));
        }
        let before = to.filled().len();
        let polled = match &mut self.phase {
            Phase::Length(left) => poll_limited(&mut self.buffer, stream, *left, context, to),
            _ => poll_any(&mut self.buffer, stream, context, to),
        };
        if polled.is_pending() {
            turn.awaits_body();
        }
        ready!(polled)?;
        let arrived = to.filled().get(before..).unwrap_or_default();
        if arrived.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let used = match &mut self.phase {
            Phase::Length(left) => {
                *left -= arrived.len() as u64;
                arrived.len()
            }
            Phase::Chunked(chunks) => match chunks.follow(arrived) {
                Ok(used) => used,
                Err(fault) => {
                    turn.refuse(fault);
                    to.set_filled(before);
                    return Poll::Ready(Err(broken(fault)));
                }
            },
            _ => arrived.len(),
        };
        turn.body_arrives(used as u64);
        let behind = arrived.get(used..).unwrap_or_default();
        if !behind.is_empty() {
            let rest = std::mem::take(&mut self.buffer);
            self.buffer.extend_from_slice(behind);
            self.buffer.extend_from_slice(&rest);
            to.set_filled(before + used);
        }
        let over = match &self.phase {
            Phase::Length(left) => *left == 0,
            Phase::Chunked(chunks) => chunks.is_over(),
            _ => false,
        };
        if over {
            turn.body_ends();
            self.phase = Phase::Head;
        }
        Poll::Ready(Ok(()))
    }

    /// While the door answers: pingora wants to know whether the visitor is still there. What comes is kept for the next turn.
    fn poll_for_the_end<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        turn: &Turn,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.buffer.len() < self.limits.bytes_max {
            self.buffer.reserve(HEAD_BYTES_USUAL);
            if ready!(poll_read_buf(Pin::new(&mut *stream), context, &mut self.buffer))? == 0 {
                return Poll::Ready(Ok(()));
            }
            turn.note_more_behind(true);
        }
        Poll::Pending
    }
}

/// The head has been handed on: what comes next.
fn begin(body: Body, turn: &Turn) -> Phase {
    turn.head_ends();
    let phase = match body {
        Body::None => return Phase::Head,
        Body::Length(bytes) => Phase::Length(bytes),
        Body::Chunked => Phase::Chunked(Chunks::default()),
    };
    turn.body_begins();
    phase
}

fn broken(fault: WireFault) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, fault.code())
}

/// Moves as much as there is room for, `at_most` bytes; answers how many.
fn hand(from: &mut BytesMut, to: &mut ReadBuf<'_>, at_most: usize) -> usize {
    let bytes = at_most.min(from.len()).min(to.remaining());
    to.put_slice(from.get(..bytes).unwrap_or_default());
    from.advance(bytes);
    bytes
}

/// What was read already, else what the stream has.
fn poll_any<S: AsyncRead + Unpin>(
    buffer: &mut BytesMut,
    stream: &mut S,
    context: &mut Context<'_>,
    to: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    if buffer.is_empty() {
        return Pin::new(stream).poll_read(context, to);
    }
    hand(buffer, to, usize::MAX);
    Poll::Ready(Ok(()))
}

/// [`poll_any`], of at most so many bytes.
fn poll_limited<S: AsyncRead + Unpin>(
    buffer: &mut BytesMut,
    stream: &mut S,
    bytes_max: u64,
    context: &mut Context<'_>,
    to: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    if !buffer.is_empty() {
        hand(buffer, to, bytes_max);
        return Poll::Ready(Ok(()));
    }
    if bytes_max >= to.remaining() {
        return Pin::new(stream).poll_read(context, to);
    }
    let mut limited = ReadBuf::new(to.initialize_unfilled_to(bytes_max));
    ready!(Pin::new(stream).poll_read(context, &mut limited))?;
    let arrived = limited.filled().len();
    to.advance(arrived);
    Poll::Ready(Ok(()))
}

#[cfg(test)]
mod tests;
