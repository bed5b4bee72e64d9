//! One line a request, to a file or to stdout, written by a thread of its own.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use pingora::proxy::Session;
use serde::Serialize;
use stagedoor_config::AccessLog as Destination;

use crate::context::RequestContext;

/// Bytes waiting to be written. When they are this many, further lines are dropped: a slow disk must not slow the door.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long a line may wait. Nobody is woken for a line: that would cost the request more than all the rest of it.
const WRITE_INTERVAL: Duration = Duration::from_millis(100);

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

/// One line; the names are a contract, see docs/reference/access-log.md.
#[derive(Debug, Serialize)]
struct Line<'a> {
    time_micros: i64,
    request_id: String,
    address: Option<std::net::IpAddr>,
    account: Option<&'a str>,
    session: Option<String>,
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

    /// Writes a request's line.
    pub fn write(&self, session: &Session, ctx: &RequestContext, status: u16, time_micros: i64) {
        let account = ctx.session.as_ref().map(|session| session.account());
        let line = Line {
            time_micros,
            request_id: ctx.id.to_string(),
            address: ctx.address.map(stagedoor_policy::request::ClientAddress::ip),
            account: account.as_ref().map(|account| account.name.as_str()),
            session: ctx.session.as_ref().map(|session| session.id().0.to_string()),
            site: ctx.site.as_ref().map(|entry| entry.site.name.as_str()),
            area: ctx.area_name(),
            method: session.req_header().method.as_str(),
            // A target that was refused is not repeated: it may hold anything.
            path: ctx.target.as_ref().map_or("", |(_, path)| path),
            outcome: ctx.outcome,
            status,
            body_bytes_sent: session.body_bytes_sent(),
            duration_micros: u64::try_from(ctx.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            policy_revision: ctx.snapshot.policy.revision().0,
        };
        let mut lines = self.waiting.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let before = lines.len();
        if before < WAITING_BYTES_MAX {
            match serde_json::to_writer(&mut *lines, &line) {
                Ok(()) => lines.push(b'\n'),
                // Half a line would spoil the next one.
                Err(_) => lines.truncate(before),
            }
        }
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
    loop {
        std::thread::sleep(WRITE_INTERVAL);
        // Read before the lines are taken, so that what was written before it was closed is taken with them.
        let closed = waiting.closed.load(Ordering::Acquire);
        let lines = std::mem::take(&mut *waiting.lines.lock().unwrap_or_else(PoisonError::into_inner));
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
