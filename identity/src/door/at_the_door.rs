//! Sign-in: name, password, second factor, temporary password, in.

use stagedoor_policy::rules::{Enrolment, SecondFactor};
use stagedoor_policy::time::Timestamp;

use super::admission::{Proof, Standing};
use super::attempts::Knock;
use super::house::House;
use crate::account::AccountName;
use crate::credential::pool::Place;
use crate::credential::{recovery, totp};
use crate::event::{Kind, Outcome};
use crate::port::{LinkPurpose, StoredCredentials};
use crate::sign_in::ticket::{Right, Step};
use crate::sign_in::{Attempt, NextStep, Origin, Progress, RefusedBecause, SignInRefusal, Ticket};
use crate::{Account, AccountId, Password, Secret};

impl House {
    pub(super) async fn sign_in(&self, attempt: Attempt) -> Result<Progress, SignInRefusal> {
        // The place comes before the count: being sent away for want of one is no failure of the visitor's.
        let place = self.hashes.place()?;
        let now = self.clock.now();
        let account = match AccountName::parse(&attempt.name) {
            Ok(name) => self.store.account_by_name(&name).await?,
            Err(_) => None,
        };
        let knock = match &account {
            Some(account) => self.knock_of(account, attempt.from.address),
            None => self.knock_of_unknown(&attempt.name, attempt.from.address),
        };
        let knock = self.reserve(knock, now).await?;
        let known = self.check_password(&place, account, &attempt.password).await?;
        let Some((account, credentials)) = known else {
            return Err(self.wrong_password(&knock).await);
        };
        let right = match &attempt.right {
            Some(token) => self.right_of(token, account.id).await?,
            None => None,
        };
        // A key of a device that is linked to somebody else is none: the channel says whether one is needed.
        let device = match &attempt.device_key {
            Some(key) => self.device_of_key(key).await?,
            None => None,
        };
        let device = device
            .filter(|device| device.account == Some(account.id))
            .map(|device| device.id);
        let proof = Proof {
            account: account.id,
            channel: attempt.channel,
            from: attempt.from,
            credentials_version: credentials.credentials_version,
            second_factor: false,
            attempts: 0,
            own_lock: None,
            right,
            device,
        };
        let progress = self.proceed(proof, attempt.code.as_deref(), knock, now).await;
        // Not earlier: right attempts that wait for their account's turn still count, and many of them would lock it.
        drop(place);
        progress
    }

    pub(super) async fn second_factor(
        &self,
        ticket: &Ticket,
        code: &str,
        from: Origin,
    ) -> Result<Progress, SignInRefusal> {
        let now = self.clock.now();
        let claims = self.claims(ticket, Step::SecondFactor, &from, now)?;
        let account = self.account_of(claims.account).await?;
        let knock = self.knock_of(&account, from.address);
        let knock = self.reserve_with(knock, &claims, now).await?;
        self.proceed(Proof::of(&claims, from), Some(code), knock, now).await
    }

    /// The account behind a ticket; an account that is gone makes it worthless.
    pub(super) async fn account_of(&self, id: AccountId) -> Result<Account, SignInRefusal> {
        self.store.account(id).await?.ok_or(SignInRefusal::TicketExpired)
    }

    /// Everything after the password, as far as it goes now.
    pub(super) async fn proceed(
        &self,
        proof: Proof,
        code: Option<&str>,
        knock: Knock,
        now: Timestamp,
    ) -> Result<Progress, SignInRefusal> {
        let standing = self.admit(&proof, &knock, now).await?;
        let account = &standing.facts.account;
        let enrolled = account.second_factor;
        // Who lost the second factor has a link for another one.
        if matches!(proof.right, Some(Right::Link(_))) {
            return self.needs(NextStep::EnrolSecondFactor, &proof, &knock, now).await;
        }
        let mut proof = proof;
        if enrolled && !proof.second_factor {
            let Some(code) = code else {
                return self.needs(NextStep::SecondFactor, &proof, &knock, now).await;
            };
            self.check_code(&standing, code, &knock, now).await?;
            proof.second_factor = true;
        }
        let demanded =
            account.second_factor_demanded || standing.policy.second_factor(&account.role) == SecondFactor::Required;
        if !enrolled && demanded {
            if standing.policy.enrolment() == Enrolment::Right && proof.right.is_none() {
                return Err(self.no_right(&knock).await);
            }
            return self.needs(NextStep::EnrolSecondFactor, &proof, &knock, now).await;
        }
        self.conclude(proof, &standing, knock, now).await
    }

    /// The right to enrol that a link gives, where it is one of this account's.
    async fn right_of(&self, token: &Secret, account: AccountId) -> Result<Option<Right>, SignInRefusal> {
        let link = self.live_link(token, LinkPurpose::SecondFactor).await?;
        let link = link
            .filter(|link| link.account == account)
            .ok_or(SignInRefusal::LinkDead)?;
        Ok(Some(Right::Link(link.hash)))
    }

    /// A second factor is to be enrolled, and the password alone does not do for it.
    pub(super) async fn no_right(&self, knock: &Knock) -> SignInRefusal {
        let reason = RefusedBecause::EnrolmentRight;
        let refusal = SignInRefusal::Refused { reason };
        self.refuse(knock, (Kind::SignInRefused, Outcome::Refused), reason.code(), refusal)
            .await
    }

    /// The last steps, once the second factor is settled.
    pub(super) async fn conclude(
        &self,
        proof: Proof,
        standing: &Standing,
        knock: Knock,
        now: Timestamp,
    ) -> Result<Progress, SignInRefusal> {
        if standing.facts.account.password_temporary {
            return self.needs(NextStep::ChangePassword, &proof, &knock, now).await;
        }
        self.open_session(&proof, &knock).await.map(Progress::Open)
    }

    /// The account and its credentials, if the password is theirs. A name nobody has takes just as long.
    async fn check_password(
        &self,
        place: &Place,
        account: Option<Account>,
        password: &Password,
    ) -> Result<Option<(Account, StoredCredentials)>, SignInRefusal> {
        let id = account
            .as_ref()
            .map_or(AccountId(uuid::Uuid::nil()), |account| account.id);
        let credentials = self.store.credentials(id).await?;
        let phc = credentials
            .as_ref()
            .map_or(&self.nobodys_hash, |stored| &stored.password_hash);
        let verified = self.hashes.verify(place, password, phc).await?;
        let (Some(account), Some(credentials)) = (account, credentials) else {
            return Ok(None);
        };
        if verified.right && verified.outdated {
            self.rehash(place, account.id, &credentials, password).await;
        }
        Ok(verified.right.then_some((account, credentials)))
    }

    /// Brings a hash of other cost up to date. A convenience: where it fails, the next sign-in does it.
    async fn rehash(&self, place: &Place, id: AccountId, stored: &StoredCredentials, password: &Password) {
        let Ok(fresh) = self.hashes.hash(place, password, self.chance.as_ref()).await else {
            return;
        };
        if let Err(fault) = self.store.rehash_password(id, &stored.password_hash, &fresh).await {
            tracing::warn!(%fault, "a password hash could not be brought up to date");
        }
    }

    /// The answer to a wrong name or password: one and the same.
    pub(super) async fn wrong_password(&self, knock: &Knock) -> SignInRefusal {
        let refusal = SignInRefusal::InvalidCredentials;
        self.refuse(
            knock,
            (Kind::SignInFailed, Outcome::Failed),
            refusal.code(),
            refusal.clone(),
        )
        .await
    }

    pub(super) async fn wrong_code(&self, knock: &Knock) -> SignInRefusal {
        let refusal = SignInRefusal::InvalidCode;
        self.refuse(
            knock,
            (Kind::SecondFactorFailed, Outcome::Failed),
            refusal.code(),
            refusal.clone(),
        )
        .await
    }

    /// A TOTP code that was not used before, or a recovery code, which is used up.
    async fn check_code(
        &self,
        standing: &Standing,
        code: &str,
        knock: &Knock,
        now: Timestamp,
    ) -> Result<(), SignInRefusal> {
        let id = standing.facts.account.id;
        if let Some(hash) = recovery::hash(code) {
            if !self.store.use_recovery_code(id, &hash).await? {
                return Err(self.wrong_code(knock).await);
            }
            let event = self.own_event(Kind::RecoveryCodeUsed, knock, None, now);
            return Ok(self.store.record(&[event]).await?);
        }
        let digits: String = code.chars().filter(|c| *c != ' ').take(7).collect();
        let sealed = standing.credentials.totp_sealed.as_deref().unwrap_or_default();
        let Some(secret) = self.totp_key.open(sealed, id.0.as_bytes()) else {
            tracing::error!(account = %id.0, "a stored second factor cannot be opened; its account needs a reset");
            return Err(SignInRefusal::Unavailable);
        };
        match totp::matching_step(&secret, &digits, now) {
            Some(step) if self.store.use_totp_step(id, step).await? => Ok(()),
            _ => Err(self.wrong_code(knock).await),
        }
    }
}
