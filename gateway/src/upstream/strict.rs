//! What is read from a console, before Pingora reads it: a head with one reading, its body, and nothing behind it.
//!
//! Pingora mends what it can (of a length beside chunks it drops the length, bytes behind an answer it leaves unread), and
//! has handed the header on by the time it knows. Here the head is held back until it is whole and judged, together with
//! whatever came along with it, so that the visitor can still be told 502.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use pingora::protocols::l4::virt::{VirtualSockOpt, VirtualSocket};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::body::Body;
use super::fault::{AnswerFault, INTERIM_ANSWERS_MAX};
use super::head::{self, Framing};
use super::idle::{Console, Idle};
use super::link::Link;
use crate::open::with_turn;

/// Read at once while a head is awaited.
const READ_BYTES: usize = 4 * 1024;
/// Said to Pingora in place of what the console says: these connections are kept by [`Idle`].
const CLOSE_LINE: &[u8] = b"Connection: close\r\n";

/// The console closed a connection that was kept, before it could know of the request: it can be asked again.
#[derive(Debug, thiserror::Error)]
#[error("the console had closed the connection")]
pub struct Stale;

/// One exchange with a console: a request, its interim answers, its answer.
#[derive(Debug)]
pub struct StrictStream {
    /// `None` once it has gone back to the others.
    link: Option<Link>,
    to: Console,
    home: Arc<Idle>,
    kept_before: bool,
    asks: Asks,
    at: At,
    /// Came from the console and was not handed on yet.
    held: BytesMut,
    /// So much of it may be.
    judged: usize,
    /// No head ends in so much of it.
    searched: usize,
    lasting: bool,
}

/// What an exchange is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// An answer.
    Answer,
    /// A tunnel; the answer may be that there is none.
    Tunnel,
}

#[derive(Debug)]
enum At {
    /// Nothing was asked yet.
    Unasked,
    /// A head is awaited; so many interim ones came before.
    Head { asked_for_head_only: bool, interim: u32 },
    /// In the body.
    Body(Body),
    /// The answer is over.
    Over,
    /// Over, and both sides are done with it.
    Released,
    /// The console has agreed to a tunnel: bytes pass as they are.
    Tunnel,
    /// Nothing more is to be believed.
    Spoilt,
}

impl StrictStream {
    /// For one exchange over a connection, which goes back to `home` after it.
    pub fn new(link: Link, to: Console, home: Arc<Idle>, kept_before: bool, asks: Asks) -> Self {
        Self {
            link: Some(link),
            to,
            home,
            kept_before,
            asks,
            at: At::Unasked,
            held: BytesMut::new(),
            judged: 0,
            searched: 0,
            lasting: false,
        }
    }

    fn link(&mut self) -> io::Result<Pin<&mut Link>> {
        self.link
            .as_mut()
            .map(Pin::new)
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn spoilt(&mut self, fault: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
        self.at = At::Spoilt;
        io::Error::other(fault)
    }

    /// Reads until a head is there, and judges it with what came along.
    fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.judge() {
                Ok(true) => return Poll::Ready(Ok(())),
                Ok(false) => {}
                Err(fault) => return Poll::Ready(Err(self.spoilt(fault))),
            }
            let before = self.held.len();
            self.held.resize(before + READ_BYTES, 0);
            let mut room = ReadBuf::new(self.held.get_mut(before..).unwrap_or_default());
            let link = self.link.as_mut().map(Pin::new);
            let polled = link.map_or(Poll::Ready(Err(io::ErrorKind::NotConnected.into())), |link| {
                link.poll_read(context, &mut room)
            });
            let read = room.filled().len();
            self.held.truncate(before + read);
            match ready!(polled) {
                Ok(()) if read > 0 => {}
                outcome => return Poll::Ready(self.ended_early(outcome)),
            }
        }
    }

    /// The console closed, or broke off, before its head was whole.
    fn ended_early(&mut self, outcome: io::Result<()>) -> io::Result<()> {
        if self.held.is_empty() && self.kept_before {
            // A console that was restarted has closed them all.
            self.home.forget_all();
            return Err(self.spoilt(Stale));
        }
        self.at = At::Spoilt;
        match outcome {
            Ok(()) if !self.held.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            other => other,
        }
    }

    /// Whether something may be handed on now.
    fn judge(&mut self) -> Result<bool, AnswerFault> {
        let At::Head {
            asked_for_head_only,
            interim,
        } = self.at
        else {
            return Ok(false);
        };
        let Some(end) = head::end(&self.held, self.searched)? else {
            self.searched = self.held.len();
            return Ok(false);
        };
        self.searched = 0;
        let head = head::read(self.held.get(..end).unwrap_or_default())?;
        if head.status == 101 {
            return self.switch();
        }
        if head.status < 200 {
            if head.framing != Framing::Close {
                return Err(AnswerFault::BodyImpossible);
            }
            if interim >= INTERIM_ANSWERS_MAX {
                return Err(AnswerFault::InterimTooMany);
            }
            self.at = At::Head {
                asked_for_head_only,
                interim: interim + 1,
            };
            self.judged = end;
            return Ok(true);
        }
        let bodiless = asked_for_head_only || matches!(head.status, 204 | 304);
        if head.status == 204 && !matches!(head.framing, Framing::Close | Framing::Length(0)) {
            return Err(AnswerFault::BodyImpossible);
        }
        let mut body = Body::new(if bodiless { Framing::Length(0) } else { head.framing });
        let came_along = self.held.get(end..).unwrap_or_default();
        if body.follow(came_along)? < came_along.len() {
            return Err(AnswerFault::BytesBehind);
        }
        self.lasting = head.lasting;
        self.at = if body.is_over() { At::Over } else { At::Body(body) };
        self.say_close();
        self.judged = self.held.len();
        Ok(true)
    }

    /// Whatever came along with a 101 is the tunnel's first.
    fn switch(&mut self) -> Result<bool, AnswerFault> {
        if self.asks != Asks::Tunnel {
            return Err(AnswerFault::SwitchUnasked);
        }
        self.at = At::Tunnel;
        self.judged = self.held.len();
        Ok(true)
    }

    /// First of all fields, so that it is the one that counts.
    fn say_close(&mut self) {
        let Some(line_end) = self.held.iter().position(|byte| *byte == b'\n') else {
            return;
        };
        let after = self.held.split_off(line_end + 1);
        self.held.extend_from_slice(CLOSE_LINE);
        self.held.extend_from_slice(&after);
    }

    fn hand_on(&mut self, to: &mut ReadBuf<'_>) {
        let bytes = self.judged.min(to.remaining());
        to.put_slice(self.held.get(..bytes).unwrap_or_default());
        self.held.advance(bytes);
        self.judged -= bytes;
    }

    fn poll_body(&mut self, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        ready!(self.link()?.poll_read(context, to))?;
        let read = to.filled().get(before..).unwrap_or_default();
        let (At::Body(body), false) = (&mut self.at, read.is_empty()) else {
            self.at = At::Spoilt;
            return Poll::Ready(Ok(()));
        };
        let read_bytes = read.len();
        match body.follow(read) {
            Ok(here) => {
                if body.is_over() {
                    self.at = if here == read_bytes { At::Over } else { At::Spoilt };
                }
                // What stands behind the body is seen by nobody.
                to.set_filled(before + here);
                Poll::Ready(Ok(()))
            }
            Err(fault) => {
                to.set_filled(before);
                Poll::Ready(Err(self.spoilt(fault)))
            }
        }
    }
}

impl AsyncRead for StrictStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        let polled = me.poll_answer(context, to);
        let is_over = matches!(me.at, At::Over | At::Released);
        with_turn(|turn| turn.awaits_console(polled.is_pending() && !is_over));
        polled
    }
}

impl StrictStream {
    fn poll_answer(&mut self, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let me = self;
        if me.judged == 0 && matches!(me.at, At::Head { .. }) {
            let polled = ready!(me.poll_head(context));
            if let Err(error) = polled {
                return Poll::Ready(Err(error));
            }
        }
        if me.judged > 0 {
            me.hand_on(to);
            return Poll::Ready(Ok(()));
        }
        match me.at {
            At::Body(_) => me.poll_body(context, to),
            At::Tunnel => me.link()?.poll_read(context, to),
            // Nothing is awaited: whatever comes, or the end, means that it cannot be used again.
            At::Unasked | At::Over | At::Released => {
                let before = to.filled().len();
                ready!(me.link()?.poll_read(context, to))?;
                to.set_filled(before);
                me.at = At::Spoilt;
                Poll::Ready(Ok(()))
            }
            At::Head { .. } | At::Spoilt => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for StrictStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let written = ready!(me.link()?.poll_write(context, bytes));
        if matches!(me.at, At::Unasked) {
            // Pingora writes a head at once, so the method is in the first bytes.
            me.at = At::Head {
                asked_for_head_only: bytes.starts_with(b"HEAD "),
                interim: 0,
            };
        }
        Poll::Ready(written)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().link()?.poll_flush(context)
    }

    /// Pingora is done with it: after an answer that is over, because it takes it for one that closes. Only then both sides
    /// have said all.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        if matches!(me.at, At::Over) && me.judged == 0 && me.lasting {
            me.at = At::Released;
            return Poll::Ready(Ok(()));
        }
        me.link()?.poll_shutdown(context)
    }
}

impl VirtualSocket for StrictStream {
    fn set_socket_option(&self, option: VirtualSockOpt) -> io::Result<()> {
        match (option, &self.link) {
            (VirtualSockOpt::NoDelay, Some(link)) => link.socket().set_nodelay(true),
            _ => Ok(()),
        }
    }
}

impl Drop for StrictStream {
    fn drop(&mut self) {
        if let (At::Released, Some(link)) = (&self.at, self.link.take()) {
            self.home.keep(link, self.to.clone());
        }
    }
}
