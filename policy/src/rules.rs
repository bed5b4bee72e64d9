//! The rules as a person wrote them: names and texts, nothing resolved. [`crate::compile()`] turns them into a
//! [`crate::Policy`] or into every fault that is in them. Field names follow the keys of `policy.toml`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::request::Leniencies;

/// A whole policy file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Named lists of networks: prefixes (`198.51.100.0/24`), single addresses, other names, `!` before any of them to
    /// except it. The longest prefix that holds the address decides.
    pub networks: BTreeMap<String, Vec<String>>,
    /// By site name.
    pub sites: BTreeMap<String, SiteRules>,
    /// By role name.
    pub roles: BTreeMap<String, RoleRules>,
    /// By channel name; `browser` exists whether it is named here or not.
    pub channels: BTreeMap<String, ChannelRules>,
    /// What holds for every session unless its channel says otherwise.
    pub session: SessionRules,
    /// When failures lock.
    pub lockout: LockoutRules,
    /// When disuse bans.
    pub inactivity: InactivityRules,
    /// Who has to show a second factor.
    pub second_factor: SecondFactorRules,
    /// What a password must be.
    pub password: PasswordRules,
}

/// `[site.NAME]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteRules {
    /// Absent: from anywhere; empty: from nowhere.
    pub networks: Option<Vec<String>>,
    /// What passes here although two servers could read it differently.
    pub allow: Leniencies,
    /// What becomes of questions that browsers ask before they ask in a visitor's name.
    pub preflight: Preflight,
    /// By area name.
    pub areas: BTreeMap<String, AreaRules>,
}

/// What becomes of a CORS preflight: an `OPTIONS` that a browser sends without the visitor's session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Preflight {
    /// Judged like any other request. `"refuse"`.
    #[default]
    Refuse,
    /// Let through to the console from the site's networks, for any path that some area holds. `"forward"`.
    Forward,
}

/// `[site.NAME.areas]`, one entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AreaRules {
    /// Patterns: literal segments, `*` for one segment, `**` at the end for any number of them, none included.
    pub paths: Vec<String>,
    /// Who needs no grant here.
    pub open_to: OpenTo,
    /// `METHOD /pattern` that needs manage although its method only reads.
    pub manage_also: Vec<String>,
    /// `METHOD /pattern` that needs only view although its method writes.
    pub view_also: Vec<String>,
    /// Named actions: each a list of `METHOD /pattern`, needed besides nothing else.
    pub actions: BTreeMap<String, Vec<String>>,
}

/// Who may use an area without a grant on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OpenTo {
    /// Nobody: a grant is needed. `"granted"`.
    #[default]
    Granted,
    /// Whoever is signed in. `"signed-in"`.
    SignedIn,
    /// Everyone, signed in or not. `"everyone"`.
    Everyone,
}

/// `[role.NAME]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleRules {
    /// What the role may do, by `area`, `site/area` or `*`: `"view"`, `"manage"`, `"all"` (manage and every action), or a
    /// list of one level and action names.
    pub may: BTreeMap<String, Vec<String>>,
    /// Absent: from anywhere; empty: from nowhere.
    pub networks: Option<Vec<String>>,
    /// Absent: `["browser"]`.
    pub channels: Option<Vec<String>>,
    /// The role a new account gets when none is named; at most one role may say so.
    pub default: bool,
    /// Whether accounts of this role must have networks of their own.
    pub account_networks_required: bool,
    /// How many networks of its own an account of this role may have at most.
    pub account_networks_at_most: Option<u32>,
    /// Absent: as `[second_factor]` says.
    pub second_factor: Option<SecondFactor>,
    /// Exempt from the inactivity ban.
    pub inactivity_exempt: bool,
}

/// `[channel.NAME]`: what differs from `[session]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelRules {
    /// See [`SessionRules::per_account`]; 0 is any number.
    pub per_account: Option<u32>,
    /// See [`SessionRules::when_full`].
    pub when_full: Option<WhenFull>,
    /// See [`SessionRules::idle`].
    pub idle: Option<Duration>,
    /// See [`SessionRules::lifetime`].
    pub lifetime: Option<Duration>,
}

/// `[session]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRules {
    /// Ends after this long without a request. Default 30 minutes.
    pub idle: Duration,
    /// Ends after this long whatever happens. Default 12 hours.
    pub lifetime: Duration,
    /// Live sessions of one account on one channel; 0 is any number. Default 1.
    pub per_account: u32,
    /// What a further sign-in does. Default displace.
    pub when_full: WhenFull,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(30 * 60),
            lifetime: Duration::from_secs(12 * 3600),
            per_account: 1,
            when_full: WhenFull::Displace,
        }
    }
}

/// What a sign-in does when the account has all the sessions it may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// The oldest session ends. `"displace"`.
    #[default]
    Displace,
    /// The new one is refused. `"refuse"`.
    Refuse,
}

/// `[lockout]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockoutRules {
    /// Failures until an account name is locked for a source (one IPv4 address, or one IPv6 /64). Default 5.
    pub failures: u32,
    /// Failures until the name is locked for every source: the slow, spread-out guess. Default 50.
    pub failures_from_anywhere: u32,
    /// The window the failures are counted in. Default 10 minutes.
    pub within: Duration,
    /// How long the lock holds. Default 15 minutes.
    pub lasts: Duration,
}

impl Default for LockoutRules {
    fn default() -> Self {
        Self {
            failures: 5,
            failures_from_anywhere: 50,
            within: Duration::from_secs(600),
            lasts: Duration::from_secs(900),
        }
    }
}

/// `[inactivity]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InactivityRules {
    /// Banned after this long without use, counted from creation for an account never used. Absent: never.
    pub block_after: Option<Duration>,
}

/// Whether a second factor is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SecondFactor {
    /// Asked of whoever has enrolled one. `"optional"`.
    #[default]
    Optional,
    /// Asked of everybody: who has none enrols at the next sign-in. `"required"`.
    Required,
}

/// `[second_factor]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecondFactorRules {
    /// Default optional.
    pub ask: SecondFactor,
}

/// `[password]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordRules {
    /// In Unicode scalar values. Default 12.
    pub at_least: u32,
    /// In Unicode scalar values. Default 128.
    pub at_most: u32,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self {
            at_least: 12,
            at_most: 128,
        }
    }
}
