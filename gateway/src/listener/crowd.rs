//! How many connections there are, in all and from each address, and who has sent too much that is no HTTP.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use stagedoor_config::Limits;
use stagedoor_policy::request::ClientAddress;
use stagedoor_policy::time::Timestamp;

const SHARDS: usize = 16;
/// Addresses in one shard whose malformed requests are counted; beyond them nobody new is until the next minute.
const COUNTED_ADDRESSES_MAX: usize = 4096;
/// At least so many addresses can be connected, however few connections there can be.
const ADDRESSES_MIN: usize = 4;
const MICROS_PER_MINUTE: i64 = 60_000_000;

/// Why a connection was closed as soon as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnedAway {
    /// There are too many in all.
    Full,
    /// There are too many from this address.
    AddressFull,
    /// This address sent too much that is malformed.
    Malformed,
}

impl TurnedAway {
    /// For the metric.
    pub fn code(self) -> &'static str {
        match self {
            Self::Full => "connections_max",
            Self::AddressFull => "connections_per_address_max",
            Self::Malformed => "malformed_per_minute_max",
        }
    }
}

#[derive(Debug, Default)]
struct Shard {
    open: HashMap<IpNet, usize>,
    /// The minute, and how often in it.
    malformed: HashMap<IpNet, (i64, u64)>,
}

/// Everybody who is connected. Its locks are taken when a connection comes or goes, never for a request.
#[derive(Debug)]
pub struct Crowd {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    in_all: AtomicUsize,
    in_all_max: usize,
}

/// A place in the crowd, left when dropped.
#[derive(Debug)]
pub struct Place {
    crowd: Arc<Crowd>,
    /// `None` for a declared proxy, whose connections are many people's.
    source: Option<IpNet>,
}

impl Crowd {
    /// For at most so many connections.
    pub fn new(in_all_max: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            in_all: AtomicUsize::new(0),
            in_all_max,
        }
    }

    /// Takes a place for a new connection; of nobody in particular for a declared proxy.
    ///
    /// # Errors
    /// Why there is none.
    pub fn enter(
        self: &Arc<Self>,
        from: Option<ClientAddress>,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Place, TurnedAway> {
        // Taken first and given back with the place, so that no two can take the last one.
        let before = self.in_all.fetch_add(1, Ordering::Relaxed);
        let mut place = Place {
            crowd: Arc::clone(self),
            source: None,
        };
        if before >= self.in_all_max.min(limits.connections_max) {
            return Err(TurnedAway::Full);
        }
        if let Some(address) = from {
            place.belongs_to(address, limits, now)?;
        }
        Ok(place)
    }

    fn enter_from(&self, source: IpNet, limits: &Limits, now: Timestamp) -> Result<IpNet, TurnedAway> {
        let Some(mut shard) = self.shard(source) else {
            return Err(TurnedAway::Full);
        };
        let is_now = |counted: &&(i64, u64)| counted.0 == minute(now);
        let malformed = shard
            .malformed
            .get(&source)
            .filter(is_now)
            .map_or(0, |counted| counted.1);
        if malformed >= limits.malformed_per_minute_max {
            return Err(TurnedAway::Malformed);
        }
        let open = shard.open.entry(source).or_default();
        // Where this machine can hold few connections, one address must not hold them all.
        let share = (self.in_all_max / ADDRESSES_MIN).max(1);
        if *open >= limits.connections_per_address_max.min(share) {
            return Err(TurnedAway::AddressFull);
        }
        *open += 1;
        Ok(source)
    }

    /// Somebody there sent something that is no HTTP, so many times.
    pub fn note_malformed(&self, from: ClientAddress, times: u32, now: Timestamp) {
        let source = from.source();
        let Some(mut shard) = self.shard(source) else { return };
        let now = minute(now);
        if shard.malformed.len() >= COUNTED_ADDRESSES_MAX {
            shard.malformed.retain(|_, (counted_in, _)| *counted_in == now);
        }
        let full = shard.malformed.len() >= COUNTED_ADDRESSES_MAX;
        match shard.malformed.entry(source) {
            Entry::Occupied(mut counted) => {
                let (counted_in, count) = counted.get_mut();
                if *counted_in != now {
                    (*counted_in, *count) = (now, 0);
                }
                *count += u64::from(times);
            }
            Entry::Vacant(_) if full => {}
            Entry::Vacant(place) => {
                place.insert((now, u64::from(times)));
            }
        }
    }

    fn shard(&self, source: IpNet) -> Option<MutexGuard<'_, Shard>> {
        let number = usize::try_from(self.hasher.hash_one(source) % SHARDS as u64).ok()?;
        let shard = self.shards.get(number)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Place {
    /// Counts it as this address's, which may be known only later than that there is a connection.
    ///
    /// # Errors
    /// Why that address may have no more.
    pub fn belongs_to(&mut self, address: ClientAddress, limits: &Limits, now: Timestamp) -> Result<(), TurnedAway> {
        self.source = Some(self.crowd.enter_from(address.source(), limits, now)?);
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.in_all.fetch_sub(1, Ordering::Relaxed);
        let Some((source, mut shard)) = self.source.and_then(|source| Some((source, self.crowd.shard(source)?))) else {
            return;
        };
        if let Entry::Occupied(mut open) = shard.open.entry(source) {
            *open.get_mut() -= 1;
            if *open.get() == 0 {
                open.remove();
            }
        }
    }
}

fn minute(now: Timestamp) -> i64 {
    now.as_micros().div_euclid(MICROS_PER_MINUTE)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000 * MICROS_PER_MINUTE);

    fn limits() -> Limits {
        let second = Duration::from_secs(1);
        Limits {
            threads: None,
            hashes_in_flight: None,
            connections_max: 5,
            header_deadline: second,
            header_bytes_max: 1,
            header_count_max: 1,
            keepalive: second,
            connections_per_address_max: 2,
            handshakes_in_flight_max: 1,
            handshake_deadline: second,
            body_deadline: second,
            body_bytes_per_second_min: 1,
            answer_bytes_per_second_min: 1,
            answer_stall_max: Duration::from_secs(1),
            websockets_per_account_max: 1,
            malformed_per_minute_max: 3,
            picture_bytes_max: 0,
            drain_deadline: second,
        }
    }

    fn address(text: &str) -> Option<ClientAddress> {
        Some(ClientAddress::of_peer(text.parse().unwrap()))
    }

    #[test]
    fn an_address_has_so_many_connections_and_everybody_together_so_many() {
        let (crowd, limits) = (Arc::new(Crowd::new(100)), limits());
        let enter = |text| crowd.enter(address(text), &limits, NOW);
        let first = enter("192.0.2.1").unwrap();
        let _second = enter("192.0.2.1").unwrap();
        assert_eq!(enter("192.0.2.1").unwrap_err(), TurnedAway::AddressFull);
        drop(first);
        let _third = enter("192.0.2.1").unwrap();
        // One IPv6 host has a whole /64.
        let _others = [enter("2001:db8::1").unwrap(), enter("2001:db8::2:3").unwrap()];
        assert_eq!(enter("2001:db8::4").unwrap_err(), TurnedAway::AddressFull);
        let _proxy = crowd.enter(None, &limits, NOW).unwrap();
        assert_eq!(enter("192.0.2.9").unwrap_err(), TurnedAway::Full);
        assert_eq!(crowd.in_all.load(Ordering::Relaxed), 5);
    }

    #[test]
    fn who_leaves_is_forgotten() {
        let (crowd, limits) = (Arc::new(Crowd::new(100)), limits());
        for number in 0..200_u8 {
            drop(crowd.enter(address(&format!("192.0.2.{number}")), &limits, NOW));
        }
        assert_eq!(crowd.in_all.load(Ordering::Relaxed), 0);
        assert!(crowd.shards.iter().all(|shard| shard.lock().unwrap().open.is_empty()));
    }

    #[test]
    fn who_sends_too_much_that_is_malformed_is_turned_away_for_the_rest_of_the_minute() {
        let (crowd, limits) = (Arc::new(Crowd::new(100)), limits());
        let bad = address("192.0.2.1").unwrap();
        crowd.note_malformed(bad, 2, NOW);
        assert!(crowd.enter(Some(bad), &limits, NOW).is_ok());
        crowd.note_malformed(bad, 1, NOW);
        assert_eq!(crowd.enter(Some(bad), &limits, NOW).unwrap_err(), TurnedAway::Malformed);
        assert!(crowd.enter(address("192.0.2.2"), &limits, NOW).is_ok());
        let next_minute = Timestamp::from_micros(NOW.as_micros() + MICROS_PER_MINUTE);
        assert!(crowd.enter(Some(bad), &limits, next_minute).is_ok());
    }

    #[test]
    fn addresses_that_are_counted_are_bounded() {
        let crowd = Crowd::new(100);
        for number in 0..200_000_u32 {
            crowd.note_malformed(ClientAddress::of_peer(std::net::Ipv4Addr::from(number).into()), 1, NOW);
        }
        let counted: usize = crowd
            .shards
            .iter()
            .map(|shard| shard.lock().unwrap().malformed.len())
            .sum();
        assert!(counted <= SHARDS * COUNTED_ADDRESSES_MAX);
    }
}
