//! Accounts.

use async_trait::async_trait;
use rusqlite::{Connection, named_params, params};
use stagedoor_identity::account::{AccountChange, AccountName, AccountQuery, Invitation, folded};
use stagedoor_identity::port::{Accounts, FreshLink, HandOver, StoreError, Structure};
use stagedoor_identity::{Account, AccountId, EndReason, SessionId};
use stagedoor_policy::time::Timestamp;

use super::column::Row;
use super::fault::Fault;
use super::{Embedded, attempts, column, grants, links, sessions, structure};
use crate::attempt_key::name_hash;

const LISTED_MAX: u32 = 1000;

pub(super) const ACCOUNT: &str = "SELECT a.id, a.name, a.display_name, a.email, a.role, a.grants, a.networks, a.disabled, \
     a.password_temporary, a.created_at, a.last_sign_in_at, a.last_used_at, a.reinstated_at, a.version, \
     a.accepted_at, a.invited_at, a.invitation_expires_at, a.second_factor_demanded, a.preferences, \
     (SELECT count(*) FROM device d WHERE d.account = a.id) AS devices, \
     c.totp_sealed IS NOT NULL AS second_factor, \
     (SELECT count(*) FROM recovery_code r WHERE r.account = a.id) AS recovery_codes_left \
     FROM account a JOIN credential c ON c.account = a.id";

#[async_trait]
impl Accounts for Embedded {
    async fn create_account(
        &self,
        account: &Account,
        password_hash: &str,
        invitation: Option<&FreshLink>,
        structure: &Structure,
    ) -> Result<(), StoreError> {
        let (account, hash, structure) = (account.clone(), password_hash.to_owned(), structure.clone());
        let invitation = invitation.cloned();
        let work = move |step: &Connection| {
            name_is_free(step, &account.name)?;
            structure::judge(step, &structure, &[(account.id, None, Some(&account))])?;
            create(step, &account, &hash)?;
            invitation.map_or(Ok(()), |fresh| links::put(step, &fresh))
        };
        self.write("create_account", work).await
    }

    async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        self.read("account", move |connection| by_id(connection, id)).await
    }

    async fn accounts_by_id(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        let ids: Vec<String> = ids.iter().map(|id| id.0.simple().to_string()).collect();
        let work = move |connection: &Connection| {
            let ids = column::to_json(&ids, "id")?;
            // One statement, which reads them in the order in which they lie.
            let mut statement = connection.prepare_cached(&format!(
                "{ACCOUNT} WHERE a.id IN (SELECT unhex(value) FROM json_each(?1))"
            ))?;
            column::all(statement.query([ids])?, read)
        };
        self.read("accounts_by_id", work).await
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
        structure: &Structure,
    ) -> Result<(Account, Vec<SessionId>), StoreError> {
        let (change, structure) = (change.clone(), structure.clone());
        let end = end.map(|(reason, now)| (reason.clone(), now));
        let work = move |step: &Connection| {
            let before = at_version(step, id, expected)?;
            let mut after = before.clone();
            change.apply(&mut after);
            if after.name != before.name {
                name_is_free(step, &after.name)?;
                attempts::rename(step, &before.name, &after.name)?;
            }
            structure::judge(step, &structure, &[(id, Some(&before), Some(&after))])?;
            drop_what_led_to(step, &before, &mut after)?;
            save(step, &after)?;
            let ended = match &end {
                Some((reason, now)) => sessions::end_all_of(step, id, None, reason, *now)?,
                None => Vec::new(),
            };
            Ok((by_id(step, id)?.ok_or(Fault::NotFound)?, ended))
        };
        self.write("change_account", work).await
    }

    async fn remove_account(
        &self,
        id: AccountId,
        expected: Option<u64>,
        structure: &Structure,
    ) -> Result<Vec<SessionId>, StoreError> {
        let structure = structure.clone();
        let work = move |step: &Connection| {
            let account = at_version(step, id, expected)?;
            structure::judge(step, &structure, &[(id, Some(&account), None)])?;
            remove(step, &account)
        };
        self.write("remove_account", work).await
    }

    async fn hand_over(
        &self,
        handing: &HandOver,
        reason: &EndReason,
        now: Timestamp,
        structure: &Structure,
    ) -> Result<(Account, Account, Vec<SessionId>), StoreError> {
        let (handing, reason, structure) = (handing.clone(), reason.clone(), structure.clone());
        self.write("hand_over", move |step| {
            hand_over(step, &handing, &reason, now, &structure)
        })
        .await
    }

    async fn accounts_by_email(&self, email: &str) -> Result<Vec<Account>, StoreError> {
        let folded = email.to_ascii_lowercase();
        let work = move |connection: &Connection| {
            let mut statement =
                connection.prepare_cached(&format!("{ACCOUNT} WHERE a.email_folded = ?1 ORDER BY a.id LIMIT 2"))?;
            column::all(statement.query([folded])?, read)
        };
        self.read("accounts_by_email", work).await
    }

    async fn last_used_of(&self, role: &str, count: u32) -> Result<Vec<AccountId>, StoreError> {
        let role = role.to_owned();
        let work = move |connection: &Connection| structure::last_used_of(connection, &role, count);
        self.read("last_used_of", work).await
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

/// Links to a former address, and all that acts for an account that is switched off.
fn drop_what_led_to(step: &Connection, before: &Account, after: &mut Account) -> Result<(), Fault> {
    if after.disabled && !before.disabled {
        links::drop_links_and_tokens(step, after.id)?;
        after.invitation = None;
    }
    if after.email != before.email {
        links::drop_links(step, after.id)?;
        after.invitation = None;
    }
    Ok(())
}

fn hand_over(
    step: &Connection,
    handing: &HandOver,
    reason: &EndReason,
    now: Timestamp,
    structure: &Structure,
) -> Result<(Account, Account, Vec<SessionId>), Fault> {
    let ((holder, was), (heir, is)) = (handing.holder, handing.heir);
    let (holder_before, heir_before) = (at_version(step, holder, Some(was))?, at_version(step, heir, Some(is))?);
    let (mut former, mut new) = (holder_before.clone(), heir_before.clone());
    handing.holder_becomes.clone().apply(&mut former);
    handing.heir_becomes.clone().apply(&mut new);
    let steps = [
        (holder, Some(&holder_before), Some(&former)),
        (heir, Some(&heir_before), Some(&new)),
    ];
    structure::judge(step, structure, &steps)?;
    let mut ended = Vec::new();
    for account in [&former, &new] {
        save(step, account)?;
        ended.extend(sessions::end_all_of(step, account.id, None, reason, now)?);
    }
    let now_of = |id| by_id(step, id)?.ok_or(Fault::NotFound);
    Ok((now_of(holder)?, now_of(heir)?, ended))
}

fn name_is_free(step: &Connection, name: &AccountName) -> Result<(), Fault> {
    let taken: bool = step
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM account WHERE name = ?1)")?
        .query_row([name.as_str()], |row| row.get(0))?;
    if taken { Err(Fault::NameTaken) } else { Ok(()) }
}

pub(super) fn create(step: &Connection, account: &Account, password_hash: &str) -> Result<(), Fault> {
    step.prepare_cached(
        "INSERT INTO account (id, name, name_hash, display_name, display_folded, role, grants, networks, disabled, \
         password_temporary, created_at, version) \
         VALUES (:id, '', x'', '', '', '', '[]', '[]', 0, :password_temporary, :created_at, :version)",
    )?
    .execute(named_params! {
        ":id": column::id_bytes(account.id.0),
        ":password_temporary": account.password_temporary,
        ":created_at": account.created_at.as_micros(),
        // Saving raises it to what it is to be.
        ":version": column::stored_count(account.version.saturating_sub(1)),
    })?;
    save(step, account)?;
    step.prepare_cached("INSERT INTO credential (account, password_hash, version) VALUES (?1, ?2, 1)")?
        .execute(params![column::id_bytes(account.id.0), password_hash])?;
    Ok(())
}

pub(super) fn by_id(connection: &Connection, id: AccountId) -> Result<Option<Account>, Fault> {
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
    let Some(part) = query.folded() else {
        return Ok(Vec::new());
    };
    let roles = query
        .roles
        .as_ref()
        .map(|roles| column::to_json(roles, "role"))
        .transpose()?;
    let mut statement = connection.prepare_cached(&list_sql())?;
    let rows = statement.query(named_params! {
        ":after": query.after.as_ref().map_or("", AccountName::as_str),
        ":part": part,
        ":names": !query.display_name_only,
        ":roles": roles,
        ":limit": query.limit.clamp(1, LISTED_MAX),
    })?;
    column::all(rows, read)
}

/// The inner search walks the narrow index in the order of names and stops at the limit; only what it found is read whole.
fn list_sql() -> String {
    format!(
        "{ACCOUNT} WHERE a.id IN (SELECT id FROM account INDEXED BY account_search WHERE name > :after \
         AND ((:names AND instr(name, :part) > 0) OR instr(display_folded, :part) > 0) \
         AND (:roles IS NULL OR role IN (SELECT value FROM json_each(:roles))) ORDER BY name LIMIT :limit) \
         ORDER BY a.name"
    )
}

/// Writes whatever a step may change, and raises the version.
pub(super) fn save(step: &Connection, account: &Account) -> Result<(), Fault> {
    step.prepare_cached(
        "UPDATE account SET name = :name, name_hash = :name_hash, display_name = :display_name, \
         display_folded = :display_folded, email = :email, email_folded = :email_folded, role = :role, grants = :grants, \
         networks = :networks, disabled = :disabled, last_sign_in_at = :last_sign_in_at, last_used_at = :last_used_at, \
         reinstated_at = :reinstated_at, accepted_at = :accepted_at, invited_at = :invited_at, \
         invitation_expires_at = :invitation_expires_at, second_factor_demanded = :second_factor_demanded, \
         preferences = :preferences, version = version + 1 WHERE id = :id",
    )?
    .execute(named_params! {
        ":id": column::id_bytes(account.id.0),
        ":name": account.name.as_str(),
        ":name_hash": name_hash(account.name.as_str()),
        ":display_name": account.display_name,
        ":display_folded": folded(&account.display_name),
        ":email": account.email,
        ":email_folded": account.email.as_ref().map(|email| email.to_ascii_lowercase()),
        ":role": account.role,
        ":grants": grants::to_json(&account.grants)?,
        ":networks": column::to_json(&account.networks, "networks")?,
        ":disabled": account.disabled,
        ":last_sign_in_at": column::micros(account.last_sign_in_at),
        ":last_used_at": column::micros(account.last_used_at),
        ":reinstated_at": column::micros(account.reinstated_at),
        ":accepted_at": column::micros(account.accepted_at),
        ":invited_at": column::micros(account.invitation.map(|invitation| invitation.sent_at)),
        ":invitation_expires_at": column::micros(account.invitation.map(|invitation| invitation.expires_at)),
        ":second_factor_demanded": account.second_factor_demanded,
        ":preferences": column::to_json(&account.preferences, "preferences")?,
    })?;
    Ok(())
}

/// The audit stays; the rest goes with the account's row, its failures and locks too: the name is free again.
fn remove(step: &Connection, account: &Account) -> Result<Vec<SessionId>, Fault> {
    let ended = sessions::not_ended_of(step, account.id)?;
    let hash = name_hash(account.name.as_str());
    step.prepare_cached("DELETE FROM failure WHERE name_hash = ?1")?
        .execute([hash])?;
    step.prepare_cached("DELETE FROM lock WHERE name_hash = ?1")?
        .execute([hash])?;
    step.prepare_cached("DELETE FROM account WHERE id = ?1")?
        .execute([column::id_bytes(account.id.0)])?;
    Ok(ended)
}

pub(super) fn read(row: &Row<'_>) -> Result<Account, Fault> {
    Ok(Account {
        id: AccountId(column::id(row, "id")?),
        name: column::name(row, "name")?,
        display_name: column::get(row, "display_name")?,
        email: column::get(row, "email")?,
        role: column::get(row, "role")?,
        grants: grants::read(row)?,
        networks: column::json(row, "networks")?,
        disabled: column::get(row, "disabled")?,
        password_temporary: column::get(row, "password_temporary")?,
        second_factor: column::get(row, "second_factor")?,
        recovery_codes_left: column::count_small(row, "recovery_codes_left")?,
        created_at: column::time(row, "created_at")?,
        last_sign_in_at: column::time_if_any(row, "last_sign_in_at")?,
        last_used_at: column::time_if_any(row, "last_used_at")?,
        reinstated_at: column::time_if_any(row, "reinstated_at")?,
        accepted_at: column::time_if_any(row, "accepted_at")?,
        invitation: invitation(row)?,
        second_factor_demanded: column::get(row, "second_factor_demanded")?,
        preferences: column::json(row, "preferences")?,
        devices: column::count_small(row, "devices")?,
        version: column::count(row, "version")?,
    })
}

fn invitation(row: &Row<'_>) -> Result<Option<Invitation>, Fault> {
    let sent_at = column::time_if_any(row, "invited_at")?;
    let expires_at = column::time_if_any(row, "invitation_expires_at")?;
    Ok(sent_at
        .zip(expires_at)
        .map(|(sent_at, expires_at)| Invitation { sent_at, expires_at }))
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
        let bound = named_params! {
            ":after": "", ":part": "x", ":names": true, ":roles": "[\"clerk\"]", ":limit": 10,
        };
        let plan: Vec<String> = statement
            .query_map(bound, |row| row.get("detail"))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let searched = "SEARCH account USING COVERING INDEX account_search (name>?)";
        assert!(plan.iter().any(|line| line == searched), "{plan:#?}");
    }
}
