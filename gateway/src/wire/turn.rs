//! Whose turn it is on a connection: shared between the guarded stream, which sees bytes, and the request, which knows
//! what they mean.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

use super::WireFault;
use super::http2::CutTargets;

/// How far a request has come, as far as the visitor's side is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// Nothing of it is there yet.
    Waiting = 0,
    /// Some of its head is.
    Head = 1,
    /// Its head is, and its body is on the way.
    Body = 2,
    /// All of it is there; now the door speaks.
    Answer = 3,
}

/// The state of one connection (HTTP/1) or stream (HTTP/2).
#[derive(Debug, Default)]
pub struct Turn {
    stage: AtomicU8,
    listening: AtomicBool,
    tunnel: AtomicBool,
    fault: AtomicU8,
    body_bytes: AtomicU64,
    malformed: AtomicU32,
    awaits_body: AtomicBool,
    has_more_behind: AtomicBool,
    answer_bytes: AtomicU64,
    answering: AtomicBool,
    awaits_console: AtomicBool,
    awaits_room: AtomicBool,
    is_stream: AtomicBool,
    cut_targets: CutTargets,
}

impl Turn {
    /// The visitor may send the next request.
    pub fn listen(&self) {
        self.stage.store(Stage::Waiting as u8, Ordering::Relaxed);
        self.answer_bytes.store(0, Ordering::Relaxed);
        self.answering.store(false, Ordering::Relaxed);
        self.listening.store(true, Ordering::Relaxed);
    }

    /// Whether a head may be handed on.
    pub fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Relaxed)
    }

    /// Some of the head is there.
    pub fn head_begins(&self) {
        self.stage.store(Stage::Head as u8, Ordering::Relaxed);
    }

    /// The head has been handed on; nothing further is until [`Turn::listen`].
    pub fn head_ends(&self) {
        self.listening.store(false, Ordering::Relaxed);
        self.stage.store(Stage::Answer as u8, Ordering::Relaxed);
    }

    /// The request has a body, which the visitor now has to send.
    pub fn body_begins(&self) {
        self.body_bytes.store(0, Ordering::Relaxed);
        self.stage.store(Stage::Body as u8, Ordering::Relaxed);
    }

    /// The door has taken in what there was of the body and waits for more: from here on the visitor is slow, not the console.
    pub fn awaits_body(&self) {
        self.awaits_body.store(true, Ordering::Relaxed);
    }

    /// Whether it does.
    pub fn is_awaiting_body(&self) -> bool {
        self.awaits_body.load(Ordering::Relaxed)
    }

    /// So many bytes of the body arrived.
    pub fn body_arrives(&self, bytes: u64) {
        self.awaits_body.store(false, Ordering::Relaxed);
        self.body_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many bytes of the body arrived, and perhaps the last of them.
    pub fn body_passes(&self, bytes: usize, is_last: bool) {
        self.body_arrives(bytes as u64);
        if is_last {
            self.body_ends();
        }
    }

    /// All of the body is there, or nobody wants the rest.
    pub fn body_ends(&self) {
        if self.stage() == Stage::Body {
            self.stage.store(Stage::Answer as u8, Ordering::Relaxed);
        }
    }

    /// How much of the body arrived, in bytes.
    pub fn body_bytes(&self) -> u64 {
        self.body_bytes.load(Ordering::Relaxed)
    }

    /// How far the request has come.
    pub fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Relaxed) {
            0 => Stage::Waiting,
            1 => Stage::Head,
            2 => Stage::Body,
            _ => Stage::Answer,
        }
    }

    /// It is one stream of a connection that has many (HTTP/2): that there is no room for its answer is not seen where bytes
    /// are written.
    pub fn becomes_stream(&self) {
        self.is_stream.store(true, Ordering::Relaxed);
    }

    /// So many bytes of the answer are about to be written to the visitor.
    pub fn hands_over(&self, bytes: usize) {
        self.answer_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.answering.store(true, Ordering::Relaxed);
    }

    /// How many bytes of the answer were.
    pub fn answer_bytes(&self) -> u64 {
        self.answer_bytes.load(Ordering::Relaxed)
    }

    /// Whether the door waits for the console: from here on the console is slow, not the visitor.
    pub fn awaits_console(&self, awaits: bool) {
        self.awaits_console.store(awaits, Ordering::Relaxed);
    }

    /// Whether the visitor's connection takes no more at the moment.
    pub fn awaits_room(&self, awaits: bool) {
        if self.awaits_room.load(Ordering::Relaxed) != awaits {
            self.awaits_room.store(awaits, Ordering::Relaxed);
        }
    }

    /// Whether the door has some of an answer in hand that the visitor does not take. On a connection with many streams that
    /// is so where it waits neither for the console nor comes to an end.
    pub fn is_held_up(&self) -> bool {
        if self.is_stream.load(Ordering::Relaxed) {
            self.answering.load(Ordering::Relaxed) && !self.awaits_console.load(Ordering::Relaxed)
        } else {
            self.awaits_room.load(Ordering::Relaxed)
        }
    }

    /// From now on bytes pass as they are: the connection has become a WebSocket.
    pub fn becomes_tunnel(&self) {
        self.tunnel.store(true, Ordering::Relaxed);
    }

    /// Whether it has.
    pub fn is_tunnel(&self) -> bool {
        self.tunnel.load(Ordering::Relaxed)
    }

    /// Whether the visitor has sent more behind the request at hand (HTTP/1), as far as that was looked at.
    pub fn note_more_behind(&self, has_more: bool) {
        self.has_more_behind.store(has_more, Ordering::Relaxed);
    }

    /// Whether it has.
    pub fn has_more_behind(&self) -> bool {
        self.has_more_behind.load(Ordering::Relaxed)
    }

    /// Marks what is read from here on as faulty. The first fault stays.
    pub fn refuse(&self, fault: WireFault) {
        let _first_stays = self
            .fault
            .compare_exchange(0, fault.number(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// What is wrong with what was read, if anything.
    pub fn fault(&self) -> Option<WireFault> {
        WireFault::from_number(self.fault.load(Ordering::Relaxed))
    }

    /// What the library makes of targets with a fragment (HTTP/2).
    pub fn cut_targets(&self) -> &CutTargets {
        &self.cut_targets
    }

    /// The visitor was told that what it sent breaks the protocol (HTTP/2, where no request comes of it).
    pub fn note_malformed(&self, times: u32) {
        self.malformed.fetch_add(times, Ordering::Relaxed);
    }

    /// How often it was, since this was last asked.
    pub fn take_malformed(&self) -> u32 {
        if self.malformed.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        self.malformed.swap(0, Ordering::Relaxed)
    }
}
