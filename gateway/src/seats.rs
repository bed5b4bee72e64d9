//! How many WebSockets each account has open, so that one cannot take all connections: a seat is given, and comes back by
//! itself however the tunnel ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ipnet::IpNet;
use stagedoor_identity::AccountId;

use crate::stage::decide::Admitted;

/// Whose seats are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sitter {
    /// An account, from wherever it comes.
    Account(AccountId),
    /// Where nobody is signed in: an IPv4 address, or an IPv6 /64.
    Source(IpNet),
}

impl Sitter {
    /// Of a request that was let through.
    pub fn of(admitted: &Admitted) -> Self {
        match &admitted.session {
            Some(session) => Self::Account(session.account().id),
            None => Self::Source(admitted.address.source()),
        }
    }
}

/// The seats that are taken. Locked when a WebSocket opens and when it ends, never for another request; as large as there are
/// WebSockets.
#[derive(Debug, Default)]
pub struct Seats {
    taken: Mutex<HashMap<Sitter, usize>>,
}

impl Seats {
    /// A seat, unless `seats_max` of this sitter's are taken.
    pub fn sit(self: &Arc<Self>, sitter: Sitter, seats_max: usize) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let seats = taken.entry(sitter).or_default();
        if *seats >= seats_max {
            return None;
        }
        *seats += 1;
        Some(Seat {
            seats: Arc::clone(self),
            sitter,
        })
    }
}

/// A seat; dropped, it is free again.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    sitter: Sitter,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seats) = taken.get_mut(&self.sitter) {
            *seats = seats.saturating_sub(1);
            if *seats == 0 {
                taken.remove(&self.sitter);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Sitter {
        Sitter::Source(text.parse().unwrap())
    }

    #[test]
    fn a_seat_comes_back_however_it_was_left_and_others_seats_do_not_count() {
        let seats = Arc::new(Seats::default());
        let (one, other) = (source("192.0.2.1/32"), source("192.0.2.2/32"));
        let first = seats.sit(one, 2).expect("a seat");
        let panicked = std::thread::spawn({
            let seat = seats.sit(one, 2).expect("a second seat");
            move || {
                let _seat = seat;
                panic!("the tunnel panicked");
            }
        });
        assert!(panicked.join().is_err());
        let second = seats.sit(one, 2).expect("the seat of the tunnel that panicked");
        assert!(seats.sit(one, 2).is_none() && seats.sit(other, 2).is_some());
        drop(first);
        assert!(seats.sit(one, 2).is_some());
        drop(second);
        assert!(
            seats.taken.lock().unwrap().is_empty(),
            "nothing is kept of who has left"
        );
    }
}
