//! Devices, by the hash of their key.

use async_trait::async_trait;
use stagedoor_identity::port::{Device, DeviceId, DeviceQuery, Devices, StoreError};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::{AccountId, EndReason, SessionId};
use stagedoor_policy::time::Timestamp;

use super::answer::{Answer, Damage, Fields};
use super::record::Written;
use super::script::{Script, reading, writing};
use super::sessions::{ids_of, reason_json};
use super::{Redis, args};

const LISTED_MAX: u32 = 1000;

static ADD: Script = writing!("add_device", "device_lib");
static ONE: Script = reading!("device");
static LIST: Script = reading!("list_devices");
static LINK: Script = writing!("link_device", "session_lib");
static REMOVE: Script = writing!("remove_device", "session_lib");

#[async_trait]
impl Devices for Redis {
    async fn add_device(&self, device: &Device, key: &TokenHash) -> Result<(), StoreError> {
        let mut args = args![device.id.0];
        args.extend(written(device, key));
        self.write("add_device", &ADD, args).await.map(drop)
    }

    async fn device(&self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        self.one_device("device", args!["id", id.0]).await
    }

    async fn device_by_key(&self, key: &TokenHash) -> Result<Option<Device>, StoreError> {
        self.one_device("device_by_key", args!["key", key.0]).await
    }

    async fn list_devices(&self, query: &DeviceQuery) -> Result<Vec<Device>, StoreError> {
        let account = query.account.map_or_else(String::new, |id| id.0.simple().to_string());
        let after = query.after.as_deref().unwrap_or_default();
        let args = args![after, query.limit.clamp(1, LISTED_MAX), account];
        let answer = self.read("list_devices", &LIST, args).await?;
        let read = |answer: Answer| answer.records()?.iter().map(read).collect::<Result<_, Damage>>();
        let found = answer.map(read).transpose();
        Ok(found.map_err(self.damaged("list_devices"))?.unwrap_or_default())
    }

    async fn link_device(
        &self,
        id: DeviceId,
        account: Option<AccountId>,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<(Device, Vec<SessionId>), StoreError> {
        let account = account.map_or_else(String::new, |id| id.0.simple().to_string());
        let args = args![id.0, account, now, reason_json(reason)?];
        let answer = self.write("link_device", &LINK, args).await?;
        let linked = || Ok((answer.fields(2).and_then(|fields| read(&fields))?, ids_of(&answer, 1)?));
        linked().map_err(self.damaged("link_device"))
    }

    async fn remove_device(
        &self,
        id: DeviceId,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let args = args![id.0, now, reason_json(reason)?];
        let answer = self.write("remove_device", &REMOVE, args).await?;
        ids_of(&answer, 1).map_err(self.damaged("remove_device"))
    }
}

impl Redis {
    async fn one_device(&self, operation: &'static str, args: Vec<Vec<u8>>) -> Result<Option<Device>, StoreError> {
        let answer = self.read(operation, &ONE, args).await?;
        let device = answer.map(|answer| answer.fields(1).and_then(|fields| read(&fields)));
        device.transpose().map_err(self.damaged(operation))
    }
}

/// Fields and values of a device.
pub(super) fn written(device: &Device, key: &TokenHash) -> Vec<Vec<u8>> {
    let mut fields = Written::default();
    fields.set("id", device.id.0);
    fields.set("name", &device.name);
    fields.set("key_hash", key.0);
    fields.set("registered_at", device.registered_at);
    fields.set_if_any("last_seen_at", device.last_seen_at);
    fields.set_if_any("account", device.account.map(|account| account.0));
    fields.0
}

pub(super) fn read(fields: &Fields) -> Result<Device, Damage> {
    Ok(Device {
        id: DeviceId(fields.id("id")?),
        name: fields.text("name")?,
        registered_at: fields.time("registered_at")?,
        last_seen_at: fields.time_if_any("last_seen_at")?,
        account: fields.id_if_any("account")?.map(AccountId),
    })
}
