//! Bearer tokens of the admin API, by the hash of their secret.

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, params};
use stagedoor_identity::AccountId;
use stagedoor_identity::port::{ApiToken, StoreError, Tokens};
use stagedoor_identity::secret::TokenHash;

use super::column::Row;
use super::fault::Fault;
use super::{Embedded, accounts, column};

const TOKEN: &str = "SELECT name, scopes, created_at, expires_at, account FROM api_token";

#[async_trait]
impl Tokens for Embedded {
    async fn add_token(&self, token: &ApiToken, hash: &TokenHash) -> Result<(), StoreError> {
        let (token, hash) = (token.clone(), *hash);
        self.write("add_token", move |step| add(step, &token, &hash)).await
    }

    async fn token(&self, hash: &TokenHash) -> Result<Option<ApiToken>, StoreError> {
        let hash = hash.0;
        let work = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(&format!("{TOKEN} WHERE hash = ?1"))?;
            column::one(statement.query([hash])?, read)
        };
        self.read("token", work).await
    }

    async fn list_tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        let work = |connection: &Connection| {
            let mut statement = connection.prepare_cached(&format!("{TOKEN} ORDER BY name"))?;
            column::all(statement.query([])?, read)
        };
        self.read("list_tokens", work).await
    }

    async fn revoke_token(&self, name: &str) -> Result<bool, StoreError> {
        let name = name.to_owned();
        let work = move |step: &Connection| {
            let revoked = step
                .prepare_cached("DELETE FROM api_token WHERE name = ?1")?
                .execute([name])?;
            Ok(revoked > 0)
        };
        self.write("revoke_token", work).await
    }
}

pub(super) fn add(step: &Connection, token: &ApiToken, hash: &TokenHash) -> Result<(), Fault> {
    if let Some(account) = token.account {
        accounts::by_id(step, account)?.ok_or(Fault::NotFound)?;
    }
    let inserted = step
        .prepare_cached(
            "INSERT INTO api_token (name, hash, scopes, created_at, expires_at, account) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            token.name,
            hash.0,
            column::to_json(&token.scopes, "scopes")?,
            token.created_at.as_micros(),
            column::micros(token.expires_at),
            token.account.map(|account| column::id_bytes(account.0)),
        ]);
    match inserted {
        Ok(_one) => Ok(()),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Err(Fault::NameTaken),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn read(row: &Row<'_>) -> Result<ApiToken, Fault> {
    Ok(ApiToken {
        name: column::get(row, "name")?,
        scopes: column::json(row, "scopes")?,
        created_at: column::time(row, "created_at")?,
        expires_at: column::time_if_any(row, "expires_at")?,
        account: column::id_if_any(row, "account")?.map(AccountId),
    })
}
