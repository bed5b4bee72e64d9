//! Known attacks on gateways of this kind, as far as the pure core answers them: path confusion (A), identity of the caller
//! (B) and configuration (I). Each line names the class it closes. The consoles' side of the same cases is in the top-level
//! tests, over real sockets.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a broken fixture should stop the test here"
)]

use http::Method;
use stagedoor_policy::network::NetworkSet;
use stagedoor_policy::request::{
    AddressFault, ClientAddress, Host, Leniencies, Leniency, Target, TargetFault, from_forwarded_for,
};
use stagedoor_policy::rules::{AreaRules, OpenTo, RoleRules, Rules};
use stagedoor_policy::{Decision, Policy, Question, Revision, Visitor, compile, decide, explain};

/// `/public/**` for everyone, `/app/**` for users, `/admin/**` for admins from 10.0.0.0/8; nothing else.
fn rules() -> Rules {
    let area = |path: &str, open_to| AreaRules {
        paths: vec![path.to_owned()],
        open_to,
        ..AreaRules::default()
    };
    let role = |area: &str, networks: Option<&str>| RoleRules {
        may: [(area.to_owned(), vec!["manage".to_owned()])].into(),
        networks: networks.map(|network| vec![network.to_owned()]),
        ..RoleRules::default()
    };
    let mut rules = Rules::default();
    let areas = &mut rules.sites.entry("a".to_owned()).or_default().areas;
    areas.insert("public".to_owned(), area("/public/**", OpenTo::Everyone));
    areas.insert("app".to_owned(), area("/app/**", OpenTo::Granted));
    areas.insert("admin".to_owned(), area("/admin/**", OpenTo::Granted));
    rules.roles.insert("user".to_owned(), role("app", None));
    rules.roles.insert("admin".to_owned(), role("*", Some("10.0.0.0/8")));
    rules
}

fn policy() -> Policy {
    compile(&rules(), Revision(1)).unwrap()
}

/// The code of the fault or the refusal, or the area that was opened.
fn outcome(policy: &Policy, method: &str, raw: &[u8], role: Option<&str>, from: &str) -> String {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let target = match Target::parse(&method, raw) {
        Ok(target) => target,
        Err(fault) => return fault.as_str().to_owned(),
    };
    let visitor = role.map(|role| Visitor {
        role,
        grants: &[],
        networks: None,
        channel: "browser",
        second_factor: true,
    });
    let question = Question {
        site: policy.site("a").unwrap(),
        target: &target,
        address: ClientAddress::of_peer(from.parse().unwrap()),
        visitor,
        preflight: false,
    };
    let decision = decide(policy, &question);
    assert_eq!(explain(policy, &question).decision, decision);
    match decision {
        Decision::Allow(permit) => policy.area_name(permit.site(), permit.area()).to_owned(),
        Decision::Refuse(refusal) => refusal.code().to_owned(),
    }
}

/// The class, what is sent, and the code it is refused with.
const CONFUSED: &[(&str, &str, &str)] = &[
    ("A02 fragment", "/admin#/public/x", "raw_hash"),
    ("A02 fragment", "/public#/../admin", "raw_hash"),
    ("A02 fragment", "/admin/s#x.png", "raw_hash"),
    ("A02 fragment", "/admin%23/public", "encoded_hash"),
    ("A02 fragment in the query", "/public?x#/admin", "query_hash"),
    ("A04 encoded dots", "/public/%2e%2e/admin", "encoded_dot"),
    ("A04 encoded dots", "/public/.%2E/admin", "encoded_dot"),
    ("A04 encoded dots", "/public/%2e./admin", "encoded_dot"),
    ("A04 plain dots", "/public/../admin", "dot_segment"),
    ("A04 plain dots", "/public/./x", "dot_segment"),
    ("A04 plain dots", "/public/..", "dot_segment"),
    (
        "A06 double decoding",
        "/unauth/%252e%252e/php/ztp_gate.php/PAN_help/x.css",
        "encoded_percent",
    ),
    ("A06 double decoding", "/public/%252e%252e/admin", "encoded_percent"),
    ("A06 double decoding", "/%2561dmin", "encoded_percent"),
    ("A08 path parameters", "/public/..;/admin/", "raw_semicolon"),
    ("A08 path parameters", "/public/..;x=1/admin", "raw_semicolon"),
    ("A08 path parameters", "/;/admin", "raw_semicolon"),
    ("A08 path parameters", "/admin;jsessionid=1/users", "raw_semicolon"),
    ("A08 path parameters", "/adm;x=y/in", "raw_semicolon"),
    ("A08 path parameters", "/public/..%3b/admin", "encoded_semicolon"),
    ("A12 not origin-form", "admin/users", "not_origin_form"),
    ("A12 not origin-form", "file:/admin", "not_origin_form"),
    ("A12 not origin-form", "http:admin/x", "not_origin_form"),
    ("A12 not origin-form", "http:http://a.test/admin", "not_origin_form"),
    ("A12 not origin-form", "http://a.test/admin", "not_origin_form"),
    ("A12 not origin-form", "?x=/admin", "not_origin_form"),
    ("A12 not origin-form", "*", "not_origin_form"),
    ("A12 not origin-form", "a.test:80", "not_origin_form"),
    ("A12 not origin-form", "", "not_origin_form"),
    ("A14 white space", " /admin", "not_origin_form"),
    ("A14 white space", "/a b", "raw_space"),
    ("A14 white space", "/a\tb", "raw_control"),
    ("A14 white space", "/ad\0min", "raw_control"),
    ("A14 white space", "/public HTTP/1.1 /admin", "raw_space"),
    ("A14 white space in the query", "/public?a b", "query_control"),
    ("A04 more dots than two", "/public/.../admin", "dot_segment"),
    ("A04 dots and blanks", "/public/..%20/admin", "dot_segment"),
    ("A04 dots and blanks", "/public/.%20./admin", "dot_segment"),
    ("A16 slash at the alias", "/static..%2fapp.conf", "encoded_slash"),
    ("A16 slash at the alias", "/static../admin", "dot_segment"),
    ("A16 slash at the alias", "/static..", "dot_segment"),
    ("A18 line ends", "/admin/x%0a", "encoded_control"),
    ("A18 line ends", "/admin/%0d", "encoded_control"),
    ("A18 line ends", "/public%0a/admin", "encoded_control"),
    ("A18 next line of Unicode", "/public%c2%85/admin", "encoded_control"),
    ("A22 reserved prefix", "/.stagedoor/../admin", "dot_segment"),
    ("A22 reserved prefix", "/.stagedoor%2flogin", "encoded_slash"),
    ("separators", "//admin", "empty_segment"),
    ("separators", "/public//admin", "empty_segment"),
    ("separators", "/public\\..\\admin", "raw_backslash"),
    ("separators", "/public%5cadmin", "encoded_backslash"),
    ("truncation", "/public%00/admin", "encoded_nul"),
    ("truncation", "/public%3f/admin", "encoded_question_mark"),
    ("overlong UTF-8", "/public/%c0%ae%c0%ae/admin", "not_utf8"),
    ("overlong UTF-8", "/public/%e0%80%afadmin", "not_utf8"),
    ("surrogates", "/public/%ed%a0%80", "not_utf8"),
    ("broken escapes", "/public/%zz", "bad_escape"),
    ("broken escapes", "/public/%u002e", "bad_escape"),
    ("broken escapes", "/public/%2", "bad_escape"),
    ("broken escapes", "/public/%", "bad_escape"),
    ("delimiters", "/public/<x>", "raw_bracket"),
    ("delimiters", "/public/{x}", "raw_delimiter"),
    ("raw UTF-8", "/publiç", "raw_non_ascii"),
    ("raw UTF-8 in the query", "/public?ç", "query_non_ascii"),
];

#[test]
fn path_confusion_is_refused_before_it_is_judged() {
    let policy = policy();
    for (class, raw, code) in CONFUSED {
        for role in [None, Some("user"), Some("admin")] {
            assert_eq!(
                outcome(&policy, "GET", raw.as_bytes(), role, "10.0.0.5"),
                *code,
                "{class}: {raw}"
            );
        }
    }
    assert_eq!(
        outcome(&policy, "GET", b"/public/\xff", None, "10.0.0.5"),
        "raw_non_ascii"
    );
    assert_eq!(outcome(&policy, "OPTIONS", b"*", None, "10.0.0.5"), "not_origin_form");
}

#[test]
fn another_spelling_of_admin_is_admin_or_nothing() {
    let policy = policy();
    for (class, raw, user, admin) in [
        ("A10 letter case", "/ADMIN", "case_ambiguous", "case_ambiguous"),
        ("A10 letter case", "/Admin", "case_ambiguous", "case_ambiguous"),
        ("A10 letter case", "/%41dmin", "case_ambiguous", "case_ambiguous"),
        ("A10 encoded letter", "/%61dmin", "not_granted", "admin"),
        ("A10 encoded letter", "/%61%64%6D%69%6e/x", "not_granted", "admin"),
        ("A16 segment boundary", "/publicadmin", "no_area", "no_area"),
        ("A22 reserved prefix", "/.STAGEDOOR/login", "no_area", "no_area"),
        ("A22 reserved prefix", "/.stagedoorx/", "no_area", "no_area"),
        ("trailing slash", "/admin/", "not_granted", "admin"),
        ("trailing slash", "/admin", "not_granted", "admin"),
        ("query", "/admin?/public", "not_granted", "admin"),
    ] {
        assert_eq!(
            outcome(&policy, "GET", raw.as_bytes(), Some("user"), "10.0.0.5"),
            user,
            "{class}: {raw}"
        );
        assert_eq!(
            outcome(&policy, "GET", raw.as_bytes(), Some("admin"), "10.0.0.5"),
            admin,
            "{class}: {raw}"
        );
        assert_eq!(
            outcome(&policy, "GET", raw.as_bytes(), None, "10.0.0.5"),
            "sign_in_required",
            "{class}: {raw}"
        );
    }
}

#[test]
fn a_slash_of_another_script_is_no_part_of_a_name() {
    // A slash or a dot to whoever brings text to its compatibility form, or to a code page.
    for raw in [
        "/public%ef%bc%8f..%ef%bc%8fadmin",
        "/public/%ef%bc%8e%ef%bc%8e/admin",
        "/public/%e2%80%a5/admin",
        "/public/..%e2%88%95admin",
        "/public/..%c2%a5admin",
        "/public/%e2%84%80",
        "/public%ef%bc%9bx/admin",
        "/public/%ef%bc%852e",
    ] {
        let outcome = outcome(&policy(), "GET", raw.as_bytes(), Some("admin"), "10.0.0.5");
        assert_eq!(outcome, "look_alike", "{raw}");
    }
}

#[test]
fn a_method_is_on_the_list_in_its_own_spelling_or_refused() {
    let policy = policy();
    for method in ["get", "GETX", "TRACE", "PROPFIND", "CONNECT", "Post"] {
        assert_eq!(
            outcome(&policy, method, b"/public/x", None, "10.0.0.5"),
            "method_not_allowed",
            "A20 {method}"
        );
    }
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        assert_eq!(
            outcome(&policy, method, b"/admin?_method=GET", Some("user"), "10.0.0.5"),
            "not_granted",
            "A20 {method}"
        );
    }
}

#[test]
fn every_code_of_a_target_fault_is_reachable() {
    let long_path = format!("/{}", "a".repeat(5000));
    let long_target = format!("/?{}", "a".repeat(20_000));
    let all: [(&str, &str, TargetFault); 32] = [
        ("TRACE", "/", TargetFault::MethodNotAllowed),
        ("GET", "x", TargetFault::NotOriginForm),
        ("GET", &long_target, TargetFault::TargetTooLong),
        ("GET", &long_path, TargetFault::PathTooLong),
        ("GET", "/é", TargetFault::RawNonAscii),
        ("GET", "/\r", TargetFault::RawControl),
        ("GET", "/ ", TargetFault::RawSpace),
        ("GET", "/#", TargetFault::RawHash),
        ("GET", "/\\", TargetFault::RawBackslash),
        ("GET", "/|", TargetFault::RawDelimiter),
        ("GET", "/<", TargetFault::RawBracket),
        ("GET", "/;", TargetFault::RawSemicolon),
        ("GET", "/%4", TargetFault::BadEscape),
        ("GET", "/%00", TargetFault::EncodedNul),
        ("GET", "/%7f", TargetFault::EncodedControl),
        ("GET", "/%2F", TargetFault::EncodedSlash),
        ("GET", "/%5C", TargetFault::EncodedBackslash),
        ("GET", "/%2E", TargetFault::EncodedDot),
        ("GET", "/%25", TargetFault::EncodedPercent),
        ("GET", "/%3B", TargetFault::EncodedSemicolon),
        ("GET", "/%3F", TargetFault::EncodedQuestionMark),
        ("GET", "/%23", TargetFault::EncodedHash),
        ("GET", "/%FF", TargetFault::NotUtf8),
        ("GET", "/a/..", TargetFault::DotSegment),
        ("GET", "/a//", TargetFault::EmptySegment),
        ("GET", "/a%EF%BC%8Fb", TargetFault::LookAlike),
        ("GET", "/a./b", TargetFault::WindowsName),
        ("GET", "/%2F%5C%3B%3F%23", TargetFault::TooManyReadings),
        ("GET", "/?\x7f", TargetFault::QueryControl),
        ("GET", "/?é", TargetFault::QueryNonAscii),
        ("GET", "/?#", TargetFault::QueryHash),
        ("GET", "/?\"", TargetFault::QueryBracket),
    ];
    for ((method, raw, fault), listed) in all.iter().zip(TargetFault::ALL) {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        // Where case is not folded there is no other name, and where nothing is allowed no other reading.
        let allowed = match fault {
            TargetFault::WindowsName => Leniencies::NONE.with(Leniency::CaseInsensitive),
            TargetFault::TooManyReadings => Leniencies::from_iter(Leniency::ALL),
            _ => Leniencies::NONE,
        };
        let parsed = Target::parse_leniently(&method, raw.as_bytes(), allowed);
        assert_eq!(parsed, Err(*fault), "{raw:.20}");
        assert_eq!(*fault, listed, "a fault without a case here");
    }
}

#[test]
fn an_address_is_what_can_be_vouched_for() {
    let policy = policy();
    let proxies = NetworkSet::parse(["192.0.2.0/24"]).unwrap();
    let client = |peer: &str, claims: &[&str]| {
        from_forwarded_for(
            peer.parse().unwrap(),
            claims.iter().map(|claim| claim.as_bytes()),
            &proxies,
        )
    };
    // B06: whatever a stranger claims, the peer is judged.
    assert_eq!(
        client("203.0.113.9", &["10.0.0.5"]).unwrap().ip().to_string(),
        "203.0.113.9"
    );
    assert_eq!(
        outcome(&policy, "GET", b"/admin", Some("admin"), "203.0.113.9"),
        "address_not_allowed_role"
    );
    // B06: what a client prepends is not looked at.
    assert_eq!(
        client("192.0.2.1", &["10.0.0.5, 203.0.113.9"])
            .unwrap()
            .ip()
            .to_string(),
        "203.0.113.9"
    );
    // B08: without declared proxies nobody is believed, private networks included.
    let nobody = NetworkSet::default();
    let believed = from_forwarded_for(
        "127.0.0.1".parse().unwrap(),
        [b"10.0.0.5".as_slice()].into_iter(),
        &nobody,
    );
    assert_eq!(believed.unwrap().ip().to_string(), "127.0.0.1");
    // B10: one spelling of an address, and no odd ones.
    assert_eq!(
        outcome(&policy, "GET", b"/admin", Some("admin"), "::ffff:10.0.0.5"),
        "admin"
    );
    assert_eq!(
        client("192.0.2.1", &["::ffff:10.0.0.1"]).unwrap().ip().to_string(),
        "10.0.0.1"
    );
    assert_eq!(
        client("192.0.2.1", &["::ffff:a00:1"]).unwrap().ip().to_string(),
        "10.0.0.1"
    );
    for odd in ["010.0.0.1", "0x0a.1", "fe80::1%eth0", "localhost", "10.0.0.1\r\nX: y"] {
        assert!(
            matches!(client("192.0.2.1", &[odd]), Err(AddressFault::Unparsable(_))),
            "{odd}"
        );
    }
    assert_eq!(client("192.0.2.1", &[]), Err(AddressFault::Missing));
}

#[test]
fn a_host_has_one_reading() {
    // B12: no user information, no list, no encoded or odd address.
    for odd in [
        "user@a.test",
        "a.test, b.test",
        "a.test%00.b.test",
        "0x7f.1",
        "127.1",
        "[::1%lo]",
        "a.test:80:81",
        "",
    ] {
        assert!(Host::parse(odd.as_bytes()).is_err(), "{odd}");
    }
    assert_eq!(Host::parse(b"A.TEST.:443").unwrap().name(), "a.test");
}

#[test]
fn a_misspelt_network_is_a_fault_and_never_wider() {
    // I04
    for odd in [
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/8 ",
        "010.0.0.0/8",
        "::ffff:10.0.0.0/104",
    ] {
        let mut rules = rules();
        rules.roles.get_mut("admin").unwrap().networks = Some(vec![odd.to_owned()]);
        let faults = compile(&rules, Revision(1)).map(|_| ()).unwrap_err();
        assert_eq!(faults.len(), 1, "{odd}");
        assert_eq!(faults[0].at.to_string(), "role.admin.networks[0]", "{odd}");
        assert!(faults[0].message.contains(&format!("`{odd}`")), "{}", faults[0].message);
    }
}
