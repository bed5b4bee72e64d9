//! What a door that another process has succeeded still needs to know, for as long as something is open here: it makes no
//! steps any more, and asks the store before it judges.

use std::sync::Arc;

use stagedoor_policy::time::Timestamp;

use super::Doorkeeper;
use super::following::Following;
use crate::port::{Changes, Follower as _, StoreError};
use crate::session::SessionId;
use crate::{LiveSession, Lookup, SessionToken};

/// When a session was last used.
pub type Use = (SessionId, Timestamp);

impl Doorkeeper {
    /// Whether the token is that of a session in memory, live or over.
    pub fn knows(&self, token: &SessionToken) -> bool {
        let (house, hash) = (&self.house, token.hash());
        // Not looked up where it is live: it may seem idle here that was used elsewhere.
        house.memory.session_of(&hash).is_some()
            || !matches!(
                house.memory.look_up(&hash, &house.policy(), house.clock.now()),
                Lookup::Unknown
            )
    }

    /// Has memory know of that token what the store knows.
    /// # Errors
    /// Where the store cannot be read: then nothing may be judged.
    pub async fn catch_up_with(&self, token: &SessionToken) -> Result<(), StoreError> {
        let house = &self.house;
        if let Some(session) = house.memory.session_of(&token.hash()) {
            return self.catch_up(&[session]).await;
        }
        if self.knows(token) {
            // Once over, over for good.
            return Ok(());
        }
        // Opened since; or nobody's.
        self.catch_up_with_all().await
    }

    /// Has memory know of these sessions and their accounts what the store knows.
    /// # Errors
    /// Where the store cannot be read: then nothing may be judged.
    pub async fn catch_up(&self, sessions: &[Arc<LiveSession>]) -> Result<(), StoreError> {
        let mut changes = Changes::default();
        for session in sessions {
            changes.sessions.push(session.id());
            changes.accounts.push(session.cell().id());
        }
        changes.accounts.sort_unstable();
        changes.accounts.dedup();
        Following(Arc::clone(&self.house)).take_in(&changes).await
    }

    /// Has memory know everything that the store knows: before this door makes steps again.
    /// # Errors
    /// Where the store cannot be read.
    pub async fn catch_up_with_all(&self) -> Result<(), StoreError> {
        Following(Arc::clone(&self.house)).take_in_everything().await
    }

    /// Uses that nobody else knows of, and when those sessions were last used that are `under_way`.
    pub fn uses_to_tell(&self, under_way: &[Arc<LiveSession>]) -> Vec<Use> {
        let untold = self.house.memory.sessions().into_iter();
        let untold = untold.filter(|session| session.unflushed().is_some());
        let told = |session: Arc<LiveSession>| (session.id(), session.last_used());
        under_way.iter().cloned().chain(untold).map(told).collect()
    }

    /// Takes note of uses at the former process, and answers the latest of each of those sessions that is known here.
    pub fn hear_of_uses(&self, uses: &[Use]) -> Vec<Use> {
        let latest = |(id, used): &Use| {
            let session = self.session_by_id(*id)?;
            session.used(*used);
            Some((*id, session.last_used()))
        };
        uses.iter().filter_map(latest).collect()
    }

    /// Takes note of uses that the process which has taken over told of, and will tell the store of.
    pub fn learn_of_uses(&self, uses: &[Use]) {
        for (id, used) in uses {
            if let Some(session) = self.session_by_id(*id) {
                session.used_elsewhere(*used);
            }
        }
    }

    fn session_by_id(&self, id: SessionId) -> Option<Arc<LiveSession>> {
        let owner = self.house.memory.owner(id)?;
        let sessions = self.house.memory.sessions_of(owner);
        sessions.into_iter().find(|session| session.id() == id)
    }
}
