//! Where consoles live: names become addresses in the background, never while a request waits for the system's resolver.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use pingora::protocols::ALPN;
use pingora::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy};
use pingora::utils::tls::{WrappedX509, parse_x509};
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use stagedoor_config::{Scheme, Site, Snapshot, Upstream};

use crate::bound::Group;
use crate::refusal::Refused;

mod body;
mod head;
pub mod idle;
pub mod strict;

use idle::{Idle, Line};

/// How long one resolution may take.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
/// On top of connecting: for the TLS handshake.
const TLS_ALLOWANCE: Duration = Duration::from_secs(2);

/// Nobody but one visitor can use a private connection, and he is mostly gone when it is idle for longer. Between two pages
/// he signs in again without noticing.
const PRIVATE_KEEPALIVE: Duration = Duration::from_secs(15);

/// What is known of the consoles, by site name.
#[derive(Debug, Default)]
pub struct Upstreams {
    known: ArcSwap<HashMap<String, Known>>,
}

/// What is known of one console.
#[derive(Debug, Clone)]
struct Known {
    upstream: Upstream,
    address: Option<SocketAddr>,
    authority: Authority,
    line: Arc<Line>,
}

/// Who vouches for a console's certificate.
#[derive(Debug, Clone)]
enum Authority {
    /// The public ones.
    Public,
    /// The site's own.
    Own(Arc<[WrappedX509]>),
    /// The site names one that cannot be read, so nothing can be trusted.
    Unreadable,
}

impl Upstreams {
    /// Looks every console up again. A name that does not resolve keeps its last address.
    pub async fn resolve_all(&self, snapshot: &Snapshot) {
        let mut fresh = HashMap::new();
        for entry in snapshot.sites() {
            let site = &entry.site;
            let kept = self
                .known
                .load()
                .get(&site.name)
                .map(|last| Arc::clone(&last.line.idle));
            let mut known = learn(site, kept.unwrap_or_default()).await;
            known.line.idle.forget_old(site.timeouts.keepalive);
            if known.address.is_none() {
                tracing::warn!(site = %site.name, host = %site.upstream.host, "the upstream's name does not resolve");
                let last = self
                    .known
                    .load()
                    .get(&site.name)
                    .filter(|last| last.upstream == site.upstream)
                    .cloned();
                known.address = last.and_then(|last| last.address);
            }
            if matches!(known.authority, Authority::Unreadable) {
                tracing::error!(site = %site.name, "the site's ca_file cannot be used; its console is not connected to");
            }
            fresh.insert(site.name.clone(), known);
        }
        self.known.store(Arc::new(fresh));
    }

    /// The peer to connect to for a site. Connections are shared with everybody who has no `group` of his own.
    ///
    /// # Errors
    /// Where its name does not resolve, or nobody could vouch for its certificate.
    pub async fn peer(&self, site: &Site, group: Option<&Group>) -> Result<HttpPeer, Refused> {
        let known = self
            .known
            .load()
            .get(&site.name)
            .filter(|known| known.upstream == site.upstream)
            .cloned();
        let known = match known {
            Some(known) => known,
            None => learn(site, Arc::default()).await,
        };
        let address = known.address.ok_or(Refused::UpstreamUnreachable)?;
        let mut peer = match (site.upstream.scheme, &site.upstream.tls_server_name) {
            (Scheme::Http, _) => HttpPeer::new(address, false, String::new()),
            (Scheme::Https, Some(name)) if !name.is_empty() => HttpPeer::new(address, true, name.clone()),
            // Pingora verifies nothing where the name is empty, so that must never come to pass.
            (Scheme::Https, _) => return Err(Refused::UpstreamUnreachable),
        };
        match known.authority {
            Authority::Public => {}
            Authority::Own(authorities) => peer.options.ca = Some(authorities),
            Authority::Unreadable => return Err(Refused::UpstreamUnreachable),
        }
        let times = &site.timeouts;
        peer.options.connection_timeout = Some(times.connect);
        peer.options.total_connection_timeout = Some(times.connect.saturating_add(TLS_ALLOWANCE));
        peer.options.read_timeout = Some(times.read);
        peer.options.write_timeout = Some(times.write);
        peer.options.idle_timeout = Some(times.keepalive);
        let mut line = known.line;
        if let Some(group) = group {
            let keepalive = times.keepalive.min(PRIVATE_KEEPALIVE);
            peer.group_key = group.key;
            peer.options.idle_timeout = Some(keepalive);
            line = Arc::new(Line {
                idle: Arc::clone(&group.idle),
                keepalive,
                connect_within: times.connect,
            });
        }
        if site.upstream.scheme == Scheme::Http {
            // In clear, what the console says is read before Pingora reads it; inside TLS, only Pingora can.
            peer.options.custom_l4 = Some(line);
        }
        peer.options.alpn = ALPN::H1;
        // WebSockets take a way of their own (`tunnel.rs`); pingora's must stay shut, whatever it takes for one.
        peer.options.http_upstream_request_policy = HttpUpstreamRequestPolicy::deny_upgrades();
        Ok(peer)
    }
}

/// `host` or `host:port`, as a `Host` header has it.
pub fn authority(upstream: &Upstream) -> String {
    let host = match upstream.host.parse() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => upstream.host.clone(),
    };
    match (upstream.scheme, upstream.port) {
        (Scheme::Http, 80) | (Scheme::Https, 443) => host,
        (_, port) => format!("{host}:{port}"),
    }
}

async fn learn(site: &Site, idle: Arc<Idle>) -> Known {
    let upstream = &site.upstream;
    let authority = match &upstream.ca_file {
        None => Authority::Public,
        Some(path) => read_authorities(path).map_or(Authority::Unreadable, Authority::Own),
    };
    Known {
        upstream: upstream.clone(),
        address: resolve(upstream).await,
        authority,
        line: Arc::new(Line {
            idle,
            keepalive: site.timeouts.keepalive,
            connect_within: site.timeouts.connect,
        }),
    }
}

/// Only what rustls can take as a root is handed to pingora, whose own parser panics on anything else.
fn read_authorities(path: &Path) -> Option<Arc<[WrappedX509]>> {
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .ok()?
        .collect::<Result<_, _>>()
        .ok()?;
    let mut roots = RootCertStore::empty();
    let usable = !found.is_empty() && found.iter().all(|certificate| roots.add(certificate.clone()).is_ok());
    usable.then(|| {
        found
            .iter()
            .map(|certificate| WrappedX509::new(certificate.to_vec(), parse_x509))
            .collect()
    })
}

async fn resolve(upstream: &Upstream) -> Option<SocketAddr> {
    if let Ok(address) = upstream.host.parse::<IpAddr>() {
        return Some(SocketAddr::new(address, upstream.port));
    }
    let lookup = tokio::net::lookup_host((upstream.host.as_str(), upstream.port));
    tokio::time::timeout(RESOLVE_TIMEOUT, lookup).await.ok()?.ok()?.next()
}
