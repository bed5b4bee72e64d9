use std::time::Duration;

use super::*;
use crate::rules::{AreaRules, ChannelRules, OpenTo};
use crate::test_support::{area, compiled, console, judged, open_area, role, texts, visitor};

mod leniencies;
mod people;

/// Every fault, as `place: message (help)`.
fn faults(rules: &Rules) -> Vec<String> {
    let faults = compile(rules, Revision(1)).map(|_| ()).unwrap_err();
    let line = |fault: &Fault| {
        format!(
            "{}: {} ({})",
            fault.at,
            fault.message,
            fault.help.as_deref().unwrap_or("-")
        )
    };
    faults.iter().map(line).collect()
}

fn console_areas(rules: &mut Rules) -> &mut std::collections::BTreeMap<String, AreaRules> {
    &mut rules.sites.get_mut("console").unwrap().areas
}

#[test]
fn the_same_pattern_in_two_areas_names_both_places() {
    let mut rules = console();
    console_areas(&mut rules).insert("system".to_owned(), area(&["/system", "/settings/**"]));
    assert_eq!(
        faults(&rules),
        [
            "site.console.areas.system.paths[1]: `/settings/**` stands twice: here and at \
          `site.console.areas.settings.paths[0]` (`/settings/**`) (a path belongs to one area; take one of the two out)"
        ]
    );
}

#[test]
fn equally_specific_patterns_that_overlap_are_a_fault() {
    let mut rules = console();
    console_areas(&mut rules).insert("php".to_owned(), area(&["/files/*.php"]));
    console_areas(&mut rules).insert("temp".to_owned(), area(&["/files/tmp-*"]));
    let faults = faults(&rules);
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].starts_with("site.console.areas.temp.paths[0]: `/files/tmp-*` and `/files/*.php`"),
        "{}",
        faults[0]
    );
}

#[test]
fn an_entry_stays_inside_its_own_area() {
    let mut rules = console();
    let areas = console_areas(&mut rules);
    areas.insert("reports".to_owned(), area(&["/devices/*/report"]));
    let devices = areas.get_mut("devices").unwrap();
    devices.manage_also = texts(&[
        "GET /settings/x",
        "GET /devices/7/report",
        "GET /devices/*/reports",
        "GET /**",
    ]);
    devices.view_also = texts(&["POST /devices/*/report", "POST /devices/**"]);
    let faults = faults(&rules);
    let places: Vec<_> = faults.iter().map(|fault| fault.split_once(": ").unwrap().0).collect();
    let list = |name: &str, index: usize| format!("site.console.areas.devices.{name}[{index}]");
    assert_eq!(
        places,
        [
            list("manage_also", 0),
            list("manage_also", 1),
            list("manage_also", 3),
            list("view_also", 0)
        ]
    );
    assert!(
        faults[0].contains("is not inside the paths of the area `devices`"),
        "{}",
        faults[0]
    );
    assert!(
        faults[1].contains("reaches into `/devices/*/report`, which is a path of the area `reports`"),
        "{}",
        faults[1]
    );
}

#[test]
fn an_entry_may_not_take_the_very_path_of_another_area() {
    let mut rules = console();
    let areas = console_areas(&mut rules);
    areas.insert("overview".to_owned(), area(&["/devices"]));
    areas
        .get_mut("devices")
        .unwrap()
        .manage_also
        .push("GET /devices".to_owned());
    let faults = faults(&rules);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(
        faults[0].contains("`GET /devices` reaches into `/devices`"),
        "{}",
        faults[0]
    );
}

#[test]
fn the_same_method_and_pattern_in_two_entries_is_a_fault() {
    let mut rules = console();
    let devices = console_areas(&mut rules).get_mut("devices").unwrap();
    devices.manage_also.push("HEAD /devices/*/delete".to_owned());
    devices.view_also.push("POST /devices/search".to_owned());
    let faults = faults(&rules);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults[0].contains("`GET /devices/*/delete` stands twice"),
        "{}",
        faults[0]
    );
    assert!(
        faults[1].contains("view_also[1]: `POST /devices/search` stands twice"),
        "{}",
        faults[1]
    );
}

#[test]
fn entries_that_cannot_be_read_or_would_do_nothing_are_faults() {
    let mut rules = console();
    let areas = console_areas(&mut rules);
    let devices = areas.get_mut("devices").unwrap();
    devices.view_also = texts(&[
        "/devices/x",
        "TRACE /devices/x",
        "get /devices/x",
        "POST  /devices/x",
        "POST devices",
    ]);
    devices.actions.insert("manage".to_owned(), texts(&["POST /devices/m"]));
    devices.actions.insert("idle".to_owned(), Vec::new());
    let mut common = open_area(&["/static/**"], OpenTo::SignedIn);
    common.actions.insert("wipe".to_owned(), texts(&["POST /static/wipe"]));
    areas.insert("common".to_owned(), common);
    areas.insert("empty".to_owned(), area(&[]));
    let faults = faults(&rules);
    for (place, message) in [
        ("devices.view_also[0]", "`/devices/x` has no method"),
        ("devices.view_also[1]", "`TRACE` is not a method"),
        ("devices.view_also[2]", "`get` is not a method"),
        ("devices.view_also[3]", "does not begin with `/`"),
        ("devices.view_also[4]", "does not begin with `/`"),
        ("devices.actions.manage", "cannot be called `manage`"),
        ("devices.actions.idle", "has no entries"),
        ("common.actions", "would never be asked for"),
        ("empty", "has no paths"),
    ] {
        let fitting = faults
            .iter()
            .filter(|fault| fault.starts_with(&format!("site.console.areas.{place}: ")));
        assert!(
            fitting.clone().any(|fault| fault.contains(message)),
            "{place}: {faults:#?}"
        );
    }
    assert_eq!(faults.len(), 9, "{faults:#?}");
}

#[test]
fn names_are_checked_wherever_they_are_given() {
    let mut rules = Rules::default();
    rules.networks.insert("Büro".to_owned(), Vec::new());
    rules.channels.insert("a b".to_owned(), ChannelRules::default());
    rules.roles.insert("x".repeat(65), role(&[]));
    let mut bad_area = area(&["/a"]);
    bad_area.actions.insert("de lete".to_owned(), texts(&["POST /a"]));
    rules
        .sites
        .entry("CON".to_owned())
        .or_default()
        .areas
        .insert("*".to_owned(), bad_area);
    let faults = faults(&rules);
    assert_eq!(faults.len(), 6, "{faults:#?}");
    assert!(
        faults.iter().all(|fault| fault.contains("is not a name for")),
        "{faults:#?}"
    );
}

#[test]
fn networks_name_each_other_and_a_circle_is_a_fault() {
    let mut rules = console();
    rules
        .networks
        .insert("all".to_owned(), texts(&["office", "lab", "!guests"]));
    rules.networks.insert("office".to_owned(), texts(&["198.51.100.0/24"]));
    rules
        .networks
        .insert("lab".to_owned(), texts(&["203.0.113.0/24", "office"]));
    rules
        .networks
        .insert("guests".to_owned(), texts(&["198.51.100.128/25"]));
    rules.roles.get_mut("viewer").unwrap().networks = Some(texts(&["all", "!198.51.100.7"]));
    let policy = compiled(&rules);
    let admitted = |address: &str| {
        let address = crate::request::ClientAddress::of_peer(address.parse().unwrap());
        policy.admits_address(&visitor("viewer"), address).is_ok()
    };
    assert!(admitted("198.51.100.6") && admitted("203.0.113.9"));
    assert!(!admitted("198.51.100.7") && !admitted("198.51.100.129") && !admitted("192.0.2.1"));

    rules.networks.insert("office".to_owned(), texts(&["all"]));
    let faults = faults(&rules);
    assert!(
        faults
            .iter()
            .any(|fault| fault.contains("in a circle: `all` -> `office` -> `all`")),
        "{faults:#?}"
    );
}

#[test]
fn networks_that_cannot_be_are_faults() {
    let mut rules = console();
    rules
        .networks
        .insert("office".to_owned(), texts(&["198.51.100.0/24", "!198.51.100.66"]));
    rules.sites.get_mut("console").unwrap().networks = Some(texts(&["ofice", "10.0.0.1/8", "!office", "localhost"]));
    rules.roles.get_mut("viewer").unwrap().networks = Some(texts(&["!192.0.2.0/24"]));
    rules.roles.get_mut("admin").unwrap().networks = Some(texts(&["office", "198.51.100.66"]));
    let faults = faults(&rules);
    assert_eq!(faults.len(), 6, "{faults:#?}");
    assert!(faults[0].starts_with("role.admin.networks[1]: `198.51.100.66/32` is both allowed and excepted"));
    assert!(faults[1].starts_with("role.viewer.networks: a list of exceptions only"));
    assert_eq!(
        faults[2],
        "site.console.networks[0]: there is no network `ofice` (did you mean `office`?)"
    );
    assert!(faults[3].starts_with("site.console.networks[1]: `10.0.0.1/8` has bits set"));
    assert!(faults[4].starts_with("site.console.networks[2]: `!office` excepts a list that has exceptions"));
    assert!(faults[5].starts_with("site.console.networks[3]: there is no network `localhost`"));
}

#[test]
fn networks_nested_too_deep_are_a_fault_and_no_overflow() {
    let chain = |length: usize| {
        let mut rules = Rules::default();
        for index in 0..length {
            rules
                .networks
                .insert(format!("n{index:05}"), texts(&[&format!("n{:05}", index + 1)]));
        }
        rules.networks.insert(format!("n{length:05}"), texts(&["192.0.2.1"]));
        rules
    };
    compiled(&chain(15));
    assert!(faults(&chain(16))[0].contains("more than 16 deep"));
    let long = faults(&chain(20_000));
    assert!(long.iter().all(|fault| fault.contains("more than 16 deep")));
    let mut backwards = Rules::default();
    for index in 0..16 {
        backwards
            .networks
            .insert(format!("n{:05}", 16 - index), texts(&[&format!("n{:05}", 15 - index)]));
    }
    backwards.networks.insert("n00000".to_owned(), texts(&["192.0.2.1"]));
    assert!(faults(&backwards)[0].contains("more than 16 deep"));
}

#[test]
fn the_more_specific_key_of_may_replaces_the_less_specific() {
    let mut rules = console();
    rules.sites.insert("other".to_owned(), rules.sites["console"].clone());
    rules.roles.insert(
        "mixed".to_owned(),
        role(&[
            ("*", "view delete"),
            ("settings", "manage"),
            ("console/devices", "none"),
            ("other/settings", "none"),
        ]),
    );
    rules.roles.insert(
        "site".to_owned(),
        role(&[("*", "all"), ("console/*", "view"), ("console/root", "manage")]),
    );
    let policy = compiled(&rules);
    let ok = |who: &str, asked: &str| judged(&policy, Some(visitor(who)), asked).is_ok();
    assert!(ok("mixed", "GET /") && !ok("mixed", "POST /"));
    assert!(ok("mixed", "POST /settings"));
    assert!(!ok("mixed", "GET /devices/7") && !ok("mixed", "DELETE /devices/7"));
    assert!(ok("site", "POST /") && ok("site", "GET /devices/7"));
    assert!(!ok("site", "POST /devices/7") && !ok("site", "DELETE /devices/7"));
    let table = crate::RoleTable::of(&policy);
    let cell = |site: &str, area: &str, role: &str| {
        let column = table.columns.iter().position(|name| name == role).unwrap();
        table.rows.iter().find(|row| row.0 == site && row.1 == area).unwrap().2[column].clone()
    };
    assert_eq!(cell("other", "devices", "mixed"), "view +delete");
    assert_eq!(cell("console", "devices", "mixed"), "-");
    assert_eq!(cell("other", "settings", "mixed"), "-");
    assert_eq!(cell("console", "devices", "site"), "view");
    assert_eq!(cell("other", "devices", "site"), "manage +delete");
    assert_eq!(cell("console", "devices", "remover"), "- +delete");
    assert_eq!(cell("console", "common", "viewer"), "manage");
}

#[test]
fn a_whole_site_replaces_the_actions_that_were_granted_everywhere() {
    let mut rules = console();
    let may = [("*", "view delete"), ("console/*", "manage")];
    rules.roles.insert("site".to_owned(), role(&may));
    let policy = compiled(&rules);
    assert!(judged(&policy, Some(visitor("site")), "POST /devices/7").is_ok());
    assert!(judged(&policy, Some(visitor("site")), "DELETE /devices/7").is_err());
}

#[test]
fn an_area_and_a_whole_site_that_disagree_are_a_fault() {
    let mut rules = console();
    rules
        .roles
        .insert("torn".to_owned(), role(&[("devices", "manage"), ("console/*", "none")]));
    assert_eq!(
        faults(&rules),
        [
            "role.torn.may.devices: `devices` and `console/*` say different things about `console/devices` \
          (neither is more specific; say what holds for `console/devices`)"
        ]
    );
    rules.roles.insert(
        "torn".to_owned(),
        role(&[
            ("devices", "manage"),
            ("console/*", "none"),
            ("console/devices", "view"),
        ]),
    );
    let policy = compiled(&rules);
    assert!(judged(&policy, Some(visitor("torn")), "GET /devices/7").is_ok());
    assert!(judged(&policy, Some(visitor("torn")), "POST /devices/7").is_err());
    rules.roles.insert(
        "torn".to_owned(),
        role(&[("devices", "manage"), ("console/*", "manage")]),
    );
    compiled(&rules);
}

#[test]
fn keys_and_words_of_may_that_mean_nothing_are_faults() {
    let mut rules = console();
    let may = [
        ("devcies", "view"),
        ("consol/devices", "view"),
        ("console/devics", "view"),
        ("settings", "veiw"),
        ("devices", "view manage"),
        ("root", "view dekete delete"),
    ];
    rules.roles.insert("odd".to_owned(), role(&may));
    assert_eq!(
        faults(&rules),
        [
            "role.odd.may.consol/devices: there is no site `consol` (did you mean `console`?)",
            "role.odd.may.console/devics: the site `console` has no area `devics` (did you mean `devices`?)",
            "role.odd.may.devcies: no site has an area `devcies` (did you mean `devices`?)",
            "role.odd.may.devices[1]: `view` and `manage` are two levels (name one level at most)",
            "role.odd.may.root[1]: `dekete` is neither a level nor an action there (a level is `view`, `manage`, `all` or \
             `none`; actions are named by their area)",
            "role.odd.may.root[2]: `delete` is neither a level nor an action there (a level is `view`, `manage`, `all` or \
             `none`; actions are named by their area)",
            "role.odd.may.settings: `veiw` is neither a level nor an action there (did you mean `view`?)",
        ]
    );
}

#[test]
fn an_area_has_at_most_64_actions_and_each_has_its_own_bit() {
    let mut rules = console();
    let with_actions = |count: usize| {
        let mut many = area(&["/many/**"]);
        for action in 0..count {
            many.actions
                .insert(format!("a{action:02}"), vec![format!("POST /many/{action:02}")]);
        }
        many
    };
    console_areas(&mut rules).insert("many".to_owned(), with_actions(64));
    rules.roles.insert("last".to_owned(), role(&[("many", "a63")]));
    let policy = compiled(&rules);
    for action in 0..64 {
        let asked = format!("POST /many/{action:02}");
        assert_eq!(
            judged(&policy, Some(visitor("last")), &asked).is_ok(),
            action == 63,
            "{asked}"
        );
    }
    console_areas(&mut rules).insert("many".to_owned(), with_actions(65));
    assert!(faults(&rules)[0].contains("more than 64 actions"));
}

#[test]
fn roles_and_numbers_that_make_no_sense_are_faults() {
    let mut rules = console();
    rules.session.idle = Duration::ZERO;
    rules.lockout.failures = 0;
    rules.lockout.lasts = Duration::ZERO;
    rules.inactivity.block_after = Some(Duration::ZERO);
    rules.password.at_least = 200;
    rules.channels.insert(
        "client".to_owned(),
        ChannelRules {
            lifetime: Some(Duration::ZERO),
            ..ChannelRules::default()
        },
    );
    let viewer = rules.roles.get_mut("viewer").unwrap();
    viewer.channels = Some(texts(&["clint"]));
    viewer.account_networks.required = true;
    viewer.account_networks.list.at_most = Some(0);
    viewer.default = true;
    rules.roles.get_mut("admin").unwrap().default = true;
    let faults = faults(&rules);
    let places: Vec<_> = faults.iter().map(|fault| fault.split_once(": ").unwrap().0).collect();
    assert_eq!(
        places,
        [
            "channel.client.lifetime",
            "inactivity.block_after",
            "lockout.failures",
            "lockout.for",
            "password.at_most",
            "role.viewer.account_networks.at_most",
            "role.viewer.channels[0]",
            "role.viewer.default",
            "session.idle",
        ]
    );
    assert!(faults[6].ends_with("(did you mean `client`?)"));
    rules = console();
    rules.lockout.failures_from_anywhere = 4;
    assert!(compile(&rules, Revision(1)).is_err());
}

#[test]
fn sixty_five_thousand_areas_are_fine_and_one_more_is_a_fault() {
    let mut rules = Rules::default();
    let areas = &mut rules.sites.entry("console".to_owned()).or_default().areas;
    for number in 0..AREAS_PER_SITE_MAX {
        areas.insert(format!("a{number:05}"), area(&[&format!("/a/{number:05}/**")]));
    }
    rules.roles.insert("viewer".to_owned(), role(&[("a65534", "view")]));
    let policy = compiled(&rules);
    assert_eq!(
        judged(&policy, Some(visitor("viewer")), "GET /a/65534/x").unwrap().0,
        "a65534"
    );
    assert_eq!(
        policy.areas(policy.site("console").unwrap()).count(),
        AREAS_PER_SITE_MAX
    );
    rules
        .sites
        .get_mut("console")
        .unwrap()
        .areas
        .insert("b".to_owned(), area(&["/b"]));
    assert_eq!(
        faults(&rules),
        ["site.console.areas: the site has more than 65535 areas (-)"]
    );
}
