//! How many refusals of one address are written down: a flood must not fill the disk, nor the place of what others did.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicI64, Ordering};

use stagedoor_policy::request::ClientAddress;
use stagedoor_policy::time::Timestamp;

/// Written down in a row.
const BURST: i64 = 6_000;
/// From then on one in so long: a hundred a second, in microseconds.
const INTERVAL: i64 = 10_000;
/// Addresses that share one of these share what is written of them: that bounds the memory, whoever comes.
const SLOTS: usize = 4_096;

/// The generic cell rate algorithm (ITU-T I.371) for each address: when its next one would come, if all came evenly.
#[derive(Debug)]
pub(super) struct Flood {
    due: Box<[AtomicI64]>,
    /// Nobody can tell who shares a slot with whom.
    hashed_by: RandomState,
}

impl Flood {
    pub(super) fn new() -> Self {
        Self {
            due: (0..SLOTS).map(|_| AtomicI64::new(i64::MIN)).collect(),
            hashed_by: RandomState::new(),
        }
    }

    /// Whether one more of this address may be written down now; it is counted as written.
    pub(super) fn takes(&self, address: ClientAddress, now: Timestamp) -> bool {
        let next = |due: i64| Some(Due::of(due, now).after_one_more());
        self.slot(address)
            .and_then(|slot| slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok())
            .is_some_and(|due| Due::of(due, now).fits())
    }

    /// The same without counting it.
    pub(super) fn has_room(&self, address: ClientAddress, now: Timestamp) -> bool {
        self.slot(address)
            .is_some_and(|slot| Due::of(slot.load(Ordering::Relaxed), now).fits())
    }

    fn slot(&self, address: ClientAddress) -> Option<&AtomicI64> {
        let slot = self.hashed_by.hash_one(address.source()) % SLOTS as u64;
        self.due.get(usize::try_from(slot).ok()?)
    }
}

/// When the next one of an address would come.
#[derive(Debug, Clone, Copy)]
struct Due {
    at: i64,
    /// When it comes at the latest, for one to be written now.
    latest: i64,
}

impl Due {
    fn of(stored: i64, now: Timestamp) -> Self {
        let now = now.as_micros();
        let latest = now.saturating_add(BURST * INTERVAL);
        // A clock that was set back must not keep anybody waiting for longer than a burst does.
        let at = stored.clamp(now, latest);
        Self { at, latest }
    }

    fn fits(self) -> bool {
        self.at.saturating_add(INTERVAL) <= self.latest
    }

    fn after_one_more(self) -> i64 {
        if self.fits() { self.at + INTERVAL } else { self.at }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn written(flood: &Flood, address: &str, now: Timestamp, times: usize) -> usize {
        let address = ClientAddress::of_peer(address.parse().unwrap());
        (0..times).filter(|_| flood.takes(address, now)).count()
    }

    #[test]
    fn of_a_flood_a_burst_is_written_and_then_a_hundred_a_second() {
        let (flood, now) = (Flood::new(), at(1_000_000));
        assert_eq!(written(&flood, "192.0.2.1", now, 10_000), 6_000);
        assert_eq!(
            written(&flood, "192.0.2.1", now.after(Duration::from_secs(1)), 10_000),
            100
        );
        assert_eq!(
            written(&flood, "192.0.2.1", now.after(Duration::from_secs(3601)), 10_000),
            6_000
        );
    }

    #[test]
    fn a_flood_takes_no_room_from_others_and_a_host_has_one_network() {
        let (flood, now) = (Flood::new(), at(0));
        assert_eq!(written(&flood, "2001:db8::1", now, 6_000), 6_000);
        assert_eq!(written(&flood, "2001:db8::2", now, 1), 0, "the same /64");
        // Two of a thousand may share a slot with the one that floods.
        let others = (1..=1_000_u128).map(|network| ClientAddress::of_peer(IpAddr::V6((network << 64).into())));
        let heard = others.filter(|other: &ClientAddress| flood.takes(*other, now)).count();
        assert!(heard >= 990, "{heard}");
    }

    #[test]
    fn asking_whether_there_is_room_takes_none() {
        let (flood, now) = (Flood::new(), at(0));
        let address = ClientAddress::of_peer("192.0.2.1".parse().unwrap());
        for _ in 0..7_000 {
            assert!(flood.has_room(address, now));
        }
        assert_eq!(written(&flood, "192.0.2.1", now, 10_000), 6_000);
        assert!(!flood.has_room(address, now));
    }

    #[test]
    fn a_clock_that_is_set_back_silences_nobody_for_longer_than_a_burst() {
        let flood = Flood::new();
        assert_eq!(written(&flood, "192.0.2.1", at(i64::MAX / 2), 6_000), 6_000);
        assert_eq!(written(&flood, "192.0.2.1", at(0), 6_000), 0);
        assert_eq!(written(&flood, "192.0.2.1", at(60_000_000), 1), 1);
    }
}
