//! A doorkeeper whose memory is filled from a store, as after a restart, and look-ups spread over all of it.

use std::cell::Cell;
use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;

use stagedoor_identity::testing::{Crowd, ManualClock};
use stagedoor_identity::{Clock as _, Doorkeeper, SessionToken};

/// Live sessions, each of an account of its own.
pub(crate) struct Sessions {
    door: Arc<Doorkeeper>,
    tokens: Vec<SessionToken>,
    clock: Arc<ManualClock>,
    next: Cell<usize>,
}

impl Sessions {
    /// Opens `size` sessions.
    pub(crate) async fn open(size: usize) -> Result<Self, Box<dyn Error>> {
        let Crowd { parts, tokens, clock } = Crowd::gather(size, 1)?;
        Ok(Self {
            door: Doorkeeper::open(parts).await?,
            tokens,
            clock,
            next: Cell::new(0),
        })
    }

    /// One look-up, of another session each time.
    pub(crate) fn once(&self) {
        let at = self.next.get();
        self.next.set(at.wrapping_add(7919));
        if let Some(token) = self.tokens.get(at % self.tokens.len()) {
            black_box(self.door.look_up(token, self.clock.now()));
        }
    }
}
