//! One-time links, by the hash of their secret.

use async_trait::async_trait;
use serde::Serialize;
use stagedoor_identity::port::{Asking, FreshLink, Link, LinkPurpose, Links, StoreError};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::{Account, AccountId, EndReason, SessionId};
use stagedoor_policy::time::Timestamp;

use super::answer::{Damage, Fields};
use super::outbox::Sheet;
use super::record::{email_hash, json, read};
use super::script::{Script, hex, reading, writing};
use super::sessions::{ids_of, reason_json};
use super::{Redis, args};

/// What one call forgets at most of each, so that other steps do not wait for it.
const FORGOTTEN_MAX: u32 = 2000;

static ADD: Script = writing!("add_link", "account_lib", "letter_lib", "token_lib", "link_lib");
static ONE: Script = reading!("link", "letter_lib", "token_lib", "link_lib");
static FOR_PASSWORD: Script = writing!(
    "redeem_for_password",
    "account_lib",
    "index_lib",
    "session_lib",
    "letter_lib",
    "token_lib",
    "link_lib",
    "credential_lib"
);
static FOR_EMAIL: Script = writing!(
    "redeem_for_email",
    "account_lib",
    "index_lib",
    "change_lib",
    "letter_lib",
    "token_lib",
    "link_lib"
);
static REVOKE: Script = writing!("revoke_link", "letter_lib", "token_lib", "link_lib");
static ASK: Script = writing!("ask", "letter_lib", "token_lib", "link_lib");
static FORGET: Script = writing!("forget_links", "letter_lib", "token_lib", "link_lib");

#[async_trait]
impl Links for Redis {
    async fn add_link(&self, fresh: &FreshLink) -> Result<Account, StoreError> {
        let answer = self.write("add_link", &ADD, args![fresh_json(Some(fresh))?]).await?;
        let account = answer.fields(1).and_then(|fields| read(&fields));
        account.map_err(self.damaged("add_link"))
    }

    async fn link(&self, hash: &TokenHash, purpose: LinkPurpose, now: Timestamp) -> Result<Option<Link>, StoreError> {
        let answer = self.read("link", &ONE, args![hash.0, purpose.name(), now]).await?;
        let link = answer.map(|answer| answer.fields(1).and_then(|fields| link(&fields)));
        link.transpose().map_err(self.damaged("link"))
    }

    async fn redeem_for_password(
        &self,
        hash: &TokenHash,
        purpose: LinkPurpose,
        password_hash: &str,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<(Account, Vec<SessionId>), StoreError> {
        let args = args![hash.0, purpose.name(), password_hash, reason_json(reason)?, now];
        let answer = self.write("redeem_for_password", &FOR_PASSWORD, args).await?;
        let redeemed = || Ok((answer.fields(2).and_then(|fields| read(&fields))?, ids_of(&answer, 1)?));
        redeemed().map_err(self.damaged("redeem_for_password"))
    }

    async fn redeem_for_email(&self, hash: &TokenHash, now: Timestamp) -> Result<Account, StoreError> {
        let answer = self.write("redeem_for_email", &FOR_EMAIL, args![hash.0, now]).await?;
        let account = answer.fields(1).and_then(|fields| read(&fields));
        account.map_err(self.damaged("redeem_for_email"))
    }

    async fn revoke_link(&self, account: AccountId, purpose: LinkPurpose) -> Result<bool, StoreError> {
        let args = args![account.0, purpose.name()];
        let answer = self.write("revoke_link", &REVOKE, args).await?;
        answer.is_one(1).map_err(self.damaged("revoke_link"))
    }

    async fn ask(&self, asking: &Asking, fresh: Option<&FreshLink>) -> Result<bool, StoreError> {
        let mut args = args![asking.since, asking.now, fresh_json(fresh)?];
        for (counted, at_most) in &asking.counted {
            args.extend(args![counted, *at_most]);
        }
        let answer = self.write("ask", &ASK, args).await?;
        answer.is_one(1).map_err(self.damaged("ask"))
    }

    async fn forget_links(&self, before: Timestamp) -> Result<u32, StoreError> {
        let answer = self
            .write("forget_links", &FORGET, args![before, FORGOTTEN_MAX])
            .await?;
        answer.number(1).map_err(self.damaged("forget_links"))
    }
}

/// A link with its letter, as `link_lib.lua` takes them.
#[derive(Serialize)]
struct Fresh {
    link: LinkFields,
    #[serde(skip_serializing_if = "Option::is_none")]
    letter: Option<Sheet>,
}

/// A link as it lies in Redis.
#[derive(Serialize)]
struct LinkFields {
    hash: String,
    account: String,
    purpose: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_hash: Option<String>,
    credentials_version: String,
    made_at: String,
    expires_at: String,
}

impl LinkFields {
    fn of(link: &Link) -> Self {
        Self {
            hash: hex(&link.hash.0),
            account: link.account.0.simple().to_string(),
            purpose: link.purpose.name(),
            email: link.email.clone(),
            email_hash: link.email.as_deref().map(email_hash),
            credentials_version: link.credentials_version.to_string(),
            made_at: link.made_at.as_micros().to_string(),
            expires_at: link.expires_at.as_micros().to_string(),
        }
    }
}

/// A link with its letter as a script takes them: empty where there is none.
pub(super) fn fresh_json(fresh: Option<&FreshLink>) -> Result<String, StoreError> {
    let Some(fresh) = fresh else {
        return Ok(String::new());
    };
    let fresh = Fresh {
        link: LinkFields::of(&fresh.link),
        letter: fresh.letter.as_ref().map(Sheet::of),
    };
    json(&fresh).map_err(StoreError::Engine)
}

/// The fields of a link that is moved in.
pub(super) fn moved_in(link: &Link) -> Vec<Vec<u8>> {
    let link = LinkFields::of(link);
    let mut fields = super::record::Written::default();
    fields.set("hash", &link.hash);
    fields.set("account", &link.account);
    fields.set("purpose", link.purpose);
    fields.set_if_any("email", link.email.as_ref());
    fields.set_if_any("email_hash", link.email_hash.as_ref());
    fields.set("credentials_version", &link.credentials_version);
    fields.set("made_at", &link.made_at);
    fields.set("expires_at", &link.expires_at);
    fields.0
}

pub(super) fn link(fields: &Fields) -> Result<Link, Damage> {
    let purpose = LinkPurpose::from_name(&fields.text("purpose")?);
    Ok(Link {
        hash: TokenHash(fields.hash("hash")?),
        account: AccountId(fields.id("account")?),
        purpose: purpose.ok_or_else(|| "the field `purpose`".to_owned())?,
        email: fields.text_if_any("email")?,
        credentials_version: fields.number("credentials_version")?,
        made_at: fields.time("made_at")?,
        expires_at: fields.time("expires_at")?,
    })
}
