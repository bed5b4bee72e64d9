//! Watches the frames of an HTTP/2 connection (RFC 9113, section 4.1) as they pass, both ways: the library behind it bounds
//! headers, streams and resets, but takes control frames without end, resets malformed requests without telling, and cuts
//! targets that hold a fragment.

use std::time::Instant;

use super::WireFault;
use targets::Targets;

pub mod bare;
mod head;
mod hpack;
mod huffman;
mod targets;

use bare::Outgoing;
pub use head::check;
pub use targets::CutTargets;

/// Control frames that a visitor may send beyond those that belong to what it is sent.
const CREDIT_FRAMES_MAX: u32 = 1000;
/// Control frames regained with each frame of an answer: a visitor that reads sends window updates.
const CREDIT_PER_ANSWER_FRAME: u32 = 4;
/// Control frames regained with each second.
const CREDIT_PER_SECOND: u64 = 10;
/// Without the reserved bit in front (RFC 9113, section 4.1).
const STREAM_MASK: u32 = 0x7fff_ffff;
/// Length of a frame's head, in bytes.
const HEAD_BYTES: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const PUSH_PROMISE: u8 = 5;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 0x04;
const PADDED: u8 = 0x08;
const PRIORITY: u8 = 0x20;
const NO_ERROR: u32 = 0;
const PROTOCOL_ERROR: u32 = 1;

/// A frame, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload_bytes: u32,
    /// How much of it is told of as [`Seen::Payload`].
    payload_bytes_to_come: u32,
    /// Of RST_STREAM and GOAWAY.
    error: u32,
}

/// What is seen of a direction.
#[derive(Debug)]
enum Seen<'b> {
    /// A frame begins.
    Frame(Frame),
    /// Some of its payload, but for what was needed to know it.
    Payload(&'b [u8]),
}

/// Finds the frames in one direction, however the bytes are cut.
#[derive(Debug, Default)]
pub struct Frames {
    /// The frame's head, and of RST_STREAM and GOAWAY as much as holds their error code.
    seen: [u8; HEAD_BYTES + 8],
    seen_bytes: usize,
    payload_left: u32,
    /// Still to be skipped of the preface.
    preface_left: usize,
}

impl Frames {
    /// Follows these bytes and tells of each frame once enough of it is there.
    fn follow<'b>(&mut self, mut bytes: &'b [u8], mut tell: impl FnMut(Seen<'b>)) {
        let preface = self.preface_left.min(bytes.len());
        self.preface_left -= preface;
        bytes = bytes.get(preface..).unwrap_or_default();
        loop {
            let skipped = usize::try_from(self.payload_left).map_or(bytes.len(), |left| left.min(bytes.len()));
            self.payload_left -= u32::try_from(skipped).unwrap_or(self.payload_left);
            let (payload, behind) = bytes.split_at_checked(skipped).unwrap_or_default();
            if !payload.is_empty() {
                tell(Seen::Payload(payload));
            }
            bytes = behind;
            let Some((&byte, rest)) = bytes.split_first() else {
                return;
            };
            bytes = rest;
            if let Some(place) = self.seen.get_mut(self.seen_bytes) {
                *place = byte;
            }
            self.seen_bytes += 1;
            if let Some(frame) = self.complete() {
                tell(Seen::Frame(frame));
            }
        }
    }

    fn complete(&mut self) -> Option<Frame> {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3, rest @ ..] = self.seen;
        if self.seen_bytes < HEAD_BYTES {
            return None;
        }
        let payload_bytes = u32::from_be_bytes([0, l0, l1, l2]);
        let wanted: u32 = match kind {
            RST_STREAM => 4,
            GOAWAY => 8,
            _ => 0,
        };
        let wanted = wanted.min(payload_bytes);
        if self.seen_bytes < HEAD_BYTES + wanted as usize {
            return None;
        }
        let [a, b, c, d, e, f, g, h] = rest;
        self.payload_left = payload_bytes - wanted;
        self.seen_bytes = 0;
        Some(Frame {
            kind,
            flags,
            stream: u32::from_be_bytes([s0, s1, s2, s3]) & STREAM_MASK,
            payload_bytes,
            payload_bytes_to_come: self.payload_left,
            error: match kind {
                RST_STREAM => u32::from_be_bytes([a, b, c, d]),
                GOAWAY => u32::from_be_bytes([e, f, g, h]),
                _ => NO_ERROR,
            },
        })
    }

    /// In how many bytes the next frame begins; `None` in the middle of a frame's head.
    fn next_frame_in(&self) -> Option<usize> {
        if self.seen_bytes > 0 || self.preface_left > 0 {
            return None;
        }
        usize::try_from(self.payload_left).ok()
    }

    /// Whether the next byte begins a frame.
    fn is_between_frames(&self) -> bool {
        self.payload_left == 0 && self.seen_bytes == 0 && self.preface_left == 0
    }
}

/// Both directions of one connection.
#[derive(Debug)]
pub struct Http2 {
    incoming: Frames,
    outgoing: Frames,
    targets: Targets,
    in_header_block: bool,
    in_data: bool,
    credit: u32,
    regained_at: Instant,
    malformed: u32,
    was_read_after_fault: bool,
}

impl Http2 {
    /// Length of what a visitor sends before its first frame, in bytes (RFC 9113, section 3.4).
    pub const PREFACE_BYTES: usize = 24;

    /// For a connection of which nothing has passed yet.
    pub fn new(now: Instant, header_bytes_max: usize) -> Self {
        Self {
            incoming: Frames {
                preface_left: Self::PREFACE_BYTES,
                ..Frames::default()
            },
            outgoing: Frames::default(),
            targets: Targets::new(header_bytes_max),
            in_header_block: false,
            in_data: false,
            credit: CREDIT_FRAMES_MAX,
            regained_at: now,
            malformed: 0,
            was_read_after_fault: false,
        }
    }

    /// What the visitor sends.
    ///
    /// # Errors
    /// When it sends more control frames than anybody needs.
    pub fn follow_incoming(&mut self, bytes: &[u8], now: impl Fn() -> Instant) -> Result<(), WireFault> {
        let (mut spent, mut in_header_block, mut in_data) = (0_u32, self.in_header_block, self.in_data);
        let targets = &mut self.targets;
        self.incoming.follow(bytes, |seen| match seen {
            Seen::Payload(bytes) => targets.follow_payload(bytes),
            Seen::Frame(frame) => {
                targets.follow(frame);
                in_data = frame.kind == DATA;
                match frame.kind {
                    HEADERS | CONTINUATION => in_header_block = frame.flags & END_HEADERS == 0,
                    DATA if frame.payload_bytes > 0 => {}
                    _ => spent += 1,
                }
            }
        });
        (self.in_header_block, self.in_data) = (in_header_block, in_data);
        if spent > self.credit {
            self.regain(now());
        }
        self.credit = self.credit.checked_sub(spent).ok_or(WireFault::Http2Flood)?;
        Ok(())
    }

    /// What is to be done with the beginning of what the visitor is about to be sent.
    pub fn look_at_outgoing(&self, bytes: &[u8]) -> Outgoing {
        bare::look(&self.outgoing, bytes)
    }

    /// What the visitor is sent.
    pub fn follow_outgoing(&mut self, bytes: &[u8]) {
        let (mut answers, mut malformed) = (0_u32, 0);
        self.outgoing.follow(bytes, |seen| match seen {
            Seen::Frame(frame) if matches!(frame.kind, HEADERS | DATA) => answers += 1,
            Seen::Frame(frame) if frame.kind == RST_STREAM && frame.error == PROTOCOL_ERROR => malformed += 1,
            Seen::Frame(frame) if frame.kind == GOAWAY && frame.error != NO_ERROR => malformed += 1,
            _ => {}
        });
        self.malformed += malformed;
        let regained = answers.saturating_mul(CREDIT_PER_ANSWER_FRAME);
        self.credit = self.credit.saturating_add(regained).min(CREDIT_FRAMES_MAX);
    }

    /// How often the visitor was told, since this was last asked, that it breaks the protocol.
    pub fn take_malformed(&mut self) -> u32 {
        std::mem::take(&mut self.malformed)
    }

    /// The targets among what was followed that the library changes, each as it will be then.
    ///
    /// # Errors
    /// Where they cannot be known any more.
    pub fn take_cut(&mut self) -> Result<Vec<Box<str>>, WireFault> {
        self.targets.take_cut()
    }

    /// Whether this is the first attempt to read from a connection that is given up: it waits once, so that the library comes to
    /// write what it has to say.
    pub fn is_first_read_after_fault(&mut self) -> bool {
        !std::mem::replace(&mut self.was_read_after_fault, true)
    }

    /// Whether the visitor is in the middle of something that should not take long: anything but a body.
    pub fn is_mid_head(&self) -> bool {
        self.in_header_block || (!self.incoming.is_between_frames() && !self.in_data)
    }

    fn regain(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.regained_at).as_secs();
        let regained = u32::try_from(seconds.saturating_mul(CREDIT_PER_SECOND)).unwrap_or(CREDIT_FRAMES_MAX);
        self.credit = self.credit.saturating_add(regained).min(CREDIT_FRAMES_MAX);
        self.regained_at = now;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SETTINGS: u8 = 4;
    const PING: u8 = 6;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut bytes = vec![length[1], length[2], length[3], kind, flags, 0, 0, 0, 1];
        bytes.extend_from_slice(payload);
        bytes
    }

    fn opened(now: Instant) -> Http2 {
        let mut watch = Http2::new(now, 1024);
        watch
            .follow_incoming(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", || now)
            .unwrap();
        watch
    }

    #[test]
    fn frames_are_found_however_they_are_cut() {
        let stream = [
            frame(SETTINGS, 0, &[0; 12]),
            frame(RST_STREAM, 0, &[0, 0, 0, 1]),
            frame(DATA, 1, b"hello"),
            frame(GOAWAY, 0, &[0, 0, 0, 1, 0, 0, 0, 11, b'x']),
            frame(RST_STREAM, 0, &[]),
        ]
        .concat();
        let found = |cut: usize| {
            let (mut frames, mut found) = (Frames::default(), Vec::new());
            stream.chunks(cut).for_each(|part| {
                frames.follow(part, |seen| {
                    if let Seen::Frame(frame) = seen {
                        found.push(frame);
                    }
                });
            });
            assert!(frames.is_between_frames());
            found
        };
        let whole = found(stream.len());
        assert_eq!(
            whole.iter().map(|f| f.kind).collect::<Vec<_>>(),
            [SETTINGS, RST_STREAM, DATA, GOAWAY, RST_STREAM]
        );
        assert_eq!(whole.iter().map(|f| f.error).collect::<Vec<_>>()[..4], [0, 1, 0, 11]);
        for cut in 1..stream.len() {
            assert_eq!(found(cut), whole, "{cut}");
        }
    }

    #[test]
    fn a_flood_of_control_frames_ends_and_a_visitor_that_reads_does_not() {
        let now = Instant::now();
        let ping = frame(PING, 0, &[0; 8]);
        let mut watch = opened(now);
        for _ in 0..CREDIT_FRAMES_MAX {
            watch.follow_incoming(&ping, || now).unwrap();
        }
        assert_eq!(watch.follow_incoming(&ping, || now), Err(WireFault::Http2Flood));
        let mut watch = opened(now);
        for _ in 0..10 * CREDIT_FRAMES_MAX {
            watch.follow_outgoing(&frame(DATA, 0, b"x"));
            watch.follow_incoming(&frame(8, 0, &[0, 0, 0, 1]), || now).unwrap();
        }
        let mut watch = opened(now);
        for second in 0..3 * u64::from(CREDIT_FRAMES_MAX) {
            let later = now + Duration::from_secs(second);
            watch.follow_incoming(&ping, || later).unwrap();
        }
    }

    #[test]
    fn empty_data_frames_count_as_control_frames() {
        let now = Instant::now();
        let mut watch = opened(now);
        let flood = frame(DATA, 0, b"").repeat(1001);
        assert_eq!(watch.follow_incoming(&flood, || now), Err(WireFault::Http2Flood));
    }

    #[test]
    fn a_header_block_that_is_not_over_is_known() {
        let now = Instant::now();
        let mut watch = opened(now);
        assert!(!watch.is_mid_head());
        watch.follow_incoming(&frame(HEADERS, 0, b"abc"), || now).unwrap();
        assert!(watch.is_mid_head());
        watch
            .follow_incoming(&frame(CONTINUATION, END_HEADERS, b"abc"), || now)
            .unwrap();
        assert!(!watch.is_mid_head());
        watch.follow_incoming(&frame(DATA, 0, b"abc")[..10], || now).unwrap();
        assert!(!watch.is_mid_head());
    }

    #[test]
    fn what_is_reset_for_breaking_the_protocol_is_counted() {
        let mut watch = Http2::new(Instant::now(), 1024);
        watch.follow_outgoing(&frame(RST_STREAM, 0, &[0, 0, 0, 1]));
        watch.follow_outgoing(&frame(RST_STREAM, 0, &[0, 0, 0, 8]));
        watch.follow_outgoing(&frame(GOAWAY, 0, &[0, 0, 0, 1, 0, 0, 0, 0]));
        watch.follow_outgoing(&frame(GOAWAY, 0, &[0, 0, 0, 1, 0, 0, 0, 11]));
        assert_eq!((watch.take_malformed(), watch.take_malformed()), (2, 0));
    }
}
