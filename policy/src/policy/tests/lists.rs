//! Networks and grants of an account.

use crate::rules::{Family, MessageKey, NetworkListRules, NetworkShape, Rules};
use crate::test_support::{compiled, console, judged, texts, visitor};
use crate::{ExtraGrant, Level, Policy, Refusal, Visitor};

/// The rules of an account's addresses as the third manual has them.
fn five_plain_addresses() -> NetworkListRules {
    NetworkListRules {
        at_most: Some(5),
        shape: NetworkShape::Addresses,
        family: Family::V4,
        octets_at_most: 254,
        refuse_network_addresses: true,
        refuse_private: false,
        text_at_least: 7,
        text_at_most: 79,
    }
}

fn with_list(list: NetworkListRules) -> Rules {
    let mut rules = console();
    rules.roles.get_mut("operator").unwrap().account_networks.list = list;
    rules
}

fn told(rules: &Rules, networks: &[&str]) -> Vec<String> {
    let checked = compiled(rules).check_account_networks("operator", &texts(networks));
    checked.err().unwrap_or_default()
}

#[test]
fn addresses_of_an_account_keep_the_shape_of_its_role() {
    let rules = with_list(five_plain_addresses());
    let widest = [101, 102, 103, 104, 105].map(|last| format!("100.100.100.{last}"));
    let widest: Vec<&str> = widest.iter().map(String::as_str).collect();
    assert_eq!(widest.join(",").len(), 79);
    for fit in [
        &["1.1.1.1"][..],
        &["0.0.0.1"],
        &["198.51.100.254"],
        &["254.254.254.254"],
        &["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4", "1.1.1.5"],
        &widest,
        &["10.1.2.3"],
        &[],
    ] {
        assert_eq!(told(&rules, fit), Vec::<String>::new(), "{fit:?}");
    }
    for unfit in [
        "255.1.1.1",
        "1.1.1.255",
        "192.0.2.0",
        "0.0.0.0",
        "2001:db8::1",
        "192.0.2.0/24",
        "192.0.2.1/32",
        "!192.0.2.1",
        "192.0.2",
        "192.0.2.01",
        "192.0.2.1.1",
        "192.0.2.1 ",
        "256.1.1.1",
        "-1.2.3.4",
        "1.2.3.+4",
        "a.b.c.d",
        "",
        "::ffff:192.0.2.1",
        "١.1.1.1",
    ] {
        assert!(!told(&rules, &[unfit]).is_empty(), "{unfit} is not what the rules take");
    }
    let six = ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4", "1.1.1.5", "1.1.1.6"];
    assert_eq!(told(&rules, &six), ["there may be at most 5 networks, and these are 6"]);
}

#[test]
fn every_fault_of_a_list_is_told_after_the_policys_sentence() {
    let mut rules = with_list(NetworkListRules {
        text_at_least: 30,
        text_at_most: 40,
        ..five_plain_addresses()
    });
    let sentence = "The IP address format is invalid.".to_owned();
    rules.messages.insert(MessageKey::NetworksUnfit, sentence);
    assert_eq!(
        told(&rules, &["255.0.0.0", "nowhere"]),
        [
            "The IP address format is invalid.",
            "the list has at least 30 characters, and this one has 17",
            "`255.0.0.0` has a number above 254",
            "`255.0.0.0` ends in `.0`, which is a whole network",
            "`nowhere` is neither an address nor a prefix such as `198.51.100.0/24` or `2001:db8::/32`",
        ]
    );
    let long = ["198.51.100.101", "198.51.100.102", "198.51.100.103"];
    assert_eq!(
        told(&rules, &long),
        [
            "The IP address format is invalid.",
            "the list has at most 40 characters, and this one has 44"
        ]
    );
}

#[test]
fn private_addresses_are_told_from_public_ones_at_every_border() {
    let rules = with_list(NetworkListRules {
        refuse_private: true,
        ..NetworkListRules::default()
    });
    for private in [
        "10.0.0.0",
        "10.255.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.168.0.1",
        "127.0.0.1",
        "169.254.1.1",
        "100.64.0.0",
        "100.127.255.255",
        "0.1.2.3",
        "::1",
        "::",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "fec0::1",
        "10.0.0.0/8",
        "0.0.0.0/0",
        "::/0",
        "192.0.0.0/8",
    ] {
        assert_eq!(told(&rules, &[private]).len(), 1, "{private}");
    }
    for public in [
        "9.255.255.255",
        "11.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "128.0.0.1",
        "1.0.0.0",
        "fbff::1",
        "2001:db8::1",
        "198.51.100.0/24",
    ] {
        assert_eq!(told(&rules, &[public]), Vec::<String>::new(), "{public}");
    }
    assert_eq!(
        told(&rules, &["198.51.100.0/24", "!10.0.0.0/8"]),
        Vec::<String>::new(),
        "an exception lets nobody in"
    );
}

fn grant(area: &str, level: Level, actions: &[&str]) -> ExtraGrant {
    ExtraGrant {
        site: None,
        area: area.to_owned(),
        level,
        actions: texts(actions),
    }
}

/// Operators may be granted settings and the deletion of devices, viewers nothing.
fn add_ons() -> Policy {
    let mut rules = console();
    let may = |items: &[&str]| Some(texts(items));
    rules.roles.get_mut("operator").unwrap().may_be_granted = may(&["settings", "console/devices.delete"]);
    rules.roles.get_mut("viewer").unwrap().may_be_granted = may(&[]);
    compiled(&rules)
}

#[test]
fn an_account_holds_only_what_its_role_may_be_granted() {
    let policy = add_ons();
    let refused = |role, given| policy.check_extra_grants(role, &[given]).err().unwrap_or_default();
    assert!(refused("operator", grant("settings", Level::Manage, &[])).is_empty());
    assert!(refused("operator", grant("devices", Level::None, &["delete"])).is_empty());
    assert_eq!(
        refused("operator", grant("devices", Level::View, &["delete"])),
        ["the role `operator` may not be granted `devices`"]
    );
    assert_eq!(
        refused("viewer", grant("devices", Level::None, &["delete"])),
        ["the role `viewer` may not be granted `devices.delete`"]
    );
    assert!(refused("admin", grant("devices", Level::Manage, &["delete"])).is_empty());
}

#[test]
fn a_grant_from_before_a_change_of_role_opens_nothing_that_the_new_role_may_not_hold() {
    let policy = add_ons();
    let grants = [
        grant("settings", Level::Manage, &[]),
        grant("devices", Level::None, &["delete"]),
    ];
    let of = |role| Visitor {
        grants: &grants,
        ..visitor(role)
    };
    for asked in ["POST /settings/x", "DELETE /devices/7"] {
        assert!(judged(&policy, Some(of("operator")), asked).is_ok(), "{asked}");
        assert!(
            matches!(
                judged(&policy, Some(of("viewer")), asked),
                Err(Refusal::NotGranted { .. })
            ),
            "{asked}"
        );
    }
}

#[test]
fn nobody_passes_on_more_than_they_hold() {
    let policy = compiled(&console());
    let own = [grant("settings", Level::View, &[])];
    let remover = Visitor {
        grants: &own,
        ..visitor("remover")
    };
    for (given, holds) in [
        (grant("settings", Level::View, &[]), true),
        (grant("settings", Level::Manage, &[]), false),
        (grant("devices", Level::None, &["delete"]), true),
        (grant("devices", Level::View, &["delete"]), false),
        (grant("common", Level::Manage, &[]), true),
        (grant("nowhere", Level::View, &[]), false),
        (grant("devices", Level::None, &["burn"]), false),
    ] {
        assert_eq!(policy.holds(&remover, &given), holds, "{given:?}");
    }
    assert!(policy.holds(&visitor("admin"), &grant("devices", Level::Manage, &["delete"])));
    assert!(!policy.holds(&visitor("ghost"), &grant("settings", Level::View, &[])));
}
