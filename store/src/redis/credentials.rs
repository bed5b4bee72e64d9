//! Passwords and second factors. Nothing here compares or makes them: hashes and sealed bytes come in ready.

use async_trait::async_trait;
use stagedoor_identity::port::{Credentials, StoreError, StoredCredentials};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::{AccountId, EndReason, SessionId};
use stagedoor_policy::time::Timestamp;

use super::answer::{Damage, Fields};
use super::script::{Script, bytes, hex, reading, writing};
use super::sessions::{ids_of, kept, reason_json};
use super::{Redis, args};

static READ: Script = reading!("credentials");
static SET_PASSWORD: Script = writing!(
    "set_password",
    "letter_lib",
    "token_lib",
    "link_lib",
    "credential_lib",
    "session_lib"
);
static REHASH: Script = writing!("rehash_password");
static SET_FACTOR: Script = writing!(
    "set_second_factor",
    "letter_lib",
    "token_lib",
    "link_lib",
    "credential_lib"
);
static CLEAR_FACTOR: Script = writing!(
    "clear_second_factor",
    "letter_lib",
    "token_lib",
    "link_lib",
    "credential_lib",
    "session_lib"
);
static USE_STEP: Script = writing!("use_totp_step");
static USE_CODE: Script = writing!("use_recovery_code");

#[async_trait]
impl Credentials for Redis {
    async fn credentials(&self, id: AccountId) -> Result<Option<StoredCredentials>, StoreError> {
        let answer = self.read("credentials", &READ, args![id.0]).await?;
        let read = answer.map(|answer| answer.fields(1).and_then(|fields| read(&fields)));
        read.transpose().map_err(self.damaged("credentials"))
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
        let args = args![id.0, hash, temporary, kept(keep), now, reason_json(reason)?];
        let answer = self.write("set_password", &SET_PASSWORD, args).await?;
        ids_of(&answer, 1).map_err(self.damaged("set_password"))
    }

    async fn rehash_password(&self, id: AccountId, old: &str, new: &str) -> Result<(), StoreError> {
        self.write("rehash_password", &REHASH, args![id.0, old, new])
            .await
            .map(drop)
    }

    async fn set_second_factor(
        &self,
        id: AccountId,
        totp_sealed: &[u8],
        used_step: u64,
        recovery_code_hashes: &[[u8; 32]],
        right: Option<(&TokenHash, Timestamp)>,
    ) -> Result<(), StoreError> {
        let mut args = args![id.0, hex(totp_sealed), used_step];
        args.extend(match right {
            Some((hash, now)) => args![hash.0, now],
            None => args!["", ""],
        });
        args.extend(recovery_code_hashes.iter().map(bytes));
        self.write("set_second_factor", &SET_FACTOR, args).await.map(drop)
    }

    async fn clear_second_factor(
        &self,
        id: AccountId,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let args = args![id.0, now, reason_json(reason)?];
        let answer = self.write("clear_second_factor", &CLEAR_FACTOR, args).await?;
        ids_of(&answer, 1).map_err(self.damaged("clear_second_factor"))
    }

    async fn use_totp_step(&self, id: AccountId, step: u64) -> Result<bool, StoreError> {
        let answer = self.write("use_totp_step", &USE_STEP, args![id.0, step]).await?;
        answer.is_one(1).map_err(self.damaged("use_totp_step"))
    }

    async fn use_recovery_code(&self, id: AccountId, hash: &[u8; 32]) -> Result<bool, StoreError> {
        let answer = self.write("use_recovery_code", &USE_CODE, args![id.0, hash]).await?;
        answer.is_one(1).map_err(self.damaged("use_recovery_code"))
    }
}

pub(super) fn read(fields: &Fields) -> Result<StoredCredentials, Damage> {
    Ok(StoredCredentials {
        password_hash: fields.text("password_hash")?,
        totp_sealed: fields.bytes_if_any("totp_sealed")?,
        totp_last_step: fields.number_if_any("totp_last_step")?,
        credentials_version: fields.number("version")?,
    })
}
