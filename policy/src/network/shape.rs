//! What a list of networks may be made of: the policy's own rules, on top of being networks at all.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Prefix;
use crate::rules::{Family, NetworkListRules, NetworkShape};

/// Networks whose addresses mean something in one network only, each with what it is.
const PRIVATE_V4: [(Ipv4Net, &str); 7] = [
    (v4([0, 0, 0, 0], 8), "is of no network at all"),
    (v4([10, 0, 0, 0], 8), "is private"),
    (v4([100, 64, 0, 0], 10), "is shared behind a provider's translation"),
    (v4([127, 0, 0, 0], 8), "is the machine itself"),
    (v4([169, 254, 0, 0], 16), "is link-local"),
    (v4([172, 16, 0, 0], 12), "is private"),
    (v4([192, 168, 0, 0], 16), "is private"),
];
const PRIVATE_V6: [(Ipv6Net, &str); 5] = [
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), "is of no network at all"),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "is the machine itself"),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), "is unique local"),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "is link-local"),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), "is site-local"),
];

/// What is wrong with the list as a whole. `characters` are those of its elements joined by commas.
pub(crate) fn faults_of_list(rules: &NetworkListRules, elements: usize, characters: usize) -> Vec<String> {
    let elements = u32::try_from(elements).unwrap_or(u32::MAX);
    let characters = u32::try_from(characters).unwrap_or(u32::MAX);
    let mut faults = Vec::new();
    if let Some(at_most) = rules.at_most.filter(|at_most| elements > *at_most) {
        faults.push(format!(
            "there may be at most {at_most} networks, and these are {elements}"
        ));
    }
    if elements > 0 && characters < rules.text_at_least {
        faults.push(format!(
            "the list has at least {} characters, and this one has {characters}",
            rules.text_at_least
        ));
    }
    if rules.text_at_most != 0 && characters > rules.text_at_most {
        faults.push(format!(
            "the list has at most {} characters, and this one has {characters}",
            rules.text_at_most
        ));
    }
    faults
}

/// What is wrong with one element, written as `text`.
pub(crate) fn faults_of_element(rules: &NetworkListRules, text: &str, prefix: &Prefix) -> Vec<String> {
    let mut faults = Vec::new();
    if rules.shape == NetworkShape::Addresses {
        if !prefix.allow {
            faults.push(format!("`{text}` is an exception, and only addresses are taken"));
        }
        if text.contains('/') {
            faults.push(format!(
                "`{text}` is a whole network, and only single addresses are taken"
            ));
        }
    }
    match (prefix.net, rules.family) {
        (IpNet::V4(_), Family::V6) => faults.push(format!("`{text}` is IPv4, and only IPv6 is taken")),
        (IpNet::V6(_), Family::V4) => faults.push(format!("`{text}` is IPv6, and only IPv4 is taken")),
        _ => {}
    }
    if let IpNet::V4(net) = prefix.net {
        let octets = net.addr().octets();
        if octets.iter().any(|octet| *octet > rules.octets_at_most) {
            faults.push(format!("`{text}` has a number above {}", rules.octets_at_most));
        }
        if rules.refuse_network_addresses && net.prefix_len() == 32 && octets.last() == Some(&0) {
            faults.push(format!("`{text}` ends in `.0`, which is a whole network"));
        }
    }
    if let Some(why) = Some(prefix)
        .filter(|prefix| rules.refuse_private && prefix.allow)
        .and_then(private)
    {
        faults.push(format!("`{text}` {why}: no visitor from elsewhere has such an address"));
    }
    faults
}

/// What is private about any address of the prefix.
fn private(prefix: &Prefix) -> Option<&'static str> {
    let overlap = |(inside, why): (IpNet, &'static str)| {
        let meets = inside.contains(&prefix.net) || prefix.net.contains(&inside);
        meets.then_some(why)
    };
    match prefix.net {
        IpNet::V4(_) => PRIVATE_V4
            .iter()
            .find_map(|(net, why)| overlap((IpNet::V4(*net), *why))),
        IpNet::V6(_) => PRIVATE_V6
            .iter()
            .find_map(|(net, why)| overlap((IpNet::V6(*net), *why))),
    }
}

const fn v4(octets: [u8; 4], bits: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(groups: [u16; 8], bits: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = groups;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), bits)
}
