//! Who may come in now: asked anew at every step, of the store and of the policy of the moment.

use std::sync::Arc;

use stagedoor_policy::Policy;
use stagedoor_policy::time::Timestamp;

use super::attempts::Knock;
use super::house::House;
use crate::event::{Kind, Outcome};
use crate::live::AccountFacts;
use crate::port::{DeviceId, StoreError, StoredCredentials};
use crate::sign_in::ticket::{Claims, Right, Step};
use crate::sign_in::{NextStep, Origin, Progress, RefusedBecause, SignInRefusal, Ticket};
use crate::{AccountId, chance};

/// What a visitor has proved so far.
#[derive(Debug, Clone)]
pub(super) struct Proof {
    pub(super) account: AccountId,
    pub(super) channel: String,
    pub(super) from: Origin,
    /// Of the credentials that were proved.
    pub(super) credentials_version: u64,
    pub(super) second_factor: bool,
    /// Attempts reserved by earlier steps, all of them right: each is taken back at the end.
    pub(super) attempts: u32,
    pub(super) own_lock: Option<Timestamp>,
    /// To enrol a second factor.
    pub(super) right: Option<Right>,
    /// The device it comes from.
    pub(super) device: Option<DeviceId>,
}

/// Where a visitor who may come in stands, as read just now.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) facts: AccountFacts,
    pub(super) credentials: StoredCredentials,
    pub(super) policy: Arc<Policy>,
}

/// Why somebody may not come in: what they are told, and what the audit is told.
#[derive(Debug)]
pub(super) struct Barred {
    refusal: SignInRefusal,
    reason: &'static str,
}

impl From<StoreError> for Barred {
    fn from(fault: StoreError) -> Self {
        Self {
            refusal: fault.into(),
            reason: "unavailable",
        }
    }
}

impl Proof {
    pub(super) fn of(claims: &Claims, from: Origin) -> Self {
        Self {
            account: claims.account,
            channel: claims.channel.clone(),
            from,
            credentials_version: claims.credentials_version,
            second_factor: claims.second_factor,
            attempts: claims.attempts,
            own_lock: claims.own_lock_micros.map(Timestamp::from_micros),
            right: claims.right,
            device: claims.device,
        }
    }
}

impl House {
    /// Checks everything that may have changed since the proof was given, and writes down why not.
    pub(super) async fn admit(&self, proof: &Proof, knock: &Knock, now: Timestamp) -> Result<Standing, SignInRefusal> {
        match self.standing(proof, now).await {
            Ok(standing) => Ok(standing),
            Err(Barred { refusal, .. }) if refusal == SignInRefusal::Unavailable => Err(refusal),
            Err(Barred { refusal, reason }) => Err(self
                .refuse(knock, (Kind::SignInRefused, Outcome::Refused), reason, refusal)
                .await),
        }
    }

    async fn standing(&self, proof: &Proof, now: Timestamp) -> Result<Standing, Barred> {
        let barred = |refusal, reason| Err(Barred { refusal, reason });
        let account = self.store.account(proof.account).await?;
        let credentials = self.store.credentials(proof.account).await?;
        let (Some(account), Some(credentials)) = (account, credentials) else {
            return barred(SignInRefusal::InvalidCredentials, "account_removed");
        };
        if account.accepted_at.is_none() {
            return barred(SignInRefusal::InvalidCredentials, "account_invited");
        }
        if account.disabled {
            return barred(SignInRefusal::InvalidCredentials, "account_disabled");
        }
        if credentials.credentials_version != proof.credentials_version {
            return barred(SignInRefusal::TicketExpired, "credentials_changed");
        }
        let policy = self.policy();
        if self.is_banned(&account, &policy, now).await? {
            self.note_ban(&account, now).await?;
            return barred_because(RefusedBecause::Inactive);
        }
        if !policy.may_use_channel(&account.role, &proof.channel) {
            return barred_because(RefusedBecause::Channel);
        }
        let linked = match proof.device {
            Some(id) => self
                .store
                .device(id)
                .await?
                .is_some_and(|device| device.account == Some(account.id)),
            None => !policy.linked_device(&proof.channel),
        };
        if !linked {
            return barred_because(RefusedBecause::Device);
        }
        let facts = AccountFacts::new(account);
        let visitor = facts.visitor(&proof.channel, proof.second_factor);
        if policy.admits_address(&visitor, proof.from.address).is_err() {
            return barred_because(RefusedBecause::Address);
        }
        Ok(Standing {
            facts,
            credentials,
            policy,
        })
    }

    /// A ticket for a step, with what was proved so far.
    pub(super) fn ticket(
        &self,
        proof: &Proof,
        step: Step,
        enrolling: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Ticket, SignInRefusal> {
        let claims = Claims {
            number: chance::uuid_v7(self.chance.as_ref(), now),
            step,
            account: proof.account,
            channel: proof.channel.clone(),
            address: proof.from.address.ip(),
            credentials_version: proof.credentials_version,
            second_factor: proof.second_factor,
            issued_at_micros: now.as_micros(),
            attempts: proof.attempts,
            own_lock_micros: proof.own_lock.map(Timestamp::as_micros),
            enrolling,
            right: proof.right,
            device: proof.device,
        };
        claims
            .seal(&self.ticket_key, self.chance.as_ref())
            .ok_or(SignInRefusal::Unavailable)
    }

    /// What a ticket says, if it is good for this step.
    pub(super) fn claims(
        &self,
        ticket: &Ticket,
        step: Step,
        from: &Origin,
        now: Timestamp,
    ) -> Result<Claims, SignInRefusal> {
        Claims::open(ticket, &self.ticket_key, step, from.address.ip(), now).ok_or(SignInRefusal::TicketExpired)
    }

    /// One more step is needed. The lock that this attempt set holds until the sign-in goes well, and is written down.
    pub(super) async fn needs(
        &self,
        next: NextStep,
        proof: &Proof,
        knock: &Knock,
        now: Timestamp,
    ) -> Result<Progress, SignInRefusal> {
        let step = match next {
            NextStep::SecondFactor => Step::SecondFactor,
            NextStep::EnrolSecondFactor => Step::BeginEnrolment,
            NextStep::ChangePassword => Step::ChangePassword,
        };
        if let Some(event) = self.lock_event(knock, now) {
            self.store.record(&[event]).await?;
        }
        let own_lock = knock.locks_until.or(proof.own_lock);
        let proof = Proof {
            own_lock,
            attempts: proof.attempts.saturating_add(knock.reserved),
            ..proof.clone()
        };
        Ok(Progress::Needs(next, self.ticket(&proof, step, None, now)?))
    }
}

fn barred_because<T>(reason: RefusedBecause) -> Result<T, Barred> {
    Err(Barred {
        refusal: SignInRefusal::Refused { reason },
        reason: reason.code(),
    })
}
