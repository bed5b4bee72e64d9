//! Sessions in memory: what every request is judged from. No lock, no store.

use std::sync::Arc;

use stagedoor_policy::Visitor;
use stagedoor_policy::time::Timestamp;

use crate::Account;
use crate::session::{Ended, SessionId};

/// A live session and its account, as of now.
#[derive(Debug)]
pub struct LiveSession {}

impl LiveSession {
    /// Its public name.
    pub fn id(&self) -> SessionId {
        todo!()
    }
    /// The account, as of the last change.
    pub fn account(&self) -> Arc<Account> {
        todo!()
    }
    /// The channel it came in by.
    pub fn channel(&self) -> &str {
        todo!()
    }
    /// When it was opened.
    pub fn opened_at(&self) -> Timestamp {
        todo!()
    }
    /// What the policy needs to know of its visitor.
    pub fn visitor(&self) -> Visitor<'_> {
        todo!()
    }
    /// Resolves when the session has ended, whatever the reason; at once where it has ended already.
    pub async fn ended(&self) {
        todo!()
    }
    /// Identity headers and the like, made once a session and policy revision by the gateway; see [`LiveSession::cached`].
    pub fn cached(&self) -> &arc_swap::ArcSwapOption<Box<dyn std::any::Any + Send + Sync>> {
        todo!()
    }
}

/// What a presented token turned out to be.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// Live: not ended, not expired, not idle, account neither disabled nor banned.
    Live(Arc<LiveSession>),
    /// Over, and why; the page that says so needs the account's name for nothing.
    Ended(Ended),
    /// Not known, or forgotten.
    Unknown,
}
