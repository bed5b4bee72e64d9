//! One-time links, by the hash of their secret.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};
use stagedoor_identity::port::{Asking, FreshLink, Link, LinkPurpose, Links, StoreError};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::{Account, AccountId, EndReason, SessionId};
use stagedoor_policy::time::Timestamp;

use super::column::Row;
use super::fault::Fault;
use super::{Embedded, accounts, column, credentials, outbox, sessions};

/// Rows that one call forgets at most, so that other steps do not wait for it.
const FORGOTTEN_ROWS_MAX: u32 = 10_000;

#[async_trait]
impl Links for Embedded {
    async fn add_link(&self, fresh: &FreshLink) -> Result<Account, StoreError> {
        let fresh = fresh.clone();
        let work = move |step: &Connection| {
            put(step, &fresh)?;
            accounts::by_id(step, fresh.link.account)?.ok_or(Fault::NotFound)
        };
        self.write("add_link", work).await
    }

    async fn link(&self, hash: &TokenHash, purpose: LinkPurpose, now: Timestamp) -> Result<Option<Link>, StoreError> {
        let hash = *hash;
        self.read("link", move |connection| live(connection, &hash, purpose, now))
            .await
    }

    async fn redeem_for_password(
        &self,
        hash: &TokenHash,
        purpose: LinkPurpose,
        password_hash: &str,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<(Account, Vec<SessionId>), StoreError> {
        let (hash, password, reason) = (*hash, password_hash.to_owned(), reason.clone());
        let work = move |step: &Connection| {
            let link = live(step, &hash, purpose, now)?.ok_or(StoreError::LinkDead)?;
            let id = link.account;
            if purpose == LinkPurpose::Invitation {
                accept(step, id, now)?;
            }
            let ended = credentials::replace_password(step, id, &password, false)
                .and_then(|()| sessions::end_all_of(step, id, None, &reason, now))?;
            Ok((accounts::by_id(step, id)?.ok_or(Fault::NotFound)?, ended))
        };
        self.write("redeem_for_password", work).await
    }

    async fn redeem_for_email(&self, hash: &TokenHash, now: Timestamp) -> Result<Account, StoreError> {
        let hash = *hash;
        let work = move |step: &Connection| {
            let link = live(step, &hash, LinkPurpose::Email, now)?.ok_or(StoreError::LinkDead)?;
            let mut account = accounts::by_id(step, link.account)?.ok_or(Fault::NotFound)?;
            account.email = link.email;
            account.invitation = None;
            accounts::save(step, &account)?;
            drop_links(step, account.id)?;
            accounts::by_id(step, account.id)?.ok_or(Fault::NotFound)
        };
        self.write("redeem_for_email", work).await
    }

    async fn revoke_link(&self, account: AccountId, purpose: LinkPurpose) -> Result<bool, StoreError> {
        let work = move |step: &Connection| {
            let revoked = step
                .prepare_cached("DELETE FROM link WHERE account = ?1 AND purpose = ?2")?
                .execute(params![column::id_bytes(account.0), purpose.name()])?;
            Ok(revoked > 0)
        };
        self.write("revoke_link", work).await
    }

    async fn ask(&self, asking: &Asking, fresh: Option<&FreshLink>) -> Result<bool, StoreError> {
        let (asking, fresh) = (asking.clone(), fresh.cloned());
        self.write("ask", move |step| ask(step, &asking, fresh.as_ref())).await
    }

    async fn forget_links(&self, before: Timestamp) -> Result<u32, StoreError> {
        let work = move |step: &Connection| {
            let links = step
                .prepare_cached(
                    "DELETE FROM link WHERE rowid IN \
                     (SELECT rowid FROM link WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
                )?
                .execute(params![before.as_micros(), FORGOTTEN_ROWS_MAX])?;
            let asked = step
                .prepare_cached(
                    "DELETE FROM asked WHERE number IN (SELECT number FROM asked WHERE at < ?1 ORDER BY at LIMIT ?2)",
                )?
                .execute(params![before.as_micros(), FORGOTTEN_ROWS_MAX])?;
            Ok(u32::try_from(links + asked).unwrap_or(u32::MAX))
        };
        self.write("forget_links", work).await
    }
}

/// Stores a link and queues its letter inside a step.
pub(super) fn put(step: &Connection, fresh: &FreshLink) -> Result<(), Fault> {
    let link = &fresh.link;
    let version: Option<i64> = step
        .prepare_cached("SELECT version FROM credential WHERE account = ?1")?
        .query_row([column::id_bytes(link.account.0)], |row| row.get(0))
        .optional()?;
    if version.ok_or(Fault::NotFound)? != column::stored_count(link.credentials_version) {
        return Err(StoreError::LinkDead.into());
    }
    insert(step, link)?;
    if link.purpose == LinkPurpose::Invitation {
        step.prepare_cached(
            "UPDATE account SET invited_at = ?2, invitation_expires_at = ?3, version = version + 1 WHERE id = ?1 \
             AND (invited_at IS NOT ?2 OR invitation_expires_at IS NOT ?3)",
        )?
        .execute(params![
            column::id_bytes(link.account.0),
            link.made_at.as_micros(),
            link.expires_at.as_micros()
        ])?;
    }
    match &fresh.letter {
        Some(letter) => outbox::queue(step, letter),
        None => Ok(()),
    }
}

/// Stores a link in the place of the account's former one of its purpose.
pub(super) fn insert(step: &Connection, link: &Link) -> Result<(), Fault> {
    step.prepare_cached(
        "INSERT OR REPLACE INTO link (account, purpose, hash, email, credentials_version, made_at, expires_at) \
         VALUES (:account, :purpose, :hash, :email, :credentials_version, :made_at, :expires_at)",
    )?
    .execute(named_params! {
        ":account": column::id_bytes(link.account.0),
        ":purpose": link.purpose.name(),
        ":hash": link.hash.0,
        ":email": link.email,
        ":credentials_version": column::stored_count(link.credentials_version),
        ":made_at": link.made_at.as_micros(),
        ":expires_at": link.expires_at.as_micros(),
    })?;
    Ok(())
}

/// The link, while it is worth anything.
pub(super) fn live(
    connection: &Connection,
    hash: &TokenHash,
    purpose: LinkPurpose,
    now: Timestamp,
) -> Result<Option<Link>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT l.* FROM link l JOIN account a ON a.id = l.account JOIN credential c ON c.account = l.account \
         WHERE l.hash = ?1 AND l.purpose = ?2 AND l.expires_at > ?3 AND a.disabled = 0 \
         AND c.version = l.credentials_version",
    )?;
    column::one(statement.query(params![hash.0, purpose.name(), now.as_micros()])?, read)
}

pub(super) fn drop_links(step: &Connection, account: AccountId) -> Result<(), Fault> {
    step.prepare_cached("DELETE FROM link WHERE account = ?1")?
        .execute([column::id_bytes(account.0)])?;
    Ok(())
}

/// Whatever could act for the account or change its credentials.
pub(super) fn drop_links_and_tokens(step: &Connection, account: AccountId) -> Result<(), Fault> {
    drop_links(step, account)?;
    step.prepare_cached("DELETE FROM api_token WHERE account = ?1")?
        .execute([column::id_bytes(account.0)])?;
    Ok(())
}

fn accept(step: &Connection, id: AccountId, now: Timestamp) -> Result<(), Fault> {
    step.prepare_cached(
        "UPDATE account SET accepted_at = coalesce(accepted_at, ?2), invited_at = NULL, invitation_expires_at = NULL, \
         reinstated_at = max(coalesce(reinstated_at, ?2), ?2) WHERE id = ?1",
    )?
    .execute(params![column::id_bytes(id.0), now.as_micros()])?;
    Ok(())
}

fn ask(step: &Connection, asking: &Asking, fresh: Option<&FreshLink>) -> Result<bool, Fault> {
    let mut count = step.prepare_cached("SELECT count(*) FROM asked WHERE key = ?1 AND at >= ?2")?;
    for (key, at_most) in &asking.counted {
        let counted: u32 = count.query_row(params![key, asking.since.as_micros()], |row| row.get(0))?;
        if counted >= *at_most {
            return Ok(false);
        }
    }
    let mut insert = step.prepare_cached("INSERT INTO asked (key, at) VALUES (?1, ?2)")?;
    for (key, _) in &asking.counted {
        insert.execute(params![key, asking.now.as_micros()])?;
    }
    if let Some(fresh) = fresh {
        put(step, fresh)?;
    }
    Ok(true)
}

pub(super) fn read(row: &Row<'_>) -> Result<Link, Fault> {
    let purpose: String = column::get(row, "purpose")?;
    Ok(Link {
        hash: TokenHash(column::get(row, "hash")?),
        account: AccountId(column::id(row, "account")?),
        purpose: LinkPurpose::from_name(&purpose).ok_or_else(|| column::damaged("purpose"))?,
        email: column::get(row, "email")?,
        credentials_version: column::count(row, "credentials_version")?,
        made_at: column::time(row, "made_at")?,
        expires_at: column::time(row, "expires_at")?,
    })
}
