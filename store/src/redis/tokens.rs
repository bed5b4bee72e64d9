//! Bearer tokens of the admin API, by the hash of their secret.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stagedoor_identity::AccountId;
use stagedoor_identity::port::{ApiToken, StoreError, Tokens};
use stagedoor_identity::secret::TokenHash;
use stagedoor_policy::time::Timestamp;

use super::answer::Damage;
use super::record::json;
use super::script::{Script, reading, writing};
use super::{Redis, args};

static ADD: Script = writing!("add_token", "token_lib");
static ONE: Script = reading!("token");
static ALL: Script = reading!("list_tokens");
static REVOKE: Script = writing!("revoke_token", "token_lib");

#[async_trait]
impl Tokens for Redis {
    async fn add_token(&self, token: &ApiToken, hash: &TokenHash) -> Result<(), StoreError> {
        let stored = written(token).map_err(|why| self.engine("add_token", &why))?;
        let account = token.account.map_or_else(String::new, |id| id.0.simple().to_string());
        self.write("add_token", &ADD, args![&token.name, hash.0, stored, account])
            .await
            .map(drop)
    }

    async fn token(&self, hash: &TokenHash) -> Result<Option<ApiToken>, StoreError> {
        let answer = self.read("token", &ONE, args![hash.0]).await?;
        let read = answer.map(|answer| read(answer.text(1)?));
        read.transpose().map_err(self.damaged("token"))
    }

    async fn list_tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        let Some(answer) = self.read("list_tokens", &ALL, Vec::new()).await? else {
            return Ok(Vec::new());
        };
        let read = || {
            answer
                .texts(1)?
                .into_iter()
                .map(read)
                .collect::<Result<Vec<_>, Damage>>()
        };
        let mut tokens = read().map_err(self.damaged("list_tokens"))?;
        tokens.sort_by(|one, two| one.name.cmp(&two.name));
        Ok(tokens)
    }

    async fn revoke_token(&self, name: &str) -> Result<bool, StoreError> {
        let answer = self.write("revoke_token", &REVOKE, args![name]).await?;
        answer.is_one(1).map_err(self.damaged("revoke_token"))
    }
}

/// A token as it lies in Redis.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    name: String,
    scopes: Vec<String>,
    created_at: i64,
    expires_at: Option<i64>,
    account: Option<AccountId>,
}

impl Stored {
    fn of(token: &ApiToken) -> Self {
        Self {
            name: token.name.clone(),
            scopes: token.scopes.clone(),
            created_at: token.created_at.as_micros(),
            expires_at: token.expires_at.map(Timestamp::as_micros),
            account: token.account,
        }
    }
}

pub(super) fn written(token: &ApiToken) -> Result<String, Damage> {
    json(&Stored::of(token))
}

pub(super) fn read(text: &str) -> Result<ApiToken, Damage> {
    let stored: Stored = serde_json::from_str(text).map_err(|_not_json| "a token".to_owned())?;
    Ok(ApiToken {
        name: stored.name,
        scopes: stored.scopes,
        created_at: Timestamp::from_micros(stored.created_at),
        expires_at: stored.expires_at.map(Timestamp::from_micros),
        account: stored.account,
    })
}
