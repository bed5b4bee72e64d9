//! Where connections come in: a limit on how many there are, and a place in the register for each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream, ServerApp};
use pingora::protocols::Stream;
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::H2Options;
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;
use tokio::sync::Semaphore;

use crate::metrics::Metrics;
use crate::open::{Membership, Ran, Register};
use crate::proxy::Gate;

/// The listeners' application: every accepted connection becomes a [`Connection`].
pub struct Entry {
    proxy: Arc<HttpProxy<Gate>>,
    metrics: Arc<Metrics>,
    register: Arc<Register>,
    connections: Arc<Semaphore>,
    times: Times,
}

/// How long a visitor may take.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// For the header of a request, from its connection's beginning or from the end of the wait for it.
    pub header: Duration,
    /// Between two requests.
    pub keepalive: Duration,
}

impl Entry {
    /// In front of `proxy`, for at most `connections_max` connections at once.
    pub fn new(
        proxy: HttpProxy<Gate>,
        metrics: Arc<Metrics>,
        register: Arc<Register>,
        connections_max: usize,
        times: Times,
    ) -> Self {
        Self {
            proxy: Arc::new(proxy),
            metrics,
            register,
            connections: Arc::new(Semaphore::new(connections_max)),
            times,
        }
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ServerApp for Entry {
    async fn process_new(self: &Arc<Self>, stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        let Ok(_permit) = Arc::clone(&self.connections).try_acquire_owned() else {
            self.metrics.connections_refused.inc();
            return None;
        };
        let connection = Arc::new(Connection {
            proxy: Arc::clone(&self.proxy),
            register: Arc::clone(&self.register),
            membership: self.register.join(),
            times: self.times,
            used_before: AtomicBool::new(false),
        });
        ServerApp::process_new(&connection, stream, shutdown).await
    }

    async fn cleanup(&self) {
        self.proxy.http_cleanup().await;
    }
}

/// One connection: its requests run in its slot, or, where several run at once (HTTP/2), each in one of its own.
struct Connection {
    proxy: Arc<HttpProxy<Gate>>,
    register: Arc<Register>,
    membership: Membership,
    times: Times,
    used_before: AtomicBool,
}

impl Connection {
    /// A connection that was used before may first wait for its next request.
    fn header_within(&self) -> Duration {
        if self.used_before.swap(true, Ordering::Relaxed) {
            self.times.keepalive.saturating_add(self.times.header)
        } else {
            self.times.header
        }
    }
}

#[async_trait]
impl HttpServerApp for Connection {
    async fn process_new_http(
        self: &Arc<Self>,
        session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        let stream_membership = session.is_http2().then(|| self.register.join());
        let slot = stream_membership.as_ref().unwrap_or(&self.membership).slot();
        let request = self.proxy.process_new_http(session, shutdown);
        match slot.run(self.header_within(), request).await {
            Ran::Finished(reused) => reused,
            Ran::Ended | Ran::TooSlow => None,
            Ran::Panicked => {
                tracing::error!("a request panicked; its connection was closed, nothing else is affected");
                None
            }
        }
    }

    fn h2_options(&self) -> Option<H2Options> {
        self.proxy.h2_options()
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.proxy.server_options()
    }
}
