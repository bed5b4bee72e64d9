use std::time::Duration;

use super::*;
use crate::Level;
use crate::rules::{ChannelRules, WhenFull};
use crate::test_support::{compiled, console, role, texts};

mod lists;
mod people;

fn sentences<T: std::fmt::Debug>(result: Result<T, Vec<String>>) -> Vec<String> {
    result.unwrap_err()
}

#[test]
fn a_policy_is_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Policy>();
    shared::<NetworkSet>();
}

#[test]
fn names_and_ids_lead_to_each_other() {
    let policy = compiled(&console());
    let site = policy.site("console").unwrap();
    assert_eq!(policy.sites().collect::<Vec<_>>(), [(site, "console")]);
    let areas: Vec<_> = policy.areas(site).map(|(_, name)| name).collect();
    assert_eq!(areas, ["common", "devices", "public", "root", "settings"]);
    for (id, name) in policy.areas(site) {
        assert_eq!(policy.area_name(site, id), name);
    }
    assert_eq!(
        policy.roles().collect::<Vec<_>>(),
        ["admin", "operator", "remover", "viewer"]
    );
    assert!(policy.has_role("viewer") && !policy.has_role("Viewer"));
    assert_eq!(policy.revision(), Revision(7));
}

#[test]
fn a_channel_differs_from_the_session_rules_only_where_it_says_so() {
    let mut rules = console();
    let client = ChannelRules {
        per_account: Some(0),
        idle: Some(Duration::from_secs(60)),
        ..ChannelRules::default()
    };
    rules.channels.insert("client".to_owned(), client);
    rules.session.when_full = WhenFull::Refuse;
    let policy = compiled(&rules);
    let laid = policy.session_rules("client");
    assert_eq!((laid.per_account, laid.idle), (0, Duration::from_secs(60)));
    assert_eq!(
        (laid.lifetime, laid.when_full),
        (rules.session.lifetime, WhenFull::Refuse)
    );
    assert_eq!(policy.session_rules("browser"), rules.session);
    assert_eq!(policy.session_rules("unheard-of"), rules.session);
    assert!(policy.has_channel("client") && policy.has_channel("browser") && !policy.has_channel("unheard-of"));
}

#[test]
fn roles_may_differ_in_second_factor_and_inactivity() {
    let mut rules = console();
    rules.inactivity.block_after = Some(Duration::from_secs(86_400));
    rules.second_factor.ask = SecondFactor::Required;
    let admin = rules.roles.get_mut("admin").unwrap();
    admin.inactivity_exempt = true;
    admin.second_factor = Some(SecondFactor::Optional);
    admin.default = true;
    let policy = compiled(&rules);
    assert_eq!(policy.inactivity("admin").block_after, None);
    assert_eq!(policy.inactivity("viewer").block_after, rules.inactivity.block_after);
    assert_eq!(policy.inactivity("ghost").block_after, rules.inactivity.block_after);
    assert_eq!(policy.second_factor("admin"), SecondFactor::Optional);
    assert_eq!(policy.second_factor("viewer"), SecondFactor::Required);
    assert_eq!(policy.second_factor("ghost"), SecondFactor::Required);
    assert_eq!(policy.default_role(), Some("admin"));
}

#[test]
fn networks_of_an_account_are_checked_for_shape_number_and_need() {
    let mut rules = console();
    let operator = rules.roles.get_mut("operator").unwrap();
    operator.account_networks.required = true;
    operator.account_networks.list.at_most = Some(2);
    let policy = compiled(&rules);
    let check = |role: &str, networks: &[&str]| policy.check_account_networks(role, &texts(networks));
    let set = check("operator", &["198.51.100.0/24", "!198.51.100.7"]).unwrap();
    assert!(set.contains("198.51.100.8".parse().unwrap()) && !set.contains("198.51.100.7".parse().unwrap()));
    assert!(check("viewer", &[]).unwrap().is_empty());
    assert_eq!(
        sentences(check("operator", &[])),
        ["an account with the role `operator` needs at least one network"]
    );
    assert_eq!(
        sentences(check("operator", &["192.0.2.1", "10.0.0.1/8", "office"])),
        [
            "there may be at most 2 networks, and these are 3",
            "`10.0.0.1/8` has bits set behind its mask; write `10.0.0.0/8` or `10.0.0.1`",
            "`office` is neither an address nor a prefix such as `198.51.100.0/24` or `2001:db8::/32`",
        ]
    );
    assert_eq!(
        sentences(check("opertor", &["192.0.2.1"])),
        ["there is no role `opertor`; did you mean `operator`?"]
    );
    assert_eq!(
        sentences(check("viewer", &["!192.0.2.1"])),
        ["networks that only except let nobody in; add one that allows"]
    );
}

#[test]
fn grants_of_an_account_have_to_mean_something() {
    let policy = compiled(&console());
    let grant = |site: Option<&str>, area: &str, level, actions: &[&str]| ExtraGrant {
        site: site.map(str::to_owned),
        area: area.to_owned(),
        level,
        actions: texts(actions),
    };
    let fine = [
        grant(None, "devices", Level::None, &["delete"]),
        grant(Some("console"), "settings", Level::View, &[]),
    ];
    assert_eq!(policy.check_extra_grants("viewer", &fine), Ok(()));
    let wrong = [
        grant(Some("consle"), "devices", Level::View, &[]),
        grant(None, "devcies", Level::View, &[]),
        grant(None, "devices", Level::View, &["delte", "burn-it-all"]),
        grant(None, "settings", Level::None, &[]),
        grant(None, "*", Level::Manage, &[]),
    ];
    assert_eq!(
        policy.check_extra_grants("viewer", &wrong).unwrap_err(),
        [
            "there is no site `consle`; did you mean `console`?",
            "there is no area `devcies`; did you mean `devices`?",
            "the area `devices` has no action `delte`; did you mean `delete`?",
            "the area `devices` has no action `burn-it-all`",
            "the grant on `settings` has neither a level nor an action",
            "there is no area `*`",
        ]
    );
}

#[test]
fn a_site_admits_addresses_as_its_networks_say() {
    let mut rules = console();
    let address = |text: &str| ClientAddress::of_peer(text.parse().unwrap());
    let policy = compiled(&rules);
    let site = policy.site("console").unwrap();
    assert_eq!(policy.admits_to_site(site, address("192.0.2.1")), Ok(()));
    rules.sites.get_mut("console").unwrap().networks = Some(texts(&["198.51.100.0/24"]));
    let policy = compiled(&rules);
    let refused = Err(Refusal::AddressNotAllowed(Scope::Site));
    assert_eq!(policy.admits_to_site(site, address("198.51.100.7")), Ok(()));
    assert_eq!(policy.admits_to_site(site, address("192.0.2.1")), refused);
    assert_eq!(policy.admits_to_site(SiteId(9), address("198.51.100.7")), refused);
}

#[test]
fn roles_that_manage_everything_have_no_exception() {
    let mut rules = console();
    rules
        .roles
        .insert("almost".to_owned(), role(&[("*", "manage"), ("settings", "none")]));
    rules.roles.insert("looker".to_owned(), role(&[("*", "view")]));
    rules.roles.insert("manager".to_owned(), role(&[("*", "manage")]));
    let policy = compiled(&rules);
    assert_eq!(
        policy.roles_that_manage_everything().collect::<Vec<_>>(),
        ["admin", "manager"]
    );
}
