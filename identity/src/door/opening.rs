//! Opening a session: the last look, the store, the memory, the audit, in one turn of the account.

use std::sync::atomic::Ordering;

use stagedoor_policy::rules::SessionRules;
use stagedoor_policy::time::Timestamp;

use super::admission::{Proof, Standing};
use super::attempts::Knock;
use super::house::House;
use crate::event::{Event, Kind, Outcome};
use crate::port::{Opened, StoreError};
use crate::session::{EndReason, Ended, SessionId, SessionRecord};
use crate::sign_in::{OpenSession, SignInRefusal};
use crate::{Account, SessionToken, chance};

const USER_AGENT_CHARS_MAX: usize = 256;

impl House {
    /// Opens a session for somebody who has proved everything. The token is made here and nowhere earlier.
    pub(super) async fn open_session(&self, proof: &Proof, knock: &Knock) -> Result<OpenSession, SignInRefusal> {
        self.be_up_to_date().await?;
        let _turn = self.turns.take(proof.account).await;
        let now = self.clock.now();
        let standing = self.admit(proof, knock, now).await?;
        let rules = standing.policy.session_rules(&proof.channel);
        self.bring_store_up_to_date(proof, &standing, now).await?;

        let token = SessionToken::generate(self.chance.as_ref());
        let record = self.fresh_record(proof, &token, rules, now);
        let displaced = self.ask_store(&record, &standing, rules, (proof, knock)).await?;
        let displaced = self.displace(&record, displaced, rules, now).await?;
        if let Err(fault) = self.write_down(&record, &displaced, (proof, knock), now).await {
            // The token was never shown; the session must not take a place all the same.
            let _ = self.store.end_session(record.id, &EndReason::SignedOut, now).await;
            return Err(fault.into());
        }
        let session = self.memory.open(record, signed_in(&standing.facts.account, now));
        Ok(OpenSession {
            token,
            session,
            displaced: displaced.len(),
        })
    }

    /// The store counts live sessions by what it knows: tell it the uses and the ends that only memory knows of.
    async fn bring_store_up_to_date(
        &self,
        proof: &Proof,
        standing: &Standing,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sessions = self.memory.sessions_of(proof.account);
        self.flush(&sessions).await?;
        self.settle(&sessions, &standing.policy, now).await
    }

    fn fresh_record(&self, proof: &Proof, token: &SessionToken, rules: SessionRules, now: Timestamp) -> SessionRecord {
        SessionRecord {
            id: SessionId(chance::uuid_v7(self.chance.as_ref(), now)),
            token: token.hash(),
            account: proof.account,
            channel: proof.channel.clone(),
            address: proof.from.address.ip(),
            user_agent: proof.from.user_agent.chars().take(USER_AGENT_CHARS_MAX).collect(),
            second_factor: proof.second_factor,
            device: proof.device,
            opened_at: now,
            expires_at: now.after(rules.lifetime),
            idle_after: rules.idle,
            last_used_at: now,
            ended: None,
        }
    }

    async fn ask_store(
        &self,
        record: &SessionRecord,
        standing: &Standing,
        rules: SessionRules,
        (proof, knock): (&Proof, &Knock),
    ) -> Result<Vec<SessionId>, SignInRefusal> {
        let version = standing.credentials.credentials_version;
        let role = &standing.facts.account.role;
        let opened = self
            .store
            .open_session(record, version, role, rules.per_account, rules.when_full)
            .await?;
        let kind = (Kind::SignInRefused, Outcome::Refused);
        match opened {
            Opened::Open { displaced } => Ok(displaced),
            Opened::Full { opened_at, address } => {
                // Everything was right: trying again must not lock the account whose session has precedence.
                self.take_back(proof, knock).await?;
                let refusal = SignInRefusal::SessionLimit { opened_at, address };
                Err(self
                    .refuse(&knock.clone().forgiven(), kind, "session_limit", refusal)
                    .await)
            }
            Opened::Stale => Err(self
                .refuse(knock, kind, "account_changed", SignInRefusal::TicketExpired)
                .await),
        }
    }

    /// Ends in memory what the store has displaced. A session that was used between the count and now may have looked idle
    /// to the store: it is displaced here, so that memory never holds more than the rule allows.
    async fn displace(
        &self,
        by: &SessionRecord,
        told: Vec<SessionId>,
        rules: SessionRules,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let ended = Ended {
            at_micros: now.as_micros(),
            reason: EndReason::Displaced { by: by.address },
        };
        // In company the store alone counts: it ends what only looks idle, and memory may know of a later sign-in than this.
        if self.memory.follows() {
            return Ok(told);
        }
        let mut displaced: Vec<_> = told
            .into_iter()
            .filter(|id| self.memory.end(*id, &ended).is_some())
            .collect();
        let others = self.memory.sessions_of(by.account);
        let mut others: Vec<_> = others
            .into_iter()
            .filter(|other| other.channel() == by.channel)
            .collect();
        let allowed = usize::try_from(rules.per_account).unwrap_or(usize::MAX);
        while rules.per_account > 0 && others.len() >= allowed && !others.is_empty() {
            let oldest = others.remove(0);
            self.store.end_session(oldest.id(), &ended.reason, now).await?;
            displaced.extend(self.memory.end(oldest.id(), &ended).map(|session| session.id()));
        }
        Ok(displaced)
    }

    /// Takes back every attempt of a sign-in that was right from its first step to its last.
    async fn take_back(&self, proof: &Proof, knock: &Knock) -> Result<(), StoreError> {
        for _ in 0..proof.attempts.saturating_add(knock.reserved) {
            self.forgive(knock).await?;
        }
        Ok(())
    }

    async fn write_down(
        &self,
        record: &SessionRecord,
        displaced: &[SessionId],
        (proof, knock): (&Proof, &Knock),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.take_back(proof, knock).await?;
        let displaced_event = |session: &SessionId| -> Event {
            self.own_event(Kind::SessionDisplaced, knock, Some(*session), now)
                .detail("by_session", record.id.0.to_string())
        };
        let mut events: Vec<Event> = displaced.iter().map(displaced_event).collect();
        let succeeded = self
            .event(Kind::SignInSucceeded, Outcome::Allowed, knock, now)
            .actor(&knock.label)
            .session(record.id)
            .detail("channel", &record.channel)
            .detail("second_factor", if record.second_factor { "yes" } else { "no" })
            .detail("user_agent", &record.user_agent);
        events.push(succeeded);
        self.store.record(&events).await?;
        let count = u64::try_from(displaced.len()).unwrap_or(u64::MAX);
        self.tally.displacements.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }
}

/// The account as the store now has it.
fn signed_in(account: &Account, now: Timestamp) -> Account {
    Account {
        last_sign_in_at: account.last_sign_in_at.max(Some(now)),
        last_used_at: account.last_used_at.max(Some(now)),
        ..account.clone()
    }
}
