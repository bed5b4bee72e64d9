//! From typed values to the policy's [`Rules`].

use std::collections::BTreeMap;

use stagedoor_policy::request::Leniency;
use stagedoor_policy::rules::{
    AreaRules, ChannelRules, InactivityRules, LockoutRules, OpenTo, PasswordRules, Preflight, RoleRules, Rules,
    SecondFactor, SecondFactorRules, SessionRules, SiteRules, WhenFull,
};

use crate::fields::{Fields, Value, texts};

/// Every value has its kind by now; what the names mean is for `stagedoor_policy::compile` to check.
pub(crate) fn rules(mut fields: Fields) -> Rules {
    let rules = Rules {
        networks: lists(fields.named("networks")),
        sites: fields
            .tables("site")
            .into_iter()
            .map(|(name, fields)| (name, site(fields)))
            .collect(),
        roles: fields
            .tables("role")
            .into_iter()
            .map(|(name, fields)| (name, role(fields)))
            .collect(),
        channels: fields
            .tables("channel")
            .into_iter()
            .map(|(name, fields)| (name, channel(fields)))
            .collect(),
        session: session(fields.table("session")),
        lockout: lockout(fields.table("lockout")),
        inactivity: inactivity(fields.table("inactivity")),
        second_factor: second_factor_rules(fields.table("second_factor")),
        password: password(fields.table("password")),
    };
    fields.done();
    rules
}

fn site(mut fields: Fields) -> SiteRules {
    let site = SiteRules {
        networks: fields.texts("networks"),
        allow: fields
            .texts("allow")
            .iter()
            .flatten()
            .filter_map(|name| Leniency::named(name))
            .collect(),
        preflight: match fields.text("preflight").as_deref() {
            Some("forward") => Preflight::Forward,
            _ => Preflight::Refuse,
        },
        areas: fields
            .tables("areas")
            .into_iter()
            .map(|(name, fields)| (name, area(fields)))
            .collect(),
    };
    fields.done();
    site
}

fn area(mut fields: Fields) -> AreaRules {
    let area = AreaRules {
        paths: fields.texts("paths").unwrap_or_default(),
        open_to: match fields.text("open_to").as_deref() {
            Some("everyone") => OpenTo::Everyone,
            Some("signed-in") => OpenTo::SignedIn,
            _ => OpenTo::Granted,
        },
        manage_also: fields.texts("manage_also").unwrap_or_default(),
        view_also: fields.texts("view_also").unwrap_or_default(),
        actions: lists(fields.named("actions")),
    };
    fields.done();
    area
}

fn role(mut fields: Fields) -> RoleRules {
    let mut account_networks = fields.table("account_networks");
    let role = RoleRules {
        may: lists(fields.named("may")),
        networks: fields.texts("networks"),
        channels: fields.texts("channels"),
        default: fields.flag("default").unwrap_or_default(),
        account_networks_required: account_networks.flag("required").unwrap_or_default(),
        account_networks_at_most: account_networks.count("at_most").map(number),
        second_factor: fields.text("second_factor").as_deref().map(second_factor),
        inactivity_exempt: fields.flag("inactivity_exempt").unwrap_or_default(),
    };
    account_networks.done();
    fields.done();
    role
}

fn channel(mut fields: Fields) -> ChannelRules {
    let channel = ChannelRules {
        per_account: fields.count("per_account").map(number),
        when_full: fields.text("when_full").as_deref().map(when_full),
        idle: fields.duration("idle"),
        lifetime: fields.duration("lifetime"),
    };
    fields.done();
    channel
}

fn session(mut fields: Fields) -> SessionRules {
    let usual = SessionRules::default();
    let session = SessionRules {
        idle: fields.duration("idle").unwrap_or(usual.idle),
        lifetime: fields.duration("lifetime").unwrap_or(usual.lifetime),
        per_account: fields.count("per_account").map_or(usual.per_account, number),
        when_full: fields.text("when_full").as_deref().map_or(usual.when_full, when_full),
    };
    fields.done();
    session
}

fn lockout(mut fields: Fields) -> LockoutRules {
    let usual = LockoutRules::default();
    let lockout = LockoutRules {
        failures: fields.count("failures").map_or(usual.failures, number),
        failures_from_anywhere: fields
            .count("failures_from_anywhere")
            .map_or(usual.failures_from_anywhere, number),
        within: fields.duration("within").unwrap_or(usual.within),
        lasts: fields.duration("for").unwrap_or(usual.lasts),
    };
    fields.done();
    lockout
}

fn inactivity(mut fields: Fields) -> InactivityRules {
    let inactivity = InactivityRules {
        block_after: fields.duration("block_after"),
    };
    fields.done();
    inactivity
}

fn second_factor_rules(mut fields: Fields) -> SecondFactorRules {
    let rules = SecondFactorRules {
        ask: fields.text("ask").as_deref().map(second_factor).unwrap_or_default(),
    };
    fields.done();
    rules
}

fn password(mut fields: Fields) -> PasswordRules {
    let usual = PasswordRules::default();
    let password = PasswordRules {
        at_least: fields.count("at_least").map_or(usual.at_least, number),
        at_most: fields.count("at_most").map_or(usual.at_most, number),
    };
    fields.done();
    password
}

fn second_factor(word: &str) -> SecondFactor {
    if word == "optional" {
        SecondFactor::Optional
    } else {
        SecondFactor::Required
    }
}

fn when_full(word: &str) -> WhenFull {
    if word == "displace" {
        WhenFull::Displace
    } else {
        WhenFull::Refuse
    }
}

/// The description keeps counts within 32 bits.
fn number(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn lists(entries: Vec<(String, Value)>) -> BTreeMap<String, Vec<String>> {
    let list = |(name, value)| match value {
        Value::List(items) => Some((name, texts(items))),
        _ => None,
    };
    entries.into_iter().filter_map(list).collect()
}
