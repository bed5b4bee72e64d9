//! What the tests of several modules need: rules in few words, questions in fewer.

use http::Method;

use crate::policy::{Policy, Revision};
use crate::request::{ClientAddress, Target};
use crate::rules::{AreaRules, OpenTo, RoleRules, Rules};
use crate::{Decision, Explanation, Level, Question, Refusal, Visitor};

pub(crate) mod targets;

/// Texts as a rules list.
pub(crate) fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// An area with these paths.
pub(crate) fn area(paths: &[&str]) -> AreaRules {
    AreaRules {
        paths: texts(paths),
        ..AreaRules::default()
    }
}

/// An area that needs no grant.
pub(crate) fn open_area(paths: &[&str], open_to: OpenTo) -> AreaRules {
    AreaRules { open_to, ..area(paths) }
}

/// A role that may do this; words are separated by spaces.
pub(crate) fn role(may: &[(&str, &str)]) -> RoleRules {
    let words = |words: &str| words.split_whitespace().map(str::to_owned).collect();
    RoleRules {
        may: may
            .iter()
            .map(|(key, value)| ((*key).to_owned(), words(value)))
            .collect(),
        ..RoleRules::default()
    }
}

/// The rules that most tests begin with: a console with five areas, and four roles.
pub(crate) fn console() -> Rules {
    let mut rules = Rules::default();
    let areas = &mut rules.sites.entry("console".to_owned()).or_default().areas;
    areas.insert("common".to_owned(), open_area(&["/static/**"], OpenTo::SignedIn));
    areas.insert("public".to_owned(), open_area(&["/shop/**"], OpenTo::Everyone));
    areas.insert("settings".to_owned(), area(&["/settings/**"]));
    areas.insert("root".to_owned(), area(&["/"]));
    let devices = AreaRules {
        manage_also: texts(&["GET /devices/*/reboot"]),
        view_also: texts(&["POST /devices/search"]),
        actions: [(
            "delete".to_owned(),
            texts(&["GET /devices/*/delete", "DELETE /devices/*"]),
        )]
        .into(),
        ..area(&["/devices/**"])
    };
    areas.insert("devices".to_owned(), devices);
    rules.roles.insert("admin".to_owned(), role(&[("*", "all")]));
    rules.roles.insert(
        "operator".to_owned(),
        role(&[("devices", "manage"), ("settings", "view")]),
    );
    rules.roles.insert("viewer".to_owned(), role(&[("devices", "view")]));
    rules.roles.insert("remover".to_owned(), role(&[("devices", "delete")]));
    rules
}

/// Compiled, or the faults as a panic.
pub(crate) fn compiled(rules: &Rules) -> Policy {
    crate::compile(rules, Revision(7)).unwrap()
}

/// Somebody of that role who came in by browser with a second factor.
pub(crate) fn visitor(role: &str) -> Visitor<'_> {
    Visitor {
        role,
        grants: &[],
        networks: None,
        channel: "browser",
        second_factor: true,
    }
}

/// Judges a request for the site `console` from `address`, both ways, and checks that they agree.
pub(crate) fn explained(policy: &Policy, visitor: Option<Visitor<'_>>, from: &str, asked: &str) -> Explanation {
    let (method, path) = asked.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let site = policy.site("console").unwrap();
    let target = Target::parse_leniently(&method, path.as_bytes(), policy.leniencies(site)).unwrap();
    let question = Question {
        site,
        target: &target,
        address: ClientAddress::of_peer(from.parse().unwrap()),
        visitor,
        preflight: false,
    };
    let explanation = crate::explain(policy, &question);
    assert_eq!(crate::decide(policy, &question), explanation.decision);
    explanation
}

/// The area and level that were opened, or why nothing was.
pub(crate) fn judged(policy: &Policy, visitor: Option<Visitor<'_>>, asked: &str) -> Result<(String, Level), Refusal> {
    match explained(policy, visitor, "198.51.100.7", asked).decision {
        Decision::Allow(permit) => Ok((
            policy.area_name(permit.site(), permit.area()).to_owned(),
            permit.level(),
        )),
        Decision::Refuse(refusal) => Err(refusal),
    }
}
