//! Consoles that take letters of either case for the same, where the site does not say which kind it has.

use http::Method;

use super::*;
use crate::request::{Leniencies, Leniency};
use crate::rules::OpenTo;
use crate::test_support::{area, open_area, texts};

/// `/admin/**` and `/Reports/**` inside an area that everybody may use who is granted it.
fn inside_another() -> Rules {
    let mut rules = console();
    let areas = &mut rules.sites.get_mut("console").unwrap().areas;
    areas.insert("rest".to_owned(), area(&["/**"]));
    areas.insert("admin".to_owned(), area(&["/admin/**"]));
    areas.insert("reports".to_owned(), area(&["/Reports/**"]));
    rules
}

fn saying(mut rules: Rules, leniency: Leniency) -> Policy {
    rules.sites.get_mut("console").unwrap().allow = Leniencies::NONE.with(leniency);
    compiled(&rules)
}

#[test]
fn a_path_that_another_case_leads_elsewhere_is_refused_whoever_asks() {
    let policy = compiled(&inside_another());
    for (asked, expected) in [
        ("GET /admin/x", "allowed"),
        ("GET /ADMIN/x", "case_ambiguous"),
        ("GET /Admin", "case_ambiguous"),
        ("GET /%41dmin/x", "case_ambiguous"),
        ("GET /Reports/x", "allowed"),
        ("GET /reports/x", "case_ambiguous"),
        ("GET /REPORTS/x", "case_ambiguous"),
        // The same area in either case.
        ("GET /admin/X", "allowed"),
        ("GET /Reports/Of/May", "allowed"),
        ("GET /Other", "allowed"),
        // The same area, and another right.
        ("GET /devices/7/Delete", "case_ambiguous"),
        ("GET /devices/A7/delete", "allowed"),
        ("POST /devices/SEARCH", "case_ambiguous"),
    ] {
        assert_eq!(code(&policy, Some(visitor("admin")), asked), expected, "{asked}");
    }
}

#[test]
fn a_site_that_says_which_kind_of_console_it_has_is_taken_at_its_word() {
    let sensitive = saying(inside_another(), Leniency::CaseSensitive);
    let folding = saying(inside_another(), Leniency::CaseInsensitive);
    for (asked, apart, as_one) in [
        ("GET /ADMIN/x", "rest", "admin"),
        ("GET /reports/x", "rest", "reports"),
        ("GET /Reports/x", "reports", "reports"),
        ("GET /devices/7/Delete", "devices", "devices"),
    ] {
        for (policy, area) in [(&sensitive, apart), (&folding, as_one)] {
            let judged = crate::test_support::judged(policy, Some(visitor("admin")), asked);
            assert_eq!(judged.map(|(area, _)| area).as_deref(), Ok(area), "{asked}");
        }
    }
}

#[test]
fn a_stranger_learns_from_no_case_that_there_is_an_area() {
    let mut rules = console();
    let areas = &mut rules.sites.get_mut("console").unwrap().areas;
    areas.insert(
        "leaflets".to_owned(),
        open_area(&["/shop/leaflets/**"], OpenTo::Everyone),
    );
    areas.insert("orders".to_owned(), area(&["/shop/orders/**"]));
    let policy = compiled(&rules);
    for asked in [
        "GET /nothing",
        "GET /NOTHING",
        "GET /Settings/x",
        "GET /settings/x",
        "GET /SHOP/x",
        "GET /shop/orders",
        "GET /shop/Orders",
    ] {
        assert_eq!(code(&policy, None, asked), "sign_in_required", "{asked}");
    }
    // Both are open, so there is nothing to hide.
    assert_eq!(code(&policy, None, "GET /shop/Leaflets/x"), "case_ambiguous");
    assert_eq!(code(&policy, None, "GET /shop/Other"), "allowed");
}

#[test]
fn who_may_not_come_in_at_all_is_told_that_and_no_more() {
    let mut rules = inside_another();
    rules.roles.get_mut("viewer").unwrap().networks = Some(texts(&["192.0.2.0/24"]));
    let policy = compiled(&rules);
    for asked in ["GET /ADMIN/x", "GET /admin/x"] {
        assert_eq!(
            code(&policy, Some(visitor("viewer")), asked),
            "address_not_allowed_role",
            "{asked}"
        );
        assert_eq!(code(&policy, Some(visitor("nobody")), asked), "role_unknown", "{asked}");
    }
}

#[test]
fn an_explanation_names_the_other_area_and_what_a_site_has_to_say() {
    let policy = compiled(&inside_another());
    let explanation = explained(&policy, Some(visitor("admin")), "198.51.100.7", "GET /ADMIN/x");
    let case = explanation.steps.iter().find(|step| step.check == "case").unwrap();
    assert_eq!(
        case.detail,
        "upper and lower case taken as one, this path leads to `/admin/**` of area `admin`, which asks for something else: \
         say which kind of console it is by `case-insensitive` or `case-sensitive` in the site's `allow`"
    );
    assert_eq!(case.rule.as_deref(), Some("site.console.areas.admin.paths[0]"));
    let last = explanation.steps.last().unwrap();
    assert_eq!((last.check, last.passed, &last.rule), ("grant", false, &case.rule));
}

#[test]
fn a_forwarded_preflight_is_bound_by_case_as_well() {
    let mut rules = inside_another();
    rules.sites.get_mut("console").unwrap().preflight = crate::rules::Preflight::Forward;
    let policy = compiled(&rules);
    for (path, expected) in [("/admin/x", true), ("/ADMIN/x", false)] {
        let target = crate::request::Target::parse(&Method::OPTIONS, path.as_bytes()).unwrap();
        let question = crate::Question {
            site: policy.site("console").unwrap(),
            target: &target,
            address: crate::request::ClientAddress::of_peer([192, 0, 2, 1].into()),
            visitor: None,
            preflight: true,
        };
        assert_eq!(
            matches!(crate::decide(&policy, &question), Decision::Allow(_)),
            expected,
            "{path}"
        );
    }
}
