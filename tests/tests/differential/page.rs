//! The section of docs/threats.md that this harness answers for.

use std::collections::BTreeSet;
use std::fs;

use stagedoor_tests::repository;

const HEADING: &str = "\n## What real servers make of a path\n";

/// One row: a target and where it leads.
#[derive(Debug)]
pub(super) struct Row {
    /// The row's own words: why it was refused, or which habit it shows.
    pub(super) why: String,
    pub(super) target: String,
    /// The area of the resource that answers.
    pub(super) resolved: String,
    pub(super) servers: BTreeSet<String>,
}

/// The rows of the table under this heading, in the section.
pub(super) fn rows(table: &str) -> Vec<Row> {
    let page = fs::read_to_string(repository().join("docs/threats.md")).expect("the page is there");
    let (_, section) = page.split_once(HEADING).expect("the page has the section");
    let (_, table) = section
        .split_once(&format!("\n### {table}\n"))
        .unwrap_or_else(|| panic!("the section has no table `{table}`"));
    let table = table.split("\n### ").next().unwrap_or_default();
    let lines = table.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    let rows: Vec<Row> = lines.take_while(|line| line.starts_with('|')).map(row).collect();
    assert!(!rows.is_empty(), "the table has no rows");
    rows
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let [why, target, resolved, servers, ..] = cells[..] else {
        panic!("too few cells: {line}");
    };
    Row {
        why: why.trim_matches('`').to_owned(),
        target: target.trim_matches('`').to_owned(),
        resolved: resolved.to_owned(),
        servers: servers.split(", ").map(str::to_owned).collect(),
    }
}

/// A row as it stands in the page.
pub(super) fn written(why: &str, target: &str, resolved: &str, servers: &BTreeSet<String>) -> String {
    let servers: Vec<&str> = servers.iter().map(String::as_str).collect();
    format!("| `{why}` | `{target}` | {resolved} | {} |", servers.join(", "))
}
