use async_trait::async_trait;
use stagedoor_policy::rules::WhenFull;
use stagedoor_policy::time::Timestamp;

use super::{MemoryStore, State};
use crate::AccountId;
use crate::port::{Opened, Place, Sessions, StoreError};
use crate::session::{EndReason, Ended, SessionId, SessionRecord};

#[async_trait]
impl Sessions for MemoryStore {
    async fn open_session(
        &self,
        session: &SessionRecord,
        credentials_version: u64,
        role: &str,
        per_account: u32,
        when_full: WhenFull,
    ) -> Result<Opened, StoreError> {
        super::wait_as_for_a_disk().await;
        let mut state = self.state("open_session")?;
        let now = session.opened_at;
        let unchanged = state.accounts.get(&session.account).is_some_and(|holder| {
            let account = &holder.account;
            Place::of(account).in_use
                && account.role == role
                && holder.credentials.credentials_version == credentials_version
        });
        let device = |id| state.devices.get(&id).and_then(|(device, _)| device.account);
        if !unchanged || session.device.is_some_and(|id| device(id) != Some(session.account)) {
            return Ok(Opened::Stale);
        }
        let mut live = state.live_beside(session);
        let mut displaced = Vec::new();
        let allowed = usize::try_from(per_account).unwrap_or(usize::MAX);
        while per_account > 0 && live.len() >= allowed {
            let oldest = live.remove(0);
            match when_full {
                WhenFull::Refuse => {
                    let (opened_at, address) = (oldest.opened_at, oldest.address);
                    return Ok(Opened::Full { opened_at, address });
                }
                WhenFull::Displace => displaced.push(oldest.id),
            }
        }
        let reason = EndReason::Displaced { by: session.address };
        for id in &displaced {
            state.sessions.get_mut(id).map(|other| end(other, &reason, now));
        }
        let account = &mut state.holder(session.account)?.account;
        account.last_sign_in_at = account.last_sign_in_at.max(Some(now));
        account.last_used_at = account.last_used_at.max(Some(now));
        if let Some((device, _)) = session.device.and_then(|id| state.devices.get_mut(&id)) {
            device.last_seen_at = device.last_seen_at.max(Some(now));
        }
        state.sessions.insert(session.id, session.clone());
        Ok(Opened::Open { displaced })
    }

    async fn end_session(&self, id: SessionId, reason: &EndReason, now: Timestamp) -> Result<bool, StoreError> {
        let mut state = self.state("end_session")?;
        Ok(state
            .sessions
            .get_mut(&id)
            .is_some_and(|session| end(session, reason, now)))
    }

    async fn end_sessions_of(
        &self,
        account: AccountId,
        keep: Option<SessionId>,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        Ok(self.state("end_sessions_of")?.end_all(account, keep, reason, now))
    }

    async fn sessions(&self, now: Timestamp) -> Result<Vec<SessionRecord>, StoreError> {
        let state = self.state("sessions")?;
        let kept = state.sessions.values().filter(|session| now < session.expires_at);
        Ok(kept.cloned().collect())
    }

    async fn sessions_by_id(&self, ids: &[SessionId]) -> Result<Vec<SessionRecord>, StoreError> {
        let state = self.state("sessions_by_id")?;
        Ok(ids.iter().filter_map(|id| state.sessions.get(id).cloned()).collect())
    }

    async fn touch(&self, used: &[(SessionId, AccountId, Timestamp)]) -> Result<(), StoreError> {
        let mut state = self.state("touch")?;
        for (id, account, at) in used {
            if let Some(session) = state.sessions.get_mut(id) {
                session.last_used_at = session.last_used_at.max(*at);
            }
            if let Some(holder) = state.accounts.get_mut(account) {
                holder.account.last_used_at = holder.account.last_used_at.max(Some(*at));
            }
        }
        Ok(())
    }

    async fn forget_sessions(&self, before: Timestamp) -> Result<u32, StoreError> {
        let mut state = self.state("forget_sessions")?;
        let count = state.sessions.len();
        state.sessions.retain(|_, session| session.expires_at >= before);
        Ok(u32::try_from(count - state.sessions.len()).unwrap_or(u32::MAX))
    }
}

impl State {
    /// Live sessions of the same account and channel when `session` opens, oldest first.
    fn live_beside(&self, session: &SessionRecord) -> Vec<SessionRecord> {
        let now = session.opened_at;
        let mut live: Vec<_> = self
            .sessions
            .values()
            .filter(|other| other.account == session.account && other.channel == session.channel)
            .filter(|other| other.ended.is_none() && now < other.expires_at)
            .filter(|other| now < other.last_used_at.after(other.idle_after))
            .cloned()
            .collect();
        live.sort_by_key(|other| (other.opened_at, other.id));
        live
    }
}

/// `false` where it had ended before; the first reason stays.
pub(super) fn end(session: &mut SessionRecord, reason: &EndReason, now: Timestamp) -> bool {
    if session.ended.is_some() {
        return false;
    }
    session.ended = Some(Ended {
        at_micros: now.as_micros(),
        reason: reason.clone(),
    });
    true
}
