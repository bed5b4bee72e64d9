//! Accounts.

use async_trait::async_trait;
use rusqlite::{Connection, Row, named_params, params};
use stagedoor_identity::account::{AccountChange, AccountName, AccountQuery};
use stagedoor_identity::port::{Accounts, StoreError};
use stagedoor_identity::{Account, AccountId, EndReason, SessionId};
use stagedoor_policy::ExtraGrant;
use stagedoor_policy::time::Timestamp;

use super::fault::Fault;
use super::{Embedded, column, sessions};
use crate::attempt_key::name_hash;
use crate::grants;

const LISTED_MAX: u32 = 1000;

pub(super) const ACCOUNT: &str = "SELECT a.id, a.name, a.display_name, a.email, a.role, a.grants, a.networks, a.disabled, \
     a.password_temporary, a.created_at, a.last_sign_in_at, a.last_used_at, a.reinstated_at, a.version, \
     c.totp_sealed IS NOT NULL AS second_factor, \
     (SELECT count(*) FROM recovery_code r WHERE r.account = a.id) AS recovery_codes_left \
     FROM account a JOIN credential c ON c.account = a.id";

#[async_trait]
impl Accounts for Embedded {
    async fn create_account(&self, account: &Account, password_hash: &str) -> Result<(), StoreError> {
        let (account, hash) = (account.clone(), password_hash.to_owned());
        self.write("create_account", move |step| create(step, &account, &hash))
            .await
    }

    async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        self.read("account", move |connection| by_id(connection, id)).await
    }

    async fn account_by_name(&self, name: &AccountName) -> Result<Option<Account>, StoreError> {
        let name = name.clone();
        let work = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(&format!("{ACCOUNT} WHERE a.name = ?1"))?;
            column::one(statement.query([name.as_str()])?, read)
        };
        self.read("account_by_name", work).await
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError> {
        let query = query.clone();
        self.read("list_accounts", move |connection| list(connection, &query))
            .await
    }

    async fn change_account(
        &self,
        id: AccountId,
        expected: Option<u64>,
        change: &AccountChange,
        end: Option<(&EndReason, Timestamp)>,
    ) -> Result<(Account, Vec<SessionId>), StoreError> {
        let change = change.clone();
        let end = end.map(|(reason, now)| (reason.clone(), now));
        let work = move |step: &Connection| {
            let mut account = at_version(step, id, expected)?;
            apply(&mut account, change);
            save(step, &account)?;
            let ended = match &end {
                Some((reason, now)) => sessions::end_all_of(step, id, None, reason, *now)?,
                None => Vec::new(),
            };
            Ok((by_id(step, id)?.ok_or(Fault::NotFound)?, ended))
        };
        self.write("change_account", work).await
    }

    async fn remove_account(&self, id: AccountId, expected: Option<u64>) -> Result<Vec<SessionId>, StoreError> {
        self.write("remove_account", move |step| remove(step, id, expected))
            .await
    }

    async fn reinstate_account(&self, id: AccountId, now: Timestamp) -> Result<Account, StoreError> {
        let work = move |step: &Connection| {
            // A clock that was set back must not take a later reinstatement away.
            step.prepare_cached(
                "UPDATE account SET reinstated_at = max(coalesce(reinstated_at, ?2), ?2), version = version + 1 \
                 WHERE id = ?1",
            )?
            .execute(params![column::id_bytes(id.0), now.as_micros()])?;
            by_id(step, id)?.ok_or(Fault::NotFound)
        };
        self.write("reinstate_account", work).await
    }
}

pub(super) fn create(step: &Connection, account: &Account, password_hash: &str) -> Result<(), Fault> {
    let taken: bool = step
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM account WHERE name = ?1)")?
        .query_row([account.name.as_str()], |row| row.get(0))?;
    if taken {
        return Err(Fault::NameTaken);
    }
    step.prepare_cached(
        "INSERT INTO account (id, name, name_hash, display_name, display_folded, email, role, grants, networks, disabled, \
         password_temporary, created_at, last_sign_in_at, last_used_at, reinstated_at, version) \
         VALUES (:id, :name, :name_hash, :display_name, :display_folded, :email, :role, :grants, :networks, :disabled, \
         :password_temporary, :created_at, :last_sign_in_at, :last_used_at, :reinstated_at, :version)",
    )?
    .execute(named_params! {
        ":id": column::id_bytes(account.id.0),
        ":name": account.name.as_str(),
        ":name_hash": name_hash(account.name.as_str()),
        ":display_name": account.display_name,
        ":display_folded": account.display_name.to_lowercase(),
        ":email": account.email,
        ":role": account.role,
        ":grants": grants_to_json(&account.grants)?,
        ":networks": column::to_json(&account.networks, "networks")?,
        ":disabled": account.disabled,
        ":password_temporary": account.password_temporary,
        ":created_at": account.created_at.as_micros(),
        ":last_sign_in_at": column::micros(account.last_sign_in_at),
        ":last_used_at": column::micros(account.last_used_at),
        ":reinstated_at": column::micros(account.reinstated_at),
        ":version": column::stored_count(account.version),
    })?;
    step.prepare_cached("INSERT INTO credential (account, password_hash, version) VALUES (?1, ?2, 1)")?
        .execute(params![column::id_bytes(account.id.0), password_hash])?;
    Ok(())
}

fn by_id(connection: &Connection, id: AccountId) -> Result<Option<Account>, Fault> {
    let mut statement = connection.prepare_cached(&format!("{ACCOUNT} WHERE a.id = ?1"))?;
    column::one(statement.query([column::id_bytes(id.0)])?, read)
}

/// The account, if it is there and nobody has changed it since `expected`.
fn at_version(step: &Connection, id: AccountId, expected: Option<u64>) -> Result<Account, Fault> {
    let account = by_id(step, id)?.ok_or(Fault::NotFound)?;
    match expected {
        Some(expected) if expected != account.version => Err(Fault::VersionMismatch),
        _ => Ok(account),
    }
}

fn list(connection: &Connection, query: &AccountQuery) -> Result<Vec<Account>, Fault> {
    let mut statement = connection.prepare_cached(&list_sql())?;
    let rows = statement.query(named_params! {
        ":after": query.after.as_ref().map_or("", AccountName::as_str),
        ":part": query.contains.to_lowercase(),
        ":limit": query.limit.clamp(1, LISTED_MAX),
    })?;
    column::all(rows, read)
}

/// The inner search walks the narrow index in the order of names and stops at the limit; only what it found is read whole.
fn list_sql() -> String {
    format!(
        "{ACCOUNT} WHERE a.id IN (SELECT id FROM account INDEXED BY account_search WHERE name > :after \
         AND (instr(name, :part) > 0 OR instr(display_folded, :part) > 0) ORDER BY name LIMIT :limit) ORDER BY a.name"
    )
}

fn apply(account: &mut Account, change: AccountChange) {
    fn set<T>(field: &mut T, new: Option<T>) {
        if let Some(new) = new {
            *field = new;
        }
    }
    set(&mut account.display_name, change.display_name);
    set(&mut account.email, change.email);
    set(&mut account.role, change.role);
    set(&mut account.grants, change.grants);
    set(&mut account.networks, change.networks);
    set(&mut account.disabled, change.disabled);
}

fn save(step: &Connection, account: &Account) -> Result<(), Fault> {
    step.prepare_cached(
        "UPDATE account SET display_name = :display_name, display_folded = :display_folded, email = :email, role = :role, \
         grants = :grants, networks = :networks, disabled = :disabled, version = version + 1 WHERE id = :id",
    )?
    .execute(named_params! {
        ":id": column::id_bytes(account.id.0),
        ":display_name": account.display_name,
        ":display_folded": account.display_name.to_lowercase(),
        ":email": account.email,
        ":role": account.role,
        ":grants": grants_to_json(&account.grants)?,
        ":networks": column::to_json(&account.networks, "networks")?,
        ":disabled": account.disabled,
    })?;
    Ok(())
}

/// The audit stays; the rest goes with the account's row, its failures and locks too: the name is free again.
fn remove(step: &Connection, id: AccountId, expected: Option<u64>) -> Result<Vec<SessionId>, Fault> {
    let account = at_version(step, id, expected)?;
    let ended = sessions::not_ended_of(step, id)?;
    let hash = name_hash(account.name.as_str());
    step.prepare_cached("DELETE FROM failure WHERE name_hash = ?1")?
        .execute([hash])?;
    step.prepare_cached("DELETE FROM lock WHERE name_hash = ?1")?
        .execute([hash])?;
    step.prepare_cached("DELETE FROM account WHERE id = ?1")?
        .execute([column::id_bytes(id.0)])?;
    Ok(ended)
}

pub(super) fn read(row: &Row<'_>) -> Result<Account, Fault> {
    Ok(Account {
        id: AccountId(column::id(row, "id")?),
        name: column::name(row, "name")?,
        display_name: column::get(row, "display_name")?,
        email: column::get(row, "email")?,
        role: column::get(row, "role")?,
        grants: grants(row)?,
        networks: column::json(row, "networks")?,
        disabled: column::get(row, "disabled")?,
        password_temporary: column::get(row, "password_temporary")?,
        second_factor: column::get(row, "second_factor")?,
        recovery_codes_left: column::count_small(row, "recovery_codes_left")?,
        created_at: column::time(row, "created_at")?,
        last_sign_in_at: column::time_if_any(row, "last_sign_in_at")?,
        last_used_at: column::time_if_any(row, "last_used_at")?,
        reinstated_at: column::time_if_any(row, "reinstated_at")?,
        version: column::count(row, "version")?,
    })
}

fn grants(row: &Row<'_>) -> Result<Vec<ExtraGrant>, Fault> {
    let stored: Vec<grants::Stored> = column::json(row, "grants")?;
    Ok(stored.into_iter().map(grants::Stored::read).collect())
}

fn grants_to_json(grants: &[ExtraGrant]) -> Result<String, Fault> {
    column::to_json(&grants::Stored::of(grants), "grants")
}

#[cfg(test)]
mod tests {
    use super::super::{connection, place};
    use super::*;

    #[test]
    fn a_search_walks_a_covering_index_and_never_sorts_all_accounts() {
        let folder = tempfile::tempdir().unwrap();
        let connection = connection::for_writing(&place::prepare(&folder.path().join("data")).unwrap()).unwrap();
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {}", list_sql()))
            .unwrap();
        let bound = named_params! { ":after": "", ":part": "x", ":limit": 10 };
        let plan: Vec<String> = statement
            .query_map(bound, |row| row.get("detail"))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let searched = "SEARCH account USING COVERING INDEX account_search (name>?)";
        assert!(plan.iter().any(|line| line == searched), "{plan:#?}");
    }
}
