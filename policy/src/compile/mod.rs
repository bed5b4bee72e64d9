//! From [`Rules`] to [`Policy`], or to every fault at once.
//!
//! Each part is compiled as far as it goes whatever is wrong with the others, so that a person sees all faults in one go.
//! What could not be compiled never reaches a policy: one fault and there is none.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::fault::{Fault, KeyPath};
use crate::name::{NAME_BYTES_MAX, is_name};
use crate::policy::{Policy, Revision};
use crate::rules::Rules;

mod account_rules;
mod grantable;
mod grants;
mod limits;
mod networks;
mod passwords;
mod people;
mod preferences;
mod roles;
mod sites;
mod standing;

use networks::NamedNetworks;

/// How many sites a policy may have.
pub const SITES_MAX: usize = 65_535;
/// How many areas a site may have.
pub const AREAS_PER_SITE_MAX: usize = 65_535;

/// Compiles `rules` as revision `revision`.
///
/// # Errors
/// Every fault that is in the rules, in the order of the file's key paths.
pub fn compile(rules: &Rules, revision: Revision) -> Result<Policy, Vec<Fault>> {
    let mut faults = Faults::default();
    let named = NamedNetworks::resolve(&rules.networks, &mut faults);
    let sites = sites::compile(rules, &named, &mut faults);
    let channels = account_rules::channels(rules, &mut faults);
    let roles = roles::compile(rules, &sites, &named, &mut faults);
    account_rules::check(rules, &mut faults);
    let people = people::compile(rules, &mut faults);
    let default_role = roles::default_role(rules, &mut faults);
    if !faults.0.is_empty() {
        faults.0.sort_by(|a, b| (&a.at, &a.message).cmp(&(&b.at, &b.message)));
        return Err(faults.0);
    }
    Ok(Policy {
        revision,
        site_ids: sites::ids(&sites),
        sites,
        role_places: roles
            .iter()
            .enumerate()
            .map(|(place, role)| (role.name.clone(), place))
            .collect(),
        roles,
        default_role,
        channels,
        session: rules.session,
        lockout: rules.lockout,
        inactivity: rules.inactivity,
        second_factor: rules.second_factor.ask,
        people,
    })
}

/// The faults found so far.
#[derive(Debug, Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, at: KeyPath, message: impl Into<String>, help: impl Into<Option<String>>) {
        self.0.push(Fault {
            at,
            message: message.into(),
            help: help.into(),
        });
    }

    /// Notes a name that is none.
    fn check_name(&mut self, at: &KeyPath, what: &str, name: &str) {
        if !is_name(name) {
            let help = format!("names are 1 to {NAME_BYTES_MAX} characters of a-z, 0-9, `_` and `-`");
            self.add(at.clone(), format!("`{name}` is not a name for {what}"), help);
        }
    }
}

/// An empty table with the hasher that all look-ups of a policy use.
fn table<K, V>() -> HashMap<K, V, FixedState> {
    HashMap::with_hasher(FixedState::default())
}

#[cfg(test)]
mod tests;
