//! `stagedoor check`: everything that is wrong with both files, or that nothing is.

use serde_json::json;
use stagedoor_config::Loaded;

use super::arguments::{CheckArgs, Output};
use super::failure::Failure;
use super::place::{self, BUILDING_FILE};
use super::shell::Shell;
use super::text::{count, plain};

/// How it went: faults are an answer of this command, not its failure, but they have their own exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    Fine,
    Faulty,
}

pub(crate) fn run(shell: &mut Shell<'_>, args: &CheckArgs) -> Result<Checked, Failure> {
    let Some(building) = place::building_file(shell, args.config.as_deref()) else {
        return Err(
            Failure::configuration(format!("there is no `{BUILDING_FILE}` in `{}`", shell.folder.display()))
                .help("`stagedoor init` writes one; `--config FILE` names one elsewhere"),
        );
    };
    match stagedoor_config::load(&place::sources(shell, building), &place::settings(shell)) {
        Ok(loaded) => {
            let summary = Summary::of(&loaded);
            shell.answer(&summary.to_json(), |_| summary.to_text())?;
            Ok(Checked::Fine)
        }
        Err(faults) => {
            match shell.output {
                Output::Json => shell.say(&format!("{:#}", json!({ "ok": false, "faults": faults })))?,
                Output::Text => shell.note(faults.to_string().trim_end())?,
            }
            Ok(Checked::Faulty)
        }
    }
}

#[derive(Debug)]
struct Summary {
    sites: usize,
    areas: usize,
    roles: usize,
    warnings: Vec<String>,
}

impl Summary {
    fn of(loaded: &Loaded) -> Self {
        let policy = &loaded.policy;
        Self {
            sites: loaded.building.sites.len(),
            areas: policy.sites().map(|(site, _)| policy.areas(site).count()).sum(),
            roles: policy.roles().count(),
            warnings: loaded.warnings.clone(),
        }
    }

    fn to_text(&self) -> String {
        let warnings: String = self
            .warnings
            .iter()
            .map(|warning| format!("warning: {}\n", plain(warning)))
            .collect();
        let fine = [(self.sites, "site"), (self.areas, "area"), (self.roles, "role")].map(|(n, noun)| count(n, noun));
        let warned = match self.warnings.len() {
            0 => String::new(),
            number => format!(", {}", count(number, "warning")),
        };
        format!("{warnings}fine: {}{warned}", fine.join(", "))
    }

    fn to_json(&self) -> serde_json::Value {
        json!({
            "ok": true,
            "sites": self.sites,
            "areas": self.areas,
            "roles": self.roles,
            "warnings": self.warnings,
        })
    }
}
