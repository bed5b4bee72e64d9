//! Roles.

use super::networks::NamedNetworks;
use super::{Faults, grantable, grants, limits, standing};
use crate::fault::KeyPath;
use crate::name::did_you_mean;
use crate::policy::BROWSER;
use crate::role::Role;
use crate::rules::{AccountNetworkRules, RoleRules, Rules};
use crate::site::Site;

/// All roles, as far as they can be compiled.
pub(super) fn compile(rules: &Rules, sites: &[Site], named: &NamedNetworks<'_>, faults: &mut Faults) -> Vec<Role> {
    let areas = grants::Areas::of(sites);
    let roles = rules.roles.iter();
    roles
        .map(|(name, role)| compile_role(name, role, rules, &areas, named, faults))
        .collect()
}

/// The place of the one role that says `default = true`.
pub(super) fn default_role(rules: &Rules, faults: &mut Faults) -> Option<usize> {
    let mut defaults = rules.roles.iter().enumerate().filter(|(_, (_, role))| role.default);
    let (place, (first, _)) = defaults.next()?;
    for (_, (name, _)) in defaults {
        let message = format!("the role `{name}` says `default = true`, and so does `role.{first}`");
        faults.add(
            KeyPath::of(["role", name, "default"]),
            message,
            "only one role can be the default".to_owned(),
        );
    }
    Some(place)
}

fn compile_role(
    name: &str,
    role: &RoleRules,
    rules: &Rules,
    areas: &grants::Areas<'_>,
    named: &NamedNetworks<'_>,
    faults: &mut Faults,
) -> Role {
    let at = KeyPath::of(["role", name]);
    faults.check_name(&at, "a role", name);
    Role {
        name: name.into(),
        grants: grants::compile(&role.may, areas, &at.key("may"), faults),
        networks: limits::compile(role.networks.as_deref(), &role.network_rules, &at, named, faults),
        channels: channels(role, rules, &at, faults),
        account_networks: account_networks(role, &at.key("account_networks"), faults),
        second_factor: role.second_factor.unwrap_or(rules.second_factor.ask),
        inactivity_exempt: role.inactivity_exempt,
        standing: standing::compile(name, role, rules, &at, faults),
        may_be_granted: grantable::compile(role.may_be_granted.as_deref(), areas, &at.key("may_be_granted"), faults),
    }
}

/// What networks of its own an account may have, where some list can keep the rules.
fn account_networks(role: &RoleRules, at: &KeyPath, faults: &mut Faults) -> AccountNetworkRules {
    let own = role.account_networks;
    if own.required && own.list.at_most == Some(0) {
        faults.add(
            at.key("at_most"),
            "accounts of this role need networks and may have none",
            "allow at least 1, or do not require any".to_owned(),
        );
    }
    limits::check_rules(&own.list, at, faults);
    own
}

fn channels(role: &RoleRules, rules: &Rules, at: &KeyPath, faults: &mut Faults) -> Vec<Box<str>> {
    match &role.channels {
        Some(names) => known_channels(names, rules, &at.key("channels"), faults),
        None => vec![BROWSER.into()],
    }
}

/// The channels of a list, each of which there has to be.
pub(super) fn known_channels(names: &[String], rules: &Rules, at: &KeyPath, faults: &mut Faults) -> Vec<Box<str>> {
    for (index, name) in names.iter().enumerate() {
        if name != BROWSER && !rules.channels.contains_key(name) {
            let known = rules.channels.keys().map(String::as_str).chain([BROWSER]);
            let help = did_you_mean(name, known).unwrap_or_else(|| format!("add `[channel.{name}]`"));
            faults.add(at.index(index), format!("there is no channel `{name}`"), help);
        }
    }
    names.iter().map(|name| name.as_str().into()).collect()
}
