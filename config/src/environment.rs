//! Settings from the environment: `STAGEDOOR_` and the setting's path. They win over the file.

use std::collections::BTreeMap;
use std::path::Path;

use crate::describe::{BUILDING, Described, Kind, Setting, leaves};
use crate::fault::{Faults, FileFault};
use crate::nearest::nearest;
use crate::tree::{Node, Origin, Raw};

/// The environment, as an argument: nothing here reads the real one.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// Names that begin like a setting's and belong to the command line instead.
pub const COMMAND_LINE_NAMES: &[&str] = &[
    "STAGEDOOR_ADMIN_PASSWORD",
    "STAGEDOOR_ADMIN_PASSWORD_FILE",
    "STAGEDOOR_ADMIN_TOKEN",
    "STAGEDOOR_ADMIN_TOKEN_FILE",
    "STAGEDOOR_ADMIN_URL",
    "STAGEDOOR_CONFIG",
    "STAGEDOOR_POLICY",
];

const PREFIX: &str = "STAGEDOOR_";
const SITE_PREFIX: &str = "STAGEDOOR_SITE_";
const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;

impl Environment {
    /// From names and values, as `std::env::vars` gives them. What does not begin with `STAGEDOOR_` is dropped.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let ours =
            |(name, _): &(String, String)| name.starts_with(PREFIX) && !COMMAND_LINE_NAMES.contains(&name.as_str());
        Self(variables.into_iter().filter(ours).collect())
    }

    /// Lays the environment over the tree of `stagedoor.toml`.
    pub(crate) fn lay_over(&self, root: &mut Node) -> Faults {
        let mut faults = Faults::default();
        let sites = root.names_in("site");
        for (name, text) in &self.0 {
            if let Err(fault) = self.lay_one(name, text, root, &sites) {
                faults.push(fault);
            }
        }
        faults
    }

    fn lay_one(&self, name: &str, text: &str, root: &mut Node, sites: &[String]) -> Result<(), FileFault> {
        if let Some((path, setting)) = find(name, sites) {
            root.put(&path, raw(text, &setting.kind, name), name);
            return Ok(());
        }
        let from_file = name
            .strip_suffix("_FILE")
            .and_then(|plain| Some((plain, find(plain, sites)?)));
        match from_file {
            Some((plain, (path, setting))) if setting.secret => {
                if self.0.contains_key(plain) {
                    let help = format!("set either {plain} or {name}");
                    return Err(FileFault::without_line(
                        name,
                        format!("`{plain}` is set as well"),
                        Some(help),
                    ));
                }
                let text = secret_file(name, Path::new(text))?;
                root.put(&path, raw(&text, &setting.kind, name), name);
                Ok(())
            }
            _ => Err(unknown(name)),
        }
    }
}

impl std::fmt::Debug for Environment {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The environment name of a setting, `NAME` standing for a site's.
pub(crate) fn name_of(described: &Described) -> String {
    let path: Vec<String> = described.path.iter().map(|key| key.to_ascii_uppercase()).collect();
    format!("{PREFIX}{}", path.join("_"))
}

/// The setting an environment name stands for.
fn find(name: &str, sites: &[String]) -> Option<(Vec<String>, &'static Setting)> {
    let leaves = leaves(BUILDING);
    let Some(rest) = name.strip_prefix(SITE_PREFIX) else {
        let found = leaves.into_iter().find(|described| name_of(described) == name)?;
        return Some((found.path.iter().map(|key| (*key).to_owned()).collect(), found.setting));
    };
    let of_site = leaves
        .into_iter()
        .filter(|described| described.path.first() == Some(&"site"));
    let named = of_site.filter_map(|described| {
        let key = described.setting.name;
        let site = rest.strip_suffix(&key.to_ascii_uppercase())?.strip_suffix('_')?;
        Some((site, described.setting))
    });
    // The longest key is the shortest site name.
    let (site, setting) = named
        .filter(|(site, _)| !site.is_empty())
        .min_by_key(|(site, _)| site.len())?;
    let spelt = |declared: &&String| declared.to_ascii_uppercase().replace('-', "_") == site;
    let declared = sites.iter().find(spelt).cloned();
    let site = declared.unwrap_or_else(|| site.to_ascii_lowercase().replace('_', "-"));
    Some((vec!["site".to_owned(), site, setting.name.to_owned()], setting))
}

/// The text as a value of that kind; where it is none, the reader of the tree says so.
fn raw(text: &str, kind: &Kind, name: &str) -> Raw {
    let text = text.trim();
    match kind {
        Kind::Flag => text.parse().map_or_else(|_| Raw::Text(text.to_owned()), Raw::Flag),
        Kind::Count(..) => text
            .parse()
            .map_or_else(|_| Raw::Text(text.to_owned()), |number| Raw::Number(Some(number))),
        Kind::List(_) if text.is_empty() => Raw::List(Vec::new()),
        Kind::List(of) => {
            let item = |item| Node {
                origin: Origin::Outside(name.to_owned()),
                value: raw(item, of, name),
            };
            Raw::List(text.split(',').map(item).collect())
        }
        _ => Raw::Text(text.to_owned()),
    }
}

fn secret_file(name: &str, path: &Path) -> Result<String, FileFault> {
    let fault = |why: String| {
        let message = format!("cannot read the secret from `{}`: {why}", path.display());
        FileFault::without_line(
            name,
            message,
            Some("name a readable file that holds nothing but the value".to_owned()),
        )
    };
    let metadata = std::fs::metadata(path).map_err(|error| fault(error.to_string()))?;
    if !metadata.is_file() {
        return Err(fault("it is not a plain file".to_owned()));
    }
    if metadata.len() > SECRET_FILE_BYTES_MAX {
        return Err(fault(format!("it is larger than {SECRET_FILE_BYTES_MAX} bytes")));
    }
    std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))
}

fn unknown(name: &str) -> FileFault {
    let known: Vec<String> = leaves(BUILDING).iter().map(name_of).collect();
    let help = match nearest(name, known.iter().map(String::as_str)) {
        Some(known) => format!("did you mean `{known}`?"),
        None => "names are made of the setting's path, such as `STAGEDOOR_LISTEN_HTTP` or \
                 `STAGEDOOR_SITE_CONSOLE_UPSTREAM`; rules of policy.toml cannot come from the environment"
            .to_owned(),
    };
    FileFault::without_line(name, format!("no setting is called `{name}`"), Some(help))
}
