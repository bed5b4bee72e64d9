//! The files that `stagedoor init` writes.

use stagedoor_policy::rules::{Enrolment, OpenTo, SecondFactor};

use super::{BUILDING, Folder, POLICY};
use crate::{PRESETS, starter_files};

/// The text with every setting that a comment shows.
fn uncommented(text: &str) -> String {
    let shown = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with('[') || rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => {
            rest.to_owned()
        }
        _ => line.to_owned(),
    };
    text.lines().map(shown).collect::<Vec<_>>().join("\n")
}

/// With a certificate that is there.
fn building_uncommented(text: &str) -> String {
    let building = uncommented(text).replace("/etc/stagedoor/fullchain.pem", "policy.toml");
    building.replace("/etc/stagedoor/key.pem", "policy.toml")
}

#[test]
fn every_preset_loads_without_a_warning_and_its_first_role_can_set_up_everything() {
    for preset in PRESETS {
        let loaded = Folder::with(preset.building, preset.policy).load();
        let loaded = loaded.unwrap_or_else(|faults| panic!("{}: {faults}", preset.name));
        assert_eq!(loaded.warnings, Vec::<String>::new(), "{}", preset.name);
        let policy = stagedoor_policy::compile(&loaded.rules, stagedoor_policy::Revision(1)).expect("compiles");
        let able: Vec<&str> = policy.roles_that_manage_everything().collect();
        assert_eq!(able, [preset.first_role], "{}", preset.name);
    }
}

#[test]
fn rules_for_passwords_that_depart_from_a_standard_are_warned_of_until_somebody_says_why() {
    let rules = format!("{POLICY}[password]\nat_most = 20\n");
    let warned = |policy: &str| Folder::with(BUILDING, policy).load().expect("loads").warnings;
    assert_eq!(
        warned(&rules),
        [
            "`password.at_most` departs from NIST SP 800-63B-4 and OWASP ASVS 5.0.0 without a reason: write one in \
             `[departures]`, see `stagedoor policy compliance`"
        ]
    );
    let explained = format!("{rules}[departures]\n\"password.at_most\" = \"The console takes no more.\"\n");
    assert_eq!(warned(&explained), Vec::<String>::new());
}

#[test]
fn what_a_preset_leaves_open_can_be_switched_on_by_taking_the_comment_away() {
    for preset in PRESETS {
        let text = uncommented(preset.policy);
        // The starter says what holds already; the others say each table once, and what is left open within it.
        let folder = Folder::with(&building_uncommented(preset.building), &text);
        let rules = folder
            .load()
            .unwrap_or_else(|faults| panic!("{}: {faults}", preset.name))
            .rules;
        match preset.name {
            "bstage" => {
                assert_eq!(rules.roles["head"].hands_down_to.as_deref(), Some("admin"));
                assert!(rules.inactivity.warn_before.is_some() && rules.sites["console"].networks.is_some());
                assert_eq!(rules.second_factor.ask, SecondFactor::Required);
            }
            "stager" => {
                assert!(rules.channels["mobile"].linked_device);
                assert_eq!(rules.second_factor.enrolment, Enrolment::Right);
            }
            "filingbox" => {
                assert!(rules.channels["client"].linked_device);
                assert_eq!(rules.second_factor.enrolment, Enrolment::Right);
            }
            _ => {}
        }
    }
}

#[test]
fn what_the_starter_files_show_in_comments_loads_too() {
    let (building, policy) = starter_files();
    let loaded = Folder::with(&building_uncommented(building), &uncommented(policy))
        .load()
        .expect("loads");
    assert_eq!(
        loaded.rules.sites["console"].areas.len(),
        4,
        "the areas in comments were found"
    );
    assert!(loaded.building.tls.is_some() && loaded.rules.networks.contains_key("office"));
}

#[test]
fn the_starter_files_load_without_a_warning() {
    let (building, policy) = starter_files();
    let loaded = Folder::with(building, policy).load().expect("loads");
    assert_eq!(loaded.warnings, Vec::<String>::new());
    assert_eq!(loaded.rules.roles["administrator"].may["*"], ["all"]);
    assert!(
        loaded.rules.sites["console"]
            .areas
            .values()
            .all(|area| area.open_to == OpenTo::Granted)
    );
}
