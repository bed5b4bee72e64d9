//! Pages that name things of the tree name things that are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use stagedoor_tests::repository;

/// Folders with sources of ours.
const CRATES: [&str; 9] = [
    "policy",
    "identity",
    "store",
    "config",
    "portal",
    "admin-api",
    "gateway",
    "benches",
    "tests",
];

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What stands between backticks, in the order it stands there.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The cells of every row of a page's tables, without heads and rulers.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = page.lines().collect();
    let is_head = |number: usize| lines.get(number + 1).is_some_and(|next| next.starts_with("| ---"));
    let rows = lines
        .iter()
        .enumerate()
        .filter(|(number, line)| line.starts_with("| ") && !line.starts_with("| ---") && !is_head(*number));
    rows.map(|(_, line)| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

fn sources_in(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the tree") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources_in(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Every function that bears a test's attribute, and every promise that each store is tested for.
fn names_of_tests() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = CRATES.into_iter().flat_map(names_of_tests_in).collect();
    let promises = read("store/src/conformance/mod.rs");
    let table = promises
        .split_once("$then! {")
        .and_then(|(_, rest)| rest.split_once('}'))
        .expect("the table")
        .0;
    names.extend(
        table
            .split_whitespace()
            .filter(|word| !word.ends_with(':'))
            .map(|word| word.trim_end_matches(';').to_owned()),
    );
    names
}

/// Every function of a folder that bears a test's attribute.
fn names_of_tests_in(folder: &str) -> BTreeSet<String> {
    let mut sources = Vec::new();
    sources_in(&repository().join(folder), &mut sources);
    sources
        .iter()
        .flat_map(|path| tests_of(&fs::read_to_string(path).expect("text")))
        .collect()
}

fn tests_of(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((before, after)) = line.split_once("fn ") {
            if is_test && matches!(before, "" | "async ") {
                names.push(after.split(['(', '<']).next().unwrap_or_default().to_owned());
            }
            is_test = false;
        } else if !line.starts_with("#[") && !line.is_empty() && !line.ends_with(")]") && !line.starts_with("//") {
            is_test = false;
        }
    }
    names
}

#[test]
fn every_threat_names_files_and_tests_that_are_there_or_the_issue_that_will_bring_them() {
    let (page, tests) = (read("docs/threats.md"), names_of_tests());
    // What follows this heading are findings, which the differential test holds to the servers.
    let (threats, _) = page
        .split_once("\n## What real servers make of a path\n")
        .expect("the findings");
    let rows = rows(threats);
    assert!(rows.len() > 50, "the tables were not found: {} rows", rows.len());
    for row in rows {
        let [attack, defence, shown] = row[..] else {
            panic!("not three cells: {row:?}")
        };
        for path in quoted(defence)
            .chain(quoted(shown))
            .filter(|name| name.contains('/') && name.ends_with(".rs"))
        {
            assert!(
                repository().join(path).is_file(),
                "`{path}` is not in the tree ({attack})"
            );
        }
        for name in quoted(shown).filter(|name| !name.contains('/')) {
            assert!(tests.contains(name), "no test is called `{name}` ({attack})");
        }
        let promised = shown
            .split("not yet: issue ")
            .nth(1)
            .and_then(|rest| rest.chars().next());
        assert!(
            quoted(shown).next().is_some() || promised.is_some_and(|digit| digit.is_ascii_digit()),
            "neither a test nor an issue: {attack}"
        );
    }
}

#[test]
fn every_sentence_of_the_manuals_is_proved_by_tests_that_are_there_one_of_them_through_the_running_door() {
    let (page, tests) = (read("docs/manuals.md"), names_of_tests());
    let through_the_door: BTreeSet<String> = names_of_tests_in("tests/tests");
    let (rules, rest) = page
        .split_once("\n## What the manuals leave open\n")
        .expect("the second part");
    let rows_of_rules = rows(rules);
    assert!(
        rows_of_rules.len() > 90,
        "the tables were not found: {}",
        rows_of_rules.len()
    );
    for row in rows_of_rules {
        let [sentence, setting, shown] = row[..] else {
            panic!("not three cells: {row:?}")
        };
        assert!(
            quoted(setting).next().is_some() || setting.starts_with("always"),
            "{sentence}"
        );
        for name in quoted(shown) {
            assert!(tests.contains(name), "no test is called `{name}` ({sentence})");
        }
        assert!(
            quoted(shown).any(|name| through_the_door.contains(name)),
            "no test through the running door: {sentence}"
        );
    }
    let (open, no_rules) = rest
        .split_once("\n## Sentences that are no rules of access\n")
        .expect("the third part");
    assert!(rows(open).iter().all(|row| row.len() == 3) && rows(open).len() > 10);
    assert!(rows(no_rules).iter().all(|row| row.len() == 2) && rows(no_rules).len() >= 10);
}

#[test]
fn every_key_that_the_manuals_name_is_a_key_of_the_policy() {
    let (page, reference) = (read("docs/manuals.md"), read("docs/reference/policy.md"));
    let known: BTreeSet<&str> = rows(&reference)
        .iter()
        .filter_map(|row| quoted(row[0]).next())
        .collect();
    let (rules, _) = page
        .split_once("\n## Sentences that are no rules of access\n")
        .expect("the third part");
    let mut found = 0;
    for row in rows(rules) {
        let keys = quoted(row[1]).chain(row.get(2).into_iter().flat_map(|cell| quoted(cell)));
        // `[role.head] held_by = "one"` names the key `held_by`.
        for key in keys.filter_map(|text| text.strip_prefix('[')?.split_once("] ")) {
            let key = key.1.split(' ').next().unwrap_or_default();
            let is_table = matches!(key, "account_networks" | "network_rules" | "preferences");
            assert!(is_table || known.contains(key), "`{key}` is no key ({row:?})");
            found += 1;
        }
    }
    assert!(found > 60, "the keys were not found: {found}");
}

#[test]
fn every_file_the_lexicon_sends_to_is_there() {
    let page = read("docs/lexicon.md");
    let rows = rows(&page);
    assert!(rows.len() > 20, "the table was not found");
    let words: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert!(words.is_sorted(), "the words are not in order: {words:?}");
    for row in rows {
        let [word, _, place] = row[..] else {
            panic!("not three cells: {row:?}")
        };
        let path = quoted(place).next().unwrap_or_else(|| panic!("{word} lives nowhere"));
        assert!(
            repository().join(path).exists(),
            "`{path}` of {word} is not in the tree"
        );
    }
}

#[test]
fn the_metrics_page_lists_the_families_that_are_registered_and_no_others() {
    let page = read("docs/reference/metrics.md");
    let listed: BTreeSet<&str> = rows(&page)
        .into_iter()
        .filter_map(|row| quoted(row[0]).next())
        .collect();
    let source = read("gateway/src/metrics.rs");
    let families = source.split("families").skip(1).filter_map(|rest| {
        let (method, arguments) = rest.trim_start().strip_prefix('.')?.split_once('(')?;
        let makes_one = ["counter", "counters", "gauge", "histogram", "histograms"].contains(&method);
        makes_one
            .then(|| arguments.trim_start().strip_prefix('"')?.split('"').next())
            .flatten()
    });
    let registered: BTreeSet<String> = families.map(|family| format!("stagedoor_{family}")).collect();
    assert!(registered.len() > 10, "the families were not found: {registered:?}");
    assert_eq!(listed, registered.iter().map(String::as_str).collect());
}

#[test]
fn the_access_logs_page_names_the_fields_of_a_line_and_no_others() {
    let page = read("docs/reference/access-log.md");
    let named: BTreeSet<&str> = rows(&page)
        .into_iter()
        .flat_map(|row| quoted(row[0]).collect::<Vec<_>>())
        .collect();
    let source = read("gateway/src/access_log.rs");
    let line = source
        .split_once("struct Line<'a> {")
        .and_then(|(_, rest)| rest.split_once('}'))
        .expect("the struct")
        .0;
    let fields: BTreeSet<&str> = line
        .lines()
        .filter_map(|field| Some(field.trim().split_once(':')?.0))
        .collect();
    assert!(fields.len() > 10, "the fields were not found: {fields:?}");
    assert_eq!(named, fields);
}
