use super::*;
use crate::rules::{Rules, SecondFactor};
use crate::test_support::{compiled, console, explained, judged, texts, visitor};

mod case;
mod preflight;
mod readings;

fn code(policy: &Policy, who: Option<Visitor<'_>>, asked: &str) -> &'static str {
    judged(policy, who, asked).map_or_else(|refusal| refusal.code(), |_| "allowed")
}

#[test]
fn reading_needs_view_and_writing_needs_manage() {
    let policy = compiled(&console());
    for (who, asked, expected) in [
        ("viewer", "GET /devices/7", "allowed"),
        ("viewer", "HEAD /devices/7", "allowed"),
        ("viewer", "OPTIONS /devices/7", "allowed"),
        ("viewer", "POST /devices/7", "not_granted"),
        ("viewer", "PUT /devices/7", "not_granted"),
        ("viewer", "PATCH /devices/7", "not_granted"),
        ("operator", "POST /devices/7", "allowed"),
        ("operator", "POST /settings/", "not_granted"),
        ("operator", "GET /settings", "allowed"),
        ("viewer", "GET /settings", "not_granted"),
        ("admin", "DELETE /settings", "allowed"),
    ] {
        assert_eq!(code(&policy, Some(visitor(who)), asked), expected, "{who} {asked}");
    }
}

#[test]
fn entries_override_the_level_of_their_method_only() {
    let policy = compiled(&console());
    for (who, asked, expected) in [
        ("viewer", "GET /devices/7/reboot", "not_granted"),
        ("viewer", "HEAD /devices/7/reboot", "not_granted"),
        ("viewer", "OPTIONS /devices/7/reboot", "allowed"),
        ("operator", "GET /devices/7/reboot", "allowed"),
        ("viewer", "POST /devices/search", "allowed"),
        ("viewer", "PUT /devices/search", "not_granted"),
    ] {
        assert_eq!(code(&policy, Some(visitor(who)), asked), expected, "{who} {asked}");
    }
}

#[test]
fn an_action_needs_to_be_granted_whatever_the_level() {
    let policy = compiled(&console());
    for (who, asked, expected) in [
        ("operator", "GET /devices/7/delete", "not_granted"),
        ("operator", "HEAD /devices/7/delete", "not_granted"),
        ("operator", "DELETE /devices/7", "not_granted"),
        ("operator", "POST /devices/7/delete", "allowed"),
        ("remover", "GET /devices/7/delete", "allowed"),
        ("remover", "DELETE /devices/7", "allowed"),
        ("remover", "GET /devices/7", "not_granted"),
        ("admin", "DELETE /devices/7", "allowed"),
    ] {
        assert_eq!(code(&policy, Some(visitor(who)), asked), expected, "{who} {asked}");
    }
}

#[test]
fn a_stranger_sees_what_is_open_and_learns_nothing_else() {
    let policy = compiled(&console());
    for (asked, expected) in [
        ("GET /shop/x", "allowed"),
        ("POST /shop", "allowed"),
        ("GET /static/x.js", "sign_in_required"),
        ("GET /devices/7", "sign_in_required"),
        ("GET /nothing/here", "sign_in_required"),
        ("GET /Devices/7", "sign_in_required"),
    ] {
        assert_eq!(code(&policy, None, asked), expected, "{asked}");
    }
    let steps = explained(&policy, None, "198.51.100.7", "GET /nothing").steps;
    let said: Vec<_> = steps
        .iter()
        .map(|step| (step.check, step.passed, step.detail.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("site networks", true, "none are set, so any address will do"),
            ("area", false, "no area of the site `console` holds `/nothing`"),
            ("session", false, "nobody is signed in"),
        ]
    );
}

#[test]
fn whoever_is_signed_in_may_use_what_is_open_to_them() {
    let policy = compiled(&console());
    assert_eq!(code(&policy, Some(visitor("remover")), "GET /static/x"), "allowed");
    assert_eq!(code(&policy, Some(visitor("remover")), "GET /nothing"), "no_area");
    assert_eq!(
        code(&policy, Some(visitor("remover")), "GET /DEVICES/7"),
        "case_ambiguous"
    );
    assert_eq!(code(&policy, Some(visitor("nobody")), "GET /static/x"), "role_unknown");
}

#[test]
fn all_networks_that_are_set_must_pass() {
    let mut rules = console();
    rules.networks.insert(
        "office".to_owned(),
        texts(&["198.51.100.0/24", "203.0.113.7", "!198.51.100.66"]),
    );
    rules.sites.get_mut("console").unwrap().networks = Some(texts(&["office", "2001:db8::/32"]));
    rules.roles.get_mut("operator").unwrap().networks = Some(texts(&["198.51.100.0/25"]));
    let policy = compiled(&rules);
    let own = NetworkSet::parse(["198.51.100.7"]).unwrap();
    let of_account = Visitor {
        networks: Some(&own),
        ..visitor("operator")
    };
    for (who, from, expected) in [
        (None, "192.0.2.1", Refusal::AddressNotAllowed(Scope::Site)),
        (None, "198.51.100.66", Refusal::AddressNotAllowed(Scope::Site)),
        (None, "198.51.100.65", Refusal::SignInRequired),
        (None, "2001:db8::1", Refusal::SignInRequired),
        (
            Some(visitor("operator")),
            "203.0.113.7",
            Refusal::AddressNotAllowed(Scope::Role),
        ),
        (
            Some(of_account),
            "198.51.100.8",
            Refusal::AddressNotAllowed(Scope::Account),
        ),
        (Some(of_account), "203.0.113.7", Refusal::AddressNotAllowed(Scope::Role)),
    ] {
        let explanation = explained(&policy, who, from, "GET /devices/7");
        assert_eq!(explanation.decision, Decision::Refuse(expected), "{from}");
        assert!(!explanation.steps.last().unwrap().passed);
    }
    let explanation = explained(&policy, Some(of_account), "::ffff:198.51.100.7", "GET /devices/7");
    assert!(matches!(explanation.decision, Decision::Allow(_)));
    assert!(explanation.steps.iter().all(|step| step.passed));
}

#[test]
fn absent_networks_are_anywhere_and_an_empty_list_is_nowhere() {
    let mut rules = console();
    rules.roles.get_mut("viewer").unwrap().networks = Some(Vec::new());
    let policy = compiled(&rules);
    assert_eq!(
        code(&policy, Some(visitor("viewer")), "GET /devices/7"),
        "address_not_allowed_role"
    );
    assert_eq!(code(&policy, Some(visitor("operator")), "GET /devices/7"), "allowed");
    let nowhere = NetworkSet::default();
    let locked_in = Visitor {
        networks: Some(&nowhere),
        ..visitor("operator")
    };
    assert_eq!(
        code(&policy, Some(locked_in), "GET /devices/7"),
        "address_not_allowed_account"
    );
}

#[test]
fn an_account_without_the_networks_its_role_demands_is_refused() {
    let mut rules = console();
    rules.roles.get_mut("operator").unwrap().account_networks.required = true;
    let policy = compiled(&rules);
    assert_eq!(
        code(&policy, Some(visitor("operator")), "GET /devices/7"),
        "account_has_no_networks"
    );
    let address = ClientAddress::of_peer("198.51.100.7".parse().unwrap());
    assert_eq!(
        policy.admits_address(&visitor("operator"), address),
        Err(Refusal::AccountHasNoNetworks)
    );
    assert_eq!(policy.admits_address(&visitor("viewer"), address), Ok(()));
    assert_eq!(
        policy.admits_address(&visitor("ghost"), address),
        Err(Refusal::RoleUnknown)
    );
}

#[test]
fn a_channel_the_role_may_not_use_is_refused() {
    let mut rules = console();
    rules
        .channels
        .insert("client".to_owned(), crate::rules::ChannelRules::default());
    rules.roles.get_mut("viewer").unwrap().channels = Some(texts(&["client"]));
    rules.roles.get_mut("operator").unwrap().channels = Some(Vec::new());
    let policy = compiled(&rules);
    let by_client = |role| Visitor {
        channel: "client",
        ..visitor(role)
    };
    assert_eq!(
        code(&policy, Some(visitor("viewer")), "GET /devices/7"),
        "channel_not_allowed"
    );
    assert_eq!(code(&policy, Some(by_client("viewer")), "GET /devices/7"), "allowed");
    assert_eq!(
        code(&policy, Some(by_client("admin")), "GET /devices/7"),
        "channel_not_allowed"
    );
    assert_eq!(
        code(&policy, Some(visitor("operator")), "GET /devices/7"),
        "channel_not_allowed"
    );
    assert!(policy.may_use_channel("viewer", "client") && !policy.may_use_channel("ghost", "browser"));
}

#[test]
fn a_second_factor_that_is_asked_for_has_to_be_shown() {
    let mut rules = console();
    rules.second_factor.ask = SecondFactor::Required;
    rules.roles.get_mut("viewer").unwrap().second_factor = Some(SecondFactor::Optional);
    let policy = compiled(&rules);
    let without = |role| Visitor {
        second_factor: false,
        ..visitor(role)
    };
    assert_eq!(
        code(&policy, Some(without("operator")), "GET /devices/7"),
        "second_factor_required"
    );
    assert_eq!(code(&policy, Some(visitor("operator")), "GET /devices/7"), "allowed");
    assert_eq!(code(&policy, Some(without("viewer")), "GET /devices/7"), "allowed");
    assert_eq!(code(&policy, Some(without("operator")), "GET /shop/x"), "allowed");
}

#[test]
fn the_checks_are_made_in_their_order() {
    let mut rules = console();
    rules.sites.get_mut("console").unwrap().networks = Some(texts(&["198.51.100.0/24"]));
    let viewer = rules.roles.get_mut("viewer").unwrap();
    viewer.networks = Some(texts(&["198.51.100.0/28"]));
    viewer.account_networks.required = true;
    viewer.second_factor = Some(SecondFactor::Required);
    let policy = compiled(&rules);
    // Everything is wrong at first; then one thing after the other is put right.
    let own = NetworkSet::parse(["198.51.100.7"]).unwrap();
    let mut who = Visitor {
        role: "ghost",
        channel: "client",
        second_factor: false,
        ..visitor("viewer")
    };
    let asked = "POST /settings";
    let refused = |who: Option<Visitor<'_>>, from: &str| match explained(&policy, who, from, asked).decision {
        Decision::Refuse(refusal) => refusal.code(),
        Decision::Allow(_) => "allowed",
    };
    assert_eq!(refused(Some(who), "192.0.2.1"), "address_not_allowed_site");
    assert_eq!(refused(None, "198.51.100.77"), "sign_in_required");
    assert_eq!(refused(Some(who), "198.51.100.77"), "role_unknown");
    who.role = "viewer";
    assert_eq!(refused(Some(who), "198.51.100.77"), "channel_not_allowed");
    who.channel = "browser";
    assert_eq!(refused(Some(who), "198.51.100.77"), "second_factor_required");
    who.second_factor = true;
    assert_eq!(refused(Some(who), "198.51.100.77"), "address_not_allowed_role");
    assert_eq!(refused(Some(who), "198.51.100.8"), "account_has_no_networks");
    who.networks = Some(&own);
    assert_eq!(refused(Some(who), "198.51.100.8"), "address_not_allowed_account");
    assert_eq!(refused(Some(who), "198.51.100.7"), "not_granted");
    let steps = explained(&policy, Some(who), "198.51.100.7", asked).steps;
    let checks: Vec<_> = steps.iter().map(|step| step.check).collect();
    let order = [
        "site networks",
        "area",
        "session",
        "role",
        "channel",
        "second factor",
        "role networks",
        "account networks",
        "grant",
    ];
    assert_eq!(checks, order);
}

#[test]
fn an_account_may_hold_more_than_its_role_but_only_what_is_meant() {
    let policy = compiled(&console());
    let grant = |site: Option<&str>, area: &str, level, actions: &[&str]| ExtraGrant {
        site: site.map(str::to_owned),
        area: area.to_owned(),
        level,
        actions: texts(actions),
    };
    for (grants, asked, expected) in [
        (
            vec![grant(None, "settings", Level::View, &[])],
            "GET /settings",
            "allowed",
        ),
        (
            vec![grant(None, "settings", Level::View, &[])],
            "POST /settings",
            "not_granted",
        ),
        (
            vec![grant(Some("console"), "settings", Level::Manage, &[])],
            "POST /settings",
            "allowed",
        ),
        (
            vec![grant(Some("other"), "settings", Level::Manage, &[])],
            "POST /settings",
            "not_granted",
        ),
        (
            vec![grant(None, "devices", Level::None, &["delete"])],
            "DELETE /devices/7",
            "allowed",
        ),
        (
            vec![grant(None, "devices", Level::Manage, &[])],
            "DELETE /devices/7",
            "not_granted",
        ),
        (
            vec![grant(None, "*", Level::Manage, &[])],
            "GET /settings",
            "not_granted",
        ),
    ] {
        let who = Visitor {
            grants: &grants,
            ..visitor("viewer")
        };
        assert_eq!(code(&policy, Some(who), asked), expected, "{grants:?} {asked}");
    }
}

#[test]
fn the_rule_that_decided_is_named() {
    let policy = compiled(&console());
    let last = |who: Option<Visitor<'_>>, asked: &str| {
        let step = explained(&policy, who, "198.51.100.7", asked).steps.pop().unwrap();
        (step.check, step.passed, step.detail, step.rule)
    };
    let (check, passed, detail, rule) = last(Some(visitor("viewer")), "POST /devices/7");
    assert_eq!((check, passed), ("grant", false));
    assert_eq!(
        detail,
        "`manage` on `devices` is needed, and the role `viewer` is granted less"
    );
    assert_eq!(rule.as_deref(), Some("role.viewer.may.devices"));
    let (_, passed, _, rule) = last(Some(visitor("admin")), "DELETE /devices/7");
    assert!(passed);
    assert_eq!(rule.as_deref(), Some("role.admin.may.*"));
    let (_, passed, detail, rule) = last(None, "GET /shop/x");
    assert!(passed);
    assert_eq!(detail, "the area `public` is open to everyone");
    assert_eq!(rule.as_deref(), Some("site.console.areas.public.open_to"));
    let steps = explained(&policy, Some(visitor("admin")), "198.51.100.7", "GET /devices/7/delete").steps;
    assert_eq!(
        steps[1].detail,
        "`GET /devices/*/delete` of area `devices` is the most specific pattern for this path"
    );
    assert_eq!(
        steps[1].rule.as_deref(),
        Some("site.console.areas.devices.actions.delete[0]")
    );
}

#[test]
fn an_id_of_another_policy_opens_nothing() {
    let mut rules = console();
    let other = rules.sites.get("console").cloned().unwrap();
    rules.sites.insert("zebra".to_owned(), other);
    let larger = compiled(&rules);
    let policy = compiled(&console());
    let method = http::Method::GET;
    let target = Target::parse(&method, b"/shop/x").unwrap();
    for (who, expected) in [
        (None, Refusal::SignInRequired),
        (Some(visitor("admin")), Refusal::NoArea),
    ] {
        let question = Question {
            site: larger.site("zebra").unwrap(),
            target: &target,
            address: ClientAddress::of_peer("198.51.100.7".parse().unwrap()),
            visitor: who,
            preflight: false,
        };
        assert_eq!(decide(&policy, &question), Decision::Refuse(expected));
        assert_eq!(explain(&policy, &question).decision, Decision::Refuse(expected));
        assert_eq!(policy.site_name(question.site), "");
    }
    assert_eq!(policy.area_name(policy.site("console").unwrap(), AreaId(99)), "");
}

#[test]
fn a_policy_without_rules_opens_nothing() {
    let policy = compiled(&Rules::default());
    assert_eq!(policy.site("console"), None);
    assert_eq!(policy.default_role(), None);
    assert!(policy.has_channel("browser"));
}
