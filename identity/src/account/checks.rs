//! What an account may be made of. Every fault is told at once.

use std::collections::BTreeMap;

use stagedoor_policy::{ExtraGrant, Policy};

use super::{Account, AccountChange, AccountName, NewAccount};
use crate::door::ChangeFault;
use crate::letter::{ADDRESS_BYTES_MAX, is_address};

const GRANTS_MAX: usize = 256;
const NETWORKS_MAX: usize = 1000;

/// Field and sentence.
type Faults = Vec<(&'static str, String)>;

/// Checks a new account, its password excepted; answers its role.
pub(crate) fn check_new(policy: &Policy, new: &NewAccount) -> Result<String, Faults> {
    let mut faults = Faults::new();
    check_name(policy, &new.name, &mut faults);
    check_display_name(policy, &new.display_name, &mut faults);
    check_email(new.email.as_deref(), &mut faults);
    let role = new.role.as_deref().or_else(|| policy.default_role());
    match role {
        None => faults.push(("role", "name a role: the policy has no default one".to_owned())),
        Some(role) => check_rights(policy, role, Some(&new.networks), Some(&new.grants), &mut faults),
    }
    if faults.is_empty() {
        Ok(role.unwrap_or_default().to_owned())
    } else {
        Err(faults)
    }
}

/// Checks what is to change in `account`.
pub(crate) fn check_change(policy: &Policy, account: &Account, change: &AccountChange) -> Result<(), ChangeFault> {
    let mut faults = Faults::new();
    if let Some(display_name) = &change.display_name {
        check_display_name(policy, display_name, &mut faults);
    }
    if let Some(name) = change.name.as_ref().filter(|name| **name != account.name) {
        check_name(policy, name, &mut faults);
    }
    if let Some(preferences) = &change.preferences {
        check_preferences(policy, preferences, &mut faults);
    }
    if let Some(email) = &change.email {
        check_email(email.as_deref(), &mut faults);
    }
    // Another role may demand networks, or fewer of them: what the account has already is checked again with it.
    let role = change.role.as_deref().unwrap_or(&account.role);
    let networks = match (&change.networks, &change.role) {
        (None, None) => None,
        (given, _) => Some(given.as_deref().unwrap_or(&account.networks)),
    };
    if change.role.is_some() || networks.is_some() || change.grants.is_some() {
        check_rights(policy, role, networks, change.grants.as_deref(), &mut faults);
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(ChangeFault::Unfit(faults))
    }
}

fn check_rights(
    policy: &Policy,
    role: &str,
    networks: Option<&[String]>,
    grants: Option<&[ExtraGrant]>,
    faults: &mut Faults,
) {
    if !policy.has_role(role) {
        let shown: String = role.chars().take(64).flat_map(char::escape_debug).collect();
        faults.push(("role", format!("the policy has no role `{shown}`")));
    }
    if let Some(networks) = networks {
        if networks.len() > NETWORKS_MAX {
            faults.push(("networks", format!("at most {NETWORKS_MAX} networks")));
        } else if let Err(sentences) = policy.check_account_networks(role, networks) {
            faults.extend(sentences.into_iter().map(|sentence| ("networks", sentence)));
        }
    }
    if let Some(grants) = grants {
        if grants.len() > GRANTS_MAX {
            faults.push(("grants", format!("at most {GRANTS_MAX} grants")));
        } else if let Err(sentences) = policy.check_extra_grants(role, grants) {
            faults.extend(sentences.into_iter().map(|sentence| ("grants", sentence)));
        }
    }
}

fn check_name(policy: &Policy, name: &AccountName, faults: &mut Faults) {
    let wrong = policy.check_account_name(name.as_str()).err().unwrap_or_default();
    faults.extend(wrong.into_iter().map(|sentence| ("name", sentence)));
}

fn check_display_name(policy: &Policy, name: &str, faults: &mut Faults) {
    let wrong = policy.check_display_name(name).err().unwrap_or_default();
    faults.extend(wrong.into_iter().map(|sentence| ("display_name", sentence)));
}

/// Only what the policy declares, and only its choices.
fn check_preferences(policy: &Policy, chosen: &BTreeMap<String, String>, faults: &mut Faults) {
    for (name, choice) in chosen {
        let known = policy.preferences().iter().find(|known| known.name == *name);
        match known {
            None => faults.push(("preferences", "name preferences that the policy declares".to_owned())),
            Some(known) if known.choices.contains(choice) => {}
            Some(known) => {
                let choices = known.choices.join("`, `");
                faults.push(("preferences", format!("`{name}` is one of `{choices}`")));
            }
        }
    }
}

fn check_email(email: Option<&str>, faults: &mut Faults) {
    let Some(email) = email else { return };
    if email.len() > ADDRESS_BYTES_MAX {
        faults.push(("email", format!("at most {ADDRESS_BYTES_MAX} characters")));
    } else if !is_address(email) {
        faults.push(("email", "an address such as `name@example.org`".to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Password;
    use stagedoor_policy::Revision;
    use stagedoor_policy::rules::{RoleRules, Rules};

    fn policy() -> Policy {
        let rules = Rules {
            roles: [("viewer".to_owned(), RoleRules::default())].into(),
            ..Rules::default()
        };
        stagedoor_policy::compile(&rules, Revision(1)).unwrap()
    }

    fn new_account() -> NewAccount {
        NewAccount {
            name: AccountName::parse("ann").unwrap(),
            display_name: "Ann".to_owned(),
            email: None,
            role: Some("viewer".to_owned()),
            grants: Vec::new(),
            networks: Vec::new(),
            password: Password::new("irrelevant here").unwrap(),
            password_temporary: false,
        }
    }

    #[test]
    fn every_fault_of_a_new_account_is_told_at_once() {
        let new = NewAccount {
            display_name: "a\u{7}".repeat(60),
            email: Some("attacker@evil@company.test".to_owned()),
            role: Some("nobody".to_owned()),
            networks: vec!["300.1.2.3".to_owned()],
            ..new_account()
        };
        let faults = check_new(&policy(), &new).unwrap_err();
        let fields: Vec<&str> = faults.iter().map(|(field, _)| *field).collect();
        for field in ["display_name", "email", "role", "networks"] {
            assert!(fields.contains(&field), "{field} is missing in {faults:?}");
        }
    }

    #[test]
    fn an_account_without_a_role_is_refused_where_the_policy_has_no_default() {
        let new = NewAccount {
            role: None,
            ..new_account()
        };
        assert_eq!(check_new(&policy(), &new).unwrap_err().first().unwrap().0, "role");
        assert_eq!(check_new(&policy(), &new_account()).unwrap(), "viewer");
    }

    #[test]
    fn an_email_address_has_exactly_one_at_sign() {
        for (email, fit) in [
            ("ann@example.org", true),
            ("ann", false),
            ("@example.org", false),
            ("ann@", false),
            ("ann@evil@example.org", false),
            ("ann@example.org\r\nBcc: x", false),
            ("ann@example.org,bob@example.org", false),
        ] {
            let mut faults = Faults::new();
            check_email(Some(email), &mut faults);
            assert_eq!(faults.is_empty(), fit, "{email:?}");
        }
    }
}
