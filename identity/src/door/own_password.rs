//! What people do with their own credentials: change a temporary password or one's own, begin to enrol when signed in.

use stagedoor_policy::rules::Enrolment;

use super::admission::Proof;
use super::attempts::Knock;
use super::house::House;
use crate::credential::password::Owner;
use crate::credential::pool::Place;
use crate::event::Kind;
use crate::session::{EndReason, SessionId, SessionRecord};
use crate::sign_in::ticket::Step;
use crate::sign_in::{self, Origin, Progress, SignInRefusal, Ticket};
use crate::{Account, AccountId, Password};

const SAME_AGAIN: &str = "choose one that differs from the present password";

impl House {
    pub(super) async fn change_temporary_password(
        &self,
        ticket: &Ticket,
        new: Password,
        from: Origin,
    ) -> Result<Progress, SignInRefusal> {
        let place = self.hashes.place()?;
        let now = self.clock.now();
        let claims = self.claims(ticket, Step::ChangePassword, &from, now)?;
        let account = self.account_of(claims.account).await?;
        let knock = self.knock_of(&account, from.address);
        self.refuse_if_locked(&knock, &account, &claims, now).await?;
        let mut proof = Proof::of(&claims, from);
        let standing = self.admit(&proof, &knock, now).await?;
        let owner = Owner::from(&account);
        let mut unfit = self.hashes.judge(&place, &new, owner, standing.policy.clone()).await?;
        let stored = &standing.credentials.password_hash;
        if self.hashes.verify(&place, &new, stored).await?.right {
            unfit.push(SAME_AGAIN.to_owned());
        }
        if !unfit.is_empty() {
            return Err(SignInRefusal::PasswordUnfit(unfit));
        }
        let hash = self.hashes.hash(&place, &new, self.chance.as_ref()).await?;
        drop(place);
        {
            let _turn = self.turns.take(proof.account).await;
            let account = self.account_of(proof.account).await?;
            self.refuse_if_locked(&knock, &account, &claims, self.clock.now())
                .await?;
            self.replace_password(&proof, &hash, None, &knock).await?;
            self.take_over_change(&mut proof).await?;
        }
        self.open_session(&proof, &knock).await.map(Progress::Open)
    }

    pub(super) async fn change_own_password(
        &self,
        session: &SessionRecord,
        current: &Password,
        new: Password,
        from: Origin,
    ) -> Result<(), SignInRefusal> {
        let (place, proof, knock) = self.prove_again(session, current, from).await?;
        let account = self.account_of(proof.account).await?;
        let owner = Owner::from(&account);
        let mut unfit = self.hashes.judge(&place, &new, owner, self.policy()).await?;
        if new.matches(current) {
            unfit.push(SAME_AGAIN.to_owned());
        }
        if !unfit.is_empty() {
            return Err(SignInRefusal::PasswordUnfit(unfit));
        }
        let hash = self.hashes.hash(&place, &new, self.chance.as_ref()).await?;
        drop(place);
        let _turn = self.turns.take(proof.account).await;
        self.still_live(session)?;
        self.replace_password(&proof, &hash, Some(session.id), &knock).await
    }

    pub(super) async fn begin_own_enrolment(
        &self,
        session: &SessionRecord,
        current: &Password,
        from: Origin,
    ) -> Result<sign_in::Enrolment, SignInRefusal> {
        let (_place, proof, knock) = self.prove_again(session, current, from).await?;
        let account = self.account_of(proof.account).await?;
        // Who stole a password alone must not put their own phone in place of the owner's.
        if account.second_factor && !session.second_factor {
            return Err(self.wrong_code(&knock).await);
        }
        if !account.second_factor && self.policy().enrolment() == Enrolment::Right {
            return Err(self.no_right(&knock).await);
        }
        self.enrolment(&proof, &account)
    }

    /// The password once more, from somebody who is signed in; guesses count as at the door.
    pub(super) async fn prove_again(
        &self,
        session: &SessionRecord,
        current: &Password,
        from: Origin,
    ) -> Result<(Place, Proof, Knock), SignInRefusal> {
        let place = self.hashes.place()?;
        let now = self.clock.now();
        self.still_live(session)?;
        let account = self.account_of(session.account).await?;
        let knock = self.reserve(self.knock_of(&account, from.address), now).await?;
        let stored = self.stored_credentials(account.id).await?;
        if !self.hashes.verify(&place, current, &stored.password_hash).await?.right {
            return Err(self.wrong_password(&knock).await);
        }
        let proof = Proof {
            account: account.id,
            channel: session.channel.clone(),
            from,
            credentials_version: stored.credentials_version,
            second_factor: session.second_factor,
            attempts: 0,
            own_lock: None,
            right: None,
            device: session.device,
        };
        self.admit(&proof, &knock, now).await?;
        self.forgive(&knock).await?;
        Ok((place, proof, knock.forgiven()))
    }

    /// In the account's turn: if nothing has changed since the proof, the new hash takes the old one's place.
    async fn replace_password(
        &self,
        proof: &Proof,
        hash: &str,
        keep: Option<SessionId>,
        knock: &Knock,
    ) -> Result<(), SignInRefusal> {
        let now = self.clock.now();
        self.admit(proof, knock, now).await?;
        let reason = EndReason::CredentialsChanged;
        let ended = self
            .store
            .set_password(proof.account, hash, false, keep, &reason, now)
            .await?;
        self.end_in_memory(proof.account, keep, &reason, now);
        self.refresh(proof.account).await?;
        let event = self.own_event(Kind::PasswordChanged, knock, keep, now);
        self.store
            .record(&[event.detail("sessions_ended", ended.len().to_string())])
            .await?;
        Ok(())
    }

    pub(super) fn still_live(&self, session: &SessionRecord) -> Result<(), SignInRefusal> {
        let (policy, now) = (self.policy(), self.clock.now());
        let live = self
            .memory
            .session_of(&session.token)
            .is_some_and(|session| session.is_live(&policy, now));
        if live {
            Ok(())
        } else {
            Err(SignInRefusal::TicketExpired)
        }
    }

    async fn stored_credentials(&self, id: AccountId) -> Result<crate::port::StoredCredentials, SignInRefusal> {
        self.store.credentials(id).await?.ok_or(SignInRefusal::TicketExpired)
    }

    /// Memory takes over what the store now has of the account.
    pub(super) async fn refresh(&self, id: AccountId) -> Result<Option<Account>, crate::port::StoreError> {
        let account = self.store.account(id).await?;
        if let Some(account) = &account {
            self.memory.refresh(account.clone());
        }
        Ok(account)
    }
}
