//! Targets that a site lets pass although servers read them differently: whatever server it is, what it finds is what was
//! judged.

use http::Method;
use proptest::prelude::*;

use crate::decide::{Decision, Question, Refusal, decide, explain};
use crate::request::{ClientAddress, Leniencies, Leniency, Target};
use crate::rules::{OpenTo, Rules};
use crate::test_support::targets::{any_leniencies, lenient_target};
use crate::test_support::{area, open_area};
use crate::{Policy, Revision, SiteId};

/// `a/**` and some below it open to everyone, the rest to whoever is granted it.
fn rules(allowed: Leniencies) -> Rules {
    let mut rules = Rules::default();
    let site = rules.sites.entry("s".to_owned()).or_default();
    site.allow = allowed;
    let everyone = ["/a/**", "/b/*", "/a*", "/", "/*/public", "/*/*/b"];
    site.areas
        .insert("open".to_owned(), open_area(&everyone, OpenTo::Everyone));
    let granted = [
        "/admin/**",
        "/a/b/**",
        "/a/admin",
        "/b/*/**",
        "/a.",
        "/a...b",
        "/public/a/c",
        "/Public/b/**",
    ];
    site.areas.insert("closed".to_owned(), area(&granted));
    rules
}

fn question<'a>(policy: &Policy, target: &'a Target<'a>) -> Question<'a> {
    Question {
        site: policy.site("s").unwrap(),
        target,
        address: ClientAddress::of_peer([192, 0, 2, 1].into()),
        visitor: None,
        preflight: false,
    }
}

/// How a server comes from the bytes it is sent to the name of a resource.
#[derive(Debug, Clone, Copy)]
struct Server {
    /// How often it decodes; once more than it should, twice more.
    decodes: usize,
    /// What it leaves escaped when it decodes first.
    keeps: &'static [&'static str],
    /// Whether a backslash is a separator.
    backslash: bool,
    /// Whether parameters are cut off before it decodes, or after.
    parameters_first: bool,
    parameters_last: bool,
    /// Whether it looks for a query or a fragment in what it has decoded.
    ends: bool,
    /// Whether it brings text to its compatibility form.
    compatible: bool,
    /// Whether it takes several slashes for one.
    merges: bool,
    /// Whether it takes letters of either case for the same.
    folds: bool,
}

fn any_server() -> impl Strategy<Value = Server> {
    let keeps = prop::sample::select(vec![
        &[][..],
        &["2F"],
        &["2F", "5C"],
        &["3F", "23"],
        &["3B"],
        &["25"],
        &["2F", "5C", "3B", "3F", "23", "25"],
    ]);
    let habits = any::<[bool; 7]>();
    (1..4_usize, keeps, habits).prop_map(|(decodes, keeps, habits)| Server {
        decodes,
        keeps,
        backslash: habits[0],
        parameters_first: habits[1],
        parameters_last: habits[2],
        ends: habits[3],
        compatible: habits[4],
        merges: habits[5],
        folds: habits[6],
    })
}

impl Server {
    /// The name of the resource, its segments not yet resolved.
    fn name(self, sent: &str) -> String {
        let mut name = sent.to_owned();
        if self.parameters_first {
            name = without_parameters(&name);
        }
        for round in 0..self.decodes {
            name = decoded(&name, if round == 0 { self.keeps } else { &[] });
        }
        if self.compatible {
            name = compatible(&name);
        }
        if self.ends {
            name = name.split(['?', '#']).next().unwrap().to_owned();
        }
        if self.backslash {
            name = name.replace('\\', "/");
        }
        if self.parameters_last {
            name = without_parameters(&name);
        }
        while self.merges && name.contains("//") {
            name = name.replace("//", "/");
        }
        name
    }
}

fn without_parameters(path: &str) -> String {
    let cut = path.split('/').map(|segment| segment.split(';').next().unwrap());
    cut.collect::<Vec<_>>().join("/")
}

/// What is no escape stays.
fn decoded(text: &str, keeps: &[&str]) -> String {
    let mut decoded = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let byte = code
            .filter(|code| *first == b'%' && code.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .filter(|code| !keeps.contains(&code.to_ascii_uppercase().as_str()));
        match byte {
            Some(code) => {
                decoded.push(u8::from_str_radix(code, 16).unwrap());
                rest = &after[2..];
            }
            None => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(decoded).expect("UTF-8 once decoded")
}

/// The compatibility form, as far as this test's pieces go.
fn compatible(text: &str) -> String {
    let pairs = [
        ("／", "/"),
        ("．", "."),
        ("‥", ".."),
        ("…", "..."),
        ("℀", "a/c"),
        ("％", "%"),
        ("；", ";"),
        ("¥", "\\"),
    ];
    pairs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Whether everybody may have the resource of that name.
fn is_open(policy: &Policy, site: SiteId, name: &str) -> bool {
    let site = policy.site_at(site).unwrap();
    let found = site.rule_for(name, crate::verb::Verb::Get);
    found.is_some_and(|found| found.ground.open_to == OpenTo::Everyone)
}

#[test]
fn a_session_at_the_end_is_judged_with_what_it_stands_behind_and_without() {
    let mut rules = Rules::default();
    let site = rules.sites.entry("s".to_owned()).or_default();
    site.allow = Leniencies::NONE.with(Leniency::Semicolon);
    let everyone = ["/app/**", "/public"];
    site.areas
        .insert("open".to_owned(), open_area(&everyone, OpenTo::Everyone));
    site.areas.insert("closed".to_owned(), area(&["/**"]));
    let policy = crate::compile(&rules, Revision(1)).unwrap();
    let allowed = policy.leniencies(policy.site("s").unwrap());
    // `app;jsessionid=1` is a page of the closed area to whoever cuts nothing off.
    for (raw, passes) in [
        ("/app/x;jsessionid=1", true),
        ("/app;jsessionid=1", false),
        ("/public;jsessionid=1", false),
        ("/public", true),
        ("/x;jsessionid=1", false),
    ] {
        let target = Target::parse_leniently(&Method::GET, raw.as_bytes(), allowed).unwrap();
        let decision = decide(&policy, &question(&policy, &target));
        assert_eq!(matches!(decision, Decision::Allow(_)), passes, "{raw}");
    }
}

#[test]
fn a_path_with_two_readings_passes_only_if_both_do() {
    let mut rules = rules(
        Leniencies::NONE
            .with(Leniency::EncodedSlash)
            .with(Leniency::EncodedHash),
    );
    let judge = |rules: &Rules, raw: &'static str| {
        let policy = crate::compile(rules, Revision(1)).unwrap();
        let allowed = policy.leniencies(policy.site("s").unwrap());
        let target = Target::parse_leniently(&Method::GET, raw.as_bytes(), allowed).unwrap();
        let explanation = explain(&policy, &question(&policy, &target));
        assert_eq!(decide(&policy, &question(&policy, &target)), explanation.decision);
        explanation
    };
    assert!(matches!(judge(&rules, "/a/x%2Fy").decision, Decision::Allow(_)));
    // `/b/*` holds the one, `/b/*/**` of a closed area the other.
    let refused = judge(&rules, "/b/x%2Fy");
    assert_eq!(refused.decision, Decision::Refuse(Refusal::SignInRequired));
    let reading = refused.steps.iter().find(|step| step.check == "reading").unwrap();
    assert_eq!(
        reading.detail,
        "a console may also read the path as `/b/x/y`, which has to pass as well"
    );
    // No area holds the other: what no rule allows is refused.
    assert_eq!(
        judge(&rules, "/c%2Fd/public").decision,
        Decision::Refuse(Refusal::SignInRequired)
    );
    assert_eq!(
        judge(&rules, "/admin%23/public").decision,
        Decision::Refuse(Refusal::SignInRequired)
    );
    rules.sites.get_mut("s").unwrap().allow = Leniencies::NONE;
    let policy = crate::compile(&rules, Revision(2)).unwrap();
    assert!(policy.leniencies(policy.site("s").unwrap()).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16_384))]

    #[test]
    fn whatever_a_server_makes_of_what_passes_lies_where_it_was_judged_to(
        raw in lenient_target(),
        allowed in any_leniencies(),
        servers in prop::collection::vec(any_server(), 16),
    ) {
        let policy = crate::compile(&rules(allowed), Revision(1)).unwrap();
        let tells_apart = |one: &Leniency| *one == Leniency::CaseSensitive;
        let folding = allowed.iter().filter(|one| !tells_apart(one)).chain([Leniency::CaseInsensitive]);
        let folding = crate::compile(&rules(folding.collect()), Revision(1)).unwrap();
        let Ok(target) = Target::parse_leniently(&Method::GET, &raw, allowed) else { return Ok(()) };
        let question = question(&policy, &target);
        let decision = decide(&policy, &question);
        prop_assert_eq!(explain(&policy, &question).decision, decision);
        let opened = matches!(decision, Decision::Allow(_));
        for server in servers {
            let name = server.name(target.path());
            let leads_elsewhere = |segment: &str| segment == "." || segment.ends_with("..");
            prop_assert!(!name.split('/').any(leads_elsewhere), "{:?}: {name}", server);
            prop_assert!(!name.starts_with("//"), "{:?}: {name}", server);
            let (found_by, name) = match server.folds && !allowed.contains(Leniency::CaseSensitive) {
                true => (&folding, name.to_ascii_lowercase()),
                false => (&policy, name),
            };
            prop_assert!(!opened || is_open(found_by, question.site, &name), "{:?}: {name}", server);
        }
    }

    #[test]
    fn a_target_let_pass_and_its_canonical_spelling_are_judged_alike(
        raw in lenient_target(),
        allowed in any_leniencies(),
    ) {
        let policy = crate::compile(&rules(allowed), Revision(1)).unwrap();
        let Ok(target) = Target::parse_leniently(&Method::GET, &raw, allowed) else { return Ok(()) };
        let sent = target.path().to_owned();
        let again = Target::parse_leniently(&Method::GET, sent.as_bytes(), allowed).unwrap();
        prop_assert_eq!(decide(&policy, &question(&policy, &target)), decide(&policy, &question(&policy, &again)));
    }
}
