//! Connections to a console: how one is made, and where those wait that nobody uses at the moment.

use std::net::SocketAddr as Address;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::link::{Buffers, Link};
use super::trust::Trust;

/// Connections kept for one console, or for one visitor with connections of his own.
/// They count among the descriptors that `listener/descriptors.rs` sets aside.
const KEPT_MAX: usize = 64;
/// For the TLS handshake, on top of connecting.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(2);

/// The connections that nobody uses at the moment, the latest on top.
#[derive(Debug, Default)]
pub struct Idle {
    kept: Mutex<Vec<Kept>>,
}

#[derive(Debug)]
struct Kept {
    link: Link,
    buffers: Buffers,
    to: Console,
    since: Instant,
}

/// Where a connection leads, and who it proved to be there.
#[derive(Debug, Clone)]
pub struct Console {
    /// Where.
    pub address: Address,
    /// Whom the other side must prove to be; `None`: nobody, in clear.
    pub trust: Option<Arc<Trust>>,
}

impl Console {
    /// Whether a connection to one may serve for the other: the same place, trusted for the same reasons.
    fn is(&self, other: &Self) -> bool {
        let same_trust = match (&self.trust, &other.trust) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (Some(_), None) | (None, Some(_)) => false,
        };
        same_trust && self.address == other.address
    }

    /// A new connection.
    ///
    /// # Errors
    /// Where it cannot be made within the time, or the console does not prove who it is.
    pub(super) async fn connect(&self, within: Duration) -> Result<Link, NotConnected> {
        let connecting = tokio::time::timeout(within, TcpStream::connect(self.address));
        let socket = connecting.await.map_err(|_| NotConnected::TooSlow)??;
        socket.set_nodelay(true)?;
        let Some(trust) = &self.trust else {
            return Ok(Link::Clear(socket));
        };
        let securing = tokio::time::timeout(HANDSHAKE_TIMEOUT, trust.secure(socket));
        securing
            .await
            .map_err(|_| NotConnected::TooSlow)?
            .map_err(NotConnected::NotSecured)
    }
}

/// Why there is no connection to a console.
#[derive(Debug, thiserror::Error)]
pub enum NotConnected {
    /// Nobody answered in time.
    #[error("it does not answer in time")]
    TooSlow,
    /// Nobody is there.
    #[error(transparent)]
    Unreachable(#[from] std::io::Error),
    /// Somebody is there, who did not prove to be the console.
    #[error("TLS: {0}")]
    NotSecured(std::io::Error),
}

impl Idle {
    /// Keeps a connection for the next who comes.
    pub(super) fn keep(&self, (link, buffers): (Link, Buffers), to: Console) {
        let buffers = buffers.cleared();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX {
            let since = Instant::now();
            kept.push(Kept {
                link,
                buffers,
                to,
                since,
            });
        }
    }

    /// Takes one that leads there, has not been idle for longer than `keepalive`, and over which nothing has come since.
    pub(super) fn take(&self, to: &Console, keepalive: Duration) -> Option<(Link, Buffers)> {
        loop {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if kept.to.is(to) && kept.since.elapsed() < keepalive && kept.link.is_silent() {
                return Some((kept.link, kept.buffers));
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
        kept.retain_mut(|kept| kept.since.elapsed() < keepalive && kept.link.is_silent());
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    /// Both ends of a connection.
    async fn connection() -> (Link, TcpStream, Console) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = Console {
            address: listener.local_addr().unwrap(),
            trust: None,
        };
        let (near, far) = tokio::join!(to.connect(LONG), listener.accept());
        (near.unwrap(), far.unwrap().0, to)
    }

    #[tokio::test]
    async fn the_latest_connection_is_taken_first_and_each_once() {
        let idle = Idle::default();
        let (one, _far_one, to) = connection().await;
        let (other, _far_other, _) = connection().await;
        let other_port = other.socket().local_addr().unwrap();
        idle.keep((one, Buffers::default()), to.clone());
        idle.keep((other, Buffers::default()), to.clone());
        assert_eq!(
            idle.take(&to, LONG).unwrap().0.socket().local_addr().unwrap(),
            other_port
        );
        assert!(idle.take(&to, LONG).is_some());
        assert!(idle.take(&to, LONG).is_none());
    }

    #[tokio::test]
    async fn a_connection_that_is_old_closed_talkative_or_leads_elsewhere_is_not_taken() {
        let idle = Idle::default();
        let (near, _far, to) = connection().await;
        idle.keep((near, Buffers::default()), to.clone());
        assert!(idle.take(&to, Duration::ZERO).is_none(), "old");
        let (near, _far, elsewhere) = connection().await;
        idle.keep((near, Buffers::default()), elsewhere);
        assert!(idle.take(&to, LONG).is_none(), "leads elsewhere");
        let (near, far, to) = connection().await;
        drop(far);
        near.socket().readable().await.unwrap();
        idle.keep((near, Buffers::default()), to.clone());
        assert!(idle.take(&to, LONG).is_none(), "closed");
        let (near, far, to) = connection().await;
        far.writable().await.unwrap();
        far.try_write(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        near.socket().readable().await.unwrap();
        idle.keep((near, Buffers::default()), to.clone());
        assert!(idle.take(&to, LONG).is_none(), "talkative");
    }

    #[tokio::test]
    async fn no_more_are_kept_than_the_limit_and_old_ones_are_forgotten() {
        let idle = Idle::default();
        let mut far_ends = Vec::new();
        for _ in 0..=KEPT_MAX {
            let (near, far, to) = connection().await;
            idle.keep((near, Buffers::default()), to.clone());
            far_ends.push(far);
        }
        assert_eq!(idle.kept.lock().unwrap().len(), KEPT_MAX);
        idle.forget_old(LONG);
        assert_eq!(idle.kept.lock().unwrap().len(), KEPT_MAX);
        idle.forget_old(Duration::ZERO);
        assert!(idle.kept.lock().unwrap().is_empty());
    }
}
