//! The judgement. `decide` and `explain` walk the same steps over the same compiled policy; only what they note differs.

use crate::network::NetworkSet;
use crate::policy::{AreaId, Policy, SiteId};
use crate::request::{ClientAddress, Target};
use crate::{ExtraGrant, Level};

mod holding;
mod notes;
mod walk;

pub(crate) use holding::holds;
use notes::{Silent, Written};
pub(crate) use walk::admits_address;

/// What is known of somebody who is signed in.
#[derive(Debug, Clone, Copy)]
pub struct Visitor<'a> {
    /// The account's role, by name.
    pub role: &'a str,
    /// What the account may do on top of its role.
    pub grants: &'a [ExtraGrant],
    /// The account's own networks; `None` where it has none of its own.
    pub networks: Option<&'a NetworkSet>,
    /// The channel the session came in by.
    pub channel: &'a str,
    /// Whether the session was opened with a second factor.
    pub second_factor: bool,
}

/// One request, as far as the judgement is concerned.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The site the host names.
    pub site: SiteId,
    /// What is asked for.
    pub target: &'a Target<'a>,
    /// From where.
    pub address: ClientAddress,
    /// By whom, where somebody is signed in.
    pub visitor: Option<Visitor<'a>>,
    /// Whether it is a CORS preflight: `Origin` and `Access-Control-Request-Method` are there. Means something for
    /// `OPTIONS` alone.
    pub preflight: bool,
}

/// The only way to the console. Nothing outside this module can make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    site: SiteId,
    area: AreaId,
    level: Level,
}

impl Permit {
    /// The site it opens.
    pub fn site(&self) -> SiteId {
        self.site
    }
    /// The area it opens.
    pub fn area(&self) -> AreaId {
        self.area
    }
    /// View or manage: what this request needed.
    pub fn level(&self) -> Level {
        self.level
    }
}

/// Which list an address was not in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The site's.
    Site,
    /// The role's.
    Role,
    /// The account's own.
    Account,
}

/// Why a request may not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The address is not in the networks of that scope.
    AddressNotAllowed(Scope),
    /// The role demands that the account has networks of its own, and it has none.
    AccountHasNoNetworks,
    /// Nobody is signed in, and this is not open to everyone.
    SignInRequired,
    /// The session was opened without the second factor that is now asked for.
    SecondFactorRequired,
    /// The policy has no role of the account's name.
    RoleUnknown,
    /// The role may not come in by the session's channel.
    ChannelNotAllowed,
    /// No area holds the path.
    NoArea,
    /// A console that takes letters of either case for the same finds something in another area, or something that needs
    /// another right; which kind of console it is the site does not say. To be answered like a target with two readings.
    CaseAmbiguous,
    /// The area is known, the right to it missing.
    NotGranted {
        /// The area asked for.
        area: AreaId,
    },
}

impl Refusal {
    /// A stable code for metrics, audit and JSON: `address_not_allowed_site`, `sign_in_required`, `not_granted`…
    pub fn code(&self) -> &'static str {
        match self {
            Self::AddressNotAllowed(Scope::Site) => "address_not_allowed_site",
            Self::AddressNotAllowed(Scope::Role) => "address_not_allowed_role",
            Self::AddressNotAllowed(Scope::Account) => "address_not_allowed_account",
            Self::AccountHasNoNetworks => "account_has_no_networks",
            Self::SignInRequired => "sign_in_required",
            Self::SecondFactorRequired => "second_factor_required",
            Self::RoleUnknown => "role_unknown",
            Self::ChannelNotAllowed => "channel_not_allowed",
            Self::NoArea => "no_area",
            Self::CaseAmbiguous => "case_ambiguous",
            Self::NotGranted { .. } => "not_granted",
        }
    }
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The way is open.
    Allow(Permit),
    /// It is not, and the area it would have been, where it is known.
    Refuse(Refusal),
}

/// Judges a request. Deny is the default. Does not allocate.
pub fn decide(policy: &Policy, question: &Question<'_>) -> Decision {
    walk::judge(policy, question, &mut Silent)
}

/// One step of a judgement, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was looked at: `site networks`, `area`, `case`, `preflight`, `session`, `role`, `channel`, `second factor`, `role networks`,
    /// `account networks`, `grant`, `reading`.
    pub check: &'static str,
    /// Whether it was passed.
    pub passed: bool,
    /// What was found, naming the rule: "`/settings/**` of area `settings` is the most specific pattern for this path".
    pub detail: String,
    /// The rule's key path in policy.toml, where one decided: `role.viewer.may.devices`.
    pub rule: Option<String>,
}

/// A decision and every step that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The same that [`decide`] answers.
    pub decision: Decision,
    /// In the order they were taken; the last one decided.
    pub steps: Vec<Step>,
}

/// Judges a request and says why.
pub fn explain(policy: &Policy, question: &Question<'_>) -> Explanation {
    let mut notes = Written::default();
    let decision = walk::judge(policy, question, &mut notes);
    Explanation {
        decision,
        steps: notes.steps,
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
