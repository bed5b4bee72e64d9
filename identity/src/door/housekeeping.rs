//! What is done every ten seconds: uses are written, lapsed sessions ended, bans noted, old things forgotten.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use stagedoor_policy::Policy;
use stagedoor_policy::time::Timestamp;

use super::ending::ended;
use super::house::House;
use super::structure::protected;
use crate::account::{AccountName, AccountQuery};
use crate::event::{AuditQuery, Event, Kind, Outcome};
use crate::live::disused_since;
use crate::port::StoreError;
use crate::session::EndReason;
use crate::{Account, LiveSession};

/// Uses written in one step of the store: so few that neither a request nor a sign-in waits long for the core, or the writer.
const TOUCHES_PER_STEP_MAX: usize = 100;
/// Accounts looked at for a ban in one round.
const ACCOUNTS_PER_ROUND_MAX: u32 = 500;
/// Lapsed sessions ended in the store in one round; all of them have ended in memory before.
const SETTLED_PER_ROUND_MAX: usize = 2000;
/// Of these so many together: steps that wait side by side share a commit of the store.
const SETTLED_AT_ONCE: usize = 64;
/// Steps of forgetting in one round; what is left waits for the next.
const FORGETTING_STEPS_MAX: u32 = 20;

/// Where the last round stopped.
#[derive(Debug, Default)]
pub(super) struct Round {
    accounts_after: Option<AccountName>,
}

impl House {
    pub(super) async fn keep_house(&self) -> Result<(), StoreError> {
        // One round at a time; a second waits.
        let mut round = self.round.lock().await;
        let now = self.clock.now();
        let sessions = self.memory.sessions();
        self.flush(&sessions).await?;
        // What only this door knows to be idle may be in use at another.
        self.be_up_to_date().await?;
        self.settle_all(&sessions, now).await?;
        self.note_kept().await?;
        self.note_bans(&mut round, now).await?;
        self.memory.forget(now);
        self.forget_old(now).await
    }

    /// Tells the store when sessions were last used.
    pub(super) async fn flush(&self, sessions: &[Arc<LiveSession>]) -> Result<(), StoreError> {
        let mut dirty: Vec<_> = sessions
            .iter()
            .filter_map(|session| Some((session, session.unflushed()?)))
            .collect();
        // As they lie in the store, so that a step writes few of its pages, and each of them once.
        dirty.sort_unstable_by_key(|(session, _)| session.id());
        for chunk in dirty.chunks(TOUCHES_PER_STEP_MAX) {
            let uses: Vec<_> = chunk
                .iter()
                .map(|(session, used)| (session.id(), session.cell().id(), *used))
                .collect();
            self.store.touch(&uses).await?;
            for (session, used) in chunk {
                session.flushed(*used);
            }
        }
        Ok(())
    }

    /// Ends in the store, the audit and memory what has lapsed by the policy of the moment. To be called in the account's
    /// turn, all sessions being of one account.
    pub(super) async fn settle(
        &self,
        sessions: &[Arc<LiveSession>],
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for session in sessions {
            let Some(reason) = over(session, policy, now) else {
                continue;
            };
            // Ended by somebody else meanwhile.
            if self.memory.owner(session.id()).is_none() {
                continue;
            }
            let was_live = self.store.end_session(session.id(), &reason, now).await?;
            if !was_live && self.memory.follows() {
                // Another door has seen it too, and written it down.
                self.memory.end(session.id(), &ended(&reason, now));
                continue;
            }
            let event = Event::by_itself(Kind::SessionEnded, Outcome::Done, now)
                .account(session.account().name.as_str())
                .session(session.id())
                .reason(reason.code());
            self.store.record(&[event]).await?;
            self.memory.end(session.id(), &ended(&reason, now));
        }
        Ok(())
    }

    /// Ends every lapsed session in memory at once, which wakes its streams, and then in the store as many as a round may.
    async fn settle_all(&self, sessions: &[Arc<LiveSession>], now: Timestamp) -> Result<(), StoreError> {
        let policy = self.policy();
        let lapsed: Vec<_> = sessions
            .iter()
            .filter(|session| {
                over(session, &policy, now)
                    .map(|reason| session.finish(ended(&reason, now)))
                    .is_some()
            })
            .collect();
        let lapsed = lapsed.get(..SETTLED_PER_ROUND_MAX).unwrap_or(&lapsed);
        for chunk in lapsed.chunks(SETTLED_AT_ONCE) {
            let settled = chunk.iter().map(|session| async {
                let _turn = self.turns.take(session.cell().id()).await;
                self.settle(std::slice::from_ref(*session), &policy, now).await
            });
            // To the end of each: what the store has ended has to be written down.
            join_all(settled).await.into_iter().collect::<Result<(), _>>()?;
        }
        Ok(())
    }

    /// Looks at the next accounts in the order of names, and begins anew after the last.
    async fn note_bans(&self, round: &mut Round, now: Timestamp) -> Result<(), StoreError> {
        let query = AccountQuery {
            after: round.accounts_after.take(),
            limit: ACCOUNTS_PER_ROUND_MAX,
            ..AccountQuery::default()
        };
        let accounts = self.store.list_accounts(&query).await?;
        let policy = self.policy();
        for account in &accounts {
            if self.memory.is_banned(account, &policy, now) {
                self.note_ban(account, now).await?;
            } else {
                self.warn_of_disuse(account, &policy, now).await?;
                self.banned
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(&account.id);
            }
        }
        let full = u32::try_from(accounts.len()).is_ok_and(|count| count == ACCOUNTS_PER_ROUND_MAX);
        round.accounts_after = accounts.last().filter(|_| full).map(|account| account.name.clone());
        Ok(())
    }

    /// Notes whom disuse passes over: the last in use of each role that has to keep some. Bans would else take what neither
    /// removing nor disabling may.
    pub(super) async fn note_kept(&self) -> Result<(), StoreError> {
        let policy = self.policy();
        let mut kept = HashSet::new();
        for (role, at_least) in protected(&policy) {
            kept.extend(self.store.last_used_of(role, at_least).await?);
        }
        self.memory.keep(kept);
        Ok(())
    }

    /// Whether disuse bans the account at `now`: asked of the store where it may be the last of its role.
    pub(super) async fn is_banned(
        &self,
        account: &Account,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if !self.memory.is_disused(account, policy, now) {
            return Ok(false);
        }
        let at_least = policy.keep_at_least(&account.role);
        if at_least == 0 {
            return Ok(true);
        }
        let last = self.store.last_used_of(&account.role, at_least).await?;
        if last.contains(&account.id) {
            self.note_kept().await?;
            return Ok(false);
        }
        Ok(true)
    }

    /// Writes once that disuse has banned the account: once, over restarts too, since the audit itself is asked.
    pub(super) async fn note_ban(&self, account: &Account, now: Timestamp) -> Result<(), StoreError> {
        let banned = || self.banned.lock().unwrap_or_else(PoisonError::into_inner);
        if !banned().insert(account.id) {
            return Ok(());
        }
        let noted = self.note_ban_unless_noted(account, now).await;
        if noted.is_err() {
            banned().remove(&account.id);
        }
        noted
    }

    async fn note_ban_unless_noted(&self, account: &Account, now: Timestamp) -> Result<(), StoreError> {
        // A ban before this disuse began was another one.
        let began = disused_since(account).after(Duration::from_micros(1));
        let before = AuditQuery {
            since: Some(began),
            account: Some(account.name.as_str().to_owned()),
            kind: Some(Kind::AccountBanned.name().to_owned()),
            limit: 1,
            ..AuditQuery::default()
        };
        if !self.store.events(&before).await?.is_empty() {
            return Ok(());
        }
        let event = Event::by_itself(Kind::AccountBanned, Outcome::Done, now)
            .account(account.name.as_str())
            .reason("disuse");
        self.store.record(&[event]).await?;
        self.tally.bans.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn forget_old(&self, now: Timestamp) -> Result<(), StoreError> {
        for _ in 0..FORGETTING_STEPS_MAX {
            if self.store.forget_sessions(now).await? == 0 {
                break;
            }
        }
        // Askings are counted for an hour; a link that has run out tells nobody anything.
        let day_ago = earlier(now, Duration::from_secs(86_400));
        for _ in 0..FORGETTING_STEPS_MAX {
            if self.store.forget_links(day_ago).await? == 0 {
                break;
            }
        }
        let rules = self.policy().lockout();
        let before = earlier(now, rules.within.max(rules.lasts));
        for _ in 0..FORGETTING_STEPS_MAX {
            if self.store.forget_attempts(before, now).await? == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// Why a session is over, noted by a look-up already or seen now.
fn over(session: &LiveSession, policy: &Policy, now: Timestamp) -> Option<EndReason> {
    let noted = session.end().map(|ended| ended.reason.clone());
    noted.or_else(|| session.lapsed(policy, now))
}

pub(super) fn earlier(now: Timestamp, span: Duration) -> Timestamp {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.as_micros().saturating_sub(micros))
}
