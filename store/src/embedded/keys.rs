//! The door's own keys, and the numbers of the policies it has taken over.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use stagedoor_identity::Secret;
use stagedoor_identity::port::{FreshPolicy, Keys, NotedPolicy, StoreError};

use super::column::Row;
use super::fault::Fault;
use super::{Embedded, column};

#[async_trait]
impl Keys for Embedded {
    async fn key_or_insert(&self, name: &str, fresh: &Secret) -> Result<Secret, StoreError> {
        let (name, fresh) = (name.to_owned(), fresh.clone());
        let work = move |step: &Connection| {
            step.prepare_cached("INSERT INTO door_key (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING")?
                .execute(params![name, fresh.expose()])?;
            let kept: Vec<u8> = step
                .prepare_cached("SELECT value FROM door_key WHERE name = ?1")?
                .query_row([name], |row| row.get(0))?;
            Ok(Secret::new(kept))
        };
        self.write("key_or_insert", work).await
    }

    async fn policy_revision(&self) -> Result<Option<(u64, [u8; 32])>, StoreError> {
        self.read("policy_revision", highest).await
    }

    async fn newest_policy(&self) -> Result<Option<NotedPolicy>, StoreError> {
        self.read("newest_policy", newest).await
    }

    async fn revision_of(&self, sha256: &[u8; 32]) -> Result<Option<u64>, StoreError> {
        let sha256 = *sha256;
        let work = move |connection: &Connection| {
            // Changed by hand and seldom: there are few enough to look through.
            let mut statement = connection
                .prepare_cached("SELECT revision FROM policy WHERE sha256 = ?1 ORDER BY revision DESC LIMIT 1")?;
            column::one(statement.query([sha256])?, |row| column::count(row, "revision"))
        };
        self.read("revision_of", work).await
    }

    async fn note_policy(&self, fresh: &FreshPolicy, after: Option<u64>) -> Result<u64, StoreError> {
        let fresh = fresh.clone();
        let work = move |step: &Connection| {
            let revision = match highest(step)? {
                Some((revision, in_force)) if in_force == fresh.sha256 => return Ok(revision),
                Some((revision, _other)) if after.is_some_and(|after| after != revision) => {
                    return Err(Fault::VersionMismatch);
                }
                Some((revision, _other)) => revision + 1,
                None => 1,
            };
            insert(step, &fresh.numbered(revision))?;
            Ok(revision)
        };
        self.write("note_policy", work).await
    }

    async fn restore_policy(&self, policy: &NotedPolicy) -> Result<(), StoreError> {
        let policy = policy.clone();
        let work = move |step: &Connection| match highest(step)? {
            Some((revision, _)) if revision >= policy.revision => Ok(()),
            _ => insert(step, &policy),
        };
        self.write("restore_policy", work).await
    }
}

pub(super) fn insert(step: &Connection, policy: &NotedPolicy) -> Result<(), Fault> {
    step.prepare_cached("INSERT INTO policy (revision, sha256, text, noted_by, noted_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            column::stored_count(policy.revision),
            policy.sha256,
            policy.text,
            policy.by,
            policy.at.as_micros()
        ])?;
    Ok(())
}

fn newest(connection: &Connection) -> Result<Option<NotedPolicy>, Fault> {
    let mut statement = connection.prepare_cached("SELECT * FROM policy ORDER BY revision DESC LIMIT 1")?;
    column::one(statement.query([])?, noted)
}

pub(super) fn noted(row: &Row<'_>) -> Result<NotedPolicy, Fault> {
    Ok(NotedPolicy {
        revision: column::count(row, "revision")?,
        sha256: column::get(row, "sha256")?,
        text: column::get(row, "text")?,
        by: column::get(row, "noted_by")?,
        at: column::time(row, "noted_at")?,
    })
}

fn highest(connection: &Connection) -> Result<Option<(u64, [u8; 32])>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT revision, sha256 FROM policy ORDER BY revision DESC LIMIT 1")?;
    column::one(statement.query([])?, |row| {
        Ok((column::count(row, "revision")?, column::get(row, "sha256")?))
    })
}
