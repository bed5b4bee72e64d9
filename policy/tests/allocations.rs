//! What every request pays for: judging it takes nothing from the heap, however large the policy is.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a broken fixture should stop the test here"
)]

use http::Method;
use stagedoor_policy::network::NetworkSet;
use stagedoor_policy::request::{
    ClientAddress, Leniencies, Leniency, PATH_BYTES_MAX, READINGS_MAX, Target, from_forwarded_for,
};
use stagedoor_policy::rules::{AreaRules, RoleRules, Rules};
use stagedoor_policy::{Decision, ExtraGrant, Level, Policy, Question, Revision, Visitor, compile, decide};

fn list(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// Two thousand areas, one with everything an area can have, and networks wherever there can be some.
fn large_policy() -> Policy {
    let mut rules = Rules::default();
    let prefixes = (0..2000).map(|n| format!("10.{}.{}.0/24", n / 250, n % 250));
    rules.networks.insert("branches".to_owned(), prefixes.collect());
    let site = rules.sites.entry("console".to_owned()).or_default();
    site.networks = Some(list(&["branches", "2001:db8::/32", "!2001:db8:1::/48"]));
    for number in 0..2000 {
        let paths = vec![format!("/area-{number}/**"), format!("/*/{number}/x-*.php")];
        site.areas.insert(
            format!("area-{number}"),
            AreaRules {
                paths,
                ..AreaRules::default()
            },
        );
    }
    let devices = AreaRules {
        paths: list(&["/devices/**"]),
        manage_also: list(&["GET /devices/*/reboot"]),
        actions: [("wipe".to_owned(), list(&["POST /devices/*/wipe"]))].into(),
        ..AreaRules::default()
    };
    site.areas.insert("devices".to_owned(), devices);
    let reports = AreaRules {
        paths: list(&["/Reports/**"]),
        ..AreaRules::default()
    };
    site.areas.insert("reports".to_owned(), reports);
    let viewer = RoleRules {
        may: [
            ("*".to_owned(), list(&["view"])),
            ("area-7".to_owned(), list(&["manage"])),
        ]
        .into(),
        networks: Some(list(&["branches"])),
        ..RoleRules::default()
    };
    rules.roles.insert("viewer".to_owned(), viewer);
    compile(&rules, Revision(1)).unwrap()
}

#[test]
fn judging_a_request_does_not_allocate() {
    let policy = large_policy();
    let own = NetworkSet::parse(["10.0.0.0/8", "!10.0.0.66"]).unwrap();
    let grants = [ExtraGrant {
        site: Some("console".to_owned()),
        area: "devices".to_owned(),
        level: Level::None,
        actions: list(&["wipe"]),
    }];
    let visitor = Visitor {
        role: "viewer",
        grants: &grants,
        networks: Some(&own),
        channel: "browser",
        second_factor: true,
    };
    for (method, path, address, opens) in [
        (Method::GET, "/devices/7", "10.1.2.3", true),
        (Method::POST, "/devices/7/wipe", "10.1.2.3", true),
        (Method::GET, "/devices/7/reboot", "10.1.2.3", false),
        (Method::POST, "/area-7/a/b/c", "10.1.2.3", true),
        (Method::GET, "/z/1999/x-y.php", "10.1.2.3", true),
        (Method::GET, "/z/1999/x-y.phq", "10.1.2.3", false),
        (Method::GET, "/devices/A7", "10.1.2.3", true),
        (Method::GET, "/Devices/7", "10.1.2.3", false),
        (Method::GET, "/reports/x", "10.1.2.3", false),
        (Method::GET, "/Reports/X", "10.1.2.3", true),
        (Method::GET, "/devices/7", "10.0.0.66", false),
        (Method::GET, "/devices/7", "192.0.2.1", false),
        (Method::GET, "/devices/7", "2001:db8::1", false),
    ] {
        let target = Target::parse(&method, path.as_bytes()).unwrap();
        let question = Question {
            site: policy.site("console").unwrap(),
            target: &target,
            address: ClientAddress::of_peer(address.parse().unwrap()),
            visitor: Some(visitor),
            preflight: false,
        };
        let stranger = Question {
            visitor: None,
            ..question
        };
        let counted = allocation_counter::measure(|| {
            let decision = decide(&policy, &question);
            assert_eq!(
                matches!(decision, Decision::Allow(_)),
                opens,
                "{method} {path} from {address}"
            );
            assert!(matches!(decide(&policy, &stranger), Decision::Refuse(_)));
        });
        assert_eq!(counted.count_total, 0, "{method} {path} from {address}");
    }
}

#[test]
fn reading_a_canonical_target_and_an_address_does_not_allocate() {
    let trusted = NetworkSet::parse(["192.0.2.0/24"]).unwrap();
    let counted = allocation_counter::measure(|| {
        let target = Target::parse(&Method::GET, b"/devices/7/edit?tab=network").unwrap();
        assert_eq!(target.rewritten(), None);
        let claims = [b"10.0.0.5, 203.0.113.9".as_slice()].into_iter();
        assert!(from_forwarded_for([192, 0, 2, 1].into(), claims, &trusted).is_ok());
    });
    assert_eq!(counted.count_total, 0);
    let all = Leniencies::from_iter(Leniency::ALL);
    let exact = all.iter().filter(|one| *one != Leniency::CaseInsensitive).collect();
    let counted = allocation_counter::measure(|| {
        for (plain, allowed, others) in [
            (b"/devices/7/edit?tab=network".as_slice(), all, 0),
            (b"/list.do;jsessionid=0a1b?x=1", all, 1),
            (b"/list.do;jsessionid=0A1B?x=1", exact, 1),
        ] {
            let target = Target::parse_leniently(&Method::GET, plain, allowed).unwrap();
            assert_eq!((target.rewritten(), target.other_readings().count()), (None, others));
        }
    });
    assert_eq!(
        counted.count_total, 0,
        "a plain path costs no more where much is allowed"
    );
    let counted = allocation_counter::measure(|| assert!(Target::parse(&Method::GET, b"/%61").is_ok()));
    assert!(counted.count_total > 0, "the counter counts");
}

/// Every reading is a copy of the path, so what is taken from the heap counts the readings that are made.
#[test]
fn a_path_of_many_readings_costs_no_more_than_so_many_copies_of_it() {
    let all = Leniencies::from_iter(Leniency::ALL);
    let cost = |doubts: &str, passes: bool| {
        let doubts = format!("/a{doubts}b");
        let path = doubts.repeat(PATH_BYTES_MAX / doubts.len());
        let counted = allocation_counter::measure(|| {
            let parsed = Target::parse_leniently(&Method::GET, path.as_bytes(), all);
            assert_eq!(parsed.is_ok(), passes, "{doubts}: {:?}", parsed.err());
        });
        counted.bytes_total / path.len() as u64
    };
    let one = cost("%2F", true);
    assert!(
        one > 2,
        "the counter counts: the path in two spellings and its readings"
    );
    // The spelling sent on, the one matched, each reading, and each once more where it is made anew without empty segments;
    // twice that for strings that grow.
    let most = 2 * (2 + 2 * READINGS_MAX as u64);
    for doubts in ["%2F%5C", "%5C%3B%23", "%2Fx%5Cx%3Bx%23"] {
        let cost = cost(doubts, true);
        assert!(cost <= most, "{doubts}: {cost} times its length, more than {most}");
    }
    // Whatever there is more is refused before one reading is made.
    for doubts in ["%2F%5C%3B%3F%23", "%2F%5C%3B%3F%23%C2%A5%EF%BC%9B%EF%BC%9F%EF%BC%83"] {
        let cost = cost(doubts, false);
        assert!(cost < 16, "{doubts}: {cost} times its length");
    }
}
