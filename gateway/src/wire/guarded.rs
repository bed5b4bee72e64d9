//! The stream that pingora reads from.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::{Buf as _, BytesMut};
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::tls::{SslDigest, TlsRef};
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, IO, Peek, Shutdown, SocketDigest, Ssl, TimingDigest,
    UniqueID, UniqueIDType,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufWriter, ReadBuf};

use super::http1::{HEAD_BYTES_USUAL, HeadLimits, Http1};
use super::http2::Http2;
use super::http2::bare::Outgoing;
use super::{Stage, Turn, WireFault};
use crate::open::Slot;

/// An answer's head and a small body leave in one packet.
const WRITE_BUFFER_BYTES: usize = 8 * 1024;
/// After a refusal the visitor may have been in the middle of sending. Closing at once would reset the connection and take
/// the answer with it (RFC 9112, section 9.6), so that much more is read and thrown away,
const LINGER_BYTES_MAX: usize = 1024 * 1024;
/// for so long.
const LINGER: Duration = Duration::from_secs(2);
/// What tells the two protocols apart (RFC 9113, section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.0 or HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

#[derive(Debug)]
enum Reader {
    Http1(Http1),
    /// And what was read of it to find out that it is HTTP/2.
    Http2(Box<Http2>, BytesMut),
}

/// An accepted connection, from which only well-formed requests can be read.
#[derive(Debug)]
pub struct Guarded<S> {
    stream: BufWriter<S>,
    reader: Reader,
    slot: Arc<Slot>,
    /// What still has to be written instead of something that was taken.
    instead: BytesMut,
}

impl<S: IO> Guarded<S> {
    /// Finds out what is spoken, by what was agreed on in TLS or by the first bytes, and stands guard from there on.
    ///
    /// # Errors
    /// Where the visitor is gone before.
    pub async fn begin(mut stream: S, slot: Arc<Slot>, limits: HeadLimits) -> io::Result<(Self, Protocol)> {
        let mut begun = BytesMut::with_capacity(HEAD_BYTES_USUAL);
        let protocol = match stream.selected_alpn_proto() {
            Some(ALPN::H2) => Protocol::Http2,
            Some(_) => Protocol::Http1,
            None if stream.get_ssl_digest().is_some() => Protocol::Http1,
            None => first_bytes(&mut stream, &mut begun).await?,
        };
        let reader = match protocol {
            Protocol::Http1 => Reader::Http1(Http1::new(limits, begun)),
            Protocol::Http2 => Reader::Http2(Box::new(Http2::new(Instant::now(), limits.bytes_max)), begun),
        };
        let stream = BufWriter::with_capacity(WRITE_BUFFER_BYTES, stream);
        let guarded = Self {
            stream,
            reader,
            slot,
            instead: BytesMut::new(),
        };
        Ok((guarded, protocol))
    }
}

async fn first_bytes<S: AsyncRead + Unpin>(stream: &mut S, begun: &mut BytesMut) -> io::Result<Protocol> {
    loop {
        if begun.starts_with(HTTP2_PREFACE) {
            return Ok(Protocol::Http2);
        }
        if !HTTP2_PREFACE.starts_with(begun) || stream.read_buf(begun).await? == 0 {
            return Ok(Protocol::Http1);
        }
    }
}

fn poll_http2<S: AsyncRead + Unpin>(
    (watch, begun): (&mut Http2, &mut BytesMut),
    stream: &mut S,
    turn: &Turn,
    context: &mut Context<'_>,
    to: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    // Whom nobody can name is answered, each request for itself.
    if let Some(fault) = turn.fault().filter(|fault| *fault != WireFault::VisitorUnknown) {
        if watch.is_first_read_after_fault() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, fault.code())));
    }
    let before = to.filled().len();
    if begun.is_empty() {
        ready!(Pin::new(stream).poll_read(context, to))?;
    } else {
        let bytes = begun.len().min(to.remaining());
        to.put_slice(&begun.split_to(bytes));
    }
    let arrived = to.filled().get(before..).unwrap_or_default();
    if let Err(fault) = watch.follow_incoming(arrived, Instant::now) {
        turn.refuse(fault);
        return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, fault.code())));
    }
    // These bytes still go to the library, so that it says what is wrong; nothing after them does, and no request comes of them.
    if let Err(fault) = watch.take_cut().and_then(|cut| turn.cut_targets().remember(cut)) {
        turn.refuse(fault);
    }
    match (watch.is_mid_head(), turn.stage()) {
        (true, Stage::Waiting | Stage::Answer) => turn.head_begins(),
        (false, Stage::Head | Stage::Waiting) => turn.head_ends(),
        _ => {}
    }
    Poll::Ready(Ok(()))
}

impl<S: IO> AsyncRead for Guarded<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let (stream, turn) = (this.stream.get_mut(), this.slot.turn());
        match &mut this.reader {
            Reader::Http1(reader) => reader.poll_read(stream, turn, context, to),
            Reader::Http2(watch, begun) => poll_http2((watch, begun), stream, turn, context, to),
        }
    }
}

impl<S: IO> Guarded<S> {
    /// Whoever waits for the request learns that the visitor takes nothing (HTTP/1).
    fn noting_room<T>(&self, polled: Poll<T>) -> Poll<T> {
        self.slot.turn().awaits_room(polled.is_pending());
        polled
    }

    /// Frames that pingora would have had look otherwise go out before anything else does.
    fn poll_instead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.instead.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.instead))?;
            self.instead.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// The head of a console's answer goes out with what the door says of it.
    fn poll_write_answer(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_instead(context))?;
        let completed = self.slot.answer_lines().complete(bytes, &mut self.instead);
        if completed.map_err(io::Error::other)? {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_frames(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_instead(context))?;
        let Reader::Http2(watch, _) = &mut self.reader else {
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        };
        let written = match watch.look_at_outgoing(bytes) {
            Outgoing::Passes(passes) => {
                let passing = bytes.get(..passes).unwrap_or(bytes);
                ready!(Pin::new(&mut self.stream).poll_write(context, passing))?
            }
            Outgoing::Becomes(taken, instead) => {
                self.instead.extend_from_slice(&instead);
                taken
            }
        };
        watch.follow_outgoing(bytes.get(..written).unwrap_or_default());
        if let times @ 1.. = watch.take_malformed() {
            // The connection's loop asks for it.
            self.slot.turn().note_malformed(times);
        }
        Poll::Ready(Ok(written))
    }
}

impl<S: IO> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if matches!(self.reader, Reader::Http2(..)) {
            return self.poll_write_frames(context, bytes);
        }
        let polled = self.poll_write_answer(context, bytes);
        self.noting_room(polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = match self.poll_instead(context) {
            Poll::Ready(Ok(())) => Pin::new(&mut self.stream).poll_flush(context),
            held_up => held_up,
        };
        self.noting_room(polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_instead(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let nothing_to_add = self.instead.is_empty() && !self.slot.answer_lines().are_whole();
        if matches!(self.reader, Reader::Http1(_)) && nothing_to_add {
            let polled = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
            return self.noting_room(polled);
        }
        let first = parts.iter().find(|part| !part.is_empty());
        self.poll_write(context, first.map_or(&[], |part| part))
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self.reader, Reader::Http1(_)) && self.stream.is_write_vectored()
    }
}

#[async_trait]
impl<S: IO> Shutdown for Guarded<S> {
    async fn shutdown(&mut self) {
        let lingers = matches!(&self.reader, Reader::Http1(reader) if reader.leaves_something_unread());
        let close = async {
            // Whoever is gone already has nothing to be told.
            let _gone = poll_fn(|context| self.poll_instead(context)).await;
            let _gone = self.stream.flush().await;
            let stream = self.stream.get_mut();
            stream.shutdown().await;
            let (mut thrown_away, mut bytes) = ([0_u8; 4096], 0);
            while lingers && bytes < LINGER_BYTES_MAX {
                match stream.read(&mut thrown_away).await {
                    Ok(0) | Err(_) => return,
                    Ok(read) => bytes += read,
                }
            }
        };
        let _in_time = tokio::time::timeout(LINGER, close).await;
    }
}

#[async_trait]
impl<S: IO> Peek for Guarded<S> {
    /// Never: pingora would ask only to find out what is spoken, which is known here.
    async fn try_peek(&mut self, _to: &mut [u8]) -> io::Result<bool> {
        Ok(false)
    }
}

impl<S: IO> UniqueID for Guarded<S> {
    fn id(&self) -> UniqueIDType {
        self.stream.get_ref().id()
    }
}

impl<S: IO> Ssl for Guarded<S> {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.stream.get_ref().get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.stream.get_ref().get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.stream.get_ref().selected_alpn_proto()
    }
}

impl<S: IO> GetTimingDigest for Guarded<S> {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.stream.get_ref().get_timing_digest()
    }

    fn get_read_pending_time(&self) -> Duration {
        self.stream.get_ref().get_read_pending_time()
    }

    fn get_write_pending_time(&self) -> Duration {
        self.stream.get_ref().get_write_pending_time()
    }
}

impl<S: IO> GetProxyDigest for Guarded<S> {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.stream.get_ref().get_proxy_digest()
    }
}

impl<S: IO> GetSocketDigest for Guarded<S> {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.stream.get_ref().get_socket_digest()
    }

    fn set_socket_digest(&mut self, digest: SocketDigest) {
        self.stream.get_mut().set_socket_digest(digest);
    }
}
