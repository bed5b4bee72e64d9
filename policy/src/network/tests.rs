use ipnet::{Ipv4Net, Ipv6Net};
use prefix_trie::PrefixMap;
use proptest::prelude::*;

use super::*;

fn set(texts: &[&str]) -> NetworkSet {
    NetworkSet::parse(texts.iter().copied()).unwrap()
}

fn holds(set: &NetworkSet, address: &str) -> bool {
    set.contains(address.parse().unwrap())
}

#[test]
fn the_longest_prefix_decides() {
    let set = set(&[
        "!198.51.100.66",
        "198.51.100.0/24",
        "!0.0.0.0/0",
        "2001:db8::/32",
        "!2001:db8:1::/48",
        "2001:db8:1::7",
    ]);
    assert!(holds(&set, "198.51.100.65"));
    assert!(!holds(&set, "198.51.100.66"));
    assert!(holds(&set, "198.51.100.67"));
    assert!(!holds(&set, "198.51.101.1"));
    assert!(holds(&set, "2001:db8::1"));
    assert!(!holds(&set, "2001:db8:1::6"));
    assert!(holds(&set, "2001:db8:1::7"));
    assert!(!holds(&set, "2001:db9::"));
    let matched = set.longest_match("198.51.100.66".parse().unwrap()).unwrap();
    assert_eq!((matched.0.to_string().as_str(), matched.1), ("198.51.100.66/32", false));
}

#[test]
fn an_empty_set_has_no_member() {
    assert!(set(&[]).is_empty());
    assert!(!holds(&set(&[]), "127.0.0.1"));
    assert!(!holds(&set(&["0.0.0.0/0"]), "::1"));
    assert!(!holds(&set(&["::/0"]), "127.0.0.1"));
}

#[test]
fn the_ends_of_the_address_space_are_reached() {
    let all = set(&["0.0.0.0/0", "::/0", "!255.255.255.255", "!::"]);
    assert!(holds(&all, "0.0.0.0"));
    assert!(holds(&all, "255.255.255.254"));
    assert!(!holds(&all, "255.255.255.255"));
    assert!(!holds(&all, "::"));
    assert!(holds(&all, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
}

#[test]
fn an_exception_at_the_end_of_a_range_is_found_wherever_it_lies() {
    let texts: Vec<String> = (0..64)
        .flat_map(|n| [format!("10.0.{n}.0/24"), format!("!10.0.{n}.255")])
        .collect();
    let set = NetworkSet::parse(texts.iter().map(String::as_str)).unwrap();
    for number in 0..64 {
        for last in 0..=255 {
            assert_eq!(
                set.contains([10, 0, number, last].into()),
                last != 255,
                "10.0.{number}.{last}"
            );
        }
    }
}

#[test]
fn a_mapped_address_is_judged_as_ipv4() {
    let set = set(&["127.0.0.1/32"]);
    assert!(holds(&set, "::ffff:127.0.0.1"));
    assert!(!holds(&set, "::127.0.0.1"));
}

#[test]
fn texts_that_are_no_networks_say_why_all_at_once() {
    for (text, why) in [
        (
            "10.0.0.1/8",
            "bits set behind its mask; write `10.0.0.0/8` or `10.0.0.1`",
        ),
        ("2001:db8::1/32", "write `2001:db8::/32`"),
        ("10.0.0.0/33", "longer than the 32 bits"),
        ("::/129", "longer than the 128 bits"),
        ("10.0.0.0/", "number of bits"),
        ("10.0.0.0/08", "number of bits"),
        ("10.0.0.0/+8", "number of bits"),
        ("10.0.0.0/255.0.0.0", "number of bits"),
        ("010.0.0.1", "leading zero"),
        ("fe80::1%eth0", "zone"),
        ("0x0a.1", "neither an address"),
        ("10.1", "neither an address"),
        ("", "neither an address"),
        ("!", "neither an address"),
        ("!!10.0.0.0/8", "neither an address"),
        (" 10.0.0.0/8", "neither an address"),
        ("[::1]", "neither an address"),
        ("::ffff:10.0.0.0/104", "write `10.0.0.0/8`"),
        ("::ffff:10.0.0.1", "write `10.0.0.1/32`"),
    ] {
        let faults = NetworkSet::parse(["192.0.2.1", text]).unwrap_err();
        assert_eq!(faults.len(), 1, "{text}");
        assert_eq!(faults[0].0, 1);
        assert!(faults[0].1.contains(why), "{text}: {}", faults[0].1);
    }
    let faults = NetworkSet::parse(["x", "10.0.0.0/8", "y", "!10.0.0.0/8"]).unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.0).collect::<Vec<_>>(), [0, 2, 3]);
    assert_eq!(faults[2].1, "`10.0.0.0/8` is both allowed and excepted");
}

#[test]
fn a_hundred_thousand_prefixes_are_found_as_a_trie_finds_them() {
    let mut trie = PrefixMap::<Ipv4Net, bool>::new();
    let mut prefixes = Vec::new();
    let mut state = 7_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(state >> 32).unwrap()
    };
    for _ in 0..100_000 {
        let bits = u8::try_from(8 + random() % 25).unwrap();
        let net = Ipv4Net::new(random().into(), bits).unwrap().trunc();
        let allow = random() % 4 != 0;
        if trie.get(&net).is_none() {
            trie.insert(net, allow);
            prefixes.push(Prefix { net: net.into(), allow });
        }
    }
    let set = NetworkSet::of(prefixes);
    for _ in 0..100_000 {
        let address = std::net::Ipv4Addr::from(random());
        let expected = trie
            .get_lpm(&Ipv4Net::from(address))
            .map(|(net, allow)| (IpNet::V4(net), *allow));
        assert_eq!(set.longest_match(address.into()), expected, "{address}");
        assert_eq!(
            set.contains(address.into()),
            expected.is_some_and(|(_, allow)| allow),
            "{address}"
        );
    }
}

/// Prefixes that crowd together, so that they nest.
fn crowded_v4() -> impl Strategy<Value = (Ipv4Net, bool)> {
    (
        prop_oneof![0..64_u32, 0xffff_ffc0..=u32::MAX],
        24..=32_u8,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(bits, length, wide, allow)| (if wide { length - 24 } else { length }, bits, allow))
        .prop_map(|(length, bits, allow)| (Ipv4Net::new(bits.into(), length).unwrap().trunc(), allow))
}

fn crowded_v6() -> impl Strategy<Value = (Ipv6Net, bool)> {
    (
        prop_oneof![0..64_u128, u128::MAX - 63..=u128::MAX],
        120..=128_u8,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(bits, length, wide, allow)| {
            (
                Ipv6Net::new(bits.into(), if wide { length - 120 } else { length })
                    .unwrap()
                    .trunc(),
                allow,
            )
        })
}

/// Three blocks, one of them crowded in a few of its lines; prefixes of all lengths, single addresses most of all.
fn packed_v4() -> impl Strategy<Value = Ipv4Net> {
    let high = proptest::sample::select(vec![0_u32, 0, 0, 0, 0, 1, 2, 0xffff]);
    let line = prop_oneof![3 => 0..3_u32, 1 => 60..68_u32, 1 => 250..256_u32];
    let length = prop_oneof![6 => Just(32_u8), 2 => 24..32_u8, 1 => 0..24_u8];
    (high, line, 0..256_u32, length).prop_map(|(high, line, low, length)| {
        Ipv4Net::new((high << 16 | line << 8 | low).into(), length)
            .unwrap()
            .trunc()
    })
}

/// As many networks are kept, however few they are.
fn in_blocks(set: &NetworkSet) -> V4Members {
    let ranges = set.prefixes.iter().filter_map(|prefix| match prefix.net {
        IpNet::V4(net) => Some((net.network().to_bits(), net.broadcast().to_bits(), prefix.allow)),
        IpNet::V6(_) => None,
    });
    V4Members::of(flatten(ranges.collect()), 0)
}

proptest! {
    #[test]
    fn look_ups_agree_with_a_trie(
        v4 in proptest::collection::btree_map(crowded_v4().prop_map(|(net, _)| net), any::<bool>(), 0..24),
        v6 in proptest::collection::btree_map(crowded_v6().prop_map(|(net, _)| net), any::<bool>(), 0..24),
        near in prop_oneof![0..80_u32, 0xffff_ffb0..=u32::MAX],
        near6 in prop_oneof![0..80_u128, u128::MAX - 80..=u128::MAX],
        many in any::<bool>(),
    ) {
        let prefixes = v4.iter().map(|(net, allow)| Prefix { net: (*net).into(), allow: *allow })
            .chain(v6.iter().map(|(net, allow)| Prefix { net: (*net).into(), allow: *allow }));
        let mut set = NetworkSet::of(prefixes.collect());
        if many {
            set.v4 = in_blocks(&set);
        }
        let trie4: PrefixMap<Ipv4Net, bool> = v4.into_iter().collect();
        let address = std::net::Ipv4Addr::from(near);
        let expected = trie4.get_lpm(&Ipv4Net::from(address)).map(|(net, allow)| (IpNet::V4(net), *allow));
        prop_assert_eq!(set.longest_match(address.into()), expected);
        prop_assert_eq!(set.contains(address.into()), expected.is_some_and(|(_, allow)| allow));
        let trie6: PrefixMap<Ipv6Net, bool> = v6.into_iter().collect();
        let address = std::net::Ipv6Addr::from(near6);
        if address.to_ipv4_mapped().is_none() {
            let expected = trie6.get_lpm(&Ipv6Net::from(address)).map(|(net, allow)| (IpNet::V6(net), *allow));
            prop_assert_eq!(set.longest_match(address.into()), expected);
            prop_assert_eq!(set.contains(address.into()), expected.is_some_and(|(_, allow)| allow));
        }
    }

    /// Crowded enough that blocks are listed, divided and drawn, over several blocks, with what lies around them in or
    /// out.
    #[test]
    fn many_networks_admit_whom_a_trie_admits(
        nets in proptest::collection::btree_map(packed_v4(), any::<bool>(), 0..160),
        seeds in proptest::collection::vec(packed_v4(), 32),
    ) {
        let prefixes = nets.iter().map(|(net, allow)| Prefix { net: (*net).into(), allow: *allow });
        let mut set = NetworkSet::of(prefixes.collect());
        set.v4 = in_blocks(&set);
        let trie: PrefixMap<Ipv4Net, bool> = nets.clone().into_iter().collect();
        for near in nets.keys().chain(&seeds) {
            let (first, last) = (near.network().to_bits(), near.broadcast().to_bits());
            for number in [first.wrapping_sub(1), first, last, last.wrapping_add(1)] {
                let address = std::net::Ipv4Addr::from(number);
                let expected = trie.get_lpm(&Ipv4Net::from(address)).is_some_and(|(_, allow)| *allow);
                prop_assert_eq!(set.contains(address.into()), expected, "{}", address);
            }
        }
    }

    #[test]
    fn a_ladder_of_any_length_agrees_with_counting(
        steps in proptest::collection::vec(1..4_u128, 0..700),
        number in 0..2200_u128,
    ) {
        let mut last = 0;
        let flips: Vec<u128> = steps.iter().map(|step| { last += step; last }).collect();
        let passed = flips.iter().filter(|flip| **flip <= number).count();
        prop_assert_eq!(Ladder::of(flips).holds(number), passed % 2 == 1);
    }

    #[test]
    fn an_exception_more_never_lets_anybody_in(
        nets in proptest::collection::btree_map(crowded_v4().prop_map(|(net, _)| net), any::<bool>(), 0..16),
        exception in crowded_v4(),
        near in 0..80_u32,
    ) {
        let prefix = |(net, allow): (&Ipv4Net, &bool)| Prefix { net: (*net).into(), allow: *allow };
        let before = NetworkSet::of(nets.iter().map(prefix).collect());
        let excepted = Prefix { net: exception.0.into(), allow: false };
        let after = NetworkSet::of(nets.iter().map(prefix).chain([excepted]).collect());
        let address = std::net::Ipv4Addr::from(near).into();
        prop_assert!(before.contains(address) || !after.contains(address));
    }

    #[test]
    fn the_order_of_prefixes_is_irrelevant(
        nets in proptest::collection::btree_map(crowded_v4().prop_map(|(net, _)| net), any::<bool>(), 0..16),
        near in 0..80_u32,
    ) {
        let prefixes: Vec<_> = nets.iter().map(|(net, allow)| Prefix { net: (*net).into(), allow: *allow }).collect();
        let reversed = NetworkSet::of(prefixes.iter().rev().copied().collect());
        let address = std::net::Ipv4Addr::from(near).into();
        prop_assert_eq!(NetworkSet::of(prefixes).longest_match(address), reversed.longest_match(address));
    }
}
