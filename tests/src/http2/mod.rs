//! HTTP/2 by hand: frames that no client library would send, and what comes back, frame by frame.
//!
//! Nothing is checked on the way out: lengths, stream numbers, pseudo-headers and padding are as the test says.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};

use crate::Wire;

mod frame;
mod hpack;

pub use frame::{Frame, kind};
pub use hpack::{indexed, literal};

/// What every connection of a client begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long a door may stay silent before it is taken to have forgotten the request.
const SILENCE: Duration = Duration::from_secs(10);

/// How the answer on a stream came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With END_STREAM.
    Whole,
    /// RST_STREAM with this error code.
    Reset(u32),
    /// GOAWAY with this error code, for the whole connection.
    GoneAway(u32),
    /// The connection was closed without a word.
    Closed,
    /// Nothing came for ten seconds.
    Silent,
}

/// What came back on one stream.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status, 0 where there was none.
    pub status: u16,
    /// Its headers, without the status.
    pub headers: Vec<(String, String)>,
    /// All of its body.
    pub body: Vec<u8>,
    /// How it ended.
    pub ended: Ended,
}

impl Answer {
    fn none() -> Self {
        Self {
            status: 0,
            headers: Vec::new(),
            body: Vec::new(),
            ended: Ended::Closed,
        }
    }
}

/// Preface and SETTINGS: no dynamic table, so that answers can be read without one, and no push.
fn greeting() -> Vec<u8> {
    let mut bytes = PREFACE.to_vec();
    bytes.extend(Frame::settings(&[(1, 0), (2, 0)]).encode());
    bytes
}

/// Sends bytes after preface and SETTINGS, and reads until the answer on `stream` ends or the connection does. What the door
/// says meanwhile is read while writing, so that neither side waits for the other.
pub async fn converse(wire: Box<dyn Wire>, bytes: &[u8], stream: u32) -> Answer {
    let (mut reading, mut writing) = tokio::io::split(wire);
    let mut all = greeting();
    all.extend_from_slice(bytes);
    let mut answer = Answer::none();
    let (acknowledge, mut due) = tokio::sync::mpsc::unbounded_channel();
    let write = async {
        write_all(&mut writing, &all).await;
        // Whatever is acknowledged comes after what the test wrote, which is not cut apart.
        while let Some(frame) = due.recv().await {
            write_all(&mut writing, &Frame::encode(&frame)).await;
        }
    };
    let read = async {
        answer.ended = loop {
            match tokio::time::timeout(SILENCE, read_frame(&mut reading)).await {
                Err(_) => break Ended::Silent,
                Ok(None) => break Ended::Closed,
                Ok(Some(frame)) => {
                    if frame.kind == kind::SETTINGS && frame.flags & 1 == 0 {
                        acknowledge.send(Frame::new(kind::SETTINGS, 1, 0, Vec::new())).ok();
                    }
                    if let Some(ended) = answer.take(frame, stream) {
                        break ended;
                    }
                }
            }
        };
    };
    tokio::select! {
        () = write => {}
        () = read => {}
    }
    answer
}

/// A door may close in the middle of what it does not want to read: what it said is still to be read.
async fn write_all(writing: &mut WriteHalf<Box<dyn Wire>>, bytes: &[u8]) {
    if writing.write_all(bytes).await.is_ok() {
        writing.flush().await.ok();
    }
}

async fn read_frame(reading: &mut ReadHalf<Box<dyn Wire>>) -> Option<Frame> {
    let mut head = [0; 9];
    reading.read_exact(&mut head).await.ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let mut payload = vec![0; length];
    reading.read_exact(&mut payload).await.ok()?;
    let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
    Some(Frame::new(head[3], head[4], stream, payload))
}

impl Answer {
    /// Takes a frame in; answers how the stream ended where the frame ended it.
    fn take(&mut self, frame: Frame, stream: u32) -> Option<Ended> {
        let code = |at: usize| {
            let bytes = frame.payload.get(at..at + 4)?;
            Some(u32::from_be_bytes(bytes.try_into().ok()?))
        };
        match (frame.kind, frame.stream == stream) {
            (kind::GOAWAY, _) => {
                let last = code(0).unwrap_or(0) & 0x7fff_ffff;
                let why = code(4).unwrap_or(u32::MAX);
                // A graceful farewell lets what is open come to its end.
                (why != 0 || last < stream).then_some(Ended::GoneAway(why))
            }
            (kind::RST_STREAM, true) => Some(Ended::Reset(code(0).unwrap_or(u32::MAX))),
            (kind::HEADERS, true) => {
                for (name, value) in hpack::decode(&frame.payload) {
                    if name == ":status" {
                        self.status = value.parse().unwrap_or(0);
                    } else {
                        self.headers.push((name, value));
                    }
                }
                let informational = (100..200).contains(&self.status);
                (frame.flags & 1 != 0 && !informational).then_some(Ended::Whole)
            }
            (kind::DATA, true) => {
                self.body.extend_from_slice(&frame.payload);
                (frame.flags & 1 != 0).then_some(Ended::Whole)
            }
            _ => None,
        }
    }
}
