//! Who may do what to whom.
//!
//! The operator may do everything that the rules about who there may be allow. An account acts by its role's `administers`,
//! as the store has it at that moment: accounts of other roles it is told do not exist, so that nobody learns by asking; what
//! it may see and not do is denied. Nobody raises themselves, and nobody gives what they do not hold.

use stagedoor_policy::rules::{ChangedBy, HeldBy, MessageKey};
use stagedoor_policy::{ExtraGrant, Policy, Visitor};

use super::house::House;
use super::refused::{denied, refused};
use super::{Actor, ChangeFault, RefusedWhy, Who};
use crate::account::{Account, AccountChange, AccountId, AccountQuery};
use crate::port::{Source, StoreError};

/// By what right somebody acts, as read just now.
#[derive(Debug, Clone)]
pub(super) enum Authority {
    Operator,
    Account(Box<Account>),
}

impl House {
    /// Reads by what right somebody acts. An account that is gone, not accepted, disabled, banned or locked acts no more; a
    /// lock counts where it holds for every source, or for the one the account acts from.
    pub(super) async fn authority(&self, by: &Actor) -> Result<Authority, ChangeFault> {
        let Who::Account { id, .. } = &by.who else {
            return Ok(Authority::Operator);
        };
        let account = self.store.account(*id).await?.ok_or_else(denied)?;
        let now = self.clock.now();
        let out = account.disabled || account.accepted_at.is_none();
        if out || self.is_banned(&account, &self.policy(), now).await? {
            return Err(denied());
        }
        let here = by.address.map(Source::of_ip);
        let locks = self.store.lockouts(Some(&account.name), now).await?;
        if locks.iter().any(|lock| lock.source.is_none() || lock.source == here) {
            return Err(denied());
        }
        Ok(Authority::Account(Box::new(account)))
    }

    /// An account that somebody may manage, or may at least see where it is their own.
    pub(super) async fn seen(&self, id: AccountId, authority: &Authority) -> Result<Account, ChangeFault> {
        let account = self.account_or_not_found(id).await?;
        if authority.sees(&self.policy(), &account) {
            Ok(account)
        } else {
            Err(StoreError::NotFound.into())
        }
    }

    /// The accounts that exist for whoever asks.
    pub(super) async fn accounts(&self, query: AccountQuery, by: &Actor) -> Result<Vec<Account>, ChangeFault> {
        let authority = self.authority(by).await?;
        let policy = self.policy();
        let roles: Option<Vec<String>> = authority.account().and_then(|own| {
            // Who administers every role administers roles too that the policy has no more.
            let every = policy.may_administer(&own.role, "");
            (!every).then(|| policy.administers(&own.role).map(str::to_owned).collect())
        });
        let asked_for = query.roles;
        let roles = match (roles, asked_for) {
            (Some(own), Some(asked_for)) => Some(own.into_iter().filter(|role| asked_for.contains(role)).collect()),
            (own, asked_for) => own.or(asked_for),
        };
        let query = AccountQuery { roles, ..query };
        Ok(self.store.list_accounts(&query).await?)
    }

    /// An account that somebody may do something to that is done to others only.
    pub(super) async fn managed(&self, id: AccountId, authority: &Authority) -> Result<Account, ChangeFault> {
        let account = self.seen(id, authority).await?;
        if authority.is(id) { Err(denied()) } else { Ok(account) }
    }

    /// Refuses while the account is signed in by a channel on which its role is left alone. To be called in its turn.
    pub(super) fn left_alone(&self, account: &Account) -> Result<(), ChangeFault> {
        let policy = self.policy();
        let now = self.clock.now();
        let live = self.memory.sessions_of(account.id);
        let live: Vec<_> = live.iter().filter(|session| session.is_live(&policy, now)).collect();
        let mut channels = policy.unchanged_while_on(&account.role);
        match channels.find(|channel| live.iter().any(|session| session.channel() == *channel)) {
            None => Ok(()),
            Some(channel) => Err(refused(
                RefusedWhy::SignedIn,
                format!(
                    "`{}` is signed in by `{channel}` and is neither changed nor removed meanwhile. Wait until it has signed \
                     out, or end its session first.",
                    account.name.as_str()
                ),
            )),
        }
    }
}

impl Authority {
    /// The account, where one acts.
    pub(super) fn account(&self) -> Option<&Account> {
        match self {
            Self::Operator => None,
            Self::Account(account) => Some(account),
        }
    }

    /// Whether that is who acts.
    pub(super) fn is(&self, id: AccountId) -> bool {
        self.account().is_some_and(|account| account.id == id)
    }

    /// Whether the account exists for who acts.
    pub(super) fn sees(&self, policy: &Policy, other: &Account) -> bool {
        self.account()
            .is_none_or(|own| own.id == other.id || policy.may_administer(&own.role, &other.role))
    }

    /// Whether accounts of the role are for who acts to manage.
    pub(super) fn administers(&self, policy: &Policy, role: &str) -> bool {
        self.account().is_none_or(|own| policy.may_administer(&own.role, role))
    }

    /// Whether an account may be made or invited with that role and these grants.
    pub(super) fn may_give(&self, policy: &Policy, role: &str, grants: &[ExtraGrant]) -> Result<(), ChangeFault> {
        if !self.administers(policy, role) {
            return Err(denied());
        }
        // Somebody has to be the first holder; who that is, nobody decides who acts by a role.
        if policy.held_by(role) == HeldBy::One && self.account().is_some() {
            return Err(only_handed_over(role));
        }
        self.may_grant(policy, grants)
    }

    /// Whether the change may be made to `before`, which who acts can see.
    pub(super) fn may_change(
        &self,
        policy: &Policy,
        before: &Account,
        change: &AccountChange,
    ) -> Result<(), ChangeFault> {
        let own = self.is(before.id);
        if differs(change.role.as_ref(), &before.role) {
            self.may_change_role(policy, before, change.role.as_deref().unwrap_or_default())?;
        }
        let networks_by = policy.account_networks(&before.role).changed_by;
        if differs(change.networks.as_ref(), &before.networks) && !allowed(networks_by, own) {
            return Err(denied());
        }
        let raises_itself = differs(change.grants.as_ref(), &before.grants)
            || differs(change.second_factor_demanded.as_ref(), &before.second_factor_demanded)
            || differs(change.disabled.as_ref(), &before.disabled);
        // One's own address takes its letter: whoever holds a session or a token for a moment would get every later link.
        let moves_letters = differs(change.email.as_ref(), &before.email);
        if own && (raises_itself || moves_letters) {
            return Err(denied());
        }
        let given = change.grants.iter().flatten();
        let new: Vec<ExtraGrant> = given.filter(|grant| !before.grants.contains(grant)).cloned().collect();
        self.may_grant(policy, &new)
    }

    fn may_change_role(&self, policy: &Policy, before: &Account, to: &str) -> Result<(), ChangeFault> {
        if policy.held_by(&before.role) == HeldBy::One {
            return Err(only_handed_over(&before.role));
        }
        if !allowed(policy.role_changed_by(&before.role), self.is(before.id)) {
            let sentence = policy.message(MessageKey::RoleChangeRefused);
            return Err(refused(RefusedWhy::RoleChange, sentence));
        }
        if !self.administers(policy, to) {
            return Err(denied());
        }
        if policy.held_by(to) == HeldBy::One && self.account().is_some() {
            return Err(only_handed_over(to));
        }
        Ok(())
    }

    fn may_grant(&self, policy: &Policy, grants: &[ExtraGrant]) -> Result<(), ChangeFault> {
        let Some(own) = self.account() else { return Ok(()) };
        let visitor = Visitor {
            role: &own.role,
            grants: &own.grants,
            networks: None,
            channel: "",
            second_factor: own.second_factor,
        };
        if grants.iter().all(|grant| policy.holds(&visitor, grant)) {
            Ok(())
        } else {
            Err(denied())
        }
    }
}

fn allowed(by: ChangedBy, own: bool) -> bool {
    match by {
        ChangedBy::Administrators => !own,
        ChangedBy::Holder => own,
        ChangedBy::Nobody => false,
    }
}

fn differs<T: PartialEq>(new: Option<&T>, old: &T) -> bool {
    new.is_some_and(|new| new != old)
}

fn only_handed_over(role: &str) -> ChangeFault {
    refused(
        RefusedWhy::RoleChange,
        format!(
            "The role `{role}` is held by one account, who alone can hand it over: it is not given in any other way."
        ),
    )
}
