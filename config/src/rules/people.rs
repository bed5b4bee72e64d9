//! The rules about accounts.

use std::collections::BTreeMap;

use stagedoor_policy::rules::{
    AccountNetworkRules, AccountRules, Breached, ChangedBy, CharacterClass, Enrolment, Family, HeldBy, InvitationRules,
    MessageKey, NameShape, NetworkListRules, NetworkShape, OtherCharacters, PasswordRules, PreferenceRules, ResetRules,
    ReturnsBy, SeatRules,
};

use super::{named_texts, number};
use crate::fields::Fields;

pub(super) fn account_networks(mut fields: Fields) -> AccountNetworkRules {
    let rules = AccountNetworkRules {
        required: fields.flag("required").unwrap_or_default(),
        changed_by: changed_by(&mut fields, "changed_by"),
        list: list_rules(&mut fields),
    };
    fields.done();
    rules
}

pub(super) fn network_rules(mut fields: Fields) -> NetworkListRules {
    let rules = list_rules(&mut fields);
    fields.done();
    rules
}

fn list_rules(fields: &mut Fields) -> NetworkListRules {
    let usual = NetworkListRules::default();
    NetworkListRules {
        at_most: fields.count("at_most").map(number),
        shape: match fields.text("shape").as_deref() {
            Some("addresses") => NetworkShape::Addresses,
            _ => NetworkShape::Networks,
        },
        family: match fields.text("family").as_deref() {
            Some("ipv4") => Family::V4,
            Some("ipv6") => Family::V6,
            _ => Family::Any,
        },
        octets_at_most: fields
            .count("octets_at_most")
            .map_or(usual.octets_at_most, |most| u8::try_from(most).unwrap_or(u8::MAX)),
        refuse_network_addresses: fields.flag("refuse_network_addresses").unwrap_or_default(),
        refuse_private: fields.flag("refuse_private").unwrap_or_default(),
        text_at_least: fields.count("text_at_least").map_or(usual.text_at_least, number),
        text_at_most: fields.count("text_at_most").map_or(usual.text_at_most, number),
    }
}

pub(super) fn changed_by(fields: &mut Fields, key: &str) -> ChangedBy {
    match fields.text(key).as_deref() {
        None | Some("administrators") => ChangedBy::Administrators,
        Some("self") => ChangedBy::Holder,
        Some(_) => ChangedBy::Nobody,
    }
}

pub(super) fn held_by(fields: &mut Fields) -> HeldBy {
    match fields.text("held_by").as_deref() {
        None | Some("any") => HeldBy::Any,
        Some(_) => HeldBy::One,
    }
}

pub(super) fn seats(mut fields: Fields) -> SeatRules {
    let rules = SeatRules {
        roles: fields.texts("roles").unwrap_or_default(),
        at_most: fields.count("at_most").map(number).unwrap_or_default(),
        advice: fields.text("advice"),
    };
    fields.done();
    rules
}

pub(super) fn account(mut fields: Fields) -> AccountRules {
    let usual = AccountRules::default();
    let mut count = |key, usual| fields.count(key).map_or(usual, number);
    let mut rules = AccountRules {
        name_at_least: count("name_at_least", usual.name_at_least),
        name_at_most: count("name_at_most", usual.name_at_most),
        name_shape: NameShape::Any,
        display_name_at_least: count("display_name_at_least", usual.display_name_at_least),
        display_name_at_most: count("display_name_at_most", usual.display_name_at_most),
    };
    if fields.text("name_shape").is_some_and(|word| word != "any") {
        rules.name_shape = NameShape::LowercaseIdentifier;
    }
    fields.done();
    rules
}

pub(super) fn password(mut fields: Fields) -> PasswordRules {
    let usual = PasswordRules::default();
    let require = fields.texts("require").unwrap_or_default();
    let rules = PasswordRules {
        at_least: fields.count("at_least").map_or(usual.at_least, number),
        at_most: fields.count("at_most").map_or(usual.at_most, number),
        require: require.iter().filter_map(|word| CharacterClass::named(word)).collect(),
        special: fields.text("special").unwrap_or(usual.special),
        other_characters: match fields.text("other_characters").as_deref() {
            None | Some("allow") => OtherCharacters::Allow,
            Some(_) => OtherCharacters::Refuse,
        },
        repeats_at_most: fields.count("repeats_at_most").map_or(usual.repeats_at_most, number),
        repeats_fold_case: fields.flag("repeats_fold_case").unwrap_or(usual.repeats_fold_case),
        runs_at_most: fields.count("runs_at_most").map_or(usual.runs_at_most, number),
        breached: match fields.text("breached").as_deref() {
            Some("allow") => Breached::Allow,
            _ => Breached::Refuse,
        },
        context_words: fields.texts("context_words").unwrap_or_default(),
    };
    fields.done();
    rules
}

pub(super) fn enrolment(fields: &mut Fields) -> Enrolment {
    match fields.text("enrolment").as_deref() {
        None | Some("password") => Enrolment::Password,
        Some(_) => Enrolment::Right,
    }
}

pub(super) fn returns_by(fields: &mut Fields) -> ReturnsBy {
    match fields.text("returns_by").as_deref() {
        None | Some("reinstate") => ReturnsBy::Reinstate,
        Some(_) => ReturnsBy::Invitation,
    }
}

pub(super) fn invitation(mut fields: Fields) -> InvitationRules {
    let usual = InvitationRules::default();
    let valid_for = fields.duration("valid_for").unwrap_or(usual.valid_for);
    fields.done();
    InvitationRules { valid_for }
}

pub(super) fn reset(mut fields: Fields) -> ResetRules {
    let usual = ResetRules::default();
    let valid_for = fields.duration("valid_for").unwrap_or(usual.valid_for);
    fields.done();
    ResetRules { valid_for }
}

pub(super) fn preference(mut fields: Fields) -> PreferenceRules {
    let rules = PreferenceRules {
        choices: fields.texts("choices").unwrap_or_default(),
        default: fields.text("default").unwrap_or_default(),
        header: fields.text("header"),
        title: fields.text("title"),
        leads: named_texts(fields.named("leads")),
    };
    fields.done();
    rules
}

pub(super) fn messages(mut fields: Fields) -> BTreeMap<MessageKey, String> {
    let mut messages = BTreeMap::new();
    for key in MessageKey::ALL {
        if let Some(sentence) = fields.text(key.as_str()) {
            messages.insert(*key, sentence);
        }
    }
    fields.done();
    messages
}
