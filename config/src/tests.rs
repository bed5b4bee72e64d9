//! Both files, through the front.

mod environment;
mod faults;
mod following;
mod live;
mod made;
mod mail;
mod people;
mod presets;
mod property;
mod replace;
mod stage;
mod values;

use std::path::PathBuf;

use crate::{Environment, Faults, Inline, Loaded, Sources, load};

/// A folder with both files in it.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
}

pub(crate) const BUILDING: &str = "[site.console]\nupstream = \"http://127.0.0.1:8000\"\n";
pub(crate) const POLICY: &str =
    "[site.console.areas]\nall = { paths = [\"/**\"] }\n\n[role.administrator]\nmay = { \"*\" = \"all\" }\n";

impl Folder {
    pub(crate) fn with(building: &str, policy: &str) -> Self {
        let folder = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        folder.write("stagedoor.toml", building);
        folder.write("policy.toml", policy);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).expect("written");
    }

    pub(crate) fn sources(&self) -> Sources {
        Sources {
            building: Some(self.path("stagedoor.toml")),
            policy: Some(self.path("policy.toml")),
            inline: Inline::default(),
        }
    }

    pub(crate) fn load(&self) -> Result<Loaded, Faults> {
        load(&self.sources(), &Environment::default())
    }

    pub(crate) fn load_in(&self, variables: &[(&str, &str)]) -> Result<Loaded, Faults> {
        load(&self.sources(), &environment(variables))
    }
}

pub(crate) fn environment(variables: &[(&str, &str)]) -> Environment {
    Environment::new(
        variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    )
}

/// Each fault as `file:line:column message`, the file without its folder.
pub(crate) fn told(faults: &Faults) -> Vec<String> {
    let tell = |fault: &crate::FileFault| {
        let file = fault.file.rsplit('/').next().unwrap_or_default();
        match (fault.line, fault.column) {
            (Some(line), Some(column)) => format!("{file}:{line}:{column} {}", fault.message),
            _ => format!("{file} {}", fault.message),
        }
    };
    faults.iter().map(tell).collect()
}
