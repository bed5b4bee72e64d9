//! First: who is calling. The peer itself, or the client behind a declared proxy.

use pingora::proxy::Session;
use stagedoor_config::Snapshot;
use stagedoor_policy::request::{ClientAddress, from_forwarded_for};

use crate::refusal::Refused;

/// The visitor's address.
///
/// # Errors
/// Where it cannot be told: a socket without an address, or a declared proxy whose X-Forwarded-For cannot be read.
pub fn establish(session: &Session, snapshot: &Snapshot) -> Result<ClientAddress, Refused> {
    let peer = session
        .client_addr()
        .and_then(|address| address.as_inet())
        .ok_or(Refused::AddressUnknown)?
        .ip();
    let trusted = &snapshot.building.trusted_proxies;
    if !trusted.contains(peer) {
        return Ok(ClientAddress::of_peer(peer));
    }
    let fields = session.req_header().headers.get_all("x-forwarded-for").iter();
    let hops: Vec<&[u8]> = fields
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .collect();
    from_forwarded_for(peer, hops.into_iter(), trusted).map_err(|_| Refused::AddressUnknown)
}
