//! The door's own keys, and the numbers of the policies it has taken over.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use stagedoor_identity::Secret;
use stagedoor_identity::port::{Keys, StoreError};
use stagedoor_policy::time::Timestamp;

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

    async fn note_policy(&self, sha256: &[u8; 32], text: &str, by: &str, now: Timestamp) -> Result<u64, StoreError> {
        let (sha256, text, by) = (*sha256, text.to_owned(), by.to_owned());
        let work = move |step: &Connection| {
            let next = match highest(step)? {
                Some((revision, in_force)) if in_force == sha256 => return Ok(revision),
                Some((revision, _other)) => revision + 1,
                None => 1,
            };
            step.prepare_cached(
                "INSERT INTO policy (revision, sha256, text, noted_by, noted_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![column::stored_count(next), sha256, text, by, now.as_micros()])?;
            Ok(next)
        };
        self.write("note_policy", work).await
    }
}

fn highest(connection: &Connection) -> Result<Option<(u64, [u8; 32])>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT revision, sha256 FROM policy ORDER BY revision DESC LIMIT 1")?;
    column::one(statement.query([])?, |row| {
        Ok((column::count(row, "revision")?, column::get(row, "sha256")?))
    })
}
