//! Ending sessions: by their owner, by an administrator, by a change of the account.

use stagedoor_policy::time::Timestamp;

use super::administration::about;
use super::house::House;
use super::{Actor, ChangeFault};
use crate::AccountId;
use crate::event::{Event, Kind, Outcome};
use crate::port::StoreError;
use crate::secret::TokenHash;
use crate::session::{EndReason, Ended, SessionId};

impl House {
    pub(super) async fn sign_out(&self, token: &TokenHash, address: std::net::IpAddr) -> Result<(), StoreError> {
        self.be_up_to_date().await?;
        let Some(session) = self.memory.session_of(token) else {
            return Ok(());
        };
        let account = session.account();
        let _turn = self.turns.take(account.id).await;
        let now = self.clock.now();
        let reason = EndReason::SignedOut;
        let was_live = self.store.end_session(session.id(), &reason, now).await?;
        self.memory.end(session.id(), &ended(&reason, now));
        if !was_live {
            return Ok(());
        }
        let event = Event::new(Kind::SessionSignedOut, Outcome::Done, now)
            .actor(account.name.as_str())
            .account(account.name.as_str())
            .address(address)
            .session(session.id());
        self.store.record(&[event]).await
    }

    pub(super) async fn end_session(&self, id: SessionId, reason: &EndReason, by: &Actor) -> Result<bool, ChangeFault> {
        self.be_up_to_date().await?;
        let Some(owner) = self.memory.owner(id) else {
            return Ok(false);
        };
        let _turn = self.turns.take(owner).await;
        let account = match self.seen(owner, &self.authority(by).await?).await {
            Ok(account) => account,
            // As where there is no such session.
            Err(ChangeFault::Store(StoreError::NotFound)) => return Ok(false),
            Err(fault) => return Err(fault),
        };
        let now = self.clock.now();
        let was_live = self.store.end_session(id, reason, now).await?;
        self.memory.end(id, &ended(reason, now));
        if was_live {
            let event = about(Kind::SessionEnded, &account, by, now);
            self.store.record(&[event.session(id).reason(reason.code())]).await?;
        }
        Ok(was_live)
    }

    pub(super) async fn end_sessions_of(&self, account: AccountId, by: &Actor) -> Result<usize, ChangeFault> {
        let _turn = self.turns.take(account).await;
        let owner = self.seen(account, &self.authority(by).await?).await?;
        let now = self.clock.now();
        let reason = EndReason::EndedByAdministrator;
        let ids = self.store.end_sessions_of(account, None, &reason, now).await?;
        self.end_in_memory(account, None, &reason, now);
        let event = |id: &SessionId| {
            about(Kind::SessionEnded, &owner, by, now)
                .session(*id)
                .reason(reason.code())
        };
        let events: Vec<Event> = ids.iter().map(event).collect();
        if !events.is_empty() {
            self.store.record(&events).await?;
        }
        Ok(ids.len())
    }

    /// What the store has just done to an account's sessions, done in memory. To be called in the account's turn. In company it
    /// was taken in already, and somebody may have signed in behind it at another door, who is to stay.
    pub(super) fn end_in_memory(
        &self,
        account: AccountId,
        keep: Option<SessionId>,
        reason: &EndReason,
        now: Timestamp,
    ) {
        if !self.memory.follows() {
            self.end_all(account, keep, reason, now);
        }
    }

    /// Ends in memory whatever is there of an account.
    pub(super) fn end_all(&self, account: AccountId, keep: Option<SessionId>, reason: &EndReason, now: Timestamp) {
        for session in self.memory.sessions_of(account) {
            if Some(session.id()) != keep {
                self.memory.end(session.id(), &ended(reason, now));
            }
        }
    }
}

pub(super) fn ended(reason: &EndReason, now: Timestamp) -> Ended {
    Ended {
        at_micros: now.as_micros(),
        reason: reason.clone(),
    }
}
