//! Pictures, each with its account.

use async_trait::async_trait;
use stagedoor_identity::AccountId;
use stagedoor_identity::picture::{Picture, PictureKind, PictureTag};
use stagedoor_identity::port::{Pictures, StoreError};

use super::answer::{Damage, Fields};
use super::record::Written;
use super::script::{Script, bytes, hex, reading, writing};
use super::{Redis, args};

/// Accounts that one script looks at while others wait.
const AT_ONCE: usize = 500;

static SET: Script = writing!("set_picture");
static ONE: Script = reading!("picture");
static SOME: Script = reading!("pictured");

#[async_trait]
impl Pictures for Redis {
    async fn set_picture(&self, account: AccountId, picture: Option<&Picture>) -> Result<(), StoreError> {
        let args = match picture {
            Some(picture) => args![
                account.0,
                picture.kind.name(),
                hex(&picture.tag().0),
                picture.bytes.as_slice()
            ],
            None => args![account.0, "", "", ""],
        };
        self.write("set_picture", &SET, args).await.map(drop)
    }

    async fn picture(&self, account: AccountId) -> Result<Option<Picture>, StoreError> {
        let answer = self.read("picture", &ONE, args![account.0]).await?;
        let picture = answer.map(|answer| answer.fields(1).and_then(|fields| read(&fields)));
        picture.transpose().map_err(self.damaged("picture"))
    }

    async fn pictured(&self, accounts: &[AccountId]) -> Result<Vec<(AccountId, PictureTag)>, StoreError> {
        let damaged = self.damaged("pictured");
        let mut found = Vec::new();
        for some in accounts.chunks(AT_ONCE) {
            let ids = some.iter().map(|account| bytes(account.0)).collect();
            let Some(answer) = self.read("pictured", &SOME, ids).await? else {
                continue;
            };
            for fields in answer.records().map_err(&damaged)? {
                found.push(tag(&fields).map_err(&damaged)?);
            }
        }
        Ok(found)
    }
}

/// Fields and values of a picture.
pub(super) fn written(picture: &Picture) -> Vec<Vec<u8>> {
    let mut fields = Written::default();
    fields.set("kind", picture.kind.name());
    fields.set("tag", hex(&picture.tag().0));
    fields.set("bytes", picture.bytes.as_slice());
    fields.0
}

fn read(fields: &Fields) -> Result<Picture, Damage> {
    let kind = PictureKind::from_name(&fields.text("kind")?);
    Ok(Picture {
        kind: kind.ok_or_else(|| "the field `kind`".to_owned())?,
        bytes: fields.raw("bytes")?,
    })
}

fn tag(fields: &Fields) -> Result<(AccountId, PictureTag), Damage> {
    let tag = fields.bytes_if_any("tag")?.and_then(|bytes| bytes.try_into().ok());
    let tag = tag.ok_or_else(|| "the field `tag`".to_owned())?;
    Ok((AccountId(fields.id("account")?), PictureTag(tag)))
}
