//! Handing a role over that one account holds.

use stagedoor_policy::rules::HeldBy;
use stagedoor_policy::{ExtraGrant, Policy};

use super::administration::about;
use super::house::House;
use super::refused::{denied, explained, refused};
use super::rights::Authority;
use super::structure::structure;
use super::{Actor, ChangeFault, RefusedWhy};
use crate::account::{Account, AccountChange, AccountId};
use crate::event::Kind;
use crate::port::{HandOver, StoreError};
use crate::session::EndReason;

impl House {
    /// Only the holder does it, and neither the operator: whoever else could, would hold the role already.
    pub(super) async fn hand_over(&self, to: AccountId, by: &Actor) -> Result<(Account, Account), ChangeFault> {
        let Authority::Account(holder) = self.authority(by).await? else {
            return Err(denied());
        };
        if holder.id == to {
            return Err(denied());
        }
        // In the order of ids, so that two who hand over to each other cannot wait for each other.
        let _first = self.turns.take(holder.id.min(to)).await;
        let _second = self.turns.take(holder.id.max(to)).await;
        let authority = self.authority(by).await?;
        let Authority::Account(holder) = &authority else {
            return Err(denied());
        };
        let policy = self.policy();
        if policy.held_by(&holder.role) != HeldBy::One {
            return Err(denied());
        }
        let heir = self.store.account(to).await?.ok_or(StoreError::NotFound)?;
        let now = self.clock.now();
        fit(&policy, &holder.role, &heir)?;
        if self.is_banned(&heir, &policy, now).await? {
            return Err(not_fit("The account is banned for disuse. Lift the ban first."));
        }
        let down = policy.hands_down_to(&holder.role).unwrap_or(&heir.role).to_owned();
        let handing = HandOver {
            holder: (holder.id, holder.version),
            holder_becomes: becomes(&policy, holder, &down)?,
            heir: (heir.id, heir.version),
            heir_becomes: becomes(&policy, &heir, &holder.role)?,
        };
        let reason = EndReason::AccountChanged;
        let structure = structure(&policy, &authority);
        let handed = self.store.hand_over(&handing, &reason, now, &structure).await;
        let (former, new, ended) = handed.map_err(|fault| explained(&policy, fault))?;
        for account in [&former, &new] {
            self.memory.refresh(account.clone());
            self.end_in_memory(account.id, None, &reason, now);
        }
        self.note_kept().await?;
        let event = about(Kind::RoleHandedOver, &new, by, now)
            .detail("role", &new.role)
            .detail("former_gets", &former.role)
            .detail("sessions_ended", ended.len().to_string());
        self.store.record(&[event]).await?;
        Ok((former, new))
    }
}

fn fit(policy: &Policy, role: &str, heir: &Account) -> Result<(), ChangeFault> {
    if heir.accepted_at.is_none() {
        return Err(refused(
            RefusedWhy::NotAccepted,
            "Only an account whose invitation was accepted can take the role over.",
        ));
    }
    if heir.disabled {
        return Err(not_fit("The account is disabled. Enable it first."));
    }
    if !policy.handed_to(role, &heir.role) {
        return Err(not_fit("The policy does not let an account of this role take it over."));
    }
    Ok(())
}

/// The role, and of the account's own grants those that it may hold there.
fn becomes(policy: &Policy, account: &Account, role: &str) -> Result<AccountChange, ChangeFault> {
    if let Err(sentences) = policy.check_account_networks(role, &account.networks) {
        let sentence = format!(
            "The networks of `{}` do not fit the role `{role}`: {}",
            account.name.as_str(),
            sentences.join("; ")
        );
        return Err(not_fit(sentence));
    }
    let may_hold = |grant: &&ExtraGrant| policy.check_extra_grants(role, std::slice::from_ref(*grant)).is_ok();
    Ok(AccountChange {
        role: Some(role.to_owned()),
        grants: Some(account.grants.iter().filter(may_hold).cloned().collect()),
        ..AccountChange::default()
    })
}

fn not_fit(sentence: impl Into<String>) -> ChangeFault {
    refused(RefusedWhy::NotFitToHold, sentence)
}
