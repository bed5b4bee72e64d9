//! Devices, by the hash of their key.

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, named_params, params};
use stagedoor_identity::port::{Device, DeviceId, DeviceQuery, Devices, StoreError};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::{AccountId, EndReason, SessionId};
use stagedoor_policy::time::Timestamp;

use super::column::Row;
use super::fault::Fault;
use super::{Embedded, accounts, column, sessions};

const DEVICE: &str = "SELECT id, name, registered_at, last_seen_at, account FROM device";
const LISTED_MAX: u32 = 1000;

#[async_trait]
impl Devices for Embedded {
    async fn add_device(&self, device: &Device, key: &TokenHash) -> Result<(), StoreError> {
        let (device, key) = (device.clone(), *key);
        self.write("add_device", move |step| add(step, &device, &key)).await
    }

    async fn device(&self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        self.read("device", move |connection| by_id(connection, id)).await
    }

    async fn device_by_key(&self, key: &TokenHash) -> Result<Option<Device>, StoreError> {
        let key = key.0;
        let work = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(&format!("{DEVICE} WHERE key_hash = ?1"))?;
            column::one(statement.query([key])?, read)
        };
        self.read("device_by_key", work).await
    }

    async fn list_devices(&self, query: &DeviceQuery) -> Result<Vec<Device>, StoreError> {
        let query = query.clone();
        let work = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(&format!(
                "{DEVICE} WHERE name > :after AND (:account IS NULL OR account = :account) ORDER BY name LIMIT :limit"
            ))?;
            let rows = statement.query(named_params! {
                ":after": query.after.as_deref().unwrap_or_default(),
                ":account": query.account.map(|account| column::id_bytes(account.0)),
                ":limit": query.limit.clamp(1, LISTED_MAX),
            })?;
            column::all(rows, read)
        };
        self.read("list_devices", work).await
    }

    async fn link_device(
        &self,
        id: DeviceId,
        account: Option<AccountId>,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<(Device, Vec<SessionId>), StoreError> {
        let reason = reason.clone();
        let work = move |step: &Connection| {
            let before = by_id(step, id)?.ok_or(Fault::NotFound)?;
            if let Some(account) = account {
                accounts::by_id(step, account)?.ok_or(Fault::NotFound)?;
            }
            step.prepare_cached("UPDATE device SET account = ?2 WHERE id = ?1")?
                .execute(params![
                    column::id_bytes(id.0),
                    account.map(|account| column::id_bytes(account.0))
                ])?;
            let ended = if before.account == account {
                Vec::new()
            } else {
                sessions::end_all_from(step, id, &reason, now)?
            };
            Ok((Device { account, ..before }, ended))
        };
        self.write("link_device", work).await
    }

    async fn remove_device(
        &self,
        id: DeviceId,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let reason = reason.clone();
        let work = move |step: &Connection| {
            let removed = step
                .prepare_cached("DELETE FROM device WHERE id = ?1")?
                .execute([column::id_bytes(id.0)])?;
            if removed == 0 {
                return Err(Fault::NotFound);
            }
            sessions::end_all_from(step, id, &reason, now)
        };
        self.write("remove_device", work).await
    }
}

pub(super) fn add(step: &Connection, device: &Device, key: &TokenHash) -> Result<(), Fault> {
    if let Some(account) = device.account {
        accounts::by_id(step, account)?.ok_or(Fault::NotFound)?;
    }
    let inserted = step
        .prepare_cached(
            "INSERT INTO device (id, name, key_hash, registered_at, last_seen_at, account) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            column::id_bytes(device.id.0),
            device.name,
            key.0,
            device.registered_at.as_micros(),
            column::micros(device.last_seen_at),
            device.account.map(|account| column::id_bytes(account.0)),
        ]);
    match inserted {
        Ok(_one) => Ok(()),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Err(Fault::NameTaken),
        Err(error) => Err(error.into()),
    }
}

fn by_id(connection: &Connection, id: DeviceId) -> Result<Option<Device>, Fault> {
    let mut statement = connection.prepare_cached(&format!("{DEVICE} WHERE id = ?1"))?;
    column::one(statement.query([column::id_bytes(id.0)])?, read)
}

pub(super) fn read(row: &Row<'_>) -> Result<Device, Fault> {
    Ok(Device {
        id: DeviceId(column::id(row, "id")?),
        name: column::get(row, "name")?,
        registered_at: column::time(row, "registered_at")?,
        last_seen_at: column::time_if_any(row, "last_seen_at")?,
        account: column::id_if_any(row, "account")?.map(AccountId),
    })
}
