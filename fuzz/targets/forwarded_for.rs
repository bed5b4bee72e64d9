//! The walk over X-Forwarded-For. Line 1: the peer; line 2: trusted networks; every further line: one header's value.
#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use stagedoor_policy::network::NetworkSet;
use stagedoor_policy::request::{AddressFault, FORWARDED_ENTRIES_MAX, from_forwarded_for};

/// What a fault may repeat of an entry, in characters.
const QUOTED_CHARS_MAX: usize = 64;

fuzz_target!(|input: &[u8]| {
    let mut lines = input.split(|byte| *byte == b'\n');
    let mut text = || std::str::from_utf8(lines.next().unwrap_or_default()).unwrap_or_default();
    let (peer, trusted) = (text(), text());
    let Ok(peer) = peer.parse::<IpAddr>() else { return };
    let Ok(trusted) = NetworkSet::parse(trusted.split_whitespace()) else {
        return;
    };
    let values: Vec<&[u8]> = lines.collect();

    let walked = from_forwarded_for(peer, values.iter().copied(), &trusted);
    if !trusted.contains(peer) {
        assert_eq!(
            walked.as_ref().map(|client| client.ip()),
            Ok(peer.to_canonical()),
            "a stranger's claim counted"
        );
    }
    let client = match walked {
        Ok(client) => client,
        Err(AddressFault::Unparsable(quoted)) => {
            assert!(quoted.is_ascii() && quoted.chars().count() <= QUOTED_CHARS_MAX);
            return;
        }
        Err(AddressFault::Missing | AddressFault::TooMany) => return,
    };
    assert_eq!(client.ip(), client.ip().to_canonical());
    assert!(client.source().contains(&client.ip()));

    // Whatever is claimed further left than the first hop nobody vouches for changes nothing.
    let entries: usize = values
        .iter()
        .map(|value| value.split(|byte| *byte == b',').count())
        .sum();
    if !trusted.contains(client.ip()) && entries < FORWARDED_ENTRIES_MAX {
        let claimed = [b"198.51.100.66".as_slice()].into_iter().chain(values.iter().copied());
        let spoofed = from_forwarded_for(peer, claimed.collect::<Vec<_>>().into_iter(), &trusted);
        assert_eq!(spoofed, Ok(client));
    }
});
