//! The compiled form: what [`crate::compile()`] makes and every request is judged by. Immutable.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::network::NetworkSet;
use crate::request::{ClientAddress, Leniencies};
use crate::role::Role;
use crate::rules::{InactivityRules, LockoutRules, OpenTo, SecondFactor, SessionRules};
use crate::site::Site;
use crate::{ExtraGrant, Level, Refusal, Scope, Visitor};

mod checks;
mod names;
mod people;

pub(crate) use people::{Channel, People};
pub use people::{Preference, Seats};

/// The channel that exists whether the rules name it or not.
pub(crate) const BROWSER: &str = "browser";

/// The number of a policy: rises by one with every change that was taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

/// A site's place in one [`Policy`]; means nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SiteId(pub(crate) u16);

/// An area's place in its site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AreaId(pub(crate) u16);

/// A compiled policy.
#[derive(Debug)]
pub struct Policy {
    pub(crate) revision: Revision,
    /// By name, in rising order; a [`SiteId`] is a place in here.
    pub(crate) sites: Vec<Site>,
    pub(crate) site_ids: HashMap<Box<str>, SiteId, FixedState>,
    /// By name, in rising order.
    pub(crate) roles: Vec<Role>,
    pub(crate) role_places: HashMap<Box<str>, usize, FixedState>,
    /// The place of the default role.
    pub(crate) default_role: Option<usize>,
    /// With `[session]` already laid under each.
    pub(crate) channels: HashMap<Box<str>, SessionRules, FixedState>,
    pub(crate) session: SessionRules,
    pub(crate) lockout: LockoutRules,
    pub(crate) inactivity: InactivityRules,
    /// For a role that the policy does not have.
    pub(crate) second_factor: SecondFactor,
    pub(crate) people: People,
}

impl Policy {
    /// The same rules under another number: a policy is checked before it is known which it will have.
    #[must_use]
    pub fn numbered(self, revision: Revision) -> Self {
        Self { revision, ..self }
    }

    /// The policy's number.
    pub fn revision(&self) -> Revision {
        self.revision
    }
    /// The site of that name.
    pub fn site(&self, name: &str) -> Option<SiteId> {
        self.site_ids.get(name).copied()
    }
    /// A site's name, for labels and logs. Empty for an id of another policy.
    pub fn site_name(&self, site: SiteId) -> &str {
        self.site_at(site).map_or("", |site| &site.name)
    }
    /// The same, for whoever has to remember it.
    pub fn shared_site_name(&self, site: SiteId) -> Arc<str> {
        self.site_at(site)
            .map_or_else(Arc::default, |site| Arc::clone(&site.name))
    }
    /// What the site lets pass although two servers could read it differently; nothing for an id of another policy.
    pub fn leniencies(&self, site: SiteId) -> Leniencies {
        self.site_at(site).map_or(Leniencies::NONE, |site| site.leniencies)
    }
    /// An area's name, for labels and logs. Empty for an id of another policy.
    pub fn area_name(&self, site: SiteId, area: AreaId) -> &str {
        let area = self.site_at(site).and_then(|site| site.area(area));
        area.map_or("", |area| &area.name)
    }
    /// Every site's name, in rising order.
    pub fn sites(&self) -> impl Iterator<Item = (SiteId, &str)> {
        (0..=u16::MAX)
            .map(SiteId)
            .zip(self.sites.iter().map(|site| &*site.name))
    }
    /// A site's areas, in rising order of their names; none for an id of another policy.
    pub fn areas(&self, site: SiteId) -> impl Iterator<Item = (AreaId, &str)> {
        let areas = self.site_at(site).map_or(&[][..], |site| &site.areas);
        (0..=u16::MAX).map(AreaId).zip(areas.iter().map(|area| &*area.name))
    }
    /// An area's named actions; none for an id of another policy.
    pub fn actions(&self, site: SiteId, area: AreaId) -> impl Iterator<Item = &str> {
        let area = self.site_at(site).and_then(|site| site.area(area));
        area.into_iter().flat_map(|area| &area.actions).map(|name| &**name)
    }
    /// Whether a grant is needed in the area; not for an id of another policy.
    pub fn needs_grant(&self, site: SiteId, area: AreaId) -> bool {
        let area = self.site_at(site).and_then(|site| site.area(area));
        area.is_some_and(|area| area.open_to == OpenTo::Granted)
    }
    /// Whether a role of that name exists.
    pub fn has_role(&self, role: &str) -> bool {
        self.role_places.contains_key(role)
    }
    /// Every role's name, in rising order.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(|role| &*role.name)
    }
    /// The role that says `default = true`.
    pub fn default_role(&self) -> Option<&str> {
        self.roles.get(self.default_role?).map(|role| &*role.name)
    }
    /// Whether a channel of that name exists.
    pub fn has_channel(&self, channel: &str) -> bool {
        self.channels.contains_key(channel)
    }
    /// Whether the role may come in by the channel.
    pub fn may_use_channel(&self, role: &str, channel: &str) -> bool {
        self.role(role).is_some_and(|role| role.may_use_channel(channel))
    }
    /// What holds for sessions of a channel, its own rules laid over `[session]`.
    pub fn session_rules(&self, channel: &str) -> SessionRules {
        self.channels.get(channel).copied().unwrap_or(self.session)
    }
    /// When failures lock.
    pub fn lockout(&self) -> LockoutRules {
        self.lockout
    }
    /// When disuse bans an account of that role; `block_after` and `warn_before` are `None` for an exempt one.
    pub fn inactivity(&self, role: &str) -> InactivityRules {
        if self.role(role).is_some_and(|role| role.inactivity_exempt) {
            InactivityRules {
                block_after: None,
                warn_before: None,
                ..self.inactivity
            }
        } else {
            self.inactivity
        }
    }
    /// Whether accounts of that role have to show a second factor.
    pub fn second_factor(&self, role: &str) -> SecondFactor {
        self.role(role).map_or(self.second_factor, |role| role.second_factor)
    }
    /// Checks networks that an account of that role is to be given: shape, number, whether any are needed.
    /// # Errors
    /// One sentence for each thing that is wrong.
    pub fn check_account_networks(&self, role: &str, networks: &[String]) -> Result<NetworkSet, Vec<String>> {
        checks::account_networks(self, role, networks)
    }
    /// Checks grants that an account of that role is to hold: the areas and actions exist, and the role may be granted
    /// them.
    /// # Errors
    /// One sentence for each thing that is wrong.
    pub fn check_extra_grants(&self, role: &str, grants: &[ExtraGrant]) -> Result<(), Vec<String>> {
        checks::extra_grants(self, role, grants)
    }
    /// Whether the visitor holds all of the grant, on every site that it is meant on: who may pass it on.
    pub fn holds(&self, visitor: &Visitor<'_>, grant: &ExtraGrant) -> bool {
        crate::decide::holds(self, visitor, grant)
    }
    /// Whether the address passes the networks of the role and of the account (sign-in asks before there is a target).
    /// # Errors
    /// What [`crate::decide()`] would refuse this visitor with, as far as role and address are concerned.
    pub fn admits_address(&self, visitor: &Visitor<'_>, address: ClientAddress) -> Result<(), Refusal> {
        crate::decide::admits_address(self, visitor, address)
    }
    /// Whether the site lets this address in at all, whoever asks for whatever: what the portal's pages are behind.
    /// # Errors
    /// What [`crate::decide()`] would refuse with.
    pub fn admits_to_site(&self, site: SiteId, address: ClientAddress) -> Result<(), Refusal> {
        let networks = self.site_at(site).map(|site| site.networks.as_ref());
        match networks {
            Some(None) => Ok(()),
            Some(Some(networks)) if networks.contains(address.ip()) => Ok(()),
            Some(Some(_)) | None => Err(Refusal::AddressNotAllowed(Scope::Site)),
        }
    }
    /// The roles that may manage every area of every site, in the order of names: fit for who sets the door up.
    pub fn roles_that_manage_everything(&self) -> impl Iterator<Item = &str> {
        let everything = |role: &&Role| {
            let grants = &role.grants;
            grants.by_area.is_empty()
                && grants.by_site.is_empty()
                && grants.everywhere.is_some_and(|grant| grant.level == Level::Manage)
        };
        self.roles.iter().filter(everything).map(|role| &*role.name)
    }

    /// The areas a grant speaks of: one, or that of the name on every site that has it.
    pub(crate) fn places_of(&self, grant: &ExtraGrant) -> impl Iterator<Item = (SiteId, AreaId)> {
        let meant = |site: &&Site| grant.site.as_deref().is_none_or(|name| *site.name == *name);
        let sites = self.sites.iter().filter(meant);
        sites.filter_map(|site| Some((*self.site_ids.get(&*site.name)?, *site.area_ids.get(&*grant.area)?)))
    }

    pub(crate) fn site_at(&self, site: SiteId) -> Option<&Site> {
        self.sites.get(usize::from(site.0))
    }
    pub(crate) fn role(&self, name: &str) -> Option<&Role> {
        self.roles.get(*self.role_places.get(name)?)
    }
}

#[cfg(test)]
mod tests;
