use async_trait::async_trait;
use stagedoor_policy::time::Timestamp;

use super::{MemoryStore, State};
use crate::account::AccountId;
use crate::port::{Device, DeviceId, DeviceQuery, Devices, StoreError};
use crate::secret::TokenHash;
use crate::session::{EndReason, SessionId};

#[async_trait]
impl Devices for MemoryStore {
    async fn add_device(&self, device: &Device, key: &TokenHash) -> Result<(), StoreError> {
        let mut state = self.state("add_device")?;
        if state.devices.values().any(|(other, _)| other.name == device.name) {
            return Err(StoreError::NameTaken);
        }
        if let Some(account) = device.account {
            state.holder(account)?;
        }
        state.devices.insert(device.id, (device.clone(), *key));
        state.count_devices();
        Ok(())
    }

    async fn device(&self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        Ok(self.state("device")?.devices.get(&id).map(|(device, _)| device.clone()))
    }

    async fn device_by_key(&self, key: &TokenHash) -> Result<Option<Device>, StoreError> {
        let state = self.state("device_by_key")?;
        let found = state.devices.values().find(|(_, stored)| stored == key);
        Ok(found.map(|(device, _)| device.clone()))
    }

    async fn list_devices(&self, query: &DeviceQuery) -> Result<Vec<Device>, StoreError> {
        let state = self.state("list_devices")?;
        let all = state.devices.values().map(|(device, _)| device);
        let mut found: Vec<Device> = all
            .filter(|device| query.account.is_none() || device.account == query.account)
            .filter(|device| query.after.as_ref().is_none_or(|after| device.name > *after))
            .cloned()
            .collect();
        found.sort_by(|left, right| left.name.cmp(&right.name));
        found.truncate(usize::try_from(query.limit.clamp(1, 1000)).unwrap_or(1000));
        Ok(found)
    }

    async fn link_device(
        &self,
        id: DeviceId,
        account: Option<AccountId>,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<(Device, Vec<SessionId>), StoreError> {
        let mut state = self.state("link_device")?;
        if let Some(account) = account {
            state.holder(account)?;
        }
        let (device, _) = state.devices.get_mut(&id).ok_or(StoreError::NotFound)?;
        let changes = device.account != account;
        device.account = account;
        let device = device.clone();
        let ended = if changes {
            state.end_from(id, reason, now)
        } else {
            Vec::new()
        };
        state.count_devices();
        Ok((device, ended))
    }

    async fn remove_device(
        &self,
        id: DeviceId,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut state = self.state("remove_device")?;
        state.devices.remove(&id).ok_or(StoreError::NotFound)?;
        state.count_devices();
        Ok(state.end_from(id, reason, now))
    }
}

impl State {
    fn end_from(&mut self, device: DeviceId, reason: &EndReason, now: Timestamp) -> Vec<SessionId> {
        let mut ended = Vec::new();
        for session in self.sessions.values_mut() {
            if session.device == Some(device) && super::sessions::end(session, reason, now) {
                ended.push(session.id);
            }
        }
        ended
    }

    /// The count in each account, as a real store counts it when asked.
    pub(super) fn count_devices(&mut self) {
        for holder in self.accounts.values_mut() {
            let linked = self
                .devices
                .values()
                .filter(|(device, _)| device.account == Some(holder.account.id));
            holder.account.devices = u32::try_from(linked.count()).unwrap_or(u32::MAX);
        }
    }
}
