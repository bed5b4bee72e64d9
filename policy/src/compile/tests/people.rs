//! Rules about accounts that contradict themselves or each other.

use super::*;
use crate::rules::{
    ChangedBy, CharacterClass, Family, HeldBy, MessageKey, NetworkListRules, NetworkShape, PreferenceRules, SeatRules,
};

/// The places and messages of every fault, without the help.
fn told(rules: &Rules) -> Vec<String> {
    let faults = faults(rules);
    let without_help = |fault: &String| {
        fault
            .rsplit_once(" (")
            .map_or(fault.clone(), |(told, _)| told.to_owned())
    };
    faults.iter().map(without_help).collect()
}

fn seats(roles: &[&str], at_most: u32) -> SeatRules {
    SeatRules {
        roles: texts(roles),
        at_most,
        advice: None,
    }
}

#[test]
fn seats_are_of_roles_that_exist_and_hold_those_that_have_to_stay() {
    let mut rules = console();
    rules.roles.get_mut("admin").unwrap().keep_at_least = 2;
    rules.roles.get_mut("viewer").unwrap().held_by = HeldBy::One;
    rules.seats.insert("few".to_owned(), seats(&["admin", "viewer"], 2));
    rules.seats.insert("none".to_owned(), seats(&[], 0));
    rules
        .seats
        .insert("odd".to_owned(), seats(&["amdin", "admin", "admin"], 5));
    assert_eq!(
        faults(&rules),
        [
            "seats.few.at_most: 3 accounts of these roles have to stay, which is more than 2 seats (raise it, or lower \
             `keep_at_least`)",
            "seats.none.at_most: with 0 seats there can be no account of these roles (allow at least 1)",
            "seats.none.roles: seats of no role are nobody's (name the roles that are counted together)",
            "seats.odd.roles[0]: there is no role `amdin` (did you mean `admin`?)",
            "seats.odd.roles[2]: `admin` is named twice (take one out)",
        ]
    );
    rules.seats = [("enough".to_owned(), seats(&["admin", "viewer"], 3))].into();
    assert!(compile(&rules, Revision(1)).is_ok());
}

#[test]
fn a_role_of_one_contradicts_what_gives_it_to_more() {
    let mut rules = console();
    let head = rules.roles.get_mut("admin").unwrap();
    head.held_by = HeldBy::One;
    head.default = true;
    head.keep_at_least = 2;
    head.role_changed_by = ChangedBy::Holder;
    head.handed_to = Some(texts(&["admin", "operator", "oprator"]));
    head.hands_down_to = Some("operator".to_owned());
    let second = rules.roles.get_mut("operator").unwrap();
    second.held_by = HeldBy::One;
    second.handed_to = Some(Vec::new());
    assert_eq!(
        told(&rules),
        [
            "role.admin.default: a role that one account holds cannot be what every new account gets",
            "role.admin.handed_to[0]: a role cannot be handed over to itself",
            "role.admin.handed_to[1]: `operator` is held by one account too: handing over would move or double that as well",
            "role.admin.handed_to[2]: there is no role `oprator`",
            "role.admin.hands_down_to: `operator` is held by one account too: handing over would move or double that as well",
            "role.admin.keep_at_least: a role that one account holds cannot keep more",
            "role.admin.role_changed_by: a role that one account holds is handed over, never changed",
            "role.operator.handed_to: nobody could ever take the role over",
        ]
    );
}

#[test]
fn what_belongs_to_a_role_of_one_is_refused_elsewhere() {
    let mut rules = console();
    let viewer = rules.roles.get_mut("viewer").unwrap();
    viewer.handed_to = Some(texts(&["admin"]));
    viewer.hands_down_to = Some("admin".to_owned());
    viewer.administers = texts(&["*", "admin"]);
    rules.roles.get_mut("operator").unwrap().administers = texts(&["viewr"]);
    assert_eq!(
        told(&rules),
        [
            "role.operator.administers[0]: there is no role `viewr`",
            "role.viewer.administers: `*` is every role already",
            "role.viewer.handed_to: only a role that one account holds is handed over",
            "role.viewer.hands_down_to: only a role that one account holds is handed over",
        ]
    );
}

#[test]
fn what_may_be_granted_is_named_area_by_area() {
    let mut rules = console();
    let items = [
        "devices",
        "devices.delte",
        "console/devcies",
        "*",
        "console/*",
        "settings.delete",
    ];
    rules.roles.get_mut("viewer").unwrap().may_be_granted = Some(texts(&items));
    assert_eq!(
        faults(&rules),
        [
            "role.viewer.may_be_granted[1]: the area `devices` has no action `delte` (did you mean `delete`?)",
            "role.viewer.may_be_granted[2]: the site `console` has no area `devcies` (did you mean `devices`?)",
            "role.viewer.may_be_granted[3]: `*` is more than one area (name each area; without `may_be_granted`, anything \
             may be granted)",
            "role.viewer.may_be_granted[4]: `console/*` is more than one area (name each area; without `may_be_granted`, \
             anything may be granted)",
            "role.viewer.may_be_granted[5]: the area `settings` has no action `delete` (-)",
        ]
    );
}

#[test]
fn networks_of_sites_and_roles_keep_the_rules_of_their_lists() {
    let mut rules = console();
    rules.networks.insert(
        "office".to_owned(),
        texts(&["198.51.100.7", "192.168.1.1", "203.0.113.0/24"]),
    );
    let few = NetworkListRules {
        at_most: Some(2),
        shape: NetworkShape::Addresses,
        refuse_private: true,
        ..NetworkListRules::default()
    };
    let site = rules.sites.get_mut("console").unwrap();
    site.networks = Some(texts(&["office"]));
    site.network_rules = few;
    let admin = rules.roles.get_mut("admin").unwrap();
    admin.networks = Some(texts(&["198.51.100.1", "10.1.1.1"]));
    admin.network_rules = few;
    assert_eq!(
        told(&rules),
        [
            "role.admin.networks[1]: `10.1.1.1` is private: no visitor from elsewhere has such an address",
            "site.console.networks: there may be at most 2 networks, and these are 3",
            "site.console.networks[0]: `192.168.1.1` is private: no visitor from elsewhere has such an address",
            "site.console.networks[0]: `203.0.113.0/24` is a whole network, and only single addresses are taken",
        ]
    );
}

#[test]
fn rules_that_no_list_of_networks_can_keep_are_faults() {
    let mut rules = console();
    let list = &mut rules.roles.get_mut("viewer").unwrap().account_networks.list;
    list.text_at_least = 80;
    list.text_at_most = 79;
    list.family = Family::V6;
    list.octets_at_most = 0;
    list.refuse_network_addresses = true;
    assert_eq!(
        told(&rules),
        [
            "role.viewer.account_networks.octets_at_most: no address has only zeros in it",
            "role.viewer.account_networks.octets_at_most: this is about IPv4, and only IPv6 is taken",
            "role.viewer.account_networks.refuse_network_addresses: this is about IPv4, and only IPv6 is taken",
            "role.viewer.account_networks.text_at_most: no list has at least 80 and at most 79 characters",
        ]
    );
}

#[test]
fn preferences_have_choices_a_default_among_them_and_a_header_that_visitors_cannot_set() {
    let mut rules = console();
    let preference = |choices: &[&str], default: &str, header: Option<&str>| PreferenceRules {
        choices: texts(choices),
        default: default.to_owned(),
        header: header.map(str::to_owned),
        ..PreferenceRules::default()
    };
    let mut add = |name: &str, own| rules.preferences.insert(name.to_owned(), own);
    add("a", preference(&[], "", None));
    add(
        "b",
        preference(&["x", "y z", "x"], "z", Some("X-Stagedoor-Preference-C")),
    );
    add("c", preference(&["x"], "x", None));
    for (name, header) in [
        ("h1", "X-Stagedoor-User"),
        ("h2", "Connection"),
        ("h3", "X-Landing"),
        ("h4", "X_Stagedoor_Preference_Landing"),
        ("h5", "X-Stagedoor-Preference-"),
        ("h6", "X-Stagedoor-Preference-a\r\nB: c"),
        ("h7", "Transfer-Encoding"),
        ("h8", ""),
    ] {
        add(name, preference(&["x"], "x", Some(header)));
    }
    let told = told(&rules);
    let places: Vec<&str> = told.iter().map(|fault| fault.split_once(": ").unwrap().0).collect();
    assert_eq!(
        places,
        [
            "preferences.a.choices",
            "preferences.b.choices[1]",
            "preferences.b.choices[2]",
            "preferences.b.default",
            "preferences.c",
            "preferences.h1.header",
            "preferences.h2.header",
            "preferences.h3.header",
            "preferences.h4.header",
            "preferences.h5.header",
            "preferences.h6.header",
            "preferences.h7.header",
            "preferences.h8.header",
        ],
        "{told:#?}"
    );
    assert!(told[5].contains("could be set by visitors"), "{told:#?}");
}

#[test]
fn passwords_that_nobody_could_choose_are_not_asked_for() {
    let mut rules = console();
    let password = &mut rules.password;
    password.at_least = 1;
    password.at_most = 3;
    password.require = CharacterClass::ALL.to_vec();
    password.require.push(CharacterClass::Digit);
    password.special = "$$a é".to_owned();
    password.context_words = texts(&["ab", "a-b!", "stage"]);
    assert_eq!(
        told(&rules),
        [
            "password.at_most: 3 characters cannot be of so many kinds",
            "password.context_words[0]: `ab` would be found in good passwords too",
            "password.context_words[1]: `a-b!` would be found in good passwords too",
            "password.require[4]: `digit` stands twice",
            "password.special: ` ` is no special character",
            "password.special: `$` stands twice",
            "password.special: `a` is no special character",
            "password.special: `é` is no special character",
        ]
    );
    let mut rules = console();
    rules.password.require = vec![CharacterClass::Special];
    rules.password.special = String::new();
    assert_eq!(
        told(&rules),
        ["password.special: a special character is required, and none is special"]
    );
}

#[test]
fn names_spans_and_sentences_have_to_make_sense() {
    let mut rules = console();
    rules.account.name_at_least = 21;
    rules.account.name_at_most = 20;
    rules.account.display_name_at_most = 101;
    rules.invitation.valid_for = Duration::ZERO;
    rules.reset.valid_for = Duration::ZERO;
    rules.inactivity.warn_before = Some(Duration::from_secs(86_400));
    rules.messages.insert(MessageKey::NameTaken, " ".to_owned());
    rules.messages.insert(MessageKey::Unlocked, "a\r\nb".to_owned());
    rules.messages.insert(MessageKey::SeatsFull, "x".repeat(501));
    rules.channels.entry("client".to_owned()).or_default().refused = Some(String::new());
    assert_eq!(
        told(&rules),
        [
            "account.display_name_at_most: no name has more than 100 characters",
            "account.name_at_most: no name has at least 21 and at most 20 characters",
            "channel.client.refused: an empty sentence says nothing",
            "inactivity.warn_before: there is no ban to warn of",
            "invitation.valid_for: a span of 0 is over at once",
            "messages.name_taken: an empty sentence says nothing",
            "messages.seats_full: a sentence has at most 500 characters",
            "messages.unlocked: a sentence has no line breaks or other control characters",
            "reset.valid_for: a span of 0 is over at once",
        ]
    );
    let mut rules = console();
    rules.inactivity.block_after = Some(Duration::from_secs(86_400));
    rules.inactivity.warn_before = Some(Duration::from_secs(86_400));
    assert_eq!(
        told(&rules),
        ["inactivity.warn_before: an account would be warned before it could be unused"]
    );
}

#[test]
fn a_preference_leads_to_paths_of_ones_own_origin_alone_and_only_one_leads() {
    let mut rules = console();
    let leading = |choice: &str, path: &str| PreferenceRules {
        choices: texts(&["calendar"]),
        default: "calendar".to_owned(),
        leads: [(choice.to_owned(), path.to_owned())].into(),
        ..PreferenceRules::default()
    };
    rules
        .preferences
        .insert("good".to_owned(), leading("calendar", "/calendar?view=week"));
    assert!(crate::compile(&rules, crate::Revision(1)).is_ok());
    rules.preferences.insert("second".to_owned(), leading("calendar", "/"));
    assert_eq!(
        told(&rules),
        ["preferences.second.leads: `preferences.good` leads somewhere already"]
    );
    rules.preferences.clear();
    rules
        .preferences
        .insert("x".to_owned(), leading("calender", "/calendar"));
    assert_eq!(
        told(&rules),
        ["preferences.x.leads.calender: `calender` is none of the choices"]
    );
    for path in [
        "",
        "calendar",
        "//evil.example",
        "/\\evil.example",
        "/%2fevil.example",
        "https://evil.example/",
        "/a/../b",
        "/a#b",
        "/a b",
        "/\r\nSet-Cookie: x",
        "/%41",
    ] {
        rules.preferences.insert("x".to_owned(), leading("calendar", path));
        let told = told(&rules);
        assert!(
            told.len() == 1 && told[0].contains("is no path of a console's"),
            "{path:?}: {told:?}"
        );
    }
}
