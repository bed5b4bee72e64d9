//! What an administrator wants to give an account, checked against the policy.

use std::collections::BTreeSet;

use super::Policy;
use crate::name::did_you_mean;
use crate::network::{NetworkSet, Prefix, shape};
use crate::rules::{MessageKey, NetworkListRules};
use crate::site::Area;
use crate::{ExtraGrant, Level};

pub(super) fn account_networks(policy: &Policy, role: &str, networks: &[String]) -> Result<NetworkSet, Vec<String>> {
    let mut wrong = Vec::new();
    let mut list = NetworkListRules::default();
    match policy.role(role) {
        None => wrong.push(with_hint(
            format!("there is no role `{role}`"),
            did_you_mean(role, policy.roles()),
        )),
        Some(role) => {
            if role.account_networks.required && networks.is_empty() {
                wrong.push(format!(
                    "an account with the role `{}` needs at least one network",
                    role.name
                ));
            }
            list = role.account_networks.list;
        }
    }
    wrong.extend(shape::faults_of_list(
        &list,
        networks.len(),
        networks.join(",").chars().count(),
    ));
    for text in networks {
        match Prefix::parse(text) {
            Err(why) => wrong.push(why),
            Ok(prefix) => wrong.extend(shape::faults_of_element(&list, text, &prefix)),
        }
    }
    if wrong.is_empty() {
        match NetworkSet::parse(networks.iter().map(String::as_str)) {
            Err(faults) => wrong.extend(faults.into_iter().map(|(_, why)| why)),
            Ok(set) if !set.is_empty() && !set.allows_any() => {
                wrong.push("networks that only except let nobody in; add one that allows".to_owned());
            }
            Ok(set) => return Ok(set),
        }
    }
    if let Some(sentence) = policy.own_message(MessageKey::NetworksUnfit) {
        wrong.insert(0, sentence.to_owned());
    }
    Err(wrong)
}

pub(super) fn extra_grants(policy: &Policy, role: &str, grants: &[ExtraGrant]) -> Result<(), Vec<String>> {
    let faults_of = |grant| {
        let faults = faults_of(policy, grant);
        if faults.is_empty() {
            beyond_the_role(policy, role, grant)
        } else {
            faults
        }
    };
    let wrong: Vec<String> = grants.iter().flat_map(faults_of).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// What of the grant an account of the role may not hold, on any site that it is meant on.
fn beyond_the_role(policy: &Policy, role: &str, grant: &ExtraGrant) -> Vec<String> {
    let Some(Some(grantable)) = policy.role(role).map(|role| role.may_be_granted.as_ref()) else {
        return Vec::new();
    };
    let mut wrong = BTreeSet::new();
    for place in policy.places_of(grant) {
        let allowed = grantable.0.get(&place).copied().unwrap_or_default();
        if grant.level > Level::None && !allowed.levels {
            wrong.insert(format!("the role `{role}` may not be granted `{}`", grant.area));
        }
        let area = policy.site_at(place.0).and_then(|site| site.area(place.1));
        for action in &grant.actions {
            let bit = area.map_or(0, |area| area.action_bit(action));
            if bit & !allowed.actions != 0 {
                wrong.insert(format!(
                    "the role `{role}` may not be granted `{}.{action}`",
                    grant.area
                ));
            }
        }
    }
    wrong.into_iter().collect()
}

fn faults_of(policy: &Policy, grant: &ExtraGrant) -> Vec<String> {
    if let Some(site) = &grant.site
        && policy.site(site).is_none()
    {
        let names = policy.sites().map(|(_, name)| name);
        return vec![with_hint(
            format!("there is no site `{site}`"),
            did_you_mean(site, names),
        )];
    }
    let sites = policy
        .sites
        .iter()
        .filter(|site| grant.site.as_deref().is_none_or(|name| *site.name == *name));
    let areas: Vec<&Area> = sites.flat_map(|site| &site.areas).collect();
    let meant: Vec<&&Area> = areas.iter().filter(|area| *area.name == *grant.area).collect();
    if meant.is_empty() {
        let hint = did_you_mean(&grant.area, areas.iter().map(|area| &*area.name));
        return vec![with_hint(format!("there is no area `{}`", grant.area), hint)];
    }
    let mut wrong = Vec::new();
    for action in &grant.actions {
        if meant.iter().all(|area| area.action_bit(action) == 0) {
            let known = meant.iter().flat_map(|area| &area.actions).map(|name| &**name);
            let message = format!("the area `{}` has no action `{action}`", grant.area);
            wrong.push(with_hint(message, did_you_mean(action, known)));
        }
    }
    if grant.level == Level::None && grant.actions.is_empty() {
        wrong.push(format!(
            "the grant on `{}` has neither a level nor an action",
            grant.area
        ));
    }
    wrong
}

fn with_hint(message: String, hint: Option<String>) -> String {
    match hint {
        Some(hint) => format!("{message}; {hint}"),
        None => message,
    }
}
