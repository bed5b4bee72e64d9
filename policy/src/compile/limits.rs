//! The networks of a site or a role: the set that lets in, and the rules its list has to keep.

use super::Faults;
use super::networks::NamedNetworks;
use crate::fault::KeyPath;
use crate::network::{NetworkSet, shape};
use crate::rules::{Family, NetworkListRules};

/// The networks at `at.networks`, where there are any. Names count as what they stand for.
pub(super) fn compile(
    texts: Option<&[String]>,
    rules: &NetworkListRules,
    at: &KeyPath,
    named: &NamedNetworks<'_>,
    faults: &mut Faults,
) -> Option<NetworkSet> {
    check_rules(rules, &at.key("network_rules"), faults);
    let texts = texts?;
    let at = &at.key("networks");
    let (set, elements) = named.set(texts, at, faults);
    if !texts.is_empty() && !set.is_empty() && !set.allows_any() {
        let help = "add what it is an exception from, such as `0.0.0.0/0` and `::/0`; an empty list lets nobody in";
        faults.add(at.clone(), "a list of exceptions only lets nobody in", help.to_owned());
    }
    let help = || "see `network_rules`, which says what may be in this list".to_owned();
    let joined: Vec<&str> = elements.iter().map(|(_, text, _)| text.as_str()).collect();
    for message in shape::faults_of_list(rules, elements.len(), joined.join(",").chars().count()) {
        faults.add(at.clone(), message, help());
    }
    for (index, text, prefix) in &elements {
        for message in shape::faults_of_element(rules, text, prefix) {
            faults.add(at.index(*index), message, help());
        }
    }
    Some(set)
}

/// Notes rules that no list could keep, or that would mean nothing.
pub(super) fn check_rules(rules: &NetworkListRules, at: &KeyPath, faults: &mut Faults) {
    let mut add = |key: &str, message: String, help: &str| faults.add(at.key(key), message, help.to_owned());
    if rules.text_at_most != 0 && rules.text_at_least > rules.text_at_most {
        let message = format!(
            "no list has at least {} and at most {} characters",
            rules.text_at_least, rules.text_at_most
        );
        add("text_at_most", message, "raise it, or lower `text_at_least`");
    }
    if rules.octets_at_most == 0 {
        let help = "allow at least 1; 255 is the highest there is";
        add("octets_at_most", "no address has only zeros in it".to_owned(), help);
    }
    if rules.family == Family::V6 {
        let about_v4 = [
            ("octets_at_most", rules.octets_at_most != u8::MAX),
            ("refuse_network_addresses", rules.refuse_network_addresses),
        ];
        for (key, _) in about_v4.iter().filter(|(_, there)| *there) {
            let message = "this is about IPv4, and only IPv6 is taken".to_owned();
            add(key, message, "take it out, or take `family` out");
        }
    }
}
