//! Pictures, each with its account.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use stagedoor_identity::AccountId;
use stagedoor_identity::picture::{Picture, PictureKind, PictureTag};
use stagedoor_identity::port::{Pictures, StoreError};

use super::column::Row;
use super::fault::Fault;
use super::{Embedded, accounts, column};

#[async_trait]
impl Pictures for Embedded {
    async fn set_picture(&self, account: AccountId, picture: Option<&Picture>) -> Result<(), StoreError> {
        let picture = picture.cloned();
        self.write("set_picture", move |step| set(step, account, picture.as_ref()))
            .await
    }

    async fn picture(&self, account: AccountId) -> Result<Option<Picture>, StoreError> {
        let work = move |connection: &Connection| {
            let mut statement = connection.prepare_cached("SELECT kind, bytes FROM picture WHERE account = ?1")?;
            column::one(statement.query([column::id_bytes(account.0)])?, read)
        };
        self.read("picture", work).await
    }

    async fn pictured(&self, accounts: &[AccountId]) -> Result<Vec<(AccountId, PictureTag)>, StoreError> {
        let accounts = accounts.to_vec();
        let work = move |connection: &Connection| {
            let mut statement = connection.prepare_cached("SELECT account, tag FROM picture WHERE account = ?1")?;
            let mut found = Vec::new();
            for account in accounts {
                found.extend(column::one(statement.query([column::id_bytes(account.0)])?, tag)?);
            }
            Ok(found)
        };
        self.read("pictured", work).await
    }
}

pub(super) fn set(step: &Connection, account: AccountId, picture: Option<&Picture>) -> Result<(), Fault> {
    accounts::by_id(step, account)?.ok_or(Fault::NotFound)?;
    let id = column::id_bytes(account.0);
    step.prepare_cached("DELETE FROM picture WHERE account = ?1")?
        .execute([id])?;
    if let Some(picture) = picture {
        step.prepare_cached("INSERT INTO picture (account, kind, tag, bytes) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![id, picture.kind.name(), picture.tag().0, picture.bytes])?;
    }
    Ok(())
}

pub(super) fn read(row: &Row<'_>) -> Result<Picture, Fault> {
    let kind: String = column::get(row, "kind")?;
    Ok(Picture {
        kind: PictureKind::from_name(&kind).ok_or_else(|| column::damaged("kind"))?,
        bytes: column::get(row, "bytes")?,
    })
}

fn tag(row: &Row<'_>) -> Result<(AccountId, PictureTag), Fault> {
    Ok((
        AccountId(column::id(row, "account")?),
        PictureTag(column::get(row, "tag")?),
    ))
}
