//! Networks: prefixes, and sets of them searched by longest prefix.

use std::net::IpAddr;

/// A set of prefixes, each allowing or excepting what it holds. The longest prefix that holds an address decides; no
/// prefix, not a member.
#[derive(Debug, Clone, Default)]
pub struct NetworkSet {}

impl NetworkSet {
    /// From texts such as `198.51.100.0/24`, `2001:db8::1`, `!198.51.100.66`.
    /// # Errors
    /// The index of each text that is not a network, and why (host bits set, leading zeros, a mask too long…).
    pub fn parse<'a>(_texts: impl IntoIterator<Item = &'a str>) -> Result<Self, Vec<(usize, String)>> {
        todo!()
    }
    /// Whether the address is a member. An IPv4-mapped address is judged as IPv4.
    pub fn contains(&self, _address: IpAddr) -> bool {
        todo!()
    }
    /// The prefix that decides for this address, and whether it allows.
    pub fn longest_match(&self, _address: IpAddr) -> Option<(ipnet::IpNet, bool)> {
        todo!()
    }
}
