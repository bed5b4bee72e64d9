//! Accounts.

mod checks;
mod fold;
mod state;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stagedoor_policy::ExtraGrant;
use stagedoor_policy::time::Timestamp;
use uuid::Uuid;

pub(crate) use checks::{check_change, check_new};
pub use fold::folded;
pub use state::AccountState;

/// The longest sign-in name, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// An account's identity, for ever (UUID v7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub Uuid);

/// An account, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Never reused.
    pub id: AccountId,
    /// The name it signs in with: 1 to 64 characters of `a-z 0-9 . _ - @ +`, lower case. See [`AccountName`].
    pub name: AccountName,
    /// For people. 0 to 100 characters, any script, no control characters.
    pub display_name: String,
    /// One `@`, at most 254 characters.
    pub email: Option<String>,
    /// A role of the policy, by name. A role the policy does not have may do nothing.
    pub role: String,
    /// On top of the role.
    pub grants: Vec<ExtraGrant>,
    /// The account's own networks, as written; empty: none of its own.
    pub networks: Vec<String>,
    /// Switched off by an administrator.
    pub disabled: bool,
    /// The password was set by somebody else and must be changed at the next sign-in.
    pub password_temporary: bool,
    /// A second factor is enrolled.
    pub second_factor: bool,
    /// Recovery codes left.
    pub recovery_codes_left: u32,
    /// When it was registered.
    pub created_at: Timestamp,
    /// The last sign-in that went all the way.
    pub last_sign_in_at: Option<Timestamp>,
    /// The last request of any of its sessions, to within the flush interval (10 s).
    pub last_used_at: Option<Timestamp>,
    /// When an administrator last lifted a ban; disuse is counted from the latest of this, `created_at`, `last_used_at`.
    pub reinstated_at: Option<Timestamp>,
    /// When whoever it is for took it over: at once where it was made with a password, else when the invitation was
    /// accepted. `None`: invited; nobody can sign in to it.
    pub accepted_at: Option<Timestamp>,
    /// The invitation that waits to be accepted, also one to come back.
    pub invitation: Option<Invitation>,
    /// This account has to show a second factor, whatever its role has to.
    pub second_factor_demanded: bool,
    /// What its holder has chosen, by the names that the policy declares.
    pub preferences: BTreeMap<String, String>,
    /// Devices linked to it; counted by the store.
    pub devices: u32,
    /// Rises by one with each change; what `If-Match` compares.
    pub version: u64,
}

impl Account {
    /// A new account of nothing but a name and a role, accepted at once.
    pub fn new(id: AccountId, name: AccountName, role: &str, created_at: Timestamp) -> Self {
        Self {
            id,
            name,
            display_name: String::new(),
            email: None,
            role: role.to_owned(),
            grants: Vec::new(),
            networks: Vec::new(),
            disabled: false,
            password_temporary: false,
            second_factor: false,
            recovery_codes_left: 0,
            created_at,
            last_sign_in_at: None,
            last_used_at: None,
            reinstated_at: None,
            accepted_at: Some(created_at),
            invitation: None,
            second_factor_demanded: false,
            preferences: BTreeMap::new(),
            devices: 0,
            version: 1,
        }
    }
}

/// An invitation, without its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invitation {
    /// When it was last sent.
    pub sent_at: Timestamp,
    /// Worthless from then on.
    pub expires_at: Timestamp,
}

/// A sign-in name that has passed the shape check; compared in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct AccountName(String);

impl AccountName {
    /// Trims nothing, lower-cases ASCII.
    /// # Errors
    /// A sentence for the person who typed it.
    pub fn parse(typed: &str) -> Result<Self, &'static str> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@+".contains(&byte);
        if typed.is_empty() || typed.len() > NAME_BYTES_MAX {
            return Err("a name has 1 to 64 characters");
        }
        if !typed.bytes().all(allowed) {
            return Err("a name is made of letters a to z, digits and the characters . _ - @ +");
        }
        Ok(Self(typed.to_ascii_lowercase()))
    }
    /// In lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a new account is made of.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// See [`Account::name`].
    pub name: AccountName,
    /// See [`Account::display_name`].
    pub display_name: String,
    /// See [`Account::email`].
    pub email: Option<String>,
    /// `None`: the policy's default role.
    pub role: Option<String>,
    /// See [`Account::grants`].
    pub grants: Vec<ExtraGrant>,
    /// See [`Account::networks`].
    pub networks: Vec<String>,
    /// The first password.
    pub password: crate::Password,
    /// Whether it must be changed at the first sign-in.
    pub password_temporary: bool,
}

/// What an account is made of that has yet to be accepted.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// See [`Account::name`].
    pub name: AccountName,
    /// See [`Account::display_name`].
    pub display_name: String,
    /// Where the invitation goes; needed where letters are sent.
    pub email: Option<String>,
    /// `None`: the policy's default role.
    pub role: Option<String>,
    /// See [`Account::grants`].
    pub grants: Vec<ExtraGrant>,
    /// See [`Account::networks`].
    pub networks: Vec<String>,
}

/// What changes in an account; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    /// See [`Account::display_name`].
    pub display_name: Option<String>,
    /// See [`Account::email`]; `Some(None)` removes it.
    pub email: Option<Option<String>>,
    /// See [`Account::role`].
    pub role: Option<String>,
    /// See [`Account::grants`].
    pub grants: Option<Vec<ExtraGrant>>,
    /// See [`Account::networks`].
    pub networks: Option<Vec<String>>,
    /// See [`Account::disabled`].
    pub disabled: Option<bool>,
    /// See [`Account::name`].
    pub name: Option<AccountName>,
    /// See [`Account::second_factor_demanded`].
    pub second_factor_demanded: Option<bool>,
    /// See [`Account::preferences`]: all of them.
    pub preferences: Option<BTreeMap<String, String>>,
}

impl AccountChange {
    /// Makes the change; raises no version.
    pub fn apply(self, account: &mut Account) {
        fn set<T>(field: &mut T, new: Option<T>) {
            if let Some(new) = new {
                *field = new;
            }
        }
        set(&mut account.name, self.name);
        set(&mut account.display_name, self.display_name);
        set(&mut account.email, self.email);
        set(&mut account.role, self.role);
        set(&mut account.grants, self.grants);
        set(&mut account.networks, self.networks);
        set(&mut account.disabled, self.disabled);
        set(&mut account.second_factor_demanded, self.second_factor_demanded);
        set(&mut account.preferences, self.preferences);
    }
}

/// The longest text that is searched for, in characters; what is longer finds nothing.
pub const SEARCH_CHARS_MAX: usize = 100;

/// A search in the account list.
#[derive(Debug, Clone, Default)]
pub struct AccountQuery {
    /// Part of the name or display name, any script and case; 0 to [`SEARCH_CHARS_MAX`] characters; empty: all.
    pub contains: String,
    /// Only in the display name, not in the name.
    pub display_name_only: bool,
    /// Only accounts of these roles. `None`: of any.
    pub roles: Option<Vec<String>>,
    /// Only names after this one (paging).
    pub after: Option<AccountName>,
    /// At most this many; 1 to 1,000.
    pub limit: u32,
}

impl AccountQuery {
    /// What is searched for, as it is compared; `None` where it is too long to be looked for.
    pub fn folded(&self) -> Option<String> {
        (self.contains.chars().count() <= SEARCH_CHARS_MAX).then(|| folded(&self.contains))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_compared_in_lower_case() {
        assert_eq!(AccountName::parse("Ann.Lee+x@Corp").unwrap().as_str(), "ann.lee+x@corp");
    }

    #[test]
    fn names_of_other_shapes_are_refused_not_mended() {
        for typed in ["", " ann", "a:b", "*", "{x}", "ann\r\n", "änn", &"a".repeat(65), "a\0"] {
            assert!(AccountName::parse(typed).is_err(), "{typed:?}");
        }
        assert!(AccountName::parse(&"a".repeat(64)).is_ok());
    }
}
