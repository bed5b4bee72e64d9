//! Where a policy departs from NIST SP 800-63B-4 (final, 2025) and OWASP ASVS 5.0.0, for who has to answer for it.
//!
//! What the standards demand is told in words of our own, with the place where it stands. Where a policy says nothing, it
//! departs from none of the password rules. What holds whatever a policy says is in [`ALWAYS`].

use std::time::Duration;

use crate::Policy;
use crate::rules::{Breached, OtherCharacters, SecondFactor, SessionRules};

/// How strongly a standard says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// It demands it: "shall", or a requirement of the first two levels.
    Shall,
    /// It recommends it: "should", or a requirement of the third level.
    Should,
}

/// What a standard asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// `NIST SP 800-63B-4` or `OWASP ASVS 5.0.0`.
    pub document: &'static str,
    /// The section or the requirement.
    pub place: &'static str,
    /// How strongly.
    pub strength: Strength,
    /// What it asks for, in our words.
    pub demand: &'static str,
}

/// One place where a policy departs from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The key's path, one of [`SETTINGS`].
    pub setting: &'static str,
    /// What the policy says there.
    pub value: String,
    /// From what.
    pub demands: &'static [Demand],
    /// Why, from `[departures]`.
    pub reason: Option<String>,
}

/// What the door does whatever a policy says, although a standard asks for something else, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Always {
    /// What it does.
    pub does: &'static str,
    /// From what it departs.
    pub demand: Demand,
    /// Why.
    pub reason: &'static str,
}

const NIST: &str = "NIST SP 800-63B-4";
const ASVS: &str = "OWASP ASVS 5.0.0";

/// Of a password that stands alone, and of one beside a second factor.
const LENGTH_ALONE: u32 = 15;
const LENGTH_BESIDE: u32 = 8;
const LENGTH_PERMITTED: u32 = 64;
const FAILURES_MAX: u32 = 100;
const DAY: Duration = Duration::from_secs(24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);

const fn demand(document: &'static str, place: &'static str, strength: Strength, demand: &'static str) -> Demand {
    Demand {
        document,
        place,
        strength,
        demand,
    }
}

/// A rule that can be departed from, how to see it, and what it departs from.
struct Rule {
    setting: &'static str,
    departs: fn(&Policy) -> Option<String>,
    demands: &'static [Demand],
}

const RULES: &[Rule] = &[
    Rule {
        setting: "password.at_least",
        departs: at_least,
        demands: &[
            demand(
                NIST,
                "3.1.1.2",
                Strength::Shall,
                "at least 15 characters where the password stands alone, at least 8 where a second factor is demanded of all",
            ),
            demand(ASVS, "6.2.1", Strength::Shall, "at least 8 characters; 15 are advised"),
        ],
    },
    Rule {
        setting: "password.at_most",
        departs: at_most,
        demands: &[
            demand(
                NIST,
                "3.1.1.2",
                Strength::Should,
                "64 characters and more are permitted",
            ),
            demand(ASVS, "6.2.9", Strength::Shall, "64 characters and more are permitted"),
        ],
    },
    Rule {
        setting: "password.require",
        departs: require,
        demands: &[
            demand(
                NIST,
                "3.1.1.2",
                Strength::Shall,
                "no rules about which kinds of characters there are",
            ),
            demand(
                ASVS,
                "6.2.5",
                Strength::Shall,
                "passwords of any composition can be used",
            ),
        ],
    },
    Rule {
        setting: "password.other_characters",
        departs: other_characters,
        demands: &[
            demand(
                NIST,
                "3.1.1.2",
                Strength::Should,
                "every printing character, the space and all of Unicode are accepted",
            ),
            demand(
                ASVS,
                "6.2.5",
                Strength::Shall,
                "passwords of any composition can be used",
            ),
        ],
    },
    Rule {
        setting: "password.repeats_at_most",
        departs: repeats_at_most,
        demands: &[
            demand(
                NIST,
                "3.1.1.2",
                Strength::Shall,
                "no rules of composition, about repeated characters neither",
            ),
            demand(
                ASVS,
                "6.2.5",
                Strength::Shall,
                "passwords of any composition can be used",
            ),
        ],
    },
    Rule {
        setting: "password.runs_at_most",
        departs: runs_at_most,
        demands: &[
            demand(
                NIST,
                "3.1.1.2",
                Strength::Shall,
                "no rules of composition; a list of much-used runs to refuse would be in order, one rule for all is not",
            ),
            demand(
                ASVS,
                "6.2.5",
                Strength::Shall,
                "passwords of any composition can be used",
            ),
        ],
    },
    Rule {
        setting: "password.breached",
        departs: breached,
        demands: &[
            demand(
                NIST,
                "3.1.1.2",
                Strength::Shall,
                "a new password is compared with a list of known ones",
            ),
            demand(
                ASVS,
                "6.2.4, 6.2.12",
                Strength::Shall,
                "much-used and breached passwords are refused",
            ),
        ],
    },
    Rule {
        setting: "lockout.failures_from_anywhere",
        departs: failures_from_anywhere,
        demands: &[demand(
            NIST,
            "3.2.2",
            Strength::Shall,
            "at most 100 failures in a row for one account",
        )],
    },
    Rule {
        setting: "session.lifetime",
        departs: lifetime,
        demands: &[demand(
            NIST,
            "2.1.3, 2.2.3",
            Strength::Should,
            "a session ends after 30 days; after 24 hours where a second factor was shown",
        )],
    },
    Rule {
        setting: "session.idle",
        departs: idle,
        demands: &[demand(
            NIST,
            "2.2.3",
            Strength::Should,
            "a session with a second factor ends after an hour without use",
        )],
    },
    Rule {
        setting: "second_factor.ask",
        departs: ask,
        demands: &[demand(
            ASVS,
            "6.3.3",
            Strength::Shall,
            "a second factor, or several at once, for every account (level 2)",
        )],
    },
];

/// The keys that can depart from a standard: what may stand in `[departures]`.
pub const SETTINGS: [&str; RULES.len()] = {
    let mut settings = [""; RULES.len()];
    let mut place = 0;
    #[expect(
        clippy::indexing_slicing,
        reason = "both are as long; it is computed when the program is built"
    )]
    while place < RULES.len() {
        settings[place] = RULES[place].setting;
        place += 1;
    }
    settings
};

/// What holds whatever a policy says.
pub const ALWAYS: [Always; 2] = [
    Always {
        does: "a one-time code is taken for one step of 30 seconds before and after its own",
        demand: demand(
            ASVS,
            "6.5.5",
            Strength::Shall,
            "a one-time code is valid for 30 seconds at most",
        ),
        reason: "clocks of telephones are not exact; a code is taken once only, and a wrong one counts towards the lock",
    },
    Always {
        does: "an administrator who resets a password may choose the temporary one",
        demand: demand(
            ASVS,
            "6.4.6",
            Strength::Should,
            "an administrator starts a reset and does not choose the password",
        ),
        reason: "without e-mail there is no other way; it has to be changed at the next sign-in, and ends every session",
    },
];

/// Every place where the policy departs, in the order of [`SETTINGS`].
pub fn departures(policy: &Policy) -> Vec<Departure> {
    let departure = |rule: &Rule| {
        let value = (rule.departs)(policy)?;
        Some(Departure {
            setting: rule.setting,
            value,
            demands: rule.demands,
            reason: policy.people.departures.get(rule.setting).cloned(),
        })
    };
    RULES.iter().filter_map(departure).collect()
}

fn at_least(policy: &Policy) -> Option<String> {
    let least = if roles_without_second_factor(policy).is_empty() && policy.roles().next().is_some() {
        LENGTH_BESIDE
    } else {
        LENGTH_ALONE
    };
    let own = policy.password().at_least;
    (own < least).then(|| own.to_string())
}

fn at_most(policy: &Policy) -> Option<String> {
    let own = policy.password().at_most;
    (own < LENGTH_PERMITTED).then(|| own.to_string())
}

fn require(policy: &Policy) -> Option<String> {
    let classes: Vec<&str> = policy.password().require.iter().map(|class| class.as_str()).collect();
    (!classes.is_empty()).then(|| classes.join(", "))
}

fn other_characters(policy: &Policy) -> Option<String> {
    (policy.password().other_characters == OtherCharacters::Refuse).then(|| "refuse".to_owned())
}

fn repeats_at_most(policy: &Policy) -> Option<String> {
    let own = policy.password().repeats_at_most;
    (own != 0).then(|| own.to_string())
}

fn runs_at_most(policy: &Policy) -> Option<String> {
    let own = policy.password().runs_at_most;
    (own != 0).then(|| own.to_string())
}

fn breached(policy: &Policy) -> Option<String> {
    (policy.password().breached == Breached::Allow).then(|| "allow".to_owned())
}

fn failures_from_anywhere(policy: &Policy) -> Option<String> {
    let own = policy.lockout().failures_from_anywhere;
    (own > FAILURES_MAX).then(|| own.to_string())
}

fn lifetime(policy: &Policy) -> Option<String> {
    too_long(policy, |rules, with_second_factor| {
        let most = if with_second_factor { DAY } else { DAY * 30 };
        (rules.lifetime > most).then_some(rules.lifetime)
    })
}

fn idle(policy: &Policy) -> Option<String> {
    too_long(policy, |rules, with_second_factor| {
        (with_second_factor && rules.idle > HOUR).then_some(rules.idle)
    })
}

/// The channels of roles whose sessions last too long, with the time they last, in seconds.
fn too_long(policy: &Policy, judge: impl Fn(&SessionRules, bool) -> Option<Duration>) -> Option<String> {
    let mut found = std::collections::BTreeSet::new();
    for role in &policy.roles {
        let with_second_factor = role.second_factor == SecondFactor::Required;
        for channel in &role.channels {
            if let Some(span) = judge(&policy.session_rules(channel), with_second_factor) {
                found.insert(format!("{}s on channel {channel}", span.as_secs()));
            }
        }
    }
    let found: Vec<String> = found.into_iter().collect();
    (!found.is_empty()).then(|| found.join(", "))
}

fn ask(policy: &Policy) -> Option<String> {
    let without = roles_without_second_factor(policy);
    (!without.is_empty()).then(|| format!("optional for {}", without.join(", ")))
}

fn roles_without_second_factor(policy: &Policy) -> Vec<&str> {
    let without = |role: &&str| policy.second_factor(role) != SecondFactor::Required;
    policy.roles().filter(without).collect()
}

#[cfg(test)]
mod tests;
