//! The door's own keys, and the numbers of the policies it has taken over.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stagedoor_identity::Secret;
use stagedoor_identity::port::{Keys, StoreError};
use stagedoor_policy::time::Timestamp;

use super::answer::{Answer, Damage, unhex};
use super::record::json;
use super::script::{Script, hex, reading, writing};
use super::{Redis, args};

static KEY: Script = writing!("key_or_insert");
static REVISION: Script = reading!("policy_revision");
static NOTE: Script = writing!("note_policy");

#[async_trait]
impl Keys for Redis {
    async fn key_or_insert(&self, name: &str, fresh: &Secret) -> Result<Secret, StoreError> {
        let answer = self
            .write("key_or_insert", &KEY, args![name, hex(fresh.expose())])
            .await?;
        let kept = answer
            .text(1)
            .and_then(|text| unhex(text).ok_or_else(|| "a key".to_owned()));
        Ok(Secret::new(kept.map_err(self.damaged("key_or_insert"))?))
    }

    async fn policy_revision(&self) -> Result<Option<(u64, [u8; 32])>, StoreError> {
        let answer = self.read("policy_revision", &REVISION, Vec::new()).await?;
        let read = answer.map(|answer| revision(&answer));
        read.transpose().map_err(self.damaged("policy_revision"))
    }

    async fn note_policy(&self, sha256: &[u8; 32], text: &str, by: &str, now: Timestamp) -> Result<u64, StoreError> {
        let stored = StoredPolicy {
            sha256: hex(sha256),
            text: text.to_owned(),
            noted_by: by.to_owned(),
            noted_at: now.as_micros(),
        };
        let stored = json(&stored).map_err(|why| self.engine("note_policy", &why))?;
        let answer = self.write("note_policy", &NOTE, args![sha256, stored]).await?;
        answer.number(1).map_err(self.damaged("note_policy"))
    }
}

/// A policy as it lies in Redis.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredPolicy {
    pub(super) sha256: String,
    pub(super) text: String,
    pub(super) noted_by: String,
    pub(super) noted_at: i64,
}

fn revision(answer: &Answer) -> Result<(u64, [u8; 32]), Damage> {
    let sha256 = unhex(answer.text(2)?).and_then(|bytes| bytes.try_into().ok());
    Ok((answer.number(1)?, sha256.ok_or_else(|| "a policy's hash".to_owned())?))
}
