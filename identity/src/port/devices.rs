//! Devices that accounts sign in from.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stagedoor_policy::time::Timestamp;
use uuid::Uuid;

use super::StoreError;
use crate::account::AccountId;
use crate::secret::TokenHash;
use crate::session::{EndReason, SessionId};

/// A device's identity, for ever (UUID v7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceId(pub Uuid);

/// A device, without its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Never reused.
    pub id: DeviceId,
    /// What people call it; unique.
    pub name: String,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When somebody last signed in from it.
    pub last_seen_at: Option<Timestamp>,
    /// The account it is linked to.
    pub account: Option<AccountId>,
}

/// A search among the devices.
#[derive(Debug, Clone, Default)]
pub struct DeviceQuery {
    /// Only those linked to this account.
    pub account: Option<AccountId>,
    /// Only names after this one (paging).
    pub after: Option<String>,
    /// At most this many; 1 to 1,000.
    pub limit: u32,
}

/// Devices. Each has a key of its own, of which the hash is kept, and is linked to one account at most.
#[async_trait]
pub trait Devices {
    /// Stores a device under the hash of its key. `NameTaken` where another one has the name.
    async fn add_device(&self, device: &Device, key: &TokenHash) -> Result<(), StoreError>;
    /// By id.
    async fn device(&self, id: DeviceId) -> Result<Option<Device>, StoreError>;
    /// By the hash of what was presented.
    async fn device_by_key(&self, key: &TokenHash) -> Result<Option<Device>, StoreError>;
    /// In the order of names.
    async fn list_devices(&self, query: &DeviceQuery) -> Result<Vec<Device>, StoreError>;
    /// Links it to an account, or to none, in the place of the former one. Where that changes anything, ends the sessions that
    /// were opened from it, in the same step. `NotFound` where device or account is gone.
    async fn link_device(
        &self,
        id: DeviceId,
        account: Option<AccountId>,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<(Device, Vec<SessionId>), StoreError>;
    /// Removes a device; ends the sessions that were opened from it.
    async fn remove_device(
        &self,
        id: DeviceId,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError>;
}
