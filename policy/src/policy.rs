//! The compiled form: what [`crate::compile`] makes and every request is judged by. Immutable.

use crate::rules::{InactivityRules, LockoutRules, PasswordRules, SecondFactor, SessionRules};

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
pub struct Policy {}

impl Policy {
    /// The policy's number.
    pub fn revision(&self) -> Revision {
        todo!()
    }
    /// The site of that name.
    pub fn site(&self, _name: &str) -> Option<SiteId> {
        todo!()
    }
    /// A site's name, for labels and logs. Empty for an id of another policy.
    pub fn site_name(&self, _site: SiteId) -> &str {
        todo!()
    }
    /// An area's name, for labels and logs.
    pub fn area_name(&self, _site: SiteId, _area: AreaId) -> &str {
        todo!()
    }
    /// Every site's name.
    pub fn sites(&self) -> impl Iterator<Item = (SiteId, &str)> {
        std::iter::empty()
    }
    /// A site's areas.
    pub fn areas(&self, _site: SiteId) -> impl Iterator<Item = (AreaId, &str)> {
        std::iter::empty()
    }
    /// Whether a role of that name exists.
    pub fn has_role(&self, _role: &str) -> bool {
        todo!()
    }
    /// Every role's name.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        std::iter::empty()
    }
    /// The role that says `default = true`.
    pub fn default_role(&self) -> Option<&str> {
        todo!()
    }
    /// Whether a channel of that name exists.
    pub fn has_channel(&self, _channel: &str) -> bool {
        todo!()
    }
    /// Whether the role may come in by the channel.
    pub fn may_use_channel(&self, _role: &str, _channel: &str) -> bool {
        todo!()
    }
    /// What holds for sessions of a channel, its own rules laid over `[session]`.
    pub fn session_rules(&self, _channel: &str) -> SessionRules {
        todo!()
    }
    /// When failures lock.
    pub fn lockout(&self) -> LockoutRules {
        todo!()
    }
    /// When disuse bans an account of that role; `block_after` is `None` for an exempt one.
    pub fn inactivity(&self, _role: &str) -> InactivityRules {
        todo!()
    }
    /// Whether accounts of that role have to show a second factor.
    pub fn second_factor(&self, _role: &str) -> SecondFactor {
        todo!()
    }
    /// What a password must be.
    pub fn password(&self) -> PasswordRules {
        todo!()
    }
    /// Checks networks that an account of that role is to be given: shape, number, whether any are needed.
    /// # Errors
    /// One sentence for each thing that is wrong.
    pub fn check_account_networks(
        &self,
        _role: &str,
        _networks: &[String],
    ) -> Result<crate::network::NetworkSet, Vec<String>> {
        todo!()
    }
    /// Checks grants that an account is to hold: the areas and actions exist.
    /// # Errors
    /// One sentence for each thing that is wrong.
    pub fn check_extra_grants(&self, _grants: &[crate::ExtraGrant]) -> Result<(), Vec<String>> {
        todo!()
    }
    /// Whether the address passes the networks of the role and of the account (sign-in asks before there is a target).
    pub fn admits_address(
        &self,
        _visitor: &crate::Visitor<'_>,
        _address: crate::request::ClientAddress,
    ) -> Result<(), crate::Refusal> {
        todo!()
    }
}
