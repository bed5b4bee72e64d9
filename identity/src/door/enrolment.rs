//! Enrolling a second factor: a fresh secret, proved by its first code.

use super::admission::Proof;
use super::house::House;
use crate::credential::{recovery, totp};
use crate::event::Kind;
use crate::session::EndReason;
use crate::sign_in::ticket::{Claims, Right, Step};
use crate::sign_in::{Enrolment, Origin, Progress, SignInRefusal, Ticket};
use crate::{Account, Secret};

impl House {
    pub(super) async fn begin_enrolment(&self, ticket: &Ticket, from: Origin) -> Result<Enrolment, SignInRefusal> {
        let now = self.clock.now();
        let claims = self.claims(ticket, Step::BeginEnrolment, &from, now)?;
        let account = self.account_of(claims.account).await?;
        let knock = self.knock_of(&account, from.address);
        self.refuse_if_locked(&knock, &account, &claims, now).await?;
        let proof = Proof::of(&claims, from);
        self.admit(&proof, &knock, now).await?;
        self.enrolment(&proof, &account)
    }

    /// A fresh secret, shown once, and a ticket that carries it.
    pub(super) fn enrolment(&self, proof: &Proof, account: &Account) -> Result<Enrolment, SignInRefusal> {
        let now = self.clock.now();
        let secret = totp::fresh(self.chance.as_ref());
        let uri = totp::uri(&secret, &self.issuer, &account.name).ok_or(SignInRefusal::Unavailable)?;
        Ok(Enrolment {
            uri,
            typed: totp::typed(&secret),
            ticket: self.ticket(proof, Step::ConfirmEnrolment, Some(secret.expose().to_vec()), now)?,
        })
    }

    pub(super) async fn confirm_enrolment(
        &self,
        ticket: &Ticket,
        code: &str,
        from: Origin,
    ) -> Result<(Vec<Secret>, Progress), SignInRefusal> {
        let now = self.clock.now();
        let claims = self.claims(ticket, Step::ConfirmEnrolment, &from, now)?;
        let secret = claims.enrolling().ok_or(SignInRefusal::TicketExpired)?;
        let account = self.account_of(claims.account).await?;
        let knock = self.knock_of(&account, from.address);
        let digits: String = code.chars().filter(|c| *c != ' ').take(7).collect();
        // Nothing is guessed here: who holds the ticket was shown the secret.
        let Some(step) = totp::matching_step(&secret, &digits, now) else {
            return Err(self.wrong_code(&knock).await);
        };
        let mut proof = Proof::of(&claims, from);
        let codes = self.enrol(&mut proof, &claims, &secret, step).await?;
        let standing = self.admit(&proof, &knock, now).await?;
        let progress = self.conclude(proof, &standing, knock, now).await?;
        Ok((codes, progress))
    }

    /// Stores the secret in the account's turn, if nothing has changed since the ticket; answers the recovery codes.
    async fn enrol(
        &self,
        proof: &mut Proof,
        claims: &Claims,
        secret: &Secret,
        step: u64,
    ) -> Result<Vec<Secret>, SignInRefusal> {
        let _turn = self.turns.take(proof.account).await;
        let now = self.clock.now();
        let account = self.account_of(proof.account).await?;
        let knock = self.knock_of(&account, proof.from.address);
        self.refuse_if_locked(&knock, &account, claims, now).await?;
        self.admit(proof, &knock, now).await?;
        let sealed = self
            .totp_key
            .seal(secret.expose(), proof.account.0.as_bytes(), self.chance.as_ref())
            .ok_or(SignInRefusal::Unavailable)?;
        let (shown, hashes) = recovery::fresh(self.chance.as_ref());
        let link = match &proof.right {
            Some(Right::Link(hash)) => Some((hash, now)),
            Some(Right::Invitation) | None => None,
        };
        self.store
            .set_second_factor(proof.account, &sealed, step, &hashes, link)
            .await?;
        proof.right = None;
        let reason = EndReason::CredentialsChanged;
        let ended = self.store.end_sessions_of(proof.account, None, &reason, now).await?;
        self.end_in_memory(proof.account, None, &reason, now);
        let event = self.own_event(Kind::SecondFactorEnrolled, &knock, None, now);
        self.store
            .record(&[event.detail("sessions_ended", ended.len().to_string())])
            .await?;
        self.take_over_change(proof).await?;
        proof.second_factor = true;
        Ok(shown)
    }

    /// The proof holds for the credentials that its own step has just changed. Only in the turn that changed them.
    pub(super) async fn take_over_change(&self, proof: &mut Proof) -> Result<(), SignInRefusal> {
        let stored = self.store.credentials(proof.account).await?;
        proof.credentials_version = stored.ok_or(SignInRefusal::TicketExpired)?.credentials_version;
        Ok(())
    }
}
