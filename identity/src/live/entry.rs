//! What stands in the maps of sessions: each finds its session by something that the session itself holds, so that nothing is
//! held twice.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::LiveSession;
use crate::secret::TokenHash;
use crate::session::{Ended, SessionId};

/// By token: a session, or how it ended.
#[derive(Debug)]
pub(super) enum Entry {
    Live(Arc<LiveSession>),
    Over(Box<Tombstone>),
}

#[derive(Debug)]
pub(super) struct Tombstone {
    pub(super) token: TokenHash,
    pub(super) ended: Ended,
}

impl Entry {
    fn token(&self) -> &TokenHash {
        match self {
            Self::Live(session) => session.token(),
            Self::Over(tombstone) => &tombstone.token,
        }
    }
}

impl Borrow<TokenHash> for Entry {
    fn borrow(&self) -> &TokenHash {
        self.token()
    }
}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.token().hash(state);
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.token() == other.token()
    }
}

impl Eq for Entry {}

/// By its public name.
#[derive(Debug)]
pub(super) struct Named(pub(super) Arc<LiveSession>);

impl Borrow<SessionId> for Named {
    fn borrow(&self) -> &SessionId {
        &self.0.id
    }
}

impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Named {}
