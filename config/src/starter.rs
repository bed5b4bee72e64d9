//! The files `stagedoor init` writes, and the policy that holds where there is none.

/// A set of house rules to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// What it is asked for by.
    pub name: &'static str,
    /// What kind of console it is for.
    pub about: &'static str,
    /// The text of `stagedoor.toml`.
    pub building: &'static str,
    /// The text of `policy.toml`.
    pub policy: &'static str,
    /// The role of the account that sets everything up.
    pub first_role: &'static str,
}

macro_rules! preset {
    ($name:literal, $first_role:literal, $about:literal) => {
        Preset {
            name: $name,
            about: $about,
            building: include_str!(concat!("../../presets/", $name, "/stagedoor.toml")),
            policy: include_str!(concat!("../../presets/", $name, "/policy.toml")),
            first_role: $first_role,
        }
    };
}

const STARTER: Preset = preset!(
    "starter",
    "administrator",
    "any console: nothing without an account, everything for the role `administrator`"
);

/// Every preset. Their comments teach the language.
pub const PRESETS: [Preset; 4] = [
    STARTER,
    preset!(
        "bstage",
        "head",
        "a fan site's back office: head, admins, operators and on-site operators, seats by plan"
    ),
    preset!(
        "stager",
        "manager",
        "a ticket shop's back office: rights account by account, scanning on many telephones at once"
    ),
    preset!(
        "filingbox",
        "super-admin",
        "an appliance's console and client program: three roles, addresses and passwords by strict rules"
    ),
];

/// `stagedoor.toml` and `policy.toml` for a first start.
pub fn starter_files() -> (&'static str, &'static str) {
    (STARTER.building, STARTER.policy)
}
