//! Questions that browsers ask without the visitor's session.

use http::Method;

use crate::decide::{Decision, Question, Refusal, Scope, decide, explain};
use crate::request::{ClientAddress, Target};
use crate::rules::{Preflight, Rules};
use crate::test_support::{compiled, console, texts};

/// How a preflight without a session is judged, from this address.
fn preflight(rules: &Rules, asked: &str, from: &str) -> Result<String, Refusal> {
    let policy = compiled(rules);
    let (method, path) = asked.split_once(' ').unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let target = Target::parse(&method, path.as_bytes()).unwrap();
    let question = Question {
        site: policy.site("console").unwrap(),
        target: &target,
        address: ClientAddress::of_peer(from.parse().unwrap()),
        visitor: None,
        preflight: true,
    };
    let explanation = explain(&policy, &question);
    assert_eq!(decide(&policy, &question), explanation.decision);
    match explanation.decision {
        Decision::Allow(permit) => {
            let last = explanation.steps.last().unwrap();
            assert_eq!(
                (last.check, last.rule.as_deref()),
                ("preflight", Some("site.console.preflight"))
            );
            Ok(policy.area_name(permit.site(), permit.area()).to_owned())
        }
        Decision::Refuse(refusal) => Err(refusal),
    }
}

#[test]
fn a_preflight_passes_without_a_session_only_where_the_site_says_so() {
    let mut rules = console();
    assert_eq!(
        preflight(&rules, "OPTIONS /devices/7", "192.0.2.1"),
        Err(Refusal::SignInRequired)
    );
    rules.sites.get_mut("console").unwrap().preflight = Preflight::Forward;
    assert_eq!(
        preflight(&rules, "OPTIONS /devices/7", "192.0.2.1").as_deref(),
        Ok("devices")
    );
}

#[test]
fn a_forwarded_preflight_is_bound_by_method_area_and_the_sites_networks() {
    let mut rules = console();
    let site = rules.sites.get_mut("console").unwrap();
    site.preflight = Preflight::Forward;
    site.networks = Some(texts(&["192.0.2.0/24"]));
    assert!(preflight(&rules, "OPTIONS /devices/7", "192.0.2.1").is_ok());
    assert_eq!(
        preflight(&rules, "OPTIONS /devices/7", "198.51.100.1"),
        Err(Refusal::AddressNotAllowed(Scope::Site))
    );
    for asked in [
        "GET /devices/7",
        "DELETE /devices/7",
        "POST /devices/7",
        "OPTIONS /nowhere",
    ] {
        assert_eq!(
            preflight(&rules, asked, "192.0.2.1"),
            Err(Refusal::SignInRequired),
            "{asked}"
        );
    }
}
