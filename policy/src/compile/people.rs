//! The rules about accounts that belong to no role: seats, names, links, preferences, sentences.

use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::FixedState;

use super::account_rules::check_span;
use super::preferences::preferences;
use super::standing::check_role;
use super::{Faults, passwords, table};
use crate::compliance::SETTINGS;
use crate::fault::KeyPath;
use crate::name::did_you_mean;
use crate::password::ContextWords;
use crate::policy::{Channel, People, Seats};
use crate::rules::{AccountRules, HeldBy, Rules, SeatRules};

/// The most characters that a sentence or advice may have.
const SENTENCE_CHARS_MAX: usize = 500;

/// Everything about accounts, as far as it makes sense.
pub(super) fn compile(rules: &Rules, faults: &mut Faults) -> People {
    check_account(rules.account, faults);
    passwords::check(&rules.password, faults);
    check_spans(rules, faults);
    for (key, sentence) in &rules.messages {
        check_sentence(sentence, &KeyPath::of(["messages", key.as_str()]), faults);
    }
    check_departures(rules, faults);
    let seats = rules.seats.iter();
    People {
        account: rules.account,
        password: rules.password.clone(),
        enrolment: rules.second_factor.enrolment,
        invitation: rules.invitation,
        reset: rules.reset,
        seats: seats
            .map(|(name, seats)| compile_seats(name, seats, rules, faults))
            .collect(),
        preferences: preferences(rules, faults),
        messages: rules.messages.clone(),
        context: context(rules),
        departures: rules.departures.clone(),
        channels: channels(rules, faults),
    }
}

/// A sentence that people read: some characters, none of them a control character.
pub(super) fn check_sentence(sentence: &str, at: &KeyPath, faults: &mut Faults) {
    if sentence.trim().is_empty() {
        faults.add(
            at.clone(),
            "an empty sentence says nothing",
            "take it out, or write one".to_owned(),
        );
    }
    if sentence.chars().any(char::is_control) {
        faults.add(
            at.clone(),
            "a sentence has no line breaks or other control characters",
            "write it on one line".to_owned(),
        );
    }
    if sentence.chars().count() > SENTENCE_CHARS_MAX {
        let message = format!("a sentence has at most {SENTENCE_CHARS_MAX} characters");
        faults.add(at.clone(), message, "shorten it".to_owned());
    }
}

fn compile_seats(name: &str, seats: &SeatRules, rules: &Rules, faults: &mut Faults) -> Seats {
    let at = KeyPath::of(["seats", name]);
    faults.check_name(&at, "seats", name);
    if seats.roles.is_empty() {
        let message = "seats of no role are nobody's";
        faults.add(
            at.key("roles"),
            message,
            "name the roles that are counted together".to_owned(),
        );
    }
    let mut kept: u32 = 0;
    for (index, role) in seats.roles.iter().enumerate() {
        let here = at.key("roles").index(index);
        if seats.roles.iter().take(index).any(|before| before == role) {
            faults.add(here, format!("`{role}` is named twice"), "take one out".to_owned());
        } else if check_role(role, rules, &here, faults)
            && let Some(role) = rules.roles.get(role)
        {
            let one = role.held_by == HeldBy::One;
            kept = kept.saturating_add(if one { 1 } else { role.keep_at_least });
        }
    }
    if seats.at_most == 0 {
        faults.add(
            at.key("at_most"),
            "with 0 seats there can be no account of these roles",
            "allow at least 1".to_owned(),
        );
    } else if kept > seats.at_most {
        let message = format!(
            "{kept} accounts of these roles have to stay, which is more than {} seats",
            seats.at_most
        );
        faults.add(
            at.key("at_most"),
            message,
            "raise it, or lower `keep_at_least`".to_owned(),
        );
    }
    if let Some(advice) = &seats.advice {
        check_sentence(advice, &at.key("advice"), faults);
    }
    Seats {
        name: name.to_owned(),
        roles: seats.roles.clone(),
        at_most: seats.at_most,
        advice: seats.advice.clone(),
    }
}

fn check_account(account: AccountRules, faults: &mut Faults) {
    let usual = AccountRules::default();
    let at = |key: &str| KeyPath::of(["account", key]);
    let mut check = |least: (&str, u32), most: (&str, u32), ceiling: u32| {
        if least.1 > most.1 {
            let message = format!("no name has at least {} and at most {} characters", least.1, most.1);
            faults.add(at(most.0), message, format!("raise it, or lower `{}`", least.0));
        }
        if most.1 > ceiling {
            let message = format!("no name has more than {ceiling} characters");
            faults.add(at(most.0), message, "lower it".to_owned());
        }
    };
    check(
        ("name_at_least", account.name_at_least),
        ("name_at_most", account.name_at_most),
        usual.name_at_most,
    );
    check(
        ("display_name_at_least", account.display_name_at_least),
        ("display_name_at_most", account.display_name_at_most),
        usual.display_name_at_most,
    );
    if account.name_at_most == 0 {
        faults.add(
            at("name_at_most"),
            "an account needs a name",
            "allow at least 1 character".to_owned(),
        );
    }
}

fn check_spans(rules: &Rules, faults: &mut Faults) {
    let inactivity = rules.inactivity;
    let warn_before = KeyPath::of(["inactivity", "warn_before"]);
    check_span(
        Some(rules.invitation.valid_for),
        &KeyPath::of(["invitation", "valid_for"]),
        faults,
    );
    check_span(
        Some(rules.reset.valid_for),
        &KeyPath::of(["reset", "valid_for"]),
        faults,
    );
    check_span(inactivity.warn_before, &warn_before, faults);
    match (inactivity.warn_before, inactivity.block_after) {
        (Some(_), None) => faults.add(
            warn_before,
            "there is no ban to warn of",
            "add `block_after`, or take this out".to_owned(),
        ),
        (Some(warn), Some(block)) if warn >= block && block > Duration::ZERO => faults.add(
            warn_before,
            "an account would be warned before it could be unused",
            "warn less long before the ban than `block_after`".to_owned(),
        ),
        _ => {}
    }
}

/// A reason belongs to a key that can depart from something.
fn check_departures(rules: &Rules, faults: &mut Faults) {
    for (setting, reason) in &rules.departures {
        let at = KeyPath::of(["departures"]).key(setting);
        if !SETTINGS.contains(&setting.as_str()) {
            let known = || format!("there are `{}`", SETTINGS.join("`, `"));
            let help = did_you_mean(setting, SETTINGS.iter().copied()).unwrap_or_else(known);
            faults.add(
                at.clone(),
                format!("`{setting}` is no setting that departs from a standard"),
                help,
            );
        }
        check_sentence(reason, &at, faults);
    }
}

/// The words that belong to every account's password.
fn context(rules: &Rules) -> ContextWords {
    let words = ContextWords::default().and_name(&rules.title);
    let own = rules.password.context_words.iter();
    own.fold(words, |words, word| words.and_word(word))
}

fn channels(rules: &Rules, faults: &mut Faults) -> HashMap<Box<str>, Channel, FixedState> {
    let mut channels = table();
    for (name, own) in &rules.channels {
        if let Some(sentence) = &own.refused {
            check_sentence(sentence, &KeyPath::of(["channel", name, "refused"]), faults);
        }
        let channel = Channel {
            linked_device: own.linked_device,
            refused: own.refused.clone(),
        };
        channels.insert(name.as_str().into(), channel);
    }
    channels
}
