//! The rules about who there may be, from the policy, as the store's steps take them.

use stagedoor_policy::Policy;
use stagedoor_policy::rules::HeldBy;

use super::rights::Authority;
use crate::port::{Acting, KeepRule, SeatRule, Structure};

/// What a step has to keep, whoever does it.
pub(super) fn structure(policy: &Policy, authority: &Authority) -> Structure {
    let seats = policy.seats().iter().map(|seats| SeatRule {
        name: seats.name.clone(),
        roles: seats.roles.clone(),
        at_most: seats.at_most,
    });
    let keep = protected(policy).map(|(role, at_least)| KeepRule {
        role: role.to_owned(),
        at_least,
    });
    let one = policy.roles().filter(|role| policy.held_by(role) == HeldBy::One);
    Structure {
        seats: seats.collect(),
        keep: keep.collect(),
        one: one.map(str::to_owned).collect(),
        acting: authority.account().map(|account| Acting {
            id: account.id,
            version: account.version,
        }),
    }
}

/// Roles that must keep some accounts, and how many.
pub(super) fn protected(policy: &Policy) -> impl Iterator<Item = (&str, u32)> {
    policy
        .roles()
        .map(|role| (role, policy.keep_at_least(role)))
        .filter(|(_, at_least)| *at_least > 0)
}
