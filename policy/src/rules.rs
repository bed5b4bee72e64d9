//! The rules as a person wrote them: names and texts, nothing resolved. [`crate::compile()`] turns them into a
//! [`crate::Policy`] or into every fault that is in them. Field names follow the keys of `policy.toml`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::request::Leniencies;

mod messages;
mod password;
mod people;

pub use messages::MessageKey;
pub use password::{Breached, CharacterClass, OtherCharacters, PasswordRules};
pub use people::{
    AccountNetworkRules, AccountRules, ChangedBy, Enrolment, Family, HeldBy, InvitationRules, NameShape,
    NetworkListRules, NetworkShape, PreferenceRules, ResetRules, ReturnsBy, SeatRules,
};

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
    /// By group name: how many accounts there may be.
    pub seats: BTreeMap<String, SeatRules>,
    /// What an account may be called.
    pub account: AccountRules,
    /// How an account begins.
    pub invitation: InvitationRules,
    /// How a forgotten password is replaced.
    pub reset: ResetRules,
    /// By name: what an account chooses for itself.
    pub preferences: BTreeMap<String, PreferenceRules>,
    /// What the door is called: no key of the policy's own, but no password may hold it.
    pub title: String,
    /// Sentences in the place of the door's own.
    pub messages: BTreeMap<MessageKey, String>,
    /// Why the policy departs from what [`crate::compliance`] knows of, by the key's path.
    pub departures: BTreeMap<String, String>,
}

/// `[site.NAME]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteRules {
    /// Absent: from anywhere; empty: from nowhere.
    pub networks: Option<Vec<String>>,
    /// What may be in that list, the names in it resolved.
    pub network_rules: NetworkListRules,
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
    /// What may be in that list, the names in it resolved.
    pub network_rules: NetworkListRules,
    /// Absent: `["browser"]`.
    pub channels: Option<Vec<String>>,
    /// The role a new account gets when none is named; at most one role may say so.
    pub default: bool,
    /// What networks of its own an account of this role may, or must, have.
    pub account_networks: AccountNetworkRules,
    /// Absent: as `[second_factor]` says.
    pub second_factor: Option<SecondFactor>,
    /// Exempt from the inactivity ban.
    pub inactivity_exempt: bool,
    /// So many accounts of this role that have accepted and are not disabled there always are.
    pub keep_at_least: u32,
    /// Any number of accounts, or exactly one.
    pub held_by: HeldBy,
    /// Whose accounts the role may be handed over to, where it is held by one. Absent: those of any role.
    pub handed_to: Option<Vec<String>>,
    /// The role that the former holder gets. Absent: the one that the new holder had.
    pub hands_down_to: Option<String>,
    /// Who may give its accounts another role.
    pub role_changed_by: ChangedBy,
    /// The roles whose accounts an account of this role may see and manage on the door's own pages; `*` is every role.
    pub administers: Vec<String>,
    /// Channels: while an account of the role is signed in by one of them, it is neither changed nor removed.
    pub unchanged_while_on: Vec<String>,
    /// Which grants of its own an account of this role may hold: `area`, `site/area`, `area.action` or
    /// `site/area.action`. Absent: any; empty: none.
    pub may_be_granted: Option<Vec<String>>,
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
    /// Whether it may only be used from a device that is linked to the account.
    pub linked_device: bool,
    /// What a role is told that may not come in by it. Absent: [`MessageKey::ChannelRefused`].
    pub refused: Option<String>,
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
    /// A letter is sent this long before. Absent: none.
    pub warn_before: Option<Duration>,
    /// How a banned account comes back.
    pub returns_by: ReturnsBy,
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
    /// What it takes to enrol the first one.
    pub enrolment: Enrolment,
}
