//! What is read from a console, before Pingora reads it: a head with one reading, its body, and nothing behind it.
//!
//! Pingora mends what it can (of a length beside chunks it drops the length, bytes behind an answer it leaves unread), and
//! has handed the header on by the time it knows. Here the head is held back until it is whole and judged, together with
//! whatever came along with it, so that the visitor can still be told 502.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Buf as _;
use pingora::protocols::l4::virt::{VirtualSockOpt, VirtualSocket};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::io::poll_read_buf;

use super::body::Body;
use super::fault::{AnswerFault, INTERIM_ANSWERS_MAX};
use super::head::{self, Framing};
use super::idle::{Console, Idle};
use super::lines::Unaccompanied;
use super::link::{Buffers, Link};
use super::patience::{Patience, TooSlow, Wait};
use crate::open::{SLOT, with_patience, with_turn};

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
    buffers: Buffers,
    /// So much of it may be.
    judged: usize,
    /// No head ends in so much of it.
    searched: usize,
    /// So much of it goes before [`CLOSE_LINE`], and so much of that is still to go.
    close_line: (usize, usize),
    /// Bytes of a head of Pingora's that was taken over and is not all sent yet.
    at_once: usize,
    lasting: bool,
    /// The last read, or write, made no progress.
    is_waiting: bool,
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
    pub fn new((link, buffers): (Link, Buffers), to: Console, home: Arc<Idle>, kept_before: bool, asks: Asks) -> Self {
        Self {
            link: Some(link),
            to,
            home,
            kept_before,
            asks,
            at: At::Unasked,
            buffers,
            judged: 0,
            searched: 0,
            close_line: (0, 0),
            at_once: 0,
            lasting: false,
            is_waiting: false,
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
            let held = &mut self.buffers.held;
            held.reserve(READ_BYTES);
            let link = self.link.as_mut().map(Pin::new);
            let polled = link.map_or(Poll::Ready(Err(io::ErrorKind::NotConnected.into())), |link| {
                poll_read_buf(link, context, held)
            });
            match ready!(polled) {
                Ok(1..) => {}
                outcome => return Poll::Ready(self.ended_early(outcome.map(|_nothing| ()))),
            }
        }
    }

    /// The console closed, or broke off, before its head was whole.
    fn ended_early(&mut self, outcome: io::Result<()>) -> io::Result<()> {
        if self.buffers.held.is_empty() && self.kept_before {
            // A console that was restarted has closed them all.
            self.home.forget_all();
            return Err(self.spoilt(Stale));
        }
        self.at = At::Spoilt;
        match outcome {
            Ok(()) if !self.buffers.held.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
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
        let held = &self.buffers.held;
        let Some(end) = head::end(held, self.searched)? else {
            self.searched = held.len();
            return Ok(false);
        };
        self.searched = 0;
        let head = head::read(held.get(..end).unwrap_or_default())?;
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
        let came_along = held.get(end..).unwrap_or_default();
        if body.follow(came_along)? < came_along.len() {
            return Err(AnswerFault::BytesBehind);
        }
        self.lasting = head.lasting;
        self.at = if body.is_over() { At::Over } else { At::Body(body) };
        // First of all fields, so that it is the one that counts.
        self.close_line = (head.status_line_bytes, CLOSE_LINE.len());
        self.judged = held.len();
        Ok(true)
    }

    /// Whatever came along with a 101 is the tunnel's first.
    fn switch(&mut self) -> Result<bool, AnswerFault> {
        if self.asks != Asks::Tunnel {
            return Err(AnswerFault::SwitchUnasked);
        }
        self.at = At::Tunnel;
        self.judged = self.buffers.held.len();
        Ok(true)
    }

    /// Whether something that was judged is still to be handed on.
    fn has_judged(&self) -> bool {
        self.judged > 0 || self.close_line.1 > 0
    }

    fn hand_on(&mut self, to: &mut ReadBuf<'_>) {
        let (before, close_line) = self.close_line;
        if close_line > 0 {
            let before = before - self.hand_on_held(before, to);
            let rest = CLOSE_LINE.get(CLOSE_LINE.len() - close_line..).unwrap_or_default();
            let bytes = if before == 0 { rest.len().min(to.remaining()) } else { 0 };
            to.put_slice(rest.get(..bytes).unwrap_or_default());
            self.close_line = (before, close_line - bytes);
        }
        if self.close_line.1 == 0 {
            self.hand_on_held(self.judged, to);
        }
    }

    fn hand_on_held(&mut self, at_most: usize, to: &mut ReadBuf<'_>) -> usize {
        let bytes = at_most.min(to.remaining());
        to.put_slice(self.buffers.held.get(..bytes).unwrap_or_default());
        self.buffers.held.advance(bytes);
        self.judged -= bytes;
        bytes
    }

    /// Sends what is left of the request's head.
    fn poll_unsent(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.buffers.unsent.is_empty() {
            let link = self.link.as_mut().ok_or(io::ErrorKind::NotConnected)?;
            let written = ready!(Pin::new(link).poll_write(context, &self.buffers.unsent))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.buffers.unsent.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Pingora writes a head at once. It goes out with what the door says behind what the visitor said.
    fn begin(&mut self, head: &[u8]) -> Result<(), Unaccompanied> {
        let unsent = &mut self.buffers.unsent;
        let accompanied = SLOT.try_with(|slot| slot.lines().accompany(head, unsent));
        accompanied.unwrap_or(Err(Unaccompanied))?;
        self.at = At::Head {
            asked_for_head_only: head.starts_with(b"HEAD "),
            interim: 0,
        };
        Ok(())
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
        me.in_time()?;
        let polled = me.poll_answer(context, to);
        let is_over = matches!(me.at, At::Over | At::Released);
        let waits = polled.is_pending() && !is_over;
        with_turn(|turn| turn.awaits_console(waits));
        me.note(waits.then_some(Wait::Read));
        polled
    }
}

impl StrictStream {
    /// Whether the console may be waited for any longer. Asked where it was: else nothing can have come to an end.
    fn in_time(&mut self) -> io::Result<()> {
        if self.is_waiting && with_patience(|patience| patience.is_over()).unwrap_or_default() {
            return Err(self.spoilt(TooSlow));
        }
        Ok(())
    }

    /// What it is waited for now, if for anything.
    fn note(&mut self, wait: Option<Wait>) {
        let was_waiting = std::mem::replace(&mut self.is_waiting, wait.is_some());
        match wait {
            Some(wait) => with_patience(|patience| patience.waits(wait)),
            None if was_waiting => with_patience(Patience::goes_on),
            None => None,
        };
    }

    fn poll_ask(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if matches!(self.at, At::Unasked) {
            if let Err(fault) = self.begin(bytes) {
                return Poll::Ready(Err(self.spoilt(fault)));
            }
            self.at_once = bytes.len();
        }
        ready!(self.poll_unsent(context))?;
        match std::mem::take(&mut self.at_once) {
            0 => self.link()?.poll_write(context, bytes),
            head => Poll::Ready(Ok(head)),
        }
    }

    fn poll_answer(&mut self, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let me = self;
        if !me.has_judged() && matches!(me.at, At::Head { .. }) {
            let polled = ready!(me.poll_head(context));
            if let Err(error) = polled {
                return Poll::Ready(Err(error));
            }
        }
        if me.has_judged() {
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
        me.in_time()?;
        let polled = me.poll_ask(context, bytes);
        me.note(polled.is_pending().then_some(Wait::Write));
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        me.in_time()?;
        let polled = me.link()?.poll_flush(context);
        me.note(polled.is_pending().then_some(Wait::Write));
        polled
    }

    /// Pingora is done with it: after an answer that is over, because it takes it for one that closes. Only then both sides
    /// have said all.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        if matches!(me.at, At::Over) && !me.has_judged() && me.lasting {
            me.at = At::Released;
            return Poll::Ready(Ok(()));
        }
        me.link()?.poll_shutdown(context)
    }
}

impl VirtualSocket for StrictStream {
    /// Nothing is left to be set: what a connection needs was, once, when it was made (`idle.rs`). Asked for at each exchange.
    fn set_socket_option(&self, _option: VirtualSockOpt) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for StrictStream {
    fn drop(&mut self) {
        if let (At::Released, Some(link)) = (&self.at, self.link.take()) {
            self.home
                .keep((link, std::mem::take(&mut self.buffers)), self.to.clone());
        }
    }
}

#[cfg(test)]
mod tests;
