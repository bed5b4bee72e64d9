//! Passwords and second factors. Nothing here compares or makes them: hashes and sealed bytes come in ready.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use stagedoor_identity::port::{Credentials, LinkPurpose, StoreError, StoredCredentials};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::{AccountId, EndReason, SessionId};
use stagedoor_policy::time::Timestamp;

use super::column::Row;
use super::fault::Fault;
use super::{Embedded, column, links, sessions};

#[async_trait]
impl Credentials for Embedded {
    async fn credentials(&self, id: AccountId) -> Result<Option<StoredCredentials>, StoreError> {
        let work = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(
                "SELECT password_hash, totp_sealed, totp_last_step, version FROM credential WHERE account = ?1",
            )?;
            column::one(statement.query([column::id_bytes(id.0)])?, read)
        };
        self.read("credentials", work).await
    }

    async fn set_password(
        &self,
        id: AccountId,
        hash: &str,
        temporary: bool,
        keep: Option<SessionId>,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let (hash, reason) = (hash.to_owned(), reason.clone());
        let work = move |step: &Connection| {
            replace_password(step, id, &hash, temporary)?;
            sessions::end_all_of(step, id, keep, &reason, now)
        };
        self.write("set_password", work).await
    }

    async fn rehash_password(&self, id: AccountId, old: &str, new: &str) -> Result<(), StoreError> {
        let (old, new) = (old.to_owned(), new.to_owned());
        let work = move |step: &Connection| {
            step.prepare_cached("UPDATE credential SET password_hash = ?3 WHERE account = ?1 AND password_hash = ?2")?
                .execute(params![column::id_bytes(id.0), old, new])?;
            Ok(())
        };
        self.write("rehash_password", work).await
    }

    async fn set_second_factor(
        &self,
        id: AccountId,
        totp_sealed: &[u8],
        used_step: u64,
        recovery_code_hashes: &[[u8; 32]],
        right: Option<(&TokenHash, Timestamp)>,
    ) -> Result<(), StoreError> {
        let (sealed, codes) = (totp_sealed.to_vec(), recovery_code_hashes.to_vec());
        let right = right.map(|(hash, now)| (*hash, now));
        let work = move |step: &Connection| {
            if let Some((hash, now)) = right {
                let link = links::live(step, &hash, LinkPurpose::SecondFactor, now)?;
                link.filter(|link| link.account == id).ok_or(StoreError::LinkDead)?;
            }
            links::drop_links(step, id)?;
            raise_versions(step, id)?;
            step.prepare_cached("UPDATE credential SET totp_sealed = ?2, totp_last_step = ?3 WHERE account = ?1")?
                .execute(params![column::id_bytes(id.0), sealed, column::stored_count(used_step)])?;
            forget_codes(step, id)?;
            let mut insert = step.prepare_cached("INSERT INTO recovery_code (account, hash) VALUES (?1, ?2)")?;
            for code in &codes {
                insert.execute(params![column::id_bytes(id.0), code])?;
            }
            Ok(())
        };
        self.write("set_second_factor", work).await
    }

    async fn clear_second_factor(
        &self,
        id: AccountId,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let reason = reason.clone();
        let work = move |step: &Connection| {
            raise_versions(step, id)?;
            step.prepare_cached("UPDATE credential SET totp_sealed = NULL, totp_last_step = NULL WHERE account = ?1")?
                .execute([column::id_bytes(id.0)])?;
            forget_codes(step, id)?;
            links::drop_links_and_tokens(step, id)?;
            sessions::end_all_of(step, id, None, &reason, now)
        };
        self.write("clear_second_factor", work).await
    }

    async fn use_totp_step(&self, id: AccountId, step: u64) -> Result<bool, StoreError> {
        let wanted = column::stored_count(step);
        let work = move |step: &Connection| {
            let used = step
                .prepare_cached(
                    "UPDATE credential SET totp_last_step = ?2 WHERE account = ?1 AND totp_sealed IS NOT NULL \
                     AND (totp_last_step IS NULL OR totp_last_step < ?2)",
                )?
                .execute(params![column::id_bytes(id.0), wanted])?;
            Ok(used > 0)
        };
        self.write("use_totp_step", work).await
    }

    async fn use_recovery_code(&self, id: AccountId, hash: &[u8; 32]) -> Result<bool, StoreError> {
        let hash = *hash;
        let work = move |step: &Connection| {
            let used = step
                .prepare_cached("DELETE FROM recovery_code WHERE account = ?1 AND hash = ?2")?
                .execute(params![column::id_bytes(id.0), hash])?;
            Ok(used > 0)
        };
        self.write("use_recovery_code", work).await
    }
}

/// Sets a password, and makes worthless whatever else could act for the account.
pub(super) fn replace_password(step: &Connection, id: AccountId, hash: &str, temporary: bool) -> Result<(), Fault> {
    raise_versions(step, id)?;
    step.prepare_cached("UPDATE credential SET password_hash = ?2 WHERE account = ?1")?
        .execute(params![column::id_bytes(id.0), hash])?;
    step.prepare_cached("UPDATE account SET password_temporary = ?2 WHERE id = ?1")?
        .execute(params![column::id_bytes(id.0), temporary])?;
    links::drop_links_and_tokens(step, id)
}

/// Marks that account and credentials have changed: tickets from before and `If-Match` from before are worthless.
fn raise_versions(step: &Connection, id: AccountId) -> Result<(), Fault> {
    let raised = step
        .prepare_cached("UPDATE account SET version = version + 1 WHERE id = ?1")?
        .execute([column::id_bytes(id.0)])?;
    if raised == 0 {
        return Err(Fault::NotFound);
    }
    step.prepare_cached("UPDATE credential SET version = version + 1 WHERE account = ?1")?
        .execute([column::id_bytes(id.0)])?;
    Ok(())
}

fn forget_codes(step: &Connection, id: AccountId) -> Result<(), Fault> {
    step.prepare_cached("DELETE FROM recovery_code WHERE account = ?1")?
        .execute([column::id_bytes(id.0)])?;
    Ok(())
}

pub(super) fn read(row: &Row<'_>) -> Result<StoredCredentials, Fault> {
    Ok(StoredCredentials {
        password_hash: column::get(row, "password_hash")?,
        totp_sealed: column::get(row, "totp_sealed")?,
        totp_last_step: column::count_if_any(row, "totp_last_step")?,
        credentials_version: column::count(row, "version")?,
    })
}
