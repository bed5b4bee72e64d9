//! Devices: registered, linked to an account, and what a channel may demand at the sign-in.

use super::house::House;
use super::refused::denied;
use super::rights::Authority;
use super::{Actor, ChangeFault};
use crate::account::AccountId;
use crate::chance::uuid_v7;
use crate::event::{Event, Kind};
use crate::port::{Device, DeviceId, DeviceQuery, StoreError};
use crate::session::{EndReason, SessionId};
use crate::{Secret, SessionToken};

const NAME_CHARS_MAX: usize = 100;

impl House {
    /// Registers a device, linked to no account; its key is shown once, to be put on it.
    pub(super) async fn register_device(&self, name: &str, by: &Actor) -> Result<(Device, Secret), ChangeFault> {
        self.keeps_devices(by).await?;
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
            let sentence = format!("1 to {NAME_CHARS_MAX} characters, no control characters");
            return Err(ChangeFault::Unfit(vec![("name", sentence)]));
        }
        let now = self.clock.now();
        let key = SessionToken::generate(self.chance.as_ref());
        let device = Device {
            id: DeviceId(uuid_v7(self.chance.as_ref(), now)),
            name: name.to_owned(),
            registered_at: now,
            last_seen_at: None,
            account: None,
        };
        self.store.add_device(&device, &key.hash()).await?;
        self.note_device(Kind::DeviceRegistered, &device, None, 0, by).await?;
        Ok((device, Secret::new(key.expose())))
    }

    /// Links a device to an account, or to none. Whoever does it manages both the account it was linked to and the one it is
    /// to be.
    pub(super) async fn link_device(
        &self,
        id: DeviceId,
        to: Option<AccountId>,
        by: &Actor,
    ) -> Result<Device, ChangeFault> {
        let device = self.device_for(id, by).await?;
        let former = device.account;
        let _turns = self.turns_of(former, to).await;
        let authority = self.authority(by).await?;
        for account in [former, to].into_iter().flatten() {
            self.managed(account, &authority).await?;
        }
        // Linked otherwise while this waited for its turn.
        if self.store.device(id).await?.map(|device| device.account) != Some(former) {
            return Err(StoreError::VersionMismatch.into());
        }
        let (now, reason) = (self.clock.now(), EndReason::DeviceUnlinked);
        let (device, ended) = self.store.link_device(id, to, &reason, now).await?;
        self.end_each(&ended, &reason);
        for account in [former, to].into_iter().flatten() {
            self.refresh(account).await?;
        }
        let (kind, about) = if to.is_some() {
            (Kind::DeviceLinked, to)
        } else {
            (Kind::DeviceUnlinked, former)
        };
        self.note_device(kind, &device, about, ended.len(), by).await?;
        Ok(device)
    }

    pub(super) async fn remove_device(&self, id: DeviceId, by: &Actor) -> Result<(), ChangeFault> {
        let device = self.device_for(id, by).await?;
        let _turns = self.turns_of(device.account, None).await;
        if let Some(account) = device.account {
            self.managed(account, &self.authority(by).await?).await?;
        }
        let (now, reason) = (self.clock.now(), EndReason::DeviceUnlinked);
        let ended = self.store.remove_device(id, &reason, now).await?;
        self.end_each(&ended, &reason);
        if let Some(account) = device.account {
            self.refresh(account).await?;
        }
        self.note_device(Kind::DeviceRemoved, &device, device.account, ended.len(), by)
            .await
    }

    /// Devices: of an account that somebody may see, or all of them for the operator and who administers every role.
    pub(super) async fn devices(&self, query: DeviceQuery, by: &Actor) -> Result<Vec<Device>, ChangeFault> {
        let authority = self.authority(by).await?;
        match query.account {
            Some(account) => drop(self.seen(account, &authority).await?),
            None if authority.administers(&self.policy(), "") => {}
            None => return Err(denied()),
        }
        Ok(self.store.list_devices(&query).await?)
    }

    /// The device that a key belongs to.
    pub(super) async fn device_of_key(&self, key: &Secret) -> Result<Option<Device>, StoreError> {
        match SessionToken::parse(key.expose()) {
            Some(key) => self.store.device_by_key(&key.hash()).await,
            None => Ok(None),
        }
    }

    /// A device that somebody may do something with: linked to none, or to an account that they may see.
    async fn device_for(&self, id: DeviceId, by: &Actor) -> Result<Device, ChangeFault> {
        let authority = self.keeps_devices(by).await?;
        let device = self.store.device(id).await?.ok_or(StoreError::NotFound)?;
        if let Some(account) = device.account {
            self.seen(account, &authority).await?;
        }
        Ok(device)
    }

    /// Devices are for who administers some role.
    async fn keeps_devices(&self, by: &Actor) -> Result<Authority, ChangeFault> {
        let authority = self.authority(by).await?;
        let policy = self.policy();
        let some = authority
            .account()
            .is_none_or(|own| policy.administers(&own.role).next().is_some());
        if some { Ok(authority) } else { Err(denied()) }
    }

    fn end_each(&self, ended: &[SessionId], reason: &EndReason) {
        for id in ended {
            self.memory.end(*id, &super::ending::ended(reason, self.clock.now()));
        }
    }

    async fn turns_of(&self, one: Option<AccountId>, other: Option<AccountId>) -> Vec<super::turns::Turn> {
        let mut accounts: Vec<AccountId> = [one, other].into_iter().flatten().collect();
        // In the order of ids, and each once, so that nobody waits in a circle.
        accounts.sort_unstable();
        accounts.dedup();
        let mut turns = Vec::with_capacity(accounts.len());
        for account in accounts {
            turns.push(self.turns.take(account).await);
        }
        turns
    }

    async fn note_device(
        &self,
        kind: Kind,
        device: &Device,
        about: Option<AccountId>,
        ended: usize,
        by: &Actor,
    ) -> Result<(), ChangeFault> {
        let event = Event::done(kind, by, self.clock.now())
            .detail("device", &device.name)
            .detail("sessions_ended", ended.to_string());
        let account = match about {
            Some(id) => self.store.account(id).await?,
            None => None,
        };
        let event = match account {
            Some(account) => event.account(account.name.as_str()),
            None => event,
        };
        Ok(self.store.record(&[event]).await?)
    }
}
