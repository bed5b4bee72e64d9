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

    /// Closes them all.
    pub(super) fn forget_all(&self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    /// Both ends of a connection.
    async fn connection() -> (TcpStream, TcpStream, Address) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
        (near.unwrap(), far.unwrap().0, address)
    }

    #[tokio::test]
    async fn the_latest_connection_is_taken_first_and_each_once() {
        let idle = Idle::default();
        let (one, _far_one, address) = connection().await;
        let (other, _far_other, _) = connection().await;
        let other_port = other.local_addr().unwrap();
        idle.keep(one, address);
        idle.keep(other, address);
        assert_eq!(idle.take(address, LONG).unwrap().local_addr().unwrap(), other_port);
        assert!(idle.take(address, LONG).is_some());
        assert!(idle.take(address, LONG).is_none());
    }

    #[tokio::test]
    async fn a_connection_that_is_old_closed_talkative_or_leads_elsewhere_is_not_taken() {
        let idle = Idle::default();
        let (near, _far, address) = connection().await;
        idle.keep(near, address);
        assert!(idle.take(address, Duration::ZERO).is_none(), "old");
        let (near, _far, elsewhere) = connection().await;
        idle.keep(near, elsewhere);
        assert!(idle.take(address, LONG).is_none(), "leads elsewhere");
        let (near, far, address) = connection().await;
        drop(far);
        near.readable().await.unwrap();
        idle.keep(near, address);
        assert!(idle.take(address, LONG).is_none(), "closed");
        let (near, far, address) = connection().await;
        far.writable().await.unwrap();
        far.try_write(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        near.readable().await.unwrap();
        idle.keep(near, address);
        assert!(idle.take(address, LONG).is_none(), "talkative");
    }

    #[tokio::test]
    async fn no_more_are_kept_than_the_limit_and_old_ones_are_forgotten() {
        let idle = Idle::default();
        let mut far_ends = Vec::new();
        for _ in 0..=KEPT_MAX {
            let (near, far, address) = connection().await;
            idle.keep(near, address);
            far_ends.push(far);
        }
        assert_eq!(idle.kept.lock().unwrap().len(), KEPT_MAX);
        idle.forget_old(LONG);
        assert_eq!(idle.kept.lock().unwrap().len(), KEPT_MAX);
        idle.forget_old(Duration::ZERO);
        assert!(idle.kept.lock().unwrap().is_empty());
    }
}
