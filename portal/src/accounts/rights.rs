//! What may be done to an account, as far as it can be told before it is tried.

use stagedoor_identity::Account;
use stagedoor_identity::account::AccountState;
use stagedoor_policy::Policy;
use stagedoor_policy::rules::{ChangedBy, HeldBy, ReturnsBy};

use super::Administrator;
use crate::halt::Halt;
use crate::told::of_store;

/// What a page offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct May {
    pub(crate) edit: bool,
    pub(crate) reset_password: bool,
    pub(crate) reset_second_factor: bool,
    pub(crate) send_recovery: bool,
    pub(crate) unlock: bool,
    pub(crate) end_sessions: bool,
    pub(crate) disable: bool,
    pub(crate) enable: bool,
    pub(crate) reinstate: bool,
    pub(crate) delete: bool,
    pub(crate) invite_again: bool,
    pub(crate) hand_over: bool,
}

impl May {
    /// Whether there is anything at all.
    pub(crate) fn any(self) -> bool {
        self != Self::default()
    }
}

/// How an account stands.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) state: AccountState,
    /// The channels it is signed in by, once for each session.
    pub(super) channels: Vec<String>,
    /// Its role would have too few accounts without it.
    pub(super) last: bool,
}

impl Administrator<'_> {
    /// Reads how an account stands.
    pub(super) async fn standing(&self, account: &Account) -> Result<Standing, Halt> {
        let door = &self.visit.portal.door;
        let store = |fault: stagedoor_identity::port::StoreError| of_store(self.visit, fault.into());
        let live = door.sessions_of(account.id);
        Ok(Standing {
            state: door.state_of(account).await.map_err(store)?,
            channels: live.into_iter().map(|session| session.channel).collect(),
            last: self.is_last(account).await?,
        })
    }

    async fn is_last(&self, account: &Account) -> Result<bool, Halt> {
        let keep = self.policy.keep_at_least(&account.role);
        if keep == 0 || account.disabled || account.accepted_at.is_none() {
            return Ok(false);
        }
        let store = self.visit.portal.door.store();
        let there = store.last_used_of(&account.role, keep.saturating_add(1)).await;
        let there = there.map_err(|fault| of_store(self.visit, fault.into()))?;
        Ok(u32::try_from(there.len()).unwrap_or(u32::MAX) <= keep)
    }

    /// What may be done to it.
    pub(super) fn may(&self, account: &Account, standing: &Standing) -> May {
        may(&self.policy, &self.own, account, standing)
    }

    /// The roles that a new account may be given, in the order of their names.
    pub(super) fn roles_to_give(&self) -> Vec<String> {
        let free = |role: &&str| self.policy.held_by(role) == HeldBy::Any;
        self.policy
            .administers(&self.own.role)
            .filter(free)
            .map(str::to_owned)
            .collect()
    }

    /// The roles that an account may have after a change: its own first, then those it may be given.
    pub(super) fn roles_for(&self, account: &Account) -> Vec<String> {
        let own = std::iter::once(account.role.clone());
        let fixed = self.policy.held_by(&account.role) == HeldBy::One
            || !allowed(self.policy.role_changed_by(&account.role), self.is(account));
        let others = self.roles_to_give().into_iter().filter(|role| *role != account.role);
        own.chain(others.filter(|_| !fixed)).collect()
    }

    /// Whether the networks of an account may be changed.
    pub(super) fn may_set_networks(&self, account: &Account) -> bool {
        let by = self.policy.account_networks(&account.role).changed_by;
        allowed(by, self.is(account))
    }
}

/// As the doorkeeper judges it.
fn may(policy: &Policy, own: &Account, account: &Account, standing: &Standing) -> May {
    let others = own.id != account.id;
    let alone = policy
        .unchanged_while_on(&account.role)
        .any(|channel| standing.channels.iter().any(|on| on == channel));
    let accepted = account.accepted_at.is_some();
    let by_hand = policy.inactivity(&account.role).returns_by == ReturnsBy::Reinstate;
    May {
        edit: !alone,
        reset_password: others && accepted,
        reset_second_factor: others && account.second_factor,
        send_recovery: others && accepted && !account.disabled,
        unlock: others && standing.state == AccountState::Locked,
        end_sessions: others && !standing.channels.is_empty(),
        disable: others && !alone && !account.disabled && !standing.last,
        enable: others && !alone && account.disabled,
        reinstate: others && by_hand && standing.state == AccountState::Banned,
        invite_again: others && !account.disabled && (!accepted || standing.state == AccountState::Banned),
        hand_over: others && accepted && !account.disabled && policy.handed_to(&own.role, &account.role),
        delete: policy.may_administer(&own.role, &account.role) && !alone && !standing.last,
    }
}

fn allowed(by: ChangedBy, own: bool) -> bool {
    match by {
        ChangedBy::Administrators => !own,
        ChangedBy::Holder => own,
        ChangedBy::Nobody => false,
    }
}
