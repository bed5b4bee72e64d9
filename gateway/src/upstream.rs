//! Where consoles live: names become addresses in the background, never while a request waits for the system's resolver.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use pingora::protocols::ALPN;
use pingora::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy};
use stagedoor_config::{Scheme, Site, Snapshot, Upstream};

use crate::bound::Group;
use crate::refusal::Refused;

mod body;
pub mod fault;
mod head;
pub mod idle;
pub mod line;
pub mod lines;
pub mod link;
pub mod patience;
pub mod strict;
pub mod trust;

use idle::Console;
use line::Line;
use trust::{NoTrust, Trust};

/// How long one resolution may take.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// `None`: its name does not resolve, or nobody could vouch for it.
    line: Option<Arc<Line>>,
}

impl Upstreams {
    /// Looks every console up again. A name that does not resolve keeps its last address.
    pub async fn resolve_all(&self, snapshot: &Snapshot) {
        let mut fresh = HashMap::new();
        let known = self.known.load_full();
        for entry in snapshot.sites() {
            let site = &entry.site;
            let learnt = learn(site, known.get(&site.name)).await;
            if let Some(line) = &learnt.line {
                line.idle.forget_old(site.timeouts.keepalive);
            }
            fresh.insert(site.name.clone(), learnt);
        }
        self.known.store(Arc::new(fresh));
    }

    /// The peer to connect to for a site. Connections are shared with everybody who has no `group` of his own.
    ///
    /// # Errors
    /// Where its name does not resolve, or nobody could vouch for its certificate.
    pub async fn peer(&self, site: &Site, group: Option<&Group>) -> Result<HttpPeer, Refused> {
        let mut line = self.line(site).await?;
        if let Some(group) = group {
            line = Arc::new(Line {
                to: line.to.clone(),
                idle: Arc::clone(&group.idle),
                keepalive: line.keepalive.min(PRIVATE_KEEPALIVE),
                connect_within: line.connect_within,
            });
        }
        // In clear, as far as pingora knows: TLS and what is read inside it are the line's.
        let mut peer = HttpPeer::new(line.to.address, false, String::new());
        // How long reading and writing may take is watched by the request's own timer (`patience.rs`).
        peer.options.idle_timeout = Some(line.keepalive);
        peer.group_key = group.map_or(0, |group| group.key);
        peer.options.custom_l4 = Some(line);
        peer.options.alpn = ALPN::H1;
        // WebSockets take a way of their own (`tunnel.rs`); pingora's must stay shut, whatever it takes for one.
        peer.options.http_upstream_request_policy = HttpUpstreamRequestPolicy::deny_upgrades();
        Ok(peer)
    }

    /// The way to a site's console.
    ///
    /// # Errors
    /// As [`Upstreams::peer`].
    pub async fn line(&self, site: &Site) -> Result<Arc<Line>, Refused> {
        let known = self.known.load();
        let known = known.get(&site.name).filter(|known| known.upstream == site.upstream);
        let line = match known {
            Some(known) => known.line.clone(),
            // Rare and large: kept apart from what every request carries along.
            None => Box::pin(learn(site, None)).await.line,
        };
        line.ok_or(Refused::UpstreamUnreachable)
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

/// Looks a console up, keeping what it may of what was known before.
async fn learn(site: &Site, last: Option<&Known>) -> Known {
    let upstream = &site.upstream;
    let last_line = last.and_then(|last| last.line.as_ref());
    let address = match resolve(upstream).await {
        Some(address) => Some(address),
        None => {
            tracing::warn!(site = %site.name, host = %upstream.host, "the upstream's name does not resolve");
            let same = last.is_some_and(|last| last.upstream == *upstream);
            last_line.filter(|_| same).map(|line| line.to.address)
        }
    };
    let trust = trust(upstream, last_line.and_then(|line| line.to.trust.as_ref()))
        .inspect_err(|why| tracing::error!(site = %site.name, %why, "the site's console is not connected to"));
    let line = address.zip(trust.ok()).map(|(address, trust)| {
        Arc::new(Line {
            to: Console { address, trust },
            idle: last_line.map(|line| Arc::clone(&line.idle)).unwrap_or_default(),
            keepalive: site.timeouts.keepalive,
            connect_within: site.timeouts.connect,
        })
    });
    Known {
        upstream: upstream.clone(),
        line,
    }
}

fn trust(upstream: &Upstream, last: Option<&Arc<Trust>>) -> Result<Option<Arc<Trust>>, NoTrust> {
    match upstream.scheme {
        Scheme::Http => Ok(None),
        Scheme::Https => Trust::of(upstream, last).map(Some),
    }
}

async fn resolve(upstream: &Upstream) -> Option<SocketAddr> {
    if let Ok(address) = upstream.host.parse::<IpAddr>() {
        return Some(SocketAddr::new(address, upstream.port));
    }
    let lookup = tokio::net::lookup_host((upstream.host.as_str(), upstream.port));
    tokio::time::timeout(RESOLVE_TIMEOUT, lookup).await.ok()?.ok()?.next()
}
