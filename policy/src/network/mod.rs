//! Networks: prefixes, and sets of them searched by longest prefix.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;

mod blocks;
mod flips;
mod ladder;
mod prefix;
pub(crate) mod shape;

use blocks::Blocks;
use flips::flatten;
use ladder::Ladder;
pub(crate) use prefix::Prefix;

/// From this many changes of membership on, a first table of 256 KiB is worth its memory.
const V4_BLOCKS_FROM_FLIPS: usize = 1024;

/// A set of prefixes, each allowing or excepting what it holds. The longest prefix that holds an address decides; no
/// prefix, not a member.
///
/// Nested prefixes are flattened when the set is made, into tables that answer whether an address is a member at a cost
/// that hardly depends on how many prefixes there are. The order the prefixes came in makes no difference.
#[derive(Debug, Clone, Default)]
pub struct NetworkSet {
    /// In rising order.
    prefixes: Box<[Prefix]>,
    v4: V4Members,
    v6: Ladder<u128>,
}

/// Few are searched, many looked up.
#[derive(Debug, Clone)]
enum V4Members {
    Few(Ladder<u32>),
    Many(Blocks),
}

impl NetworkSet {
    /// From texts such as `198.51.100.0/24`, `2001:db8::1`, `!198.51.100.66`.
    /// # Errors
    /// The index of each text that is not a network, and why (host bits set, leading zeros, a mask too long…).
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, Vec<(usize, String)>> {
        let mut faults = Vec::new();
        let mut prefixes = Vec::new();
        for (index, text) in texts.into_iter().enumerate() {
            match Prefix::parse(text) {
                Ok(prefix) => prefixes.push((index, prefix)),
                Err(why) => faults.push((index, why)),
            }
        }
        let mut seen = HashMap::with_hasher(foldhash::fast::FixedState::default());
        for (index, prefix) in &prefixes {
            if *seen.entry(prefix.net).or_insert(prefix.allow) != prefix.allow {
                faults.push((*index, format!("`{}` is both allowed and excepted", prefix.net)));
            }
        }
        if faults.is_empty() {
            Ok(Self::of(prefixes.into_iter().map(|(_, prefix)| prefix).collect()))
        } else {
            faults.sort();
            Err(faults)
        }
    }
    /// Whether the address is a member. An IPv4-mapped address is judged as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => self.v4.holds(address.to_bits()),
            IpAddr::V6(address) => self.v6.holds(address.to_bits()),
        }
    }
    /// The prefix that decides for this address, and whether it allows. For explanations: it searches for each length there
    /// is.
    pub fn longest_match(&self, address: IpAddr) -> Option<(IpNet, bool)> {
        let address = address.to_canonical();
        let lengths = (0..=if address.is_ipv4() { 32 } else { 128 }).rev();
        let found = lengths.filter_map(|bits| self.prefix(IpNet::new(address, bits).ok()?.trunc()));
        found.map(|prefix| (prefix.net, prefix.allow)).next()
    }
    /// How many prefixes there are, exceptions included.
    pub fn len(&self) -> usize {
        self.prefixes.len()
    }
    /// Whether there is none, so that nobody is a member.
    pub fn is_empty(&self) -> bool {
        self.prefixes.is_empty()
    }

    /// Where the same prefix is both allowed and excepted, the exception wins; callers report that as a fault before.
    pub(crate) fn of(mut prefixes: Vec<Prefix>) -> Self {
        prefixes.sort_unstable_by_key(|prefix| (prefix.net, prefix.allow));
        prefixes.dedup_by_key(|prefix| prefix.net);
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for prefix in &prefixes {
            match prefix.net {
                IpNet::V4(net) => v4.push((net.network().to_bits(), net.broadcast().to_bits(), prefix.allow)),
                IpNet::V6(net) => v6.push((net.network().to_bits(), net.broadcast().to_bits(), prefix.allow)),
            }
        }
        Self {
            prefixes: prefixes.into(),
            v4: V4Members::of(flatten(v4), V4_BLOCKS_FROM_FLIPS),
            v6: Ladder::of(flatten(v6)),
        }
    }

    /// Whether any prefix allows.
    pub(crate) fn allows_any(&self) -> bool {
        self.prefixes.iter().any(|prefix| prefix.allow)
    }

    fn prefix(&self, net: IpNet) -> Option<&Prefix> {
        let place = self.prefixes.binary_search_by_key(&net, |prefix| prefix.net).ok()?;
        self.prefixes.get(place)
    }
}

impl Default for V4Members {
    fn default() -> Self {
        Self::Few(Ladder::default())
    }
}

impl V4Members {
    fn of(flips: Vec<u32>, many: usize) -> Self {
        if flips.len() < many {
            Self::Few(Ladder::of(flips))
        } else {
            Self::Many(Blocks::of(&flips))
        }
    }

    fn holds(&self, number: u32) -> bool {
        match self {
            Self::Few(ladder) => ladder.holds(number),
            Self::Many(blocks) => blocks.holds(number),
        }
    }
}

#[cfg(test)]
mod tests;
