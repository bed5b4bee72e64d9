//! Who is calling: the peer, or the client behind declared proxies.

use std::net::IpAddr;

use crate::network::NetworkSet;

/// The visitor's address, as far as it can be vouched for. IPv4-mapped addresses have been made IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The address of a peer that connected to us itself.
    pub fn of_peer(peer: IpAddr) -> Self {
        Self(peer.to_canonical())
    }

    /// The address itself.
    pub fn ip(self) -> IpAddr {
        self.0
    }

    /// What failures are counted under: the IPv4 address, or the IPv6 /64, since one host has all of it.
    pub fn source(self) -> ipnet::IpNet {
        todo!()
    }
}

/// Why an address could not be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressFault {
    /// A declared proxy sent an entry that is no address; carries at most 64 characters of it, escaped.
    Unparsable(String),
    /// A declared proxy sent no X-Forwarded-For.
    Missing,
    /// More than 32 entries.
    TooMany,
}

/// The client behind declared proxies: walks the X-Forwarded-For entries from the right while each hop is trusted. The first
/// hop that is not trusted is the client. A peer that is not trusted is the client itself, whatever it claims.
///
/// # Errors
/// Where a trusted hop's entry cannot be read: cannot tell is refused, never guessed.
pub fn from_forwarded_for<'a>(
    _peer: IpAddr,
    _forwarded_for: impl DoubleEndedIterator<Item = &'a [u8]>,
    _trusted: &NetworkSet,
) -> Result<ClientAddress, AddressFault> {
    todo!()
}
