//! TLS handshakes under way. A visitor that stalls must not keep others waiting, so nobody waits: where there are too many, the
//! oldest is ended, and those of honest visitors are never the oldest for long.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Those under way, the oldest first.
#[derive(Debug, Default)]
pub struct Handshakes {
    under_way: Mutex<VecDeque<Arc<Notify>>>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct Handshake {
    all: Arc<Handshakes>,
    own: Arc<Notify>,
}

impl Handshakes {
    /// One more, of at most so many.
    pub fn begin(self: &Arc<Self>, in_flight_max: usize) -> Handshake {
        let own = Arc::new(Notify::new());
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.push_back(Arc::clone(&own));
        while under_way.len() > in_flight_max.max(1) {
            if let Some(oldest) = under_way.pop_front() {
                oldest.notify_one();
            }
        }
        Handshake {
            all: Arc::clone(self),
            own,
        }
    }
}

impl Handshake {
    /// Resolves when it had to make room for another.
    pub fn displaced(&self) -> impl Future<Output = ()> + '_ {
        self.own.notified()
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let mut under_way = self.all.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = under_way.iter().position(|other| Arc::ptr_eq(other, &self.own)) {
            under_way.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn the_oldest_makes_room_and_who_is_done_counts_no_more() {
        let all = Arc::new(Handshakes::default());
        let (first, second) = (all.begin(2), all.begin(2));
        assert!(first.displaced().now_or_never().is_none());
        let third = all.begin(2);
        assert!(first.displaced().now_or_never().is_some());
        assert!(second.displaced().now_or_never().is_none());
        drop(third);
        let _fourth = all.begin(2);
        assert!(second.displaced().now_or_never().is_none());
        drop((first, second));
        assert_eq!(all.under_way.lock().unwrap().len(), 1);
    }
}
