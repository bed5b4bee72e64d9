//! One line a request, to a file or to stdout, written by a thread of its own.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use pingora::proxy::Session;
use serde::Serialize;
use stagedoor_config::AccessLog as Destination;

use crate::context::RequestContext;

/// Lines waiting to be written. When it is full, further ones are dropped: a slow disk must not slow the door.
const WAITING_LINES_MAX: usize = 65_536;
/// How long a line may wait in the buffer.
const FLUSH_INTERVAL: Duration = Duration::from_millis(500);

/// The near end.
#[derive(Debug, Clone)]
pub struct AccessLog {
    waiting: SyncSender<Vec<u8>>,
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
        let (near, far) = sync_channel(WAITING_LINES_MAX);
        std::thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write_lines(&far, BufWriter::new(to)))?;
        Ok(Self { waiting: near })
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
        if let Ok(mut text) = serde_json::to_vec(&line) {
            text.push(b'\n');
            // Full or gone: the line is lost, the request is not.
            let _lost = self.waiting.try_send(text);
        }
    }
}

fn write_lines(lines: &Receiver<Vec<u8>>, mut to: BufWriter<Box<dyn Write + Send>>) {
    loop {
        let written = match lines.recv_timeout(FLUSH_INTERVAL) {
            Ok(line) => to.write_all(&line),
            Err(RecvTimeoutError::Timeout) => to.flush(),
            Err(RecvTimeoutError::Disconnected) => {
                let _best_effort = to.flush();
                return;
            }
        };
        if let Err(error) = written {
            tracing::error!(%error, "the access log cannot be written");
        }
    }
}
