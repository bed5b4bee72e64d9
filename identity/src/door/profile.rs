//! What people change about themselves: their names, their choices, their address.

use super::forgotten::{ASKED_PER_ADDRESS_MAX, ASKED_WITHIN};
use super::house::House;
use super::housekeeping::earlier;
use super::invitations::no_address;
use super::links::{LETTER_LINK_LASTS, Wanted};
use super::refused::{denied, explained, refused};
use super::{Actor, ChangeFault, OwnChange, OwnFault, RefusedWhy};
use crate::account::{Account, AccountChange, AccountName, check_change};
use crate::event::{Event, Kind};
use crate::letter::{self, Letter, Says, is_address};
use crate::picture::Picture;
use crate::port::{Asking, LinkPurpose, StoreError};
use crate::secret::TokenHash;
use crate::session::SessionRecord;
use crate::sign_in::Origin;
use crate::{Password, Secret, SessionToken};

/// Letters to confirm an address that one account may ask for within an hour.
const ASKED_PER_ACCOUNT_MAX: u32 = 5;

const TOO_OFTEN: &str =
    "A letter was asked for several times within the last hour. Look for it in the mailbox, or try again later.";

impl House {
    pub(super) async fn change_own_profile(
        &self,
        session: &SessionRecord,
        expected: Option<u64>,
        own: OwnChange,
        from: &Origin,
    ) -> Result<Account, ChangeFault> {
        let _turn = self.turns.take(session.account).await;
        let (before, by) = self.themselves(session, from).await?;
        if expected.is_some_and(|expected| expected != before.version) {
            return Err(StoreError::VersionMismatch.into());
        }
        let policy = self.policy();
        let change = AccountChange {
            display_name: own.display_name,
            preferences: own.preferences,
            ..AccountChange::default()
        };
        check_change(&policy, &before, &change)?;
        self.change_oneself(session, &before, &change, &by).await
    }

    /// Changes the name to sign in with: whoever found a session open cannot take the account over by it.
    pub(super) async fn change_own_name(
        &self,
        session: &SessionRecord,
        current: &Password,
        name: AccountName,
        from: &Origin,
    ) -> Result<Account, OwnFault> {
        let change = AccountChange {
            name: Some(name),
            ..AccountChange::default()
        };
        let (before, _) = self.themselves(session, from).await?;
        check_change(&self.policy(), &before, &change)?;
        drop(self.prove_again(session, current, from.clone()).await?);
        let _turn = self.turns.take(session.account).await;
        let (before, by) = self.themselves(session, from).await?;
        Ok(self.change_oneself(session, &before, &change, &by).await?)
    }

    /// Sets what one is shown by, or takes it away.
    pub(super) async fn set_own_picture(
        &self,
        session: &SessionRecord,
        picture: Option<&Picture>,
        from: &Origin,
    ) -> Result<(), ChangeFault> {
        let _turn = self.turns.take(session.account).await;
        let (account, by) = self.themselves(session, from).await?;
        self.store.set_picture(account.id, picture).await?;
        let event = Event::done(Kind::ProfileChanged, &by, self.clock.now())
            .account(account.name.as_str())
            .session(session.id)
            .detail("fields", "picture");
        Ok(self.store.record(&[event]).await?)
    }

    async fn change_oneself(
        &self,
        session: &SessionRecord,
        before: &Account,
        change: &AccountChange,
        by: &Actor,
    ) -> Result<Account, ChangeFault> {
        let (policy, structure) = (self.policy(), crate::port::Structure::default());
        let changed = self
            .store
            .change_account(before.id, Some(before.version), change, None, &structure)
            .await;
        let (after, _ended) = changed.map_err(|fault| explained(&policy, fault))?;
        self.memory.refresh(after.clone());
        let fields = super::administration::changed_fields(before, &after).join(" ");
        let event = Event::done(Kind::ProfileChanged, by, self.clock.now())
            .account(after.name.as_str())
            .session(session.id)
            .detail("fields", fields);
        self.store.record(&[event]).await?;
        Ok(after)
    }

    /// Sends a link to the new address: it is the account's once that was followed, and not before.
    pub(super) async fn ask_email_change(
        &self,
        session: &SessionRecord,
        current: &Password,
        email: &str,
        from: &Origin,
    ) -> Result<(), OwnFault> {
        if !is_address(email) {
            let sentence = "an address such as `name@example.org`".to_owned();
            return Err(ChangeFault::Unfit(vec![("email", sentence)]).into());
        }
        if self.letterhead().is_none() {
            let sentence =
                "The door sends no letters, so an address cannot be confirmed. Ask an administrator to set it.";
            return Err(refused(RefusedWhy::NotPossible, sentence).into());
        }
        drop(self.prove_again(session, current, from.clone()).await?);
        let _turn = self.turns.take(session.account).await;
        let (account, by) = self.themselves(session, from).await?;
        let wanted = Wanted {
            account: &account,
            purpose: LinkPurpose::Email,
            credentials_version: self.credentials_version(&account).await?,
            lasts: LETTER_LINK_LASTS,
            to: Some(email),
            email: Some(email),
        };
        let (name, asked_from) = (account.name.as_str().to_owned(), Some(from.address.ip()));
        let made = self.make_link(&wanted, |link, valid_until| Says::EmailConfirmation {
            name,
            link,
            valid_until,
            asked_from,
        })?;
        if made.fresh.letter.is_none() {
            return Err(no_address().into());
        }
        if !self
            .store
            .ask(&self.asking_for_email(&account, email), Some(&made.fresh))
            .await?
        {
            return Err(refused(RefusedWhy::NotPossible, TOO_OFTEN).into());
        }
        let event = Event::done(Kind::EmailChangeAsked, &by, self.clock.now())
            .account(account.name.as_str())
            .session(session.id);
        Ok(self.store.record(&[event]).await?)
    }

    /// Nobody is flooded with letters by somebody who is signed in here.
    fn asking_for_email(&self, account: &Account, email: &str) -> Asking {
        let now = self.clock.now();
        Asking {
            counted: vec![
                (
                    self.keyed("address of", &account.id.0.to_string()),
                    ASKED_PER_ACCOUNT_MAX,
                ),
                (self.keyed("reset for", &email.to_lowercase()), ASKED_PER_ADDRESS_MAX),
            ],
            since: earlier(now, ASKED_WITHIN),
            now,
        }
    }

    /// Makes the address behind the link the account's; tells the former one.
    pub(super) async fn confirm_email(&self, token: &Secret, from: &Origin) -> Result<Account, StoreError> {
        let link = self
            .live_link(token, LinkPurpose::Email)
            .await?
            .ok_or(StoreError::LinkDead)?;
        let _turn = self.turns.take(link.account).await;
        let before = self.store.account(link.account).await?.ok_or(StoreError::LinkDead)?;
        let now = self.clock.now();
        let hash: TokenHash = SessionToken::parse(token.expose()).ok_or(StoreError::LinkDead)?.hash();
        let after = self.store.redeem_for_email(&hash, now).await?;
        self.memory.refresh(after.clone());
        let event = Event::new(Kind::EmailConfirmed, crate::event::Outcome::Done, now)
            .actor(after.name.as_str())
            .account(after.name.as_str())
            .address(from.address.ip());
        self.store.record(&[event]).await?;
        if let Some(to) = before.email.filter(|former| Some(former) != after.email.as_ref()) {
            let letter = Letter {
                account: Some(after.id),
                to,
                display_name: after.display_name.clone(),
                says: Says::EmailChanged(letter::Change {
                    at: now,
                    from: Some(from.address.ip()),
                }),
            };
            if let Err(fault) = self.queue_letter(&letter).await {
                tracing::warn!(%fault, "the former address could not be told of the change");
            }
        }
        Ok(after)
    }

    /// Whoever the session is of, as long as it is live.
    async fn themselves(&self, session: &SessionRecord, from: &Origin) -> Result<(Account, Actor), ChangeFault> {
        self.still_live(session).map_err(|_over| denied())?;
        let account = self.account_or_not_found(session.account).await?;
        let by = Actor::account(&account).from(Some(from.address.ip()));
        Ok((account, by))
    }
}
