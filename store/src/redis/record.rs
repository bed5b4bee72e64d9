//! Accounts as they lie in Redis: each a hash, with the hashes beside it that it is found by.

use std::collections::BTreeMap;

use serde::Serialize;
use stagedoor_identity::account::{AccountChange, AccountName, Invitation, folded};
use stagedoor_identity::{Account, AccountId};

use super::answer::{Damage, Fields};
use super::script::{AsArg, bytes, hex};
use super::structure::text_hash;
use crate::attempt_key::name_hash;
use crate::grants;

/// Fields and values as they are given to a script.
#[derive(Default)]
pub(super) struct Written(pub(super) Vec<Vec<u8>>);

impl Written {
    pub(super) fn set(&mut self, field: &str, value: impl AsArg) {
        self.0.push(bytes(field));
        self.0.push(bytes(value));
    }

    pub(super) fn set_if_any(&mut self, field: &str, value: Option<impl AsArg>) {
        if let Some(value) = value {
            self.set(field, value);
        }
    }

    pub(super) fn account(&mut self, account: &Account) -> Result<(), Damage> {
        let mut set = Set::default();
        set.whole(account)?;
        self.set("id", account.id.0);
        self.set("password_temporary", account.password_temporary);
        self.set("created_at", account.created_at);
        self.set_if_any("last_sign_in_at", account.last_sign_in_at);
        self.set_if_any("last_used_at", account.last_used_at);
        self.set_if_any("reinstated_at", account.reinstated_at);
        self.set_if_any("accepted_at", account.accepted_at);
        self.set_if_any("invited_at", account.invitation.map(|invitation| invitation.sent_at));
        self.set_if_any(
            "invitation_expires_at",
            account.invitation.map(|invitation| invitation.expires_at),
        );
        self.set("version", account.version);
        for (field, value) in &set.set {
            self.set(field, value);
        }
        Ok(())
    }
}

/// What a change makes of an account, as `change_lib.lua` takes it.
#[derive(Serialize, Default)]
pub(super) struct Set {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expected: Option<String>,
    pub(super) set: BTreeMap<&'static str, String>,
    pub(super) gone: Vec<&'static str>,
    /// The name that is given up, and each lock of it with the id it has under the new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) renamed_from: Option<String>,
    pub(super) locks: BTreeMap<String, String>,
}

impl Set {
    pub(super) fn change(&mut self, change: &AccountChange) -> Result<(), Damage> {
        if let Some(name) = &change.name {
            self.name(name);
        }
        if let Some(display_name) = &change.display_name {
            self.display_name(display_name);
        }
        if let Some(email) = &change.email {
            self.email(email.as_deref());
        }
        if let Some(role) = &change.role {
            self.role(role);
        }
        if let Some(grants) = &change.grants {
            self.put("grants", json(&grants::Stored::of(grants))?);
        }
        if let Some(networks) = &change.networks {
            self.put("networks", json(networks)?);
        }
        if let Some(disabled) = change.disabled {
            self.put("disabled", flag(disabled));
        }
        if let Some(demanded) = change.second_factor_demanded {
            self.put("second_factor_demanded", flag(demanded));
        }
        if let Some(preferences) = &change.preferences {
            self.put("preferences", json(preferences)?);
        }
        Ok(())
    }

    /// Everything of an account that a change may change.
    fn whole(&mut self, account: &Account) -> Result<(), Damage> {
        self.change(&AccountChange {
            display_name: Some(account.display_name.clone()),
            email: account.email.clone().map(Some),
            role: Some(account.role.clone()),
            grants: Some(account.grants.clone()),
            networks: Some(account.networks.clone()),
            disabled: Some(account.disabled),
            name: Some(account.name.clone()),
            second_factor_demanded: Some(account.second_factor_demanded),
            preferences: Some(account.preferences.clone()),
        })
    }

    fn name(&mut self, name: &AccountName) {
        self.put("name", name.as_str().to_owned());
        self.put("name_hash", hex(&name_hash(name.as_str())));
    }

    fn display_name(&mut self, display_name: &str) {
        self.put("display_name", display_name.to_owned());
        self.put("display_folded", folded(display_name));
    }

    fn email(&mut self, email: Option<&str>) {
        match email {
            Some(email) => {
                self.put("email", email.to_owned());
                self.put("email_hash", email_hash(email));
            }
            None => self.gone.extend(["email", "email_hash"]),
        }
    }

    fn role(&mut self, role: &str) {
        self.put("role", role.to_owned());
        self.put("role_hash", text_hash(role));
    }

    fn put(&mut self, field: &'static str, value: String) {
        self.set.insert(field, value);
    }
}

/// What an address is found by, whatever its case.
pub(super) fn email_hash(email: &str) -> String {
    text_hash(&email.to_ascii_lowercase())
}

fn flag(on: bool) -> String {
    String::from(if on { "1" } else { "0" })
}

pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, Damage> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}

pub(super) fn read(fields: &Fields) -> Result<Account, Damage> {
    let name = AccountName::parse(&fields.text("name")?).map_err(|_not_a_name| "the field `name`".to_owned())?;
    Ok(Account {
        id: AccountId(fields.id("id")?),
        name,
        display_name: fields.text("display_name")?,
        email: fields.text_if_any("email")?,
        role: fields.text("role")?,
        grants: fields
            .json::<Vec<grants::Stored>>("grants")?
            .into_iter()
            .map(grants::Stored::read)
            .collect(),
        networks: fields.json("networks")?,
        disabled: fields.flag("disabled")?,
        password_temporary: fields.flag("password_temporary")?,
        second_factor: fields.flag("second_factor")?,
        recovery_codes_left: fields.number("recovery_codes_left")?,
        created_at: fields.time("created_at")?,
        last_sign_in_at: fields.time_if_any("last_sign_in_at")?,
        last_used_at: fields.time_if_any("last_used_at")?,
        reinstated_at: fields.time_if_any("reinstated_at")?,
        accepted_at: fields.time_if_any("accepted_at")?,
        invitation: fields
            .time_if_any("invited_at")?
            .zip(fields.time_if_any("invitation_expires_at")?)
            .map(|(sent_at, expires_at)| Invitation { sent_at, expires_at }),
        second_factor_demanded: fields.flag("second_factor_demanded")?,
        preferences: fields.json("preferences")?,
        devices: fields.number("devices")?,
        version: fields.number("version")?,
    })
}
