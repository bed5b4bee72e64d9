//! Accounts.

use async_trait::async_trait;
use stagedoor_identity::account::{AccountChange, AccountName, AccountQuery};
use stagedoor_identity::port::{Accounts, StoreError};
use stagedoor_identity::{Account, AccountId, EndReason, SessionId};
use stagedoor_policy::time::Timestamp;

use super::answer::{Damage, Fields};
use super::script::{Script, bytes, reading, writing};
use super::sessions::{ids_of, reason_json};
use super::{Redis, args};
use crate::attempt_key::name_hash;
use crate::grants;

const LISTED_MAX: u32 = 1000;
/// Names that one script looks at while others wait.
const NAMES_AT_ONCE: u32 = 500;

static CREATE: Script = writing!("create_account");
static CHANGE: Script = writing!("change_account", "account_lib", "session_lib");
static REMOVE: Script = writing!("remove_account", "account_lib", "session_lib", "attempt_lib");
static REINSTATE: Script = writing!("reinstate_account", "account_lib");
static ONE: Script = reading!("account", "account_lib");
static SOME: Script = reading!("accounts", "account_lib");
static NAMES: Script = reading!("account_names");

#[async_trait]
impl Accounts for Redis {
    async fn create_account(&self, account: &Account, password_hash: &str) -> Result<(), StoreError> {
        let mut args = args![
            account.id.0,
            account.name.as_str(),
            name_hash(account.name.as_str()),
            password_hash
        ];
        let mut fields = Written::default();
        fields
            .account(account)
            .map_err(|why| self.engine("create_account", &why))?;
        args.extend(fields.0);
        self.write("create_account", &CREATE, args).await.map(drop)
    }

    async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        self.one("account", args!["id", id.0]).await
    }

    async fn account_by_name(&self, name: &AccountName) -> Result<Option<Account>, StoreError> {
        self.one("account_by_name", args!["name", name.as_str()]).await
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError> {
        let limit = usize::try_from(query.limit.clamp(1, LISTED_MAX)).unwrap_or(usize::MAX);
        let ids = self.search(query, limit).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let answer = self.read("list_accounts", &SOME, ids).await?;
        let Some(answer) = answer else { return Ok(Vec::new()) };
        let read = || answer.records()?.iter().map(read).collect::<Result<_, Damage>>();
        read().map_err(self.damaged("list_accounts"))
    }

    async fn change_account(
        &self,
        id: AccountId,
        expected: Option<u64>,
        change: &AccountChange,
        end: Option<(&EndReason, Timestamp)>,
    ) -> Result<(Account, Vec<SessionId>), StoreError> {
        let (mut gone, mut fields) = (Vec::new(), Written::default());
        fields
            .change(change, &mut gone)
            .map_err(|why| self.engine("change_account", &why))?;
        let (ends, now, reason) = match end {
            Some((reason, now)) => (true, bytes(now), bytes(reason_json(reason)?)),
            None => (false, Vec::new(), Vec::new()),
        };
        let mut args = args![
            id.0,
            expected.map_or_else(String::new, |version| version.to_string()),
            ends
        ];
        args.extend([now, reason, bytes(gone.len())]);
        args.extend(gone.into_iter().map(bytes));
        args.extend(fields.0);
        let answer = self.write("change_account", &CHANGE, args).await?;
        let damaged = self.damaged("change_account");
        let account = answer.fields(2).and_then(|fields| read(&fields)).map_err(&damaged)?;
        Ok((account, ids_of(&answer, 1).map_err(&damaged)?))
    }

    async fn remove_account(&self, id: AccountId, expected: Option<u64>) -> Result<Vec<SessionId>, StoreError> {
        // A name is never changed, so what it hashes to may be looked up beforehand.
        let name = self.account(id).await?.ok_or(StoreError::NotFound)?.name;
        let expected = expected.map_or_else(String::new, |version| version.to_string());
        let args = args![id.0, expected, name.as_str(), name_hash(name.as_str())];
        let answer = self.write("remove_account", &REMOVE, args).await?;
        ids_of(&answer, 1).map_err(self.damaged("remove_account"))
    }

    async fn reinstate_account(&self, id: AccountId, now: Timestamp) -> Result<Account, StoreError> {
        let answer = self.write("reinstate_account", &REINSTATE, args![id.0, now]).await?;
        let fields = answer.fields(1).and_then(|fields| read(&fields));
        fields.map_err(self.damaged("reinstate_account"))
    }
}

impl Redis {
    async fn one(&self, operation: &'static str, args: Vec<Vec<u8>>) -> Result<Option<Account>, StoreError> {
        let answer = self.read(operation, &ONE, args).await?;
        let account = answer.map(|answer| answer.fields(1).and_then(|fields| read(&fields)));
        account.transpose().map_err(self.damaged(operation))
    }

    /// The ids of those that are looked for, in the order of names, as arguments.
    async fn search(&self, query: &AccountQuery, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let part = query.contains.to_lowercase();
        let mut after = query.after.as_ref().map_or("", AccountName::as_str).to_owned();
        let (mut found, at_once) = (Vec::new(), usize::try_from(NAMES_AT_ONCE).unwrap_or(usize::MAX));
        loop {
            let page = self.read("list_accounts", &NAMES, args![&after, NAMES_AT_ONCE]).await?;
            let Some(page) = page else { return Ok(found) };
            let mut last = None;
            for number in 1..=page.parts() {
                let row = page.texts(number).map_err(self.damaged("list_accounts"))?;
                let [name, id, folded] = row.as_slice() else {
                    return Err(self.damaged("list_accounts")("a name".to_owned()));
                };
                last = Some((*name).to_owned());
                if name.contains(&part) || folded.contains(&part) {
                    found.push(bytes(*id));
                }
                if found.len() == limit {
                    return Ok(found);
                }
            }
            match last {
                Some(last) if page.parts() >= at_once => after = last,
                _ => return Ok(found),
            }
        }
    }
}

/// Fields and values as they are given to a script.
#[derive(Default)]
pub(super) struct Written(pub(super) Vec<Vec<u8>>);

impl Written {
    pub(super) fn set(&mut self, field: &str, value: impl super::script::AsArg) {
        self.0.push(bytes(field));
        self.0.push(bytes(value));
    }

    pub(super) fn set_if_any(&mut self, field: &str, value: Option<impl super::script::AsArg>) {
        if let Some(value) = value {
            self.set(field, value);
        }
    }

    pub(super) fn account(&mut self, account: &Account) -> Result<(), Damage> {
        self.set("id", account.id.0);
        self.set("name", account.name.as_str());
        self.display_name(&account.display_name);
        self.set_if_any("email", account.email.as_ref());
        self.set("role", &account.role);
        self.set("grants", json(&grants::Stored::of(&account.grants))?);
        self.set("networks", json(&account.networks)?);
        self.set("disabled", account.disabled);
        self.set("password_temporary", account.password_temporary);
        self.set("created_at", account.created_at);
        self.set_if_any("last_sign_in_at", account.last_sign_in_at);
        self.set_if_any("last_used_at", account.last_used_at);
        self.set_if_any("reinstated_at", account.reinstated_at);
        self.set("version", account.version);
        Ok(())
    }

    fn change(&mut self, change: &AccountChange, gone: &mut Vec<&'static str>) -> Result<(), Damage> {
        if let Some(display_name) = &change.display_name {
            self.display_name(display_name);
        }
        match &change.email {
            Some(Some(email)) => self.set("email", email),
            Some(None) => gone.push("email"),
            None => (),
        }
        self.set_if_any("role", change.role.as_ref());
        if let Some(grants) = &change.grants {
            self.set("grants", json(&grants::Stored::of(grants))?);
        }
        if let Some(networks) = &change.networks {
            self.set("networks", json(networks)?);
        }
        self.set_if_any("disabled", change.disabled);
        Ok(())
    }

    fn display_name(&mut self, display_name: &String) {
        self.set("display_name", display_name);
        self.set("display_folded", display_name.to_lowercase());
    }
}

pub(super) fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, Damage> {
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
        version: fields.number("version")?,
    })
}
