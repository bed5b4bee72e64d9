//! A set of networks as a person writes it. Line 1: an address; every further line: a network or an exception.
#![no_main]

use std::net::IpAddr;

use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;
use stagedoor_policy::network::NetworkSet;

fuzz_target!(|input: &str| {
    let (address, list) = input.split_once('\n').unwrap_or(("", input));
    let texts: Vec<&str> = list.lines().collect();
    let set = match NetworkSet::parse(texts.iter().copied()) {
        Ok(set) => set,
        Err(faults) => {
            assert!(
                !faults.is_empty()
                    && faults
                        .iter()
                        .all(|(index, why)| *index < texts.len() && !why.is_empty())
            );
            return;
        }
    };
    // Every end of every network, where a search goes wrong if it does.
    let nets: Vec<(IpNet, bool)> = texts.iter().map(|text| net_of(text)).collect();
    let ends = nets.iter().flat_map(|(net, _)| [net.network(), net.broadcast()]);
    let reversed = NetworkSet::parse(texts.iter().rev().copied()).expect("the same texts");
    for address in ends.chain(address.parse()) {
        let found = set.longest_match(address);
        assert_eq!(found, longest_of(&nets, address), "{address}");
        assert_eq!(
            found,
            reversed.longest_match(address),
            "the order mattered for {address}"
        );
        assert_eq!(set.contains(address), found.is_some_and(|(_, allow)| allow));
    }
});

/// Read a second time, by other means: what the set accepted is plain enough for that.
fn net_of(text: &str) -> (IpNet, bool) {
    let bare = text.strip_prefix('!').unwrap_or(text);
    let net = bare.parse().or_else(|_| bare.parse::<IpAddr>().map(IpNet::from));
    (net.expect("the set accepted it"), bare == text)
}

/// The slow way: all of them are tried.
fn longest_of(nets: &[(IpNet, bool)], address: IpAddr) -> Option<(IpNet, bool)> {
    let address = address.to_canonical();
    let holding = nets.iter().filter(|(net, _)| net.contains(&address));
    holding.max_by_key(|(net, _)| net.prefix_len()).copied()
}
