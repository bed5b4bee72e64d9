//! Connections to a console that wait for their next exchange, and how one is made.

use std::net::SocketAddr as Address;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pingora::connectors::l4::Connect;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::l4::virt::VirtualSocketStream;
use pingora::{Error, ErrorType, OrErr as _, Result};
use tokio::net::TcpStream;

use super::strict::StrictStream;

/// Connections kept for one console, or for one visitor with connections of his own.
const KEPT_MAX: usize = 256;

/// The connections that nobody uses at the moment, the latest on top.
#[derive(Debug, Default)]
pub struct Idle {
    kept: Mutex<Vec<Kept>>,
}

#[derive(Debug)]
struct Kept {
    stream: TcpStream,
    address: Address,
    since: Instant,
}

impl Idle {
    /// Keeps a connection for the next who comes.
    pub(super) fn keep(&self, stream: TcpStream, address: Address) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX {
            let since = Instant::now();
            kept.push(Kept { stream, address, since });
        }
    }

    /// Takes one that leads to `address`, has not been idle for longer than `keepalive`, and over which nothing has come since.
    fn take(&self, address: Address, keepalive: Duration) -> Option<TcpStream> {
        loop {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if kept.address == address && kept.since.elapsed() < keepalive && is_silent(&kept.stream) {
                return Some(kept.stream);
            }
        }
    }

    /// Closes those that have been idle for longer than `keepalive`, or that the console has closed.
    pub fn forget_old(&self, keepalive: Duration) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.since.elapsed() < keepalive && is_silent(&kept.stream));
    }
}

/// Whether the console has neither closed it nor said anything.
fn is_silent(stream: &TcpStream) -> bool {
    let read = stream.try_read(&mut [0]);
    read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

/// How a site's console is connected to: over a kept connection, or a new one.
#[derive(Debug)]
pub struct Line {
    /// Where the connections are kept.
    pub idle: Arc<Idle>,
    /// How long a connection may be idle.
    pub keepalive: Duration,
    /// How long connecting may take.
    pub connect_within: Duration,
}

#[async_trait]
impl Connect for Line {
    async fn connect(&self, address: &SocketAddr) -> Result<Stream> {
        let address = *address
            .as_inet()
            .ok_or_else(|| Error::explain(ErrorType::ConnectError, "a console has an address"))?;
        let (stream, kept_before) = match self.idle.take(address, self.keepalive) {
            Some(stream) => (stream, true),
            None => (self.open(address).await?, false),
        };
        let strict = StrictStream::new(stream, address, Arc::clone(&self.idle), kept_before);
        Ok(VirtualSocketStream::new(Box::new(strict)).into())
    }
}

impl Line {
    async fn open(&self, address: Address) -> Result<TcpStream> {
        let connecting = tokio::time::timeout(self.connect_within, TcpStream::connect(address)).await;
        let stream = connecting.or_err(ErrorType::ConnectTimedout, "connecting to a console")?;
        let stream = stream.or_err(ErrorType::ConnectError, "connecting to a console")?;
        stream
            .set_nodelay(true)
            .or_err(ErrorType::ConnectError, "connecting to a console")?;
        Ok(stream)
    }
}
