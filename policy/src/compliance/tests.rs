use super::*;
use crate::rules::{CharacterClass, Rules};
use crate::test_support::{compiled, console};

fn settings(rules: &Rules) -> Vec<&'static str> {
    let departures = departures(&compiled(rules));
    departures.iter().map(|departure| departure.setting).collect()
}

#[test]
fn a_policy_that_says_nothing_departs_only_where_no_second_factor_is_demanded() {
    let mut rules = console();
    assert_eq!(settings(&rules), ["second_factor.ask"]);
    rules.second_factor.ask = SecondFactor::Required;
    assert_eq!(settings(&rules), [""; 0]);
    rules.roles.get_mut("viewer").unwrap().second_factor = Some(SecondFactor::Optional);
    let departures = departures(&compiled(&rules));
    assert_eq!(departures[0].value, "optional for viewer");
}

#[test]
fn eight_characters_will_do_beside_a_second_factor_and_fifteen_alone() {
    let mut rules = console();
    for (ask, at_least, departs) in [
        (SecondFactor::Optional, 15, false),
        (SecondFactor::Optional, 14, true),
        (SecondFactor::Required, 8, false),
        (SecondFactor::Required, 7, true),
    ] {
        rules.second_factor.ask = ask;
        rules.password.at_least = at_least;
        assert_eq!(
            settings(&rules).contains(&"password.at_least"),
            departs,
            "{at_least} with {ask:?}"
        );
    }
    let nobody = Rules {
        password: rules.password.clone(),
        second_factor: rules.second_factor,
        ..Rules::default()
    };
    assert_eq!(
        settings(&nobody),
        ["password.at_least"],
        "without a role, nobody is asked for a second factor"
    );
}

#[test]
fn every_rule_is_found_where_it_is_departed_from_and_keeps_its_reason() {
    let mut rules = console();
    let password = &mut rules.password;
    password.at_least = 7;
    password.at_most = 63;
    password.require = vec![CharacterClass::Upper, CharacterClass::Digit];
    password.other_characters = OtherCharacters::Refuse;
    password.repeats_at_most = 1;
    password.runs_at_most = 2;
    password.breached = Breached::Allow;
    rules.lockout.failures_from_anywhere = 101;
    rules.session.lifetime = DAY * 31;
    rules.session.idle = HOUR * 2;
    rules.roles.get_mut("admin").unwrap().second_factor = Some(SecondFactor::Required);
    rules
        .departures
        .insert("password.require".to_owned(), "The manual says so.".to_owned());
    assert_eq!(settings(&rules), SETTINGS);
    let departures = departures(&compiled(&rules));
    for departure in &departures {
        assert!(
            !departure.value.is_empty() && !departure.demands.is_empty(),
            "{departure:?}"
        );
        let reason = (departure.setting == "password.require").then(|| "The manual says so.".to_owned());
        assert_eq!(departure.reason, reason);
    }
    assert_eq!(departures[2].value, "upper, digit");
    assert_eq!(departures[9].value, "7200s on channel browser");
}

#[test]
fn a_reason_for_what_cannot_depart_is_a_fault() {
    let mut rules = console();
    rules
        .departures
        .insert("password.requires".to_owned(), "The manual says so.".to_owned());
    rules.departures.insert("password.at_most".to_owned(), String::new());
    let faults = crate::compile(&rules, crate::Revision(1)).map(|_| ()).unwrap_err();
    let told: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}: {}", fault.at, fault.message))
        .collect();
    assert_eq!(
        told,
        [
            "departures.password.at_most: an empty sentence says nothing",
            "departures.password.requires: `password.requires` is no setting that departs from a standard",
        ]
    );
    assert_eq!(faults[1].help.as_deref(), Some("did you mean `password.require`?"));
}
