//! What a site allows changes what its patterns may be: upper and lower case taken as one, characters no path has.

use super::{Revision, compile, console_areas, faults};
use crate::request::{Leniencies, Leniency};
use crate::rules::Rules;
use crate::test_support::{area, compiled, console, judged, texts, visitor};

fn folding() -> Rules {
    let mut rules = console();
    rules.sites.get_mut("console").unwrap().allow = Leniencies::NONE.with(Leniency::CaseInsensitive);
    rules
}

#[test]
fn a_pattern_is_matched_whatever_its_case_where_the_site_folds_it() {
    let mut rules = folding();
    let devices = console_areas(&mut rules).get_mut("devices").unwrap();
    devices.paths = texts(&["/Devices/**"]);
    console_areas(&mut rules).insert("reports".to_owned(), area(&["/REPORTS/X-*.ASPX"]));
    let policy = compiled(&rules);
    for asked in [
        "GET /devices/7",
        "GET /DEVICES/7",
        "GET /De%76ices/7",
        "GET /%44evices/7",
    ] {
        let judged = judged(&policy, Some(visitor("viewer")), asked);
        assert_eq!(judged.map(|(area, _)| area).as_deref(), Ok("devices"), "{asked}");
    }
    let judged = judged(&policy, Some(visitor("admin")), "GET /Reports/x-1.Aspx");
    assert_eq!(judged.map(|(area, _)| area).as_deref(), Ok("reports"));
}

#[test]
fn patterns_that_differ_in_case_alone_are_a_fault_where_the_site_folds_it() {
    let mut rules = folding();
    console_areas(&mut rules).insert("system".to_owned(), area(&["/Settings/**"]));
    assert_eq!(
        faults(&rules),
        [
            "site.console.areas.system.paths[0]: `/settings/**` stands twice, upper and lower case taken as one: here and \
             at `site.console.areas.settings.paths[0]` (`/settings/**`) (a path belongs to one area; take one of the two out)"
        ]
    );
    let mut rules = folding();
    let devices = console_areas(&mut rules).get_mut("devices").unwrap();
    devices.manage_also.push("GET /devices/*/Delete".to_owned());
    let faults = faults(&rules);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(
        faults[0].contains("stands twice, upper and lower case taken as one"),
        "{faults:?}"
    );
}

#[test]
fn patterns_that_tie_once_their_case_is_folded_are_a_fault() {
    let tied = |mut rules: Rules| {
        if rules.sites["console"].allow.is_empty() {
            rules.sites.get_mut("console").unwrap().allow = Leniencies::NONE.with(Leniency::CaseSensitive);
        }
        console_areas(&mut rules).insert("one".to_owned(), area(&["/x/ab*"]));
        console_areas(&mut rules).insert("two".to_owned(), area(&["/x/A*"]));
        console_areas(&mut rules).insert("three".to_owned(), area(&["/x/AB*"]));
        compile(&rules, Revision(1)).map(|_| ()).map_err(|faults| faults.len())
    };
    assert_eq!(tied(console()), Ok(()));
    assert_eq!(tied(folding()), Err(1));
}

#[test]
fn a_letter_that_is_not_folded_cannot_stand_in_a_pattern_of_a_site_that_folds() {
    let mut rules = folding();
    console_areas(&mut rules).insert("offices".to_owned(), area(&["/ämter/**"]));
    assert_eq!(
        faults(&rules),
        [
            "site.console.areas.offices.paths[0]: the pattern `/ämter/**` has the letter `ä`, and this site is \
             `case-insensitive` (only the letters from A to Z are folded: use `*` in its place)"
        ]
    );
    let mut rules = folding();
    console_areas(&mut rules).insert("files".to_owned(), area(&["/文件/**"]));
    compiled(&rules);
}

#[test]
fn where_the_site_says_so_case_tells_patterns_apart() {
    let mut rules = console();
    rules.sites.get_mut("console").unwrap().allow = Leniencies::NONE.with(Leniency::CaseSensitive);
    console_areas(&mut rules).insert("system".to_owned(), area(&["/Settings/**"]));
    let policy = compiled(&rules);
    for (asked, area) in [("GET /settings/x", "settings"), ("GET /Settings/x", "system")] {
        let judged = judged(&policy, Some(visitor("admin")), asked);
        assert_eq!(judged.map(|(area, _)| area).as_deref(), Ok(area), "{asked}");
    }
}

#[test]
fn patterns_that_only_case_tells_apart_are_a_fault_where_nobody_says_that_it_counts() {
    let mut rules = console();
    console_areas(&mut rules).insert("system".to_owned(), area(&["/Settings/**"]));
    let help =
        "(if the console tells case apart, add `case-sensitive` to the site's `allow`; else take one of the two out)";
    assert_eq!(
        faults(&rules),
        [format!(
            "site.console.areas.system.paths[0]: `/Settings/**` and `/settings/**` at \
             `site.console.areas.settings.paths[0]` are alike but for the case of letters {help}"
        )]
    );
    // For the same thing in both cases there is no fault.
    let mut rules = console();
    let settings = console_areas(&mut rules).get_mut("settings").unwrap();
    settings.paths = texts(&["/settings/**", "/Settings/**", "/SETTINGS/**"]);
    let policy = compiled(&rules);
    for asked in ["GET /settings/x", "GET /Settings/x", "GET /SETTINGS"] {
        let judged = judged(&policy, Some(visitor("admin")), asked);
        assert_eq!(judged.map(|(area, _)| area).as_deref(), Ok("settings"), "{asked}");
    }
}

#[test]
fn a_console_does_not_both_fold_case_and_tell_it_apart() {
    let mut rules = folding();
    let site = rules.sites.get_mut("console").unwrap();
    site.allow = site.allow.with(Leniency::CaseSensitive);
    assert_eq!(
        faults(&rules),
        [
            "site.console.allow: a console cannot be `case-insensitive` and `case-sensitive` (keep the one that is true of \
             it)"
        ]
    );
}

#[test]
fn a_character_that_no_path_has_cannot_stand_in_a_pattern() {
    let with = |path: &str, allowed: Leniencies| {
        let mut rules = console();
        rules.sites.get_mut("console").unwrap().allow = allowed;
        console_areas(&mut rules).insert("files".to_owned(), area(&[path]));
        rules
    };
    assert_eq!(
        faults(&with("/a／b", Leniencies::NONE)),
        [
            "site.console.areas.files.paths[0]: the pattern `/a／b` has the character `／`, which no path of this site \
             has (add `look-alikes` to the site's `allow`, or use `*` in its place)"
        ]
    );
    compiled(&with("/a／b", Leniencies::NONE.with(Leniency::LookAlikes)));
    for dots in ["/.../**", "/.. /x", "/static../x", "/*.."] {
        let all = Leniency::ALL
            .into_iter()
            .filter(|one| !matches!(one, Leniency::CaseInsensitive | Leniency::CaseSensitive));
        assert!(
            faults(&with(dots, all.collect()))[0].contains("has a dot segment"),
            "{dots}"
        );
    }
}
