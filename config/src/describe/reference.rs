//! The description as reference pages, in Markdown.

use std::fmt::Write;

use super::leniencies;
use super::{BUILDING, Described, Kind, POLICY, Setting, leaves};
use crate::environment::name_of;

/// `docs/reference/settings.md`.
pub fn settings_reference() -> String {
    page(SETTINGS_PREFACE, BUILDING, true)
}

/// `docs/reference/policy.md`.
pub fn policy_reference() -> String {
    page(POLICY_PREFACE, POLICY, false) + &leniencies::section()
}

const SETTINGS_PREFACE: &str = "\
# Settings: stagedoor.toml

Every key of `stagedoor.toml`. An unknown key is a fault. A changed file is taken over while the door is open; what is
marked *restart* keeps its value until then, and `stagedoor` says so.

The environment wins over the file. A name is made of the setting's path; in the names of sites, `-` is written `_`. Lists
are separated by commas. Where a name is marked *file*, the same name with `_FILE` at its end reads the value from a file.
A name that begins with `STAGEDOOR_` and is no setting is a fault.

Relative paths start at the folder of `stagedoor.toml`. Lengths of time are a whole number and a unit: `ms`, `s`, `m`, `h`,
`d`. Amounts of bytes are a number, or a number and one of `KiB`, `MiB`, `GiB`, `KB`, `MB`, `GB`.

This page is made from the code: see `config/src/describe/`.
";

const POLICY_PREFACE: &str = "\
# Rules: policy.toml

Every key of `policy.toml`. An unknown key is a fault, and a policy with a fault is not taken over: the one in force stays.
What no rule allows is refused. Rules cannot come from the environment.

Lengths of time are a whole number and a unit: `s`, `m`, `h`, `d`.

This page is made from the code: see `config/src/describe/`.
";

fn page(preface: &str, settings: &'static [Setting], with_environment: bool) -> String {
    let mut page = preface.to_owned();
    section(&mut page, settings, &[], with_environment);
    page
}

/// A table of the keys that hold values, then a section for each table below.
fn section(page: &mut String, settings: &'static [Setting], above: &[&'static str], with_environment: bool) {
    let plain: Vec<Described> = leaves(settings)
        .into_iter()
        .filter(|described| described.path.len() == 1)
        .map(|described| Described {
            path: above.iter().copied().chain(described.path).collect(),
            setting: described.setting,
        })
        .collect();
    if !plain.is_empty() {
        let environment = if with_environment { " Environment |" } else { "" };
        let rule = if with_environment { " --- |" } else { "" };
        let _ = writeln!(
            page,
            "\n| Key | Value | Without it |{environment} |\n| --- | --- | --- |{rule} --- |"
        );
        for described in &plain {
            row(page, described, with_environment);
        }
    }
    for setting in settings {
        let mut path = above.to_vec();
        path.push(setting.name);
        let inner = match setting.kind {
            Kind::Table(inner) => inner,
            Kind::Named(_, Kind::Table(inner)) => {
                path.push("NAME");
                inner
            }
            _ => continue,
        };
        let _ = writeln!(page, "\n## `[{}]`\n\n{}", path.join("."), setting.doc);
        section(page, inner, &path, with_environment);
    }
}

fn row(page: &mut String, described: &Described, with_environment: bool) {
    let setting = described.setting;
    let without = match (setting.default, setting.required) {
        (Some(default), _) => format!("`{default}`"),
        (None, true) => "*required*".to_owned(),
        (None, false) => setting.absent.to_owned(),
    };
    let _ = write!(page, "| `{}` | {} | {without} |", setting.name, setting.kind.words());
    if with_environment {
        let file = if setting.secret { " *file*" } else { "" };
        let _ = write!(page, " `{}`{file} |", name_of(described));
    }
    let restart = if setting.fixed { " *restart*" } else { "" };
    let _ = writeln!(page, " {}{restart} |", setting.doc);
}
