//! What holds for every policy and every question.

use std::collections::BTreeMap;

use http::Method;
use proptest::prelude::*;

use super::*;
use crate::policy::Revision;
use crate::rules::{AreaRules, OpenTo, RoleRules, Rules};
use crate::test_support::texts;

const AREAS: [&str; 3] = ["alpha", "beta", "gamma"];
const LISTS: [&str; 4] = ["192.0.2.0/24", "!192.0.2.128/25", "198.51.100.0/24", "!198.51.100.7"];

fn any_area() -> impl Strategy<Value = AreaRules> {
    let path = prop_oneof![
        "/[ab]",
        "/[ab]/\\*",
        "/[ab]/\\*\\*",
        "/[ab]/[ab]",
        "/\\*/[ab]",
        Just("/**".to_owned())
    ];
    let open = prop_oneof![4 => Just(OpenTo::Granted), 1 => Just(OpenTo::SignedIn), 1 => Just(OpenTo::Everyone)];
    let entry = prop_oneof!["GET /[ab]/[ab]", "POST /[ab]/\\*"];
    let entries = || proptest::collection::vec(entry.clone(), 0..2);
    (proptest::collection::vec(path, 1..3), open, entries(), entries()).prop_map(
        |(paths, open_to, manage_also, action)| {
            let mut area = AreaRules {
                paths,
                open_to,
                ..AreaRules::default()
            };
            if open_to == OpenTo::Granted {
                area.manage_also = manage_also;
                if !action.is_empty() {
                    area.actions.insert("wipe".to_owned(), action);
                }
            }
            area
        },
    )
}

fn any_networks() -> impl Strategy<Value = Option<Vec<String>>> {
    let lists = proptest::sample::subsequence(LISTS.to_vec(), 0..=LISTS.len());
    proptest::option::weighted(0.4, lists.prop_map(|lists| texts(&lists)))
}

fn any_may() -> impl Strategy<Value = BTreeMap<String, Vec<String>>> {
    let key = proptest::sample::select(vec!["*", "s/*", "s/alpha", "alpha", "beta", "gamma"]);
    let words = proptest::sample::select(vec!["view", "manage", "all", "none", "wipe", "view wipe"]);
    proptest::collection::btree_map(
        key.prop_map(str::to_owned),
        words.prop_map(|words| words.split(' ').map(str::to_owned).collect()),
        0..4,
    )
}

/// Rules that may well have faults; those are of no interest here.
fn any_rules() -> impl Strategy<Value = Rules> {
    let areas = proptest::collection::btree_map(proptest::sample::select(AREAS.to_vec()), any_area(), 1..4);
    (areas, any_may(), any_networks(), any_networks()).prop_map(|(areas, may, of_site, of_role)| {
        let mut rules = Rules::default();
        let site = rules.sites.entry("s".to_owned()).or_default();
        site.networks = of_site;
        site.areas = areas.into_iter().map(|(name, area)| (name.to_owned(), area)).collect();
        let role = RoleRules {
            may,
            networks: of_role,
            ..RoleRules::default()
        };
        rules.roles.insert("r".to_owned(), role);
        rules
    })
}

#[derive(Debug, Clone)]
struct Asked {
    method: Method,
    path: String,
    address: &'static str,
    signed_in: bool,
}

fn any_asked() -> impl Strategy<Value = Asked> {
    let method = proptest::sample::select(vec![Method::GET, Method::HEAD, Method::POST]);
    let path = prop_oneof![8 => "(/([ab]|%61|%62|%7e)){1,3}/?", 1 => Just("/".to_owned())];
    let address = proptest::sample::select(vec!["192.0.2.1", "192.0.2.200", "198.51.100.7", "198.51.100.8", "::1"]);
    (method, path, address, proptest::bool::weighted(0.8)).prop_map(|(method, path, address, signed_in)| Asked {
        method,
        path,
        address,
        signed_in,
    })
}

fn judged(policy: &Policy, asked: &Asked) -> Decision {
    judged_at(policy, asked, &asked.path)
}

fn judged_at(policy: &Policy, asked: &Asked, path: &str) -> Decision {
    let target = Target::parse(&asked.method, path.as_bytes()).unwrap();
    let visitor = Visitor {
        role: "r",
        grants: &[],
        networks: None,
        channel: "browser",
        second_factor: false,
    };
    let question = Question {
        site: policy.site("s").unwrap(),
        target: &target,
        address: ClientAddress::of_peer(asked.address.parse().unwrap()),
        visitor: asked.signed_in.then_some(visitor),
        preflight: false,
    };
    let explanation = explain(policy, &question);
    assert_eq!(decide(policy, &question), explanation.decision);
    let last = explanation.steps.last().unwrap();
    assert_eq!(last.passed, matches!(explanation.decision, Decision::Allow(_)));
    explanation.decision
}

fn is_open(decision: Decision) -> bool {
    matches!(decision, Decision::Allow(_))
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 200_000, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn another_spelling_is_judged_alike(rules in any_rules(), asked in proptest::collection::vec(any_asked(), 8)) {
        let Ok(policy) = crate::compile(&rules, Revision(1)) else { return Err(TestCaseError::reject("faulty")) };
        for asked in &asked {
            let canonical = Target::parse(&asked.method, asked.path.as_bytes()).unwrap().path().to_owned();
            prop_assert_eq!(judged(&policy, asked), judged_at(&policy, asked, &canonical));
        }
    }

    #[test]
    fn an_exception_more_never_opens_anything(
        rules in any_rules(),
        asked in proptest::collection::vec(any_asked(), 8),
        exception in proptest::sample::select(vec!["!192.0.2.1", "!192.0.2.0/25", "!198.51.100.0/25", "!::/0"]),
    ) {
        let Ok(before) = crate::compile(&rules, Revision(1)) else { return Err(TestCaseError::reject("faulty")) };
        for of_site in [true, false] {
            let mut narrower = rules.clone();
            let site = narrower.sites.get_mut("s").unwrap();
            let networks = if of_site { &mut site.networks } else { &mut narrower.roles.get_mut("r").unwrap().networks };
            networks.get_or_insert_with(|| texts(&["0.0.0.0/0", "::1"])).push(exception.to_owned());
            let Ok(after) = crate::compile(&narrower, Revision(2)) else { continue };
            for asked in &asked {
                prop_assert!(is_open(judged(&before, asked)) || !is_open(judged(&after, asked)), "{asked:?}");
            }
        }
    }

    #[test]
    fn a_grant_replaced_by_none_or_taken_from_everywhere_never_opens_anything(
        rules in any_rules(),
        asked in proptest::collection::vec(any_asked(), 8),
    ) {
        let Ok(before) = crate::compile(&rules, Revision(1)) else { return Err(TestCaseError::reject("faulty")) };
        let keys: Vec<String> = rules.roles["r"].may.keys().cloned().collect();
        for key in keys {
            let mut narrower = rules.clone();
            let may = &mut narrower.roles.get_mut("r").unwrap().may;
            if key == "*" {
                may.remove(&key);
            } else {
                may.insert(key, texts(&["none"]));
            }
            let Ok(after) = crate::compile(&narrower, Revision(2)) else { continue };
            for asked in &asked {
                prop_assert!(is_open(judged(&before, asked)) || !is_open(judged(&after, asked)), "{asked:?}");
            }
        }
    }

    #[test]
    fn the_order_of_lists_is_irrelevant(rules in any_rules(), asked in proptest::collection::vec(any_asked(), 8)) {
        let mut turned = rules.clone();
        let site = turned.sites.get_mut("s").unwrap();
        let role = turned.roles.get_mut("r").unwrap();
        site.networks.iter_mut().chain(&mut role.networks).chain(role.may.values_mut()).for_each(|list| list.reverse());
        for area in site.areas.values_mut() {
            let lists = [&mut area.paths, &mut area.manage_also].into_iter().chain(area.actions.values_mut());
            lists.for_each(|list| list.reverse());
        }
        let (one, other) = (crate::compile(&rules, Revision(1)), crate::compile(&turned, Revision(1)));
        prop_assert_eq!(one.is_ok(), other.is_ok());
        if let (Ok(one), Ok(other)) = (one, other) {
            for asked in &asked {
                prop_assert_eq!(judged(&one, asked), judged(&other, asked));
            }
        }
    }

    #[test]
    fn without_a_grant_only_open_areas_open(rules in any_rules(), asked in proptest::collection::vec(any_asked(), 8)) {
        let mut bare = rules.clone();
        bare.roles.get_mut("r").unwrap().may.clear();
        let Ok(policy) = crate::compile(&bare, Revision(1)) else { return Err(TestCaseError::reject("faulty")) };
        for asked in &asked {
            if let Decision::Allow(permit) = judged(&policy, asked) {
                let open_to = bare.sites["s"].areas[policy.area_name(permit.site(), permit.area())].open_to;
                prop_assert!(open_to == OpenTo::Everyone || asked.signed_in && open_to == OpenTo::SignedIn);
            }
        }
    }
}
