//! Rules about accounts: what they are called, how many there may be, how they begin and end.

use std::collections::BTreeMap;
use std::time::Duration;

/// How many accounts may hold a role, whatever `[seats]` say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HeldBy {
    /// Any number. `"any"`.
    #[default]
    Any,
    /// Exactly one, who alone may hand it over; nobody is given it in another way. `"one"`.
    One,
}

/// Who may change something about an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChangedBy {
    /// Whoever may manage the account. `"administrators"`.
    #[default]
    Administrators,
    /// The account itself and nobody else. `"self"`.
    Holder,
    /// Nobody: it stays as it was given. `"nobody"`.
    Nobody,
}

/// `[role.NAME] account_networks`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountNetworkRules {
    /// Whether accounts of this role must have networks of their own.
    pub required: bool,
    /// Administrators, or the account alone.
    pub changed_by: ChangedBy,
    /// What may be in the list.
    pub list: NetworkListRules,
}

/// What a list of networks may be made of: that of an account, or the `networks` of a site or a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkListRules {
    /// How many there may be at most.
    pub at_most: Option<u32>,
    /// Whether prefixes and exceptions may be given.
    pub shape: NetworkShape,
    /// Which addresses may be given.
    pub family: Family,
    /// The highest number an IPv4 address may have between its dots. Default 255.
    pub octets_at_most: u8,
    /// Whether single IPv4 addresses that end in `.0` are refused.
    pub refuse_network_addresses: bool,
    /// Whether addresses are refused that mean something in one network only: private, loopback, link-local, unique
    /// local and shared ones.
    pub refuse_private: bool,
    /// Characters of the whole list, its elements joined by commas; of a list that is not empty.
    pub text_at_least: u32,
    /// Characters of the whole list, its elements joined by commas; 0 is any number.
    pub text_at_most: u32,
}

impl Default for NetworkListRules {
    fn default() -> Self {
        Self {
            at_most: None,
            shape: NetworkShape::Networks,
            family: Family::Any,
            octets_at_most: u8::MAX,
            refuse_network_addresses: false,
            refuse_private: false,
            text_at_least: 0,
            text_at_most: 0,
        }
    }
}

/// What the elements of a list of networks may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NetworkShape {
    /// Prefixes, addresses and exceptions. `"networks"`.
    #[default]
    Networks,
    /// Single addresses. `"addresses"`.
    Addresses,
}

/// Which addresses a list of networks may hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Family {
    /// Both. `"any"`.
    #[default]
    Any,
    /// `"ipv4"`.
    V4,
    /// `"ipv6"`.
    V6,
}

/// `[seats.NAME]`: how many accounts a group of roles may have together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeatRules {
    /// The roles that are counted together.
    pub roles: Vec<String>,
    /// Accounts at most, invited ones included.
    pub at_most: u32,
    /// What to do when all are taken, told with the refusal.
    pub advice: Option<String>,
}

/// `[account]`: what an account may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountRules {
    /// Characters of the name it signs in with. Default 1.
    pub name_at_least: u32,
    /// Characters of the name it signs in with. Default 64, which is also the most.
    pub name_at_most: u32,
    /// What that name may be made of.
    pub name_shape: NameShape,
    /// In Unicode scalar values. Default 0.
    pub display_name_at_least: u32,
    /// In Unicode scalar values. Default 100, which is also the most.
    pub display_name_at_most: u32,
}

impl Default for AccountRules {
    fn default() -> Self {
        Self {
            name_at_least: 1,
            name_at_most: 64,
            name_shape: NameShape::Any,
            display_name_at_least: 0,
            display_name_at_most: 100,
        }
    }
}

/// What the name an account signs in with may be made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NameShape {
    /// Letters from a to z, digits and `. _ - @ +`; capitals are taken as small letters. `"any"`.
    #[default]
    Any,
    /// A letter from a to z, then letters from a to z, digits and `_`; capitals are refused. `"lowercase-identifier"`.
    LowercaseIdentifier,
}

/// What has to be shown besides an invitation to enrol a first second factor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Enrolment {
    /// The password. `"password"`.
    #[default]
    Password,
    /// A right that is used up by it: from the invitation, a recovery letter or an administrator. `"right"`.
    Right,
}

/// `[invitation]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvitationRules {
    /// How long its link can be used. Default 7 days.
    pub valid_for: Duration,
}

impl Default for InvitationRules {
    fn default() -> Self {
        Self {
            valid_for: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

/// `[reset]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResetRules {
    /// How long the link of a password reset can be used. Default 30 minutes.
    pub valid_for: Duration,
}

impl Default for ResetRules {
    fn default() -> Self {
        Self {
            valid_for: Duration::from_secs(30 * 60),
        }
    }
}

/// How an account comes back that disuse banned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReturnsBy {
    /// An administrator lifts the ban. `"reinstate"`.
    #[default]
    Reinstate,
    /// By a new invitation alone. `"invitation"`.
    Invitation,
}

/// `[preferences.NAME]`: something an account chooses for itself, which consoles are told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PreferenceRules {
    /// What can be chosen: 1 to 64 characters of `A-Z a-z 0-9 . _ -` each.
    pub choices: Vec<String>,
    /// What holds for who has not chosen; one of the choices.
    pub default: String,
    /// The header that consoles are told by. Absent: `X-Stagedoor-Preference-` and the name.
    pub header: Option<String>,
    /// What people read. Absent: the name.
    pub title: Option<String>,
    /// Where a choice leads after a sign-in that led nowhere else: a path of the console's, by choice. One preference may have
    /// these.
    pub leads: BTreeMap<String, String>,
}
