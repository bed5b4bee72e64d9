//! A compiled role: what it may do, from where, by which channels.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::Level;
use crate::network::NetworkSet;
use crate::policy::{AreaId, SiteId};
use crate::rules::SecondFactor;
use crate::site::{Need, bit};

#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: Box<str>,
    pub(crate) grants: Grants,
    /// `None`: from anywhere.
    pub(crate) networks: Option<NetworkSet>,
    pub(crate) channels: Vec<Box<str>>,
    pub(crate) account_networks_required: bool,
    pub(crate) account_networks_at_most: Option<u32>,
    pub(crate) second_factor: SecondFactor,
    pub(crate) inactivity_exempt: bool,
}

/// What a role may do. The narrowest entry that is there decides alone.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    pub(crate) by_area: HashMap<(SiteId, AreaId), Grant, FixedState>,
    pub(crate) by_site: HashMap<SiteId, Grant, FixedState>,
    pub(crate) everywhere: Option<Grant>,
    /// The keys of `may`, which grants point into.
    pub(crate) keys: Vec<Box<str>>,
}

/// A level and actions, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) level: Level,
    pub(crate) actions: u64,
    /// The place of its key in [`Grants::keys`].
    pub(crate) key: usize,
}

impl Role {
    pub(crate) fn may_use_channel(&self, channel: &str) -> bool {
        self.channels.iter().any(|own| **own == *channel)
    }
}

impl Grants {
    pub(crate) fn on(&self, site: SiteId, area: AreaId) -> Option<Grant> {
        let by_area = self.by_area.get(&(site, area)).copied();
        by_area.or_else(|| self.by_site.get(&site).copied()).or(self.everywhere)
    }

    /// The key of `may` that a grant comes from.
    pub(crate) fn key(&self, grant: Grant) -> &str {
        self.keys.get(grant.key).map_or("", |key| key)
    }
}

impl Grant {
    pub(crate) fn covers(&self, need: Need) -> bool {
        match need {
            Need::Level(level) => self.level >= level,
            Need::Action(place, _) => self.actions & bit(place) != 0,
        }
    }
}
