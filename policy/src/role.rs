//! A compiled role: what it may do, from where, by which channels.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::Level;
use crate::network::NetworkSet;
use crate::policy::{AreaId, SiteId};
use crate::rules::{AccountNetworkRules, ChangedBy, HeldBy, SecondFactor};
use crate::site::{Need, bit};

#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: Box<str>,
    pub(crate) grants: Grants,
    /// `None`: from anywhere.
    pub(crate) networks: Option<NetworkSet>,
    pub(crate) channels: Vec<Box<str>>,
    pub(crate) account_networks: AccountNetworkRules,
    pub(crate) second_factor: SecondFactor,
    pub(crate) inactivity_exempt: bool,
    pub(crate) standing: Standing,
    /// `None`: any grant.
    pub(crate) may_be_granted: Option<Grantable>,
}

/// How accounts come to a role, leave it and manage others. Names are of roles the policy has.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) keep_at_least: u32,
    pub(crate) held_by: HeldBy,
    /// `None`: any other role.
    pub(crate) handed_to: Option<Vec<Box<str>>>,
    pub(crate) hands_down_to: Option<Box<str>>,
    pub(crate) role_changed_by: ChangedBy,
    /// Roles that the policy does not have any more too. `"*"`.
    pub(crate) administers_all: bool,
    /// In rising order; every role where it administers all.
    pub(crate) administers: Vec<Box<str>>,
    /// Channels of the policy.
    pub(crate) unchanged_while_on: Vec<Box<str>>,
}

/// The grants that accounts of a role may hold on top of it.
#[derive(Debug, Default)]
pub(crate) struct Grantable(pub(crate) HashMap<(SiteId, AreaId), Allowance, FixedState>);

/// What may be granted on one area.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Every level; without it, only actions.
    pub(crate) levels: bool,
    /// As bits.
    pub(crate) actions: u64,
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

impl Role {
    /// Whether a grant of the account itself may open this: what was given before a change of role or rules may be more.
    pub(crate) fn may_hold(&self, site: SiteId, area: AreaId, need: Need) -> bool {
        let Some(grantable) = &self.may_be_granted else {
            return true;
        };
        let allowed = grantable.0.get(&(site, area)).copied().unwrap_or_default();
        match need {
            Need::Level(_) => allowed.levels,
            Need::Action(place, _) => allowed.actions & bit(place) != 0,
        }
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
