//! Where connections come in: sockets, how many may be open and from whom, PROXY protocol, TLS, and which HTTP is spoken.
//!
//! Pingora's own listeners know no limits and wait a minute for a handshake, so connections are accepted here and handed
//! to its proxy by [`entry`].

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use async_trait::async_trait;
use pingora::listeners::tls::Acceptor;
use pingora::server::{ListenFds, ShutdownWatch};
use pingora::services::Service;
use tokio::sync::watch;

use crate::ending::Phase;

pub mod crowd;
pub mod descriptors;
mod entry;
pub mod handshakes;
mod http2;
pub mod proxy_protocol;
pub mod tls;

pub use crowd::{Crowd, TurnedAway};
pub use entry::{Entry, EntryParts};

/// Connections that the system holds for us until we accept them.
const BACKLOG: i32 = 1024;
/// After a failure to accept, most likely for want of descriptors: time for others to give theirs back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// One socket that is listened on.
pub struct Doorway {
    listener: TcpListener,
    tls: Option<Arc<Acceptor>>,
}

impl Doorway {
    /// Binds the address.
    ///
    /// # Errors
    /// Those of the system.
    pub fn bind(address: SocketAddr, tls: Option<Arc<Acceptor>>) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        socket2::SockRef::from(&listener).listen(BACKLOG)?;
        Self::on(listener, tls)
    }

    /// On a socket that is listened on already.
    ///
    /// # Errors
    /// Those of the system.
    pub fn on(listener: TcpListener, tls: Option<Arc<Acceptor>>) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self { listener, tls })
    }

    /// The socket, to be handed to another process.
    pub fn socket(&self) -> &TcpListener {
        &self.listener
    }
}

/// Pingora's service that accepts on every doorway.
pub struct Listeners {
    entry: Arc<Entry>,
    doorways: Vec<Doorway>,
    closing: Option<ShutdownWatch>,
    phase: watch::Receiver<Phase>,
    open: watch::Sender<bool>,
}

impl Listeners {
    /// Leads what comes in by the doorways to the entry, until `closing` says that it is time. Every listener and every
    /// connection holds a clone of it as long as it is open. `open` is told once connections are accepted.
    pub fn new(
        entry: Entry,
        doorways: Vec<Doorway>,
        closing: ShutdownWatch,
        phase: watch::Receiver<Phase>,
        open: watch::Sender<bool>,
    ) -> Self {
        Self {
            entry: Arc::new(entry),
            doorways,
            closing: Some(closing),
            phase,
            open,
        }
    }
}

impl fmt::Debug for Doorway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Doorway").field(&self.listener).finish()
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listeners").field(&self.doorways).finish()
    }
}

#[async_trait]
impl Service for Listeners {
    /// Pingora's own word comes when all is over: see [`crate::ending`].
    async fn start_service(&mut self, _fds: Option<ListenFds>, _over: ShutdownWatch, _listeners_per_fd: usize) {
        let Some(closing) = self.closing.take() else { return };
        let mut accepting = Vec::new();
        for doorway in std::mem::take(&mut self.doorways) {
            match tokio::net::TcpListener::from_std(doorway.listener) {
                Ok(listener) => {
                    let (entry, closing) = (Arc::clone(&self.entry), closing.clone());
                    accepting.push(tokio::spawn(accept(entry, listener, doorway.tls, closing)));
                }
                Err(error) => tracing::error!(%error, "a listener cannot be served"),
            }
        }
        drop(closing);
        self.open.send_replace(true);
        futures_util::future::join_all(accepting).await;
        // Until then an idle connection may bring one more request, whose answer says that it is the last.
        drop(self.phase.wait_for(|phase| *phase == Phase::Clearing).await);
        self.entry.close().await;
    }

    fn name(&self) -> &'static str {
        "door"
    }
}

async fn accept(
    entry: Arc<Entry>,
    listener: tokio::net::TcpListener,
    tls: Option<Arc<Acceptor>>,
    mut shutdown: ShutdownWatch,
) {
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    tokio::spawn(Arc::clone(&entry).attend(stream, peer, tls.clone(), shutdown.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            changed = shutdown.changed() => if changed.is_err() || *shutdown.borrow() {
                break;
            },
        }
    }
    // Who waits in the socket's queue was told by the system that somebody listens. The socket itself is asked: what the
    // runtime knows of it may be a moment old.
    let Ok(listener) = listener.into_std() else { return };
    while let Ok((stream, peer)) = listener.accept() {
        let stream = stream
            .set_nonblocking(true)
            .and_then(|()| tokio::net::TcpStream::from_std(stream));
        if let Ok(stream) = stream {
            tokio::spawn(Arc::clone(&entry).attend(stream, peer, tls.clone(), shutdown.clone()));
        }
    }
}
