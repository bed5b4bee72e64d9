//! One line a request, to a file or to stdout, written by a thread of its own.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use pingora::proxy::Session;
use stagedoor_config::AccessLog as Destination;
use stagedoor_identity::SessionId;
use stagedoor_policy::time::Timestamp;
use uuid::fmt::Hyphenated;

use crate::context::RequestContext;
use crate::figures::{push_address, push_decimal};
use crate::request_id::RequestId;

/// Bytes waiting to be written. When they are this many, further lines are dropped: a slow disk must not slow the door.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Of each of two buffers, where there was less to write since, in bytes.
const BUFFER_BYTES_KEPT_MAX: usize = 1024 * 1024;
/// How long a line may wait. Nobody is woken for a line: that would cost the request more than all the rest of it.
const WRITE_INTERVAL: Duration = Duration::from_millis(100);
/// What is not known, in JSON.
const NONE: &[u8] = b"null";

/// The near end. Dropped, it waits until what is left has been written.
#[derive(Debug)]
pub struct AccessLog {
    waiting: Arc<Waiting>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Mutex<Vec<u8>>,
    closed: AtomicBool,
}

thread_local! {
    /// Where a line is put together, so that the lock is held for a copy and no more.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// One line; the names are a contract, see docs/reference/access-log.md.
#[derive(Debug)]
struct Line<'a> {
    time_micros: i64,
    request_id: RequestId,
    address: Option<std::net::IpAddr>,
    account: Option<&'a str>,
    session: Option<SessionId>,
    site: Option<&'a str>,
    area: Option<&'a str>,
    method: &'a str,
    path: &'a str,
    outcome: &'a str,
    status: u16,
    body_bytes_sent: usize,
    duration_micros: u64,
    policy_revision: u64,
}

impl Line<'_> {
    /// As JSON, in the order above, with a line end.
    fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(b"{\"time_micros\":");
        push_decimal(to, self.time_micros);
        to.extend_from_slice(b",\"request_id\":\"");
        self.request_id.push_to(to);
        to.extend_from_slice(b"\",\"address\":");
        match self.address {
            Some(address) => {
                to.push(b'"');
                push_address(to, address);
                to.push(b'"');
            }
            None => to.extend_from_slice(NONE),
        }
        push_text(to, b",\"account\":", self.account);
        let mut letters = [0; Hyphenated::LENGTH];
        to.extend_from_slice(b",\"session\":");
        match self.session {
            Some(id) => push_plain(to, id.0.hyphenated().encode_lower(&mut letters)),
            None => to.extend_from_slice(NONE),
        }
        push_text(to, b",\"site\":", self.site);
        push_text(to, b",\"area\":", self.area);
        push_text(to, b",\"method\":", Some(self.method));
        push_text(to, b",\"path\":", Some(self.path));
        push_text(to, b",\"outcome\":", Some(self.outcome));
        for (name, number) in [
            (&b",\"status\":"[..], u64::from(self.status)),
            (b",\"body_bytes_sent\":", self.body_bytes_sent as u64),
            (b",\"duration_micros\":", self.duration_micros),
            (b",\"policy_revision\":", self.policy_revision),
        ] {
            to.extend_from_slice(name);
            push_decimal(to, number);
        }
        to.extend_from_slice(b"}\n");
    }
}

/// Behind a name, with what stands around it.
fn push_text(to: &mut Vec<u8>, name: &[u8], text: Option<&str>) {
    to.extend_from_slice(name);
    let Some(text) = text else {
        return to.extend_from_slice(NONE);
    };
    let escaped = |found: bool, byte: u8| found | (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    if text.bytes().fold(false, escaped) {
        // Nothing can fail that writes a text to memory.
        let _written = serde_json::to_writer(to, text);
    } else {
        push_plain(to, text);
    }
}

/// What needs no escapes.
fn push_plain(to: &mut Vec<u8>, text: &str) {
    to.push(b'"');
    to.extend_from_slice(text.as_bytes());
    to.push(b'"');
}

impl AccessLog {
    /// To a file, appended to, or to stdout.
    ///
    /// # Errors
    /// Where the file cannot be opened.
    pub fn open(destination: &Destination) -> std::io::Result<Self> {
        let to: Box<dyn Write + Send> = match destination {
            Destination::StandardOutput => Box::new(std::io::stdout()),
            Destination::File(path) => Box::new(OpenOptions::new().create(true).append(true).open(path)?),
        };
        let waiting = Arc::new(Waiting::default());
        let shared = Arc::clone(&waiting);
        let thread = std::thread::Builder::new().name("access-log".into());
        let writer = thread.spawn(move || write_lines(&shared, to))?;
        Ok(Self {
            waiting,
            writer: Some(writer),
        })
    }

    /// Writes the line of a request that is over: when, and after how long.
    pub fn write(&self, session: &Session, ctx: &RequestContext, status: u16, (at, took): (Timestamp, Duration)) {
        let account = ctx.session.as_ref().map(|session| session.account());
        let line = Line {
            time_micros: at.as_micros(),
            request_id: ctx.id,
            address: ctx.address.map(stagedoor_policy::request::ClientAddress::ip),
            account: account.as_ref().map(|account| account.name.as_str()),
            session: ctx.session.as_ref().map(|session| session.id()),
            site: ctx.site.as_ref().map(|entry| entry.site.name.as_str()),
            area: ctx.area_name(),
            method: session.req_header().method.as_str(),
            // A target that was refused is not repeated: it may hold anything.
            path: ctx.target.as_ref().map_or("", |(_, spelling)| spelling.path()),
            outcome: ctx.outcome,
            status,
            body_bytes_sent: session.body_bytes_sent(),
            duration_micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            policy_revision: ctx.snapshot.policy.revision().0,
        };
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            line.write(scratch);
            let mut lines = self.waiting.lines.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() < WAITING_BYTES_MAX {
                lines.extend_from_slice(scratch);
            }
        });
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.waiting.closed.store(true, Ordering::Release);
        if let Some(writer) = self.writer.take() {
            // It ends within one interval; if it panicked, there is nobody left to tell.
            let _ended = writer.join();
        }
    }
}

fn write_lines(waiting: &Waiting, mut to: Box<dyn Write + Send>) {
    let mut lines = Vec::new();
    loop {
        std::thread::sleep(WRITE_INTERVAL);
        // Read before the lines are taken, so that what was written before it was closed is taken with them.
        let closed = waiting.closed.load(Ordering::Acquire);
        // Two buffers take turns, so that lines find the room there that those before them needed.
        lines.clear();
        lines.shrink_to(BUFFER_BYTES_KEPT_MAX);
        std::mem::swap(
            &mut lines,
            &mut *waiting.lines.lock().unwrap_or_else(PoisonError::into_inner),
        );
        if !lines.is_empty()
            && let Err(error) = to.write_all(&lines).and_then(|()| to.flush())
        {
            tracing::error!(%error, "the access log cannot be written");
        }
        if closed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_noted_a_line_is_one_line_of_json_that_says_just_that(
            text in "[\\PC\"\\\\\r\n\t\u{0}\u{7f}]{0,20}", known: bool, time_micros: i64, number: u64, address: u128,
        ) {
            let session = SessionId(uuid::Uuid::from_u128(address));
            let line = Line {
                time_micros,
                request_id: crate::request_id::RequestIds::new(number).next(),
                address: known.then(|| std::net::Ipv6Addr::from(address).into()),
                account: known.then_some(&text),
                session: known.then_some(session),
                site: known.then_some(&text),
                area: Some(&text),
                method: "GET",
                path: &text,
                outcome: &text,
                status: 200,
                body_bytes_sent: 7,
                duration_micros: number,
                policy_revision: number,
            };
            let mut written = Vec::new();
            line.write(&mut written);
            prop_assert_eq!(written.iter().filter(|byte| **byte == b'\n').count(), 1);
            let read: serde_json::Value = serde_json::from_slice(&written).unwrap();
            let said = serde_json::json!({
                "time_micros": time_micros,
                "request_id": line.request_id.to_string(),
                "address": line.address,
                "account": line.account,
                "session": line.session.map(|id| id.0.to_string()),
                "site": line.site,
                "area": text,
                "method": "GET",
                "path": text,
                "outcome": text,
                "status": 200,
                "body_bytes_sent": 7,
                "duration_micros": number,
                "policy_revision": number,
            });
            prop_assert_eq!(read, said);
        }
    }
}
