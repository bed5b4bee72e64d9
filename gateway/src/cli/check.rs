//! `stagedoor check`: everything that is wrong with both files, or that nothing is.

use serde_json::json;
use stagedoor_config::{Inline, Loaded, Sources};
use stagedoor_policy::{Policy, Revision};

use super::arguments::{CheckArgs, Output};
use super::failure::Failure;
use super::place::{self, BUILDING_FILE};
use super::shell::Shell;
use super::text::count;

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
    let sources = Sources {
        building: Some(building),
        policy: None,
        inline: Inline::default(),
    };
    match stagedoor_config::load(&sources, &place::settings(shell.vars.clone())) {
        Ok(loaded) => {
            let summary = Summary::of(&loaded)?;
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

/// The policy in the files, compiled. Its revision means nothing: it is not in force.
pub(crate) fn compiled(loaded: &Loaded) -> Result<Policy, Failure> {
    stagedoor_policy::compile(&loaded.rules, Revision(0)).map_err(|faults| {
        let told: Vec<String> = faults
            .iter()
            .map(|fault| format!("`{}`: {}", fault.at, fault.message))
            .collect();
        Failure::configuration(told.join("; "))
    })
}

#[derive(Debug)]
struct Summary {
    sites: usize,
    areas: usize,
    roles: usize,
}

impl Summary {
    fn of(loaded: &Loaded) -> Result<Self, Failure> {
        let policy = compiled(loaded)?;
        Ok(Self {
            sites: loaded.building.sites.len(),
            areas: policy.sites().map(|(site, _)| policy.areas(site).count()).sum(),
            roles: policy.roles().count(),
        })
    }

    fn to_text(&self) -> String {
        let Self { sites, areas, roles } = self;
        format!(
            "fine: {}, {}, {}",
            count(*sites, "site"),
            count(*areas, "area"),
            count(*roles, "role")
        )
    }

    fn to_json(&self) -> serde_json::Value {
        json!({ "ok": true, "sites": self.sites, "areas": self.areas, "roles": self.roles })
    }
}
