//! Networks: prefixes, and sets of them searched by longest prefix.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;

mod prefix;
mod segments;
pub(crate) mod shape;

pub(crate) use prefix::Prefix;
use segments::Segments;

/// From this many IPv4 segments on, a first-level index of 256 KiB is worth its memory.
const V4_INDEX_FROM_SEGMENTS: usize = 1024;

/// A set of prefixes, each allowing or excepting what it holds. The longest prefix that holds an address decides; no
/// prefix, not a member.
///
/// Nested prefixes are flattened into disjoint ranges when the set is made, so that a look-up is one binary search whose
/// cost hardly depends on how many prefixes there are. The order the prefixes came in makes no difference.
#[derive(Debug, Clone, Default)]
pub struct NetworkSet {
    prefixes: Box<[Prefix]>,
    v4: Segments<u32>,
    v6: Segments<u128>,
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
        self.deciding(address).is_some_and(|prefix| prefix.allow)
    }
    /// The prefix that decides for this address, and whether it allows.
    pub fn longest_match(&self, address: IpAddr) -> Option<(IpNet, bool)> {
        self.deciding(address).map(|prefix| (prefix.net, prefix.allow))
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
        let mut v4 = Vec::new();
        let mut v6 = Vec::new();
        for (label, prefix) in (0u32..).zip(&prefixes) {
            match prefix.net {
                IpNet::V4(net) => v4.push((net.network().to_bits(), net.broadcast().to_bits(), label)),
                IpNet::V6(net) => v6.push((net.network().to_bits(), net.broadcast().to_bits(), label)),
            }
        }
        let mut v4 = Segments::flatten(v4);
        v4.index_from(V4_INDEX_FROM_SEGMENTS);
        Self {
            prefixes: prefixes.into(),
            v4,
            v6: Segments::flatten(v6),
        }
    }

    /// Whether any prefix allows.
    pub(crate) fn allows_any(&self) -> bool {
        self.prefixes.iter().any(|prefix| prefix.allow)
    }

    fn deciding(&self, address: IpAddr) -> Option<&Prefix> {
        let label = match address.to_canonical() {
            IpAddr::V4(address) => self.v4.label_indexed(address.to_bits()),
            IpAddr::V6(address) => self.v6.label(address.to_bits()),
        }?;
        self.prefixes.get(usize::try_from(label).ok()?)
    }
}

#[cfg(test)]
mod tests;
