//! Sessions, channels, lockout, inactivity: numbers that have to make sense.

use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::FixedState;

use super::{Faults, table};
use crate::fault::KeyPath;
use crate::policy::BROWSER;
use crate::rules::{Rules, SessionRules};

/// Every channel's rules, with `[session]` laid under them.
pub(super) fn channels(rules: &Rules, faults: &mut Faults) -> HashMap<Box<str>, SessionRules, FixedState> {
    let mut channels = table();
    channels.insert(BROWSER.into(), rules.session);
    for (name, own) in &rules.channels {
        let at = KeyPath::of(["channel", name]);
        faults.check_name(&at, "a channel", name);
        check_span(own.idle, &at.key("idle"), faults);
        check_span(own.lifetime, &at.key("lifetime"), faults);
        let laid = SessionRules {
            idle: own.idle.unwrap_or(rules.session.idle),
            lifetime: own.lifetime.unwrap_or(rules.session.lifetime),
            per_account: own.per_account.unwrap_or(rules.session.per_account),
            when_full: own.when_full.unwrap_or(rules.session.when_full),
        };
        channels.insert(name.as_str().into(), laid);
    }
    channels
}

/// Notes every number that would switch a rule off or lock everybody out by mistake.
pub(super) fn check(rules: &Rules, faults: &mut Faults) {
    check_span(Some(rules.session.idle), &KeyPath::of(["session", "idle"]), faults);
    check_span(
        Some(rules.session.lifetime),
        &KeyPath::of(["session", "lifetime"]),
        faults,
    );
    check_span(Some(rules.lockout.within), &KeyPath::of(["lockout", "within"]), faults);
    check_span(Some(rules.lockout.lasts), &KeyPath::of(["lockout", "for"]), faults);
    check_span(
        rules.inactivity.block_after,
        &KeyPath::of(["inactivity", "block_after"]),
        faults,
    );
    if rules.lockout.failures == 0 {
        let help = "1 locks at the first failure";
        faults.add(
            KeyPath::of(["lockout", "failures"]),
            "a lock after 0 failures would hold for everybody",
            help.to_owned(),
        );
    }
    if rules.lockout.failures_from_anywhere < rules.lockout.failures {
        let message = format!(
            "fewer failures than the {} that lock one source",
            rules.lockout.failures
        );
        let help = "failures from one source are failures from anywhere; allow at least as many";
        faults.add(
            KeyPath::of(["lockout", "failures_from_anywhere"]),
            message,
            help.to_owned(),
        );
    }
}

/// Notes a span that is over at once.
pub(super) fn check_span(span: Option<Duration>, at: &KeyPath, faults: &mut Faults) {
    if span == Some(Duration::ZERO) {
        faults.add(
            at.clone(),
            "a span of 0 is over at once",
            "write a span such as `\"30m\"`".to_owned(),
        );
    }
}
