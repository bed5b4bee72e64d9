//! Devices.

use std::sync::Arc;

use super::super::house::see_through;
use super::super::{Actor, ChangeFault, Doorkeeper};
use crate::account::AccountId;
use crate::port::{Device, DeviceId, DeviceQuery};
use crate::secret::Secret;

impl Doorkeeper {
    /// Registers a device, linked to no account. Its key is shown now and never again.
    /// # Errors
    /// A name that is none or taken; where whoever asks administers nobody.
    pub async fn register_device(&self, name: &str, by: &Actor) -> Result<(Device, Secret), ChangeFault> {
        let (house, name, by) = (Arc::clone(&self.house), name.to_owned(), by.clone());
        see_through(async move { house.register_device(&name, &by).await }).await
    }

    /// Links a device to an account, or to none; sessions that were opened from it for another account end.
    /// # Errors
    /// Where there is no such device or account for whoever asks.
    pub async fn link_device(&self, id: DeviceId, to: Option<AccountId>, by: &Actor) -> Result<Device, ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.link_device(id, to, &by).await }).await
    }

    /// Removes a device; sessions that were opened from it end.
    /// # Errors
    /// Where there is no such device for whoever asks.
    pub async fn remove_device(&self, id: DeviceId, by: &Actor) -> Result<(), ChangeFault> {
        let (house, by) = (Arc::clone(&self.house), by.clone());
        see_through(async move { house.remove_device(id, &by).await }).await
    }

    /// Devices, in the order of names: of an account, or all for who may see every account.
    /// # Errors
    /// Where whoever asks may not see them.
    pub async fn devices(&self, query: DeviceQuery, by: &Actor) -> Result<Vec<Device>, ChangeFault> {
        self.house.devices(query, by).await
    }
}
