//! From an accepted socket to requests: limits, the address, TLS, the guard, and pingora's proxy behind them.

use std::fmt;
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream, ServerApp};
use pingora::listeners::tls::Acceptor;
use pingora::protocols::http::ServerSession;
use pingora::protocols::l4::ext::TcpKeepalive;
use pingora::protocols::l4::stream::Stream as Socket;
use pingora::protocols::{GetSocketDigest as _, IO, SocketDigest};
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;
use stagedoor_config::{Building, Limits, Live};
use stagedoor_identity::Doorkeeper;
use stagedoor_policy::request::ClientAddress;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::crowd::{Crowd, Place, TurnedAway};
use super::handshakes::Handshakes;
use super::{descriptors, http2, proxy_protocol};
use crate::audit::AuditQueue;
use crate::metrics::{Counted, Metrics};
use crate::open::{Membership, Ran, Register, Slot};
use crate::pace::Pace;
use crate::proxy::Gate;
use crate::wire::{Guarded, HeadLimits, Protocol, Turn, WireFault};

/// A connection to a visitor and one to a console.
const DESCRIPTORS_PER_CONNECTION: u32 = 2;
/// A visitor whose machine is gone without a word is noticed after about two minutes.
const TCP_KEEPALIVE: TcpKeepalive = TcpKeepalive {
    idle: Duration::from_secs(60),
    interval: Duration::from_secs(15),
    count: 4,
    user_timeout: Duration::from_secs(120),
};

/// What the entry is made of.
pub struct EntryParts {
    /// Pingora's proxy.
    pub proxy: HttpProxy<Gate>,
    /// Limits and declared proxies of the moment.
    pub live: Arc<Live>,
    /// For the time.
    pub door: Arc<Doorkeeper>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Where what never becomes a request is noted.
    pub audit: AuditQueue,
    /// What is under way.
    pub register: Arc<Register>,
}

/// Where every connection comes in.
pub struct Entry {
    pub(super) proxy: Arc<HttpProxy<Gate>>,
    pub(super) live: Arc<Live>,
    pub(super) door: Arc<Doorkeeper>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) audit: AuditQueue,
    pub(super) register: Arc<Register>,
    crowd: Arc<Crowd>,
    handshakes: Arc<Handshakes>,
    descriptors: Arc<Semaphore>,
}

impl fmt::Debug for EntryParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EntryParts")
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("crowd", &self.crowd)
            .finish_non_exhaustive()
    }
}

impl Entry {
    /// In front of the proxy.
    pub fn new(parts: EntryParts) -> Self {
        let limits = parts.live.current().building.limits;
        let descriptors = descriptors::for_connections();
        let possible = descriptors / DESCRIPTORS_PER_CONNECTION as usize;
        if possible < limits.connections_max / 2 {
            tracing::warn!(
                possible,
                connections_max = limits.connections_max,
                "this process may open too few files for that many connections; raise its limit (LimitNOFILE, ulimit -n)"
            );
        }
        Self {
            proxy: Arc::new(parts.proxy),
            live: parts.live,
            door: parts.door,
            metrics: parts.metrics,
            audit: parts.audit,
            register: parts.register,
            crowd: Arc::new(Crowd::new(possible)),
            handshakes: Arc::default(),
            descriptors: Arc::new(Semaphore::new(descriptors)),
        }
    }

    /// No more requests are taken; what is under way goes on for the grace period.
    pub async fn close(&self) {
        self.proxy.http_cleanup().await;
    }

    /// Serves one connection to its end.
    pub async fn attend(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        tls: Option<Arc<Acceptor>>,
        shutdown: ShutdownWatch,
    ) {
        let building = Arc::clone(&self.live.current().building);
        let Some((stream, guest)) = self.receive(stream, peer, &building).await else {
            return;
        };
        match tls {
            None => self.converse(stream, guest, &building.limits, &shutdown).await,
            Some(acceptor) => {
                if let Some(stream) = self.shake_hands(&acceptor, stream, &building.limits).await {
                    self.converse(stream, guest, &building.limits, &shutdown).await;
                }
            }
        }
    }

    /// Finds out who is there, and a place for them.
    async fn receive(&self, stream: TcpStream, peer: SocketAddr, building: &Building) -> Option<(Socket, Guest)> {
        let mut address = ClientAddress::of_peer(peer.ip());
        let announces = building.proxy_protocol.contains(address.ip());
        let is_proxy = |address: ClientAddress| building.trusted_proxies.contains(address.ip());
        let own = (!announces && !is_proxy(address)).then_some(address);
        let mut place = self.let_in(self.crowd.enter(own, &building.limits, self.door.now()))?;
        let Ok(descriptors) = Arc::clone(&self.descriptors).try_acquire_many_owned(DESCRIPTORS_PER_CONNECTION) else {
            self.metrics.connection_refused("descriptors");
            return None;
        };
        // Without it answers wait for acknowledgements; with it gone the connection is as well.
        let _gone = stream.set_nodelay(true);
        let mut stream = Socket::from(stream);
        let digest = SocketDigest::from_raw_fd(stream.as_raw_fd());
        let (mut from, mut is_unknown) = (peer, false);
        if announces {
            let header = tokio::time::timeout(building.limits.header_deadline, proxy_protocol::read(&mut stream));
            match header.await {
                Ok(Ok(proxy_protocol::Announced::Visitor(visitor))) => from = visitor,
                Ok(Ok(proxy_protocol::Announced::Proxy)) => is_unknown = true,
                Ok(Err(_)) | Err(_) => {
                    self.note_broken(address, WireFault::ProxyHeader);
                    return None;
                }
            }
            address = ClientAddress::of_peer(from.ip());
            if from != peer && !is_proxy(address) {
                self.let_in(place.belongs_to(address, &building.limits, self.door.now()))?;
            }
        }
        let _only_once = digest.peer_addr.set(Some(from.into()));
        stream.set_socket_digest(digest);
        let _without = stream.set_keepalive(&TCP_KEEPALIVE);
        let guest = Guest {
            address: (!is_proxy(address)).then_some(address),
            seen_as: address,
            is_unknown,
            _place: place,
            _descriptors: descriptors,
            _counted: Counted::one_more(&self.metrics.connections_open),
        };
        Some((stream, guest))
    }

    fn let_in<T>(&self, place: Result<T, TurnedAway>) -> Option<T> {
        if let Err(why) = &place {
            self.metrics.connection_refused(why.code());
        }
        place.ok()
    }

    async fn shake_hands(&self, acceptor: &Acceptor, stream: Socket, limits: &Limits) -> Option<impl IO + use<>> {
        let handshake = self.handshakes.begin(limits.handshakes_in_flight_max);
        let outcome = tokio::select! {
            shaken = acceptor.tls_handshake(stream) => shaken.map_err(|_| "tls_handshake_failed"),
            () = handshake.displaced() => Err("tls_handshake_displaced"),
            () = tokio::time::sleep(limits.handshake_deadline) => Err("tls_handshake_too_slow"),
        };
        if let Err(reason) = &outcome {
            self.metrics.connection_broken(reason);
        }
        outcome.ok()
    }

    async fn converse<S: IO + 'static>(
        self: &Arc<Self>,
        stream: S,
        guest: Guest,
        limits: &Limits,
        shutdown: &ShutdownWatch,
    ) {
        let membership = self.register.join();
        let slot = membership.slot();
        let head_limits = HeadLimits {
            bytes_max: usize::try_from(limits.header_bytes_max).unwrap_or(usize::MAX),
            count_max: usize::try_from(limits.header_count_max).unwrap_or(usize::MAX),
        };
        let begun = Guarded::begin(stream, Arc::clone(&slot), head_limits);
        let (stream, protocol) = match tokio::time::timeout(limits.header_deadline, begun).await {
            Ok(Ok(begun)) => begun,
            Ok(Err(_)) => return,
            Err(_) => {
                self.metrics.connection_broken("too_slow");
                return;
            }
        };
        if guest.is_unknown {
            slot.turn().refuse(WireFault::VisitorUnknown);
        }
        let connection = Arc::new(Connection {
            entry: Arc::clone(self),
            guest,
            membership,
            used_before: AtomicBool::new(false),
        });
        match protocol {
            Protocol::Http1 => {
                // It answers the connection where another protocol could follow; none of ours does.
                let _over = ServerApp::process_new(&connection, Box::new(stream), shutdown).await;
            }
            Protocol::Http2 => http2::converse(&connection, Box::new(stream), limits, shutdown.clone()).await,
        }
    }

    /// Something came that no request comes of: it is noted, and counts towards turning the address away.
    pub(super) fn note_broken(&self, address: ClientAddress, fault: WireFault) {
        self.metrics.connection_broken(fault.code());
        if !self.audit.broken(self.door.now(), address, fault) {
            self.metrics.audit_events_dropped.inc();
        }
    }

    /// A permit for one more request of a connection that may have many (HTTP/2).
    pub(super) fn descriptor(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.descriptors).try_acquire_owned().ok()
    }
}

/// Who is at the other end, and what is held for them.
struct Guest {
    /// Nobody in particular for a declared proxy.
    address: Option<ClientAddress>,
    /// The address all the same.
    seen_as: ClientAddress,
    /// A proxy speaks for itself, or for somebody it cannot name: enough to see that the door is open, and for no request.
    is_unknown: bool,
    _place: Place,
    _descriptors: OwnedSemaphorePermit,
    _counted: Counted,
}

/// One connection: its requests run in its slot, or, where several run at once (HTTP/2), each in one of its own.
pub(super) struct Connection {
    pub(super) entry: Arc<Entry>,
    guest: Guest,
    membership: Membership,
    used_before: AtomicBool,
}

impl Connection {
    /// The connection's own slot.
    pub(super) fn slot(&self) -> Arc<Slot> {
        self.membership.slot()
    }

    /// Where it comes from.
    pub(super) fn address(&self) -> ClientAddress {
        self.guest.seen_as
    }

    /// So much of what was sent was malformed.
    pub(super) fn note_malformed(&self, times: u32) {
        if let (Some(address), 1..) = (self.guest.address, times) {
            self.entry.crowd.note_malformed(address, times, self.entry.door.now());
        }
    }

    /// What is left to go on with, once a request has run.
    fn stream_after(&self, ran: Ran<Option<ReusedHttpStream>>, turn: &Turn) -> Option<ReusedHttpStream> {
        match ran {
            Ran::Finished(reused) => reused,
            Ran::Ended => None,
            Ran::TooSlow => {
                // Whoever was told and does not listen is noted by name; who was merely silent is counted.
                match turn.fault() {
                    Some(fault) => self.entry.note_broken(self.address(), fault),
                    None => self.entry.metrics.connection_broken("too_slow"),
                }
                None
            }
            Ran::NotTaken => {
                self.entry.note_broken(self.address(), WireFault::AnswerTooSlow);
                None
            }
            Ran::Panicked => {
                tracing::error!("a request panicked; its connection was closed, nothing else is affected");
                None
            }
        }
    }

    fn pace(&self, limits: &Limits) -> Pace {
        if self.used_before.swap(true, Ordering::Relaxed) {
            Pace::after_the_first(limits)
        } else {
            Pace::at_first(limits)
        }
    }
}

impl HttpServerApp for Connection {
    // Spelt out, so that a session, which is large, is moved once and not through a future of ours besides.
    fn process_new_http<'connection, 'shutdown, 'request>(
        self: &'connection Arc<Self>,
        mut session: ServerSession,
        shutdown: &'shutdown ShutdownWatch,
    ) -> Pin<Box<dyn Future<Output = Option<ReusedHttpStream>> + Send + 'request>>
    where
        'connection: 'request,
        'shutdown: 'request,
        Self: 'request,
    {
        let stream_membership = session.is_http2().then(|| self.entry.register.join());
        let slot = stream_membership.as_ref().unwrap_or(&self.membership).slot();
        let limits = self.entry.live.load().building.limits;
        let descriptor = if stream_membership.is_some() {
            http2::prepare(&mut session, slot.turn(), self.slot().turn(), &limits);
            let descriptor = self.entry.descriptor();
            if descriptor.is_none() {
                slot.turn().refuse(WireFault::Busy);
            }
            descriptor
        } else {
            slot.turn().listen();
            None
        };
        let pace = self.pace(&limits);
        let request = self.entry.proxy.process_new_http(session, shutdown);
        Box::pin(async move {
            let _held = (stream_membership, descriptor);
            let ran = Arc::clone(&slot).run(pace, request).await;
            self.note_malformed(slot.turn().take_malformed());
            self.stream_after(ran, slot.turn())
        })
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.entry.proxy.server_options()
    }
}
