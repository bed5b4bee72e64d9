//! Who is calling: the peer, or the client behind declared proxies.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::network::NetworkSet;

/// How many entries of X-Forwarded-For a trusted peer may send.
pub const FORWARDED_ENTRIES_MAX: usize = 32;
/// How much of an unreadable entry is repeated, in characters.
const QUOTED_CHARS_MAX: usize = 64;
/// What one household or one host has of IPv6, in bits of prefix.
const V6_SOURCE_PREFIX_BITS: u8 = 64;

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
    pub fn source(self) -> IpNet {
        match self.0 {
            IpAddr::V4(address) => IpNet::V4(Ipv4Net::from(address)),
            IpAddr::V6(address) => IpNet::V6(
                Ipv6Net::new(address, V6_SOURCE_PREFIX_BITS).map_or_else(|_| Ipv6Net::from(address), |net| net.trunc()),
            ),
        }
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
/// hop that is not trusted is the client; where all are trusted, the leftmost is. A peer that is not trusted is the client
/// itself, whatever it claims. `forwarded_for` are the values of all such headers in the order they came; each may hold a list.
///
/// # Errors
/// Where a trusted hop's entry cannot be read: cannot tell is refused, never guessed.
pub fn from_forwarded_for<'a>(
    peer: IpAddr,
    forwarded_for: impl DoubleEndedIterator<Item = &'a [u8]>,
    trusted: &NetworkSet,
) -> Result<ClientAddress, AddressFault> {
    let mut hop = ClientAddress::of_peer(peer);
    let mut walking = trusted.contains(hop.0);
    if !walking {
        return Ok(hop);
    }
    let mut entries = 0;
    for entry in forwarded_for.rev().flat_map(|value| value.rsplit(|byte| *byte == b',')) {
        entries += 1;
        if entries > FORWARDED_ENTRIES_MAX {
            return Err(AddressFault::TooMany);
        }
        if walking {
            hop = parse_entry(entry).ok_or_else(|| AddressFault::Unparsable(quoted(entry)))?;
            walking = trusted.contains(hop.0);
        }
    }
    if entries == 0 {
        Err(AddressFault::Missing)
    } else {
        Ok(hop)
    }
}

/// `v4`, `v4:port`, `v6`, `[v6]` or `[v6]:port`; nothing that needs interpretation.
fn parse_entry(entry: &[u8]) -> Option<ClientAddress> {
    let text = std::str::from_utf8(entry).ok()?.trim_matches([' ', '\t']);
    if let Some(bracketed) = text.strip_prefix('[') {
        let (inside, after) = bracketed.split_once(']')?;
        let address: Ipv6Addr = inside.parse().ok()?;
        let fine = after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
        return fine.then(|| ClientAddress::of_peer(IpAddr::V6(address)));
    }
    if let Some((address, port)) = text.split_once(':')
        && let Ok(address) = address.parse::<Ipv4Addr>()
    {
        return is_port(port).then(|| ClientAddress::of_peer(IpAddr::V4(address)));
    }
    text.parse().ok().map(ClientAddress::of_peer)
}

fn is_port(digits: &str) -> bool {
    digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
}

fn quoted(entry: &[u8]) -> String {
    entry.escape_ascii().map(char::from).take(QUOTED_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trusted() -> NetworkSet {
        NetworkSet::parse(["192.0.2.0/24", "2001:db8:aaaa::/48"]).unwrap()
    }

    fn behind(values: &[&str]) -> Result<String, AddressFault> {
        let values = values.iter().map(|value| value.as_bytes());
        from_forwarded_for("192.0.2.1".parse().unwrap(), values, &trusted()).map(|address| address.ip().to_string())
    }

    #[test]
    fn a_peer_that_is_not_trusted_is_the_client_whatever_it_claims() {
        let claims = [b"10.0.0.5".as_slice(), b"garbage"];
        let address = from_forwarded_for("203.0.113.9".parse().unwrap(), claims.into_iter(), &trusted()).unwrap();
        assert_eq!(address.ip().to_string(), "203.0.113.9");
        let nobody = NetworkSet::default();
        let address = from_forwarded_for("192.0.2.1".parse().unwrap(), claims.into_iter(), &nobody).unwrap();
        assert_eq!(address.ip().to_string(), "192.0.2.1");
    }

    #[test]
    fn the_first_untrusted_hop_from_the_right_is_the_client() {
        assert_eq!(behind(&["198.51.100.1"]).unwrap(), "198.51.100.1");
        assert_eq!(behind(&["10.0.0.5, 198.51.100.1"]).unwrap(), "198.51.100.1");
        assert_eq!(
            behind(&["10.0.0.5", "198.51.100.1 , 192.0.2.7"]).unwrap(),
            "198.51.100.1"
        );
        assert_eq!(behind(&["garbage, 198.51.100.1"]).unwrap(), "198.51.100.1");
        assert_eq!(behind(&["192.0.2.8, 192.0.2.7"]).unwrap(), "192.0.2.8");
    }

    #[test]
    fn mapped_addresses_are_folded_and_ports_cut() {
        for (entry, client) in [
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("::ffff:a00:1", "10.0.0.1"),
            ("10.0.0.1:4711", "10.0.0.1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("\t2001:DB8::1 ", "2001:db8::1"),
        ] {
            assert_eq!(behind(&[entry]).unwrap(), client, "{entry}");
        }
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        let client = from_forwarded_for(mapped, [b"198.51.100.1".as_slice()].into_iter(), &trusted()).unwrap();
        assert_eq!(client.ip().to_string(), "198.51.100.1");
    }

    #[test]
    fn an_entry_that_cannot_be_told_is_a_fault() {
        for entry in [
            "",
            "unknown",
            "_hidden",
            "010.0.0.1",
            "0x0a.1",
            "10.1",
            "fe80::1%eth0",
            "[fe80::1%eth0]:80",
            "10.0.0.1:",
            "10.0.0.1:x",
            "10.0.0.1:65536",
            "10.0.0.1:+1",
            "10.0.0.1/32",
            "[10.0.0.1]",
            "\"[::1]\"",
            "10.0.0.1;x",
            "10.0.0.1 10.0.0.2",
            "1.2.3.4.5",
        ] {
            assert_eq!(
                behind(&[entry]),
                Err(AddressFault::Unparsable(entry.escape_default().to_string())),
                "{entry}"
            );
        }
        assert_eq!(behind(&["198.51.100.1,"]), Err(AddressFault::Unparsable(String::new())));
        assert_eq!(
            behind(&["198.51.100.1, garbage, 192.0.2.7"]),
            Err(AddressFault::Unparsable(" garbage".to_owned()))
        );
        assert_eq!(behind(&[]), Err(AddressFault::Missing));
    }

    #[test]
    fn a_list_without_end_is_a_fault_and_its_text_is_cut() {
        let list = |entries: usize| vec!["10.0.0.1"; entries].join(",");
        assert_eq!(behind(&[&list(32)]).unwrap(), "10.0.0.1");
        assert_eq!(behind(&[&list(33)]), Err(AddressFault::TooMany));
        assert_eq!(
            behind(&[&"\n".repeat(500)]),
            Err(AddressFault::Unparsable("\\n".repeat(32)))
        );
    }

    #[test]
    fn a_source_is_one_ipv4_address_or_one_ipv6_64() {
        let source = |text: &str| ClientAddress::of_peer(text.parse().unwrap()).source().to_string();
        assert_eq!(source("198.51.100.7"), "198.51.100.7/32");
        assert_eq!(source("::ffff:198.51.100.7"), "198.51.100.7/32");
        assert_eq!(source("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    }

    /// Entries as proxies and liars write them; commas between them make lists.
    fn any_value() -> impl Strategy<Value = String> {
        let entry = proptest::sample::select(vec![
            "192.0.2.7",
            "203.0.113.9",
            "10.0.0.5:80",
            "[2001:db8::1]",
            "::ffff:192.0.2.3",
            " ",
            "unknown",
            "",
        ]);
        proptest::collection::vec(entry, 0..4).prop_map(|entries| entries.join(","))
    }

    proptest! {
        #[test]
        fn what_is_claimed_further_left_changes_nothing(values in proptest::collection::vec(any_value(), 1..4), claim in any_value()) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let Ok(client) = behind(&values) else { return Ok(()) };
            if !trusted().contains(client.parse().unwrap()) {
                let spoofed = [&[claim.as_str()][..], &values].concat();
                prop_assert_eq!(behind(&spoofed), Ok(client));
            }
        }
    }
}
