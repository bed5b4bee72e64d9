//! From typed values to the policy's [`Rules`].

use std::collections::BTreeMap;

use stagedoor_policy::request::Leniency;
use stagedoor_policy::rules::{
    AreaRules, ChannelRules, InactivityRules, LockoutRules, OpenTo, Preflight, RoleRules, Rules, SecondFactor,
    SecondFactorRules, SessionRules, SiteRules, WhenFull,
};

use crate::fields::{Fields, Value, texts};

mod people;

/// Every value has its kind by now; what the names mean is for `stagedoor_policy::compile` to check.
pub(crate) fn rules(mut fields: Fields) -> Rules {
    let rules = Rules {
        networks: lists(fields.named("networks")),
        sites: each(&mut fields, "site", site),
        roles: each(&mut fields, "role", role),
        channels: each(&mut fields, "channel", channel),
        session: session(fields.table("session")),
        lockout: lockout(fields.table("lockout")),
        inactivity: inactivity(fields.table("inactivity")),
        second_factor: second_factor_rules(fields.table("second_factor")),
        password: people::password(fields.table("password")),
        seats: each(&mut fields, "seats", people::seats),
        account: people::account(fields.table("account")),
        invitation: people::invitation(fields.table("invitation")),
        reset: people::reset(fields.table("reset")),
        preferences: each(&mut fields, "preferences", people::preference),
        messages: people::messages(fields.table("messages")),
        departures: named_texts(fields.named("departures")),
        title: String::new(), // stagedoor.toml has it
    };
    fields.done();
    rules
}

fn site(mut fields: Fields) -> SiteRules {
    let site = SiteRules {
        networks: fields.texts("networks"),
        network_rules: people::network_rules(fields.table("network_rules")),
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
        areas: each(&mut fields, "areas", area),
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
    let role = RoleRules {
        may: lists(fields.named("may")),
        networks: fields.texts("networks"),
        network_rules: people::network_rules(fields.table("network_rules")),
        channels: fields.texts("channels"),
        default: fields.flag("default").unwrap_or_default(),
        account_networks: people::account_networks(fields.table("account_networks")),
        second_factor: fields.text("second_factor").as_deref().map(second_factor),
        inactivity_exempt: fields.flag("inactivity_exempt").unwrap_or_default(),
        keep_at_least: fields.count("keep_at_least").map(number).unwrap_or_default(),
        held_by: people::held_by(&mut fields),
        handed_to: fields.texts("handed_to"),
        hands_down_to: fields.text("hands_down_to"),
        role_changed_by: people::changed_by(&mut fields, "role_changed_by"),
        administers: fields.texts("administers").unwrap_or_default(),
        unchanged_while_on: fields.texts("unchanged_while_on").unwrap_or_default(),
        may_be_granted: fields.texts("may_be_granted"),
    };
    fields.done();
    role
}

fn channel(mut fields: Fields) -> ChannelRules {
    let channel = ChannelRules {
        per_account: fields.count("per_account").map(number),
        when_full: fields.text("when_full").as_deref().map(when_full),
        idle: fields.duration("idle"),
        lifetime: fields.duration("lifetime"),
        linked_device: fields.flag("linked_device").unwrap_or_default(),
        refused: fields.text("refused"),
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
        warn_before: fields.duration("warn_before"),
        returns_by: people::returns_by(&mut fields),
    };
    fields.done();
    inactivity
}

fn second_factor_rules(mut fields: Fields) -> SecondFactorRules {
    let rules = SecondFactorRules {
        ask: fields.text("ask").as_deref().map(second_factor).unwrap_or_default(),
        enrolment: people::enrolment(&mut fields),
    };
    fields.done();
    rules
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

/// Every entry of a table of the operator's own names.
fn each<T>(fields: &mut Fields, key: &str, of: fn(Fields) -> T) -> BTreeMap<String, T> {
    let entries = fields.tables(key).into_iter();
    entries.map(|(name, fields)| (name, of(fields))).collect()
}

fn named_texts(entries: Vec<(String, Value)>) -> BTreeMap<String, String> {
    let text = |(name, value)| match value {
        Value::Text(text) => Some((name, text)),
        _ => None,
    };
    entries.into_iter().filter_map(text).collect()
}

fn lists(entries: Vec<(String, Value)>) -> BTreeMap<String, Vec<String>> {
    let list = |(name, value)| match value {
        Value::List(items) => Some((name, texts(items))),
        _ => None,
    };
    entries.into_iter().filter_map(list).collect()
}
