//! How accounts come to a role, leave it and manage others.

use super::Faults;
use crate::fault::KeyPath;
use crate::name::did_you_mean;
use crate::role::Standing;
use crate::rules::{ChangedBy, HeldBy, RoleRules, Rules};

/// The role's standing, as far as it makes sense.
pub(super) fn compile(name: &str, role: &RoleRules, rules: &Rules, at: &KeyPath, faults: &mut Faults) -> Standing {
    match role.held_by {
        HeldBy::Any => check_any(role, at, faults),
        HeldBy::One => check_one(role, at, faults),
    }
    for (index, to) in role.handed_to.iter().flatten().enumerate() {
        check_successor(name, to, rules, &at.key("handed_to").index(index), faults);
    }
    if let Some(to) = &role.hands_down_to {
        check_successor(name, to, rules, &at.key("hands_down_to"), faults);
    }
    Standing {
        keep_at_least: role.keep_at_least,
        held_by: role.held_by,
        handed_to: role.handed_to.as_ref().map(|roles| boxed(roles)),
        hands_down_to: role.hands_down_to.as_deref().map(Into::into),
        role_changed_by: role.role_changed_by,
        administers_all: role.administers.iter().any(|name| name == "*"),
        administers: administers(role, rules, &at.key("administers"), faults),
        unchanged_while_on: super::roles::known_channels(
            &role.unchanged_while_on,
            rules,
            &at.key("unchanged_while_on"),
            faults,
        ),
    }
}

/// Notes the place where a role is named that the policy does not have.
pub(super) fn check_role(name: &str, rules: &Rules, at: &KeyPath, faults: &mut Faults) -> bool {
    let known = rules.roles.contains_key(name);
    if !known {
        let hint = did_you_mean(name, rules.roles.keys().map(String::as_str));
        faults.add(
            at.clone(),
            format!("there is no role `{name}`"),
            hint.unwrap_or_else(|| format!("add `[role.{name}]`")),
        );
    }
    known
}

/// What only means something for a role that one account holds.
fn check_any(role: &RoleRules, at: &KeyPath, faults: &mut Faults) {
    let keys = [
        ("handed_to", role.handed_to.is_some()),
        ("hands_down_to", role.hands_down_to.is_some()),
    ];
    for (key, _) in keys.iter().filter(|(_, there)| *there) {
        faults.add(
            at.key(*key),
            "only a role that one account holds is handed over",
            "add `held_by = \"one\"`, or take this out".to_owned(),
        );
    }
}

/// What one account cannot keep.
fn check_one(role: &RoleRules, at: &KeyPath, faults: &mut Faults) {
    let mut add = |key: &str, message: &str, help: &str| faults.add(at.key(key), message, help.to_owned());
    if role.default {
        add(
            "default",
            "a role that one account holds cannot be what every new account gets",
            "make another role the default",
        );
    }
    if role.keep_at_least > 1 {
        add(
            "keep_at_least",
            "a role that one account holds cannot keep more",
            "take it out: exactly one is kept anyway",
        );
    }
    if role.role_changed_by != ChangedBy::Administrators {
        add(
            "role_changed_by",
            "a role that one account holds is handed over, never changed",
            "take it out, or take `held_by` out",
        );
    }
    if role.handed_to.as_ref().is_some_and(Vec::is_empty) {
        add(
            "handed_to",
            "nobody could ever take the role over",
            "name a role, or take it out: then any account can",
        );
    }
}

/// A role that the holder's can be exchanged for: it exists, is another one, and can have one account more.
fn check_successor(name: &str, to: &str, rules: &Rules, at: &KeyPath, faults: &mut Faults) {
    if !check_role(to, rules, at, faults) {
        return;
    }
    if to == name {
        faults.add(
            at.clone(),
            "a role cannot be handed over to itself",
            "name another role".to_owned(),
        );
    } else if rules.roles.get(to).is_some_and(|role| role.held_by == HeldBy::One) {
        let message = format!("`{to}` is held by one account too: handing over would move or double that as well");
        faults.add(
            at.clone(),
            message,
            "name a role that any number of accounts hold".to_owned(),
        );
    }
}

fn administers(role: &RoleRules, rules: &Rules, at: &KeyPath, faults: &mut Faults) -> Vec<Box<str>> {
    if role.administers.iter().any(|name| name == "*") {
        if role.administers.len() > 1 {
            faults.add(
                at.clone(),
                "`*` is every role already",
                "name `*` alone, or the roles alone".to_owned(),
            );
        }
        return rules.roles.keys().map(|name| name.as_str().into()).collect();
    }
    for (index, name) in role.administers.iter().enumerate() {
        check_role(name, rules, &at.index(index), faults);
    }
    let mut names = boxed(&role.administers);
    names.sort_unstable();
    names.dedup();
    names
}

fn boxed(names: &[String]) -> Vec<Box<str>> {
    names.iter().map(|name| name.as_str().into()).collect()
}
