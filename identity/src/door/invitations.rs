//! Invitations: an account that nobody can sign in to until whoever it is for has accepted it with a password.

use std::sync::PoisonError;

use super::administration::about;
use super::admission::Proof;
use super::house::House;
use super::links::{Made, Wanted};
use super::refused::{explained, refused};
use super::structure::structure;
use super::{Accepted, Actor, ChangeFault, Invited, RefusedWhy};
use crate::account::{Invitation, NewAccount, NewInvitation, check_new};
use crate::chance::uuid_v7;
use crate::credential::password::Owner;
use crate::event::{Event, Kind, Outcome};
use crate::letter::Says;
use crate::port::{LinkPurpose, StoreError};
use crate::session::EndReason;
use crate::sign_in::ticket::Right;
use crate::sign_in::{Origin, Progress, SignInRefusal};
use crate::{Account, AccountId, Password, Secret};

/// Of the credentials of an account that is being made.
const FIRST_CREDENTIALS: u64 = 1;

impl House {
    pub(super) async fn invite(&self, new: NewInvitation, by: &Actor) -> Result<Invited, ChangeFault> {
        let authority = self.authority(by).await?;
        let policy = self.policy();
        let new = self.not_yet_accepted(new)?;
        let mut faults = Vec::new();
        if self.letterhead().is_some() && new.email.is_none() {
            let sentence = "the invitation goes to it: give an address such as `name@example.org`";
            faults.push(("email", sentence.to_owned()));
        }
        let role = match check_new(&policy, &new) {
            Ok(role) if faults.is_empty() => role,
            Ok(_) => return Err(ChangeFault::Unfit(faults)),
            Err(more) => return Err(ChangeFault::Unfit(more.into_iter().chain(faults).collect())),
        };
        authority.may_give(&policy, &role, &new.grants)?;
        let now = self.clock.now();
        let id = AccountId(uuid_v7(self.chance.as_ref(), now));
        let account = Account {
            display_name: new.display_name,
            email: new.email,
            grants: new.grants,
            networks: new.networks,
            accepted_at: None,
            invitation: Some(Invitation {
                sent_at: now,
                expires_at: now.after(policy.invitation().valid_for),
            }),
            ..Account::new(id, new.name, &role, now)
        };
        let made = self.invitation(&account, FIRST_CREDENTIALS, false)?;
        let structure = structure(&policy, &authority);
        // Nobody knows the password that this is the hash of.
        let created = self
            .store
            .create_account(&account, &self.nobodys_hash, Some(&made.fresh), &structure)
            .await;
        created.map_err(|fault| explained(&policy, fault))?;
        let event = about(Kind::InvitationSent, &account, by, now).detail("role", &account.role);
        self.store.record(&[made.noted(event)]).await?;
        Ok(Invited {
            account,
            link: made.shown(),
        })
    }

    /// The invitation again, with a new link in the place of the old one: for who has not accepted, and for who is banned for
    /// disuse, to come back.
    pub(super) async fn resend_invitation(&self, id: AccountId, by: &Actor) -> Result<Invited, ChangeFault> {
        let _turn = self.turns.take(id).await;
        let account = self.managed(id, &self.authority(by).await?).await?;
        let now = self.clock.now();
        let comes_back = account.accepted_at.is_some();
        if comes_back && !self.is_banned(&account, &self.policy(), now).await? {
            let sentence = "The account has been accepted already. Reset its password where it was forgotten.";
            return Err(refused(RefusedWhy::Accepted, sentence));
        }
        if account.disabled {
            return Err(refused(
                RefusedWhy::NotPossible,
                "The account is disabled. Enable it first.",
            ));
        }
        if self.letterhead().is_some() && account.email.is_none() {
            return Err(no_address());
        }
        let version = self.credentials_version(&account).await?;
        let made = self.invitation(&account, version, true)?;
        let account = self.store.add_link(&made.fresh).await?;
        self.memory.refresh(account.clone());
        let event = about(Kind::InvitationResent, &account, by, now);
        self.store.record(&[made.noted(event)]).await?;
        Ok(Invited {
            account,
            link: made.shown(),
        })
    }

    /// Sets the password and makes the account its holder's, once; then begins the sign-in, for which the invitation has proved
    /// as much as a password would, and the right to enrol a second factor too.
    pub(super) async fn accept(
        &self,
        token: &Secret,
        password: &Password,
        channel: String,
        from: Origin,
    ) -> Result<Accepted, SignInRefusal> {
        let account = self
            .set_by_link(token, LinkPurpose::Invitation, password, &from)
            .await?;
        let now = self.clock.now();
        let next = self.begin_after(&account, channel, from, now).await;
        Ok(Accepted {
            name: account.name,
            next,
        })
    }

    /// Uses a link up for a new password.
    pub(super) async fn set_by_link(
        &self,
        token: &Secret,
        purpose: LinkPurpose,
        password: &Password,
        from: &Origin,
    ) -> Result<Account, SignInRefusal> {
        let link = self.live_link(token, purpose).await?.ok_or(SignInRefusal::LinkDead)?;
        let account = self.store.account(link.account).await?.ok_or(SignInRefusal::LinkDead)?;
        if purpose == LinkPurpose::PasswordReset && account.accepted_at.is_none() {
            return Err(SignInRefusal::LinkDead);
        }
        let place = self.hashes.place()?;
        let owner = Owner::from(&account);
        let unfit = self.hashes.judge(&place, password, owner, self.policy()).await?;
        if !unfit.is_empty() {
            return Err(SignInRefusal::PasswordUnfit(unfit));
        }
        let hash = self.hashes.hash(&place, password, self.chance.as_ref()).await?;
        drop(place);
        let _turn = self.turns.take(account.id).await;
        let (now, reason) = (self.clock.now(), EndReason::CredentialsChanged);
        let redeemed = self
            .store
            .redeem_for_password(&link.hash, purpose, &hash, &reason, now)
            .await;
        let (account, ended) = redeemed?;
        self.end_in_memory(account.id, None, &reason, now);
        self.memory.refresh(account.clone());
        self.note_kept().await?;
        self.banned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&account.id);
        let kind = match purpose {
            LinkPurpose::Invitation => Kind::InvitationAccepted,
            _ => Kind::PasswordResetByLink,
        };
        let event = Event::new(kind, Outcome::Done, now)
            .actor(account.name.as_str())
            .account(account.name.as_str())
            .address(from.address.ip())
            .detail("sessions_ended", ended.len().to_string());
        self.store.record(&[event]).await?;
        Ok(account)
    }

    async fn begin_after(
        &self,
        account: &Account,
        channel: String,
        from: Origin,
        now: stagedoor_policy::time::Timestamp,
    ) -> Result<Progress, SignInRefusal> {
        let knock = self.reserve(self.knock_of(account, from.address), now).await?;
        let stored = self
            .store
            .credentials(account.id)
            .await?
            .ok_or(SignInRefusal::TicketExpired)?;
        let proof = Proof {
            account: account.id,
            channel,
            from,
            credentials_version: stored.credentials_version,
            second_factor: false,
            attempts: 0,
            own_lock: None,
            right: Some(Right::Invitation),
            device: None,
        };
        self.proceed(proof, None, knock, now).await
    }

    fn invitation(&self, account: &Account, credentials_version: u64, again: bool) -> Result<Made, StoreError> {
        let wanted = Wanted {
            account,
            purpose: LinkPurpose::Invitation,
            credentials_version,
            lasts: self.policy().invitation().valid_for,
            to: account.email.as_deref(),
            email: None,
        };
        let name = account.name.as_str().to_owned();
        self.make_link(&wanted, |link, valid_until| {
            if again {
                Says::InvitationReminder {
                    name,
                    link,
                    valid_until,
                }
            } else {
                Says::Invitation {
                    name,
                    link,
                    valid_until,
                }
            }
        })
    }

    /// As an account with a password that nobody will ever know.
    fn not_yet_accepted(&self, new: NewInvitation) -> Result<NewAccount, ChangeFault> {
        let nobodys = crate::SessionToken::generate(self.chance.as_ref());
        let too_long = || StoreError::Engine("a fresh token is too long for a password".to_owned());
        Ok(NewAccount {
            name: new.name,
            display_name: new.display_name,
            email: new.email,
            role: new.role,
            grants: new.grants,
            networks: new.networks,
            password: Password::new(nobodys.expose()).ok_or_else(too_long)?,
            password_temporary: false,
        })
    }
}

/// Letters are sent, and there is nowhere to send this one.
pub(super) fn no_address() -> ChangeFault {
    refused(
        RefusedWhy::NotPossible,
        "The account has no e-mail address to send the link to. Give it one first.",
    )
}
