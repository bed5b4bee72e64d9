//! The door's own keys, and the numbers of the policies it has taken over.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stagedoor_identity::Secret;
use stagedoor_identity::port::{FreshPolicy, Keys, NotedPolicy, StoreError};
use stagedoor_policy::time::Timestamp;

use super::answer::{Answer, Damage, unhex};
use super::record::json;
use super::script::{Script, hex, reading, writing};
use super::{Redis, args};

static KEY: Script = writing!("key_or_insert");
static REVISION: Script = reading!("policy_revision");
static REVISION_OF: Script = reading!("revision_of");
static NEWEST: Script = reading!("newest_policy");
static NOTE: Script = writing!("note_policy", "policy_lib");
static RESTORE: Script = writing!("restore_policy", "policy_lib");

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

    async fn newest_policy(&self) -> Result<Option<NotedPolicy>, StoreError> {
        let answer = self.read("newest_policy", &NEWEST, Vec::new()).await?;
        let read = answer.map(|answer| noted(answer.text(1)?, answer.text(2)?));
        read.transpose().map_err(self.damaged("newest_policy"))
    }

    async fn revision_of(&self, sha256: &[u8; 32]) -> Result<Option<u64>, StoreError> {
        let answer = self.read("revision_of", &REVISION_OF, args![sha256]).await?;
        let read = answer.map(|answer| answer.number(1));
        read.transpose().map_err(self.damaged("revision_of"))
    }

    async fn note_policy(&self, fresh: &FreshPolicy, after: Option<u64>) -> Result<u64, StoreError> {
        // Its number is none of what is stored: the script gives it.
        let stored = json(&StoredPolicy::from(&fresh.numbered(0))).map_err(|why| self.engine("note_policy", &why))?;
        let after = after.map_or_else(String::new, |after| after.to_string());
        let answer = self
            .write("note_policy", &NOTE, args![fresh.sha256, stored, after])
            .await?;
        answer.number(1).map_err(self.damaged("note_policy"))
    }

    async fn restore_policy(&self, policy: &NotedPolicy) -> Result<(), StoreError> {
        let stored = json(&StoredPolicy::from(policy)).map_err(|why| self.engine("restore_policy", &why))?;
        let args = args![policy.revision, policy.sha256, stored];
        self.write("restore_policy", &RESTORE, args).await.map(drop)
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

impl From<&NotedPolicy> for StoredPolicy {
    fn from(policy: &NotedPolicy) -> Self {
        Self {
            sha256: hex(&policy.sha256),
            text: policy.text.clone(),
            noted_by: policy.by.clone(),
            noted_at: policy.at.as_micros(),
        }
    }
}

/// A policy from its number and its text in Redis.
pub(super) fn noted(revision: &str, stored: &str) -> Result<NotedPolicy, Damage> {
    let damaged = || "a policy".to_owned();
    let stored: StoredPolicy = serde_json::from_str(stored).map_err(|_no_policy| damaged())?;
    let sha256 = unhex(&stored.sha256).and_then(|bytes| bytes.try_into().ok());
    Ok(NotedPolicy {
        revision: revision.parse().map_err(|_no_number| damaged())?,
        sha256: sha256.ok_or_else(damaged)?,
        text: stored.text,
        by: stored.noted_by,
        at: Timestamp::from_micros(stored.noted_at),
    })
}

fn revision(answer: &Answer) -> Result<(u64, [u8; 32]), Damage> {
    let sha256 = unhex(answer.text(2)?).and_then(|bytes| bytes.try_into().ok());
    Ok((answer.number(1)?, sha256.ok_or_else(|| "a policy's hash".to_owned())?))
}
