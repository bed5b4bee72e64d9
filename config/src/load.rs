//! Both files, once: read, parsed, checked each and together.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stagedoor_policy::fault::Fault;
use stagedoor_policy::rules::{Rules, SiteRules};
use stagedoor_policy::{Policy, Revision};

use crate::assemble::Assembly;
use crate::building::Building;
use crate::describe::{BUILDING, POLICY, Setting};
use crate::environment::Environment;
use crate::fault::{Faults, FileFault};
use crate::fields::Fields;
use crate::read::{Findings, read};
use crate::starter::starter_files;
use crate::tree::{Node, Origin, Raw};
use crate::{check, rules};

/// Where the files are.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `stagedoor.toml`. `None`: a building with one site `console`, from [`Sources::inline`] and the environment.
    pub building: Option<PathBuf>,
    /// `policy.toml`. `None`: the starter policy.
    pub policy: Option<PathBuf>,
    /// What was said on the command line; wins over the environment.
    pub inline: Inline,
}

/// A building without a file.
#[derive(Debug, Clone, Default)]
pub struct Inline {
    /// `--upstream`: the URL of the one console. Only where there is no file.
    pub upstream: Option<String>,
    /// `--data-dir`: the folder of the store.
    pub data_dir: Option<PathBuf>,
}

/// Two files without a fault.
#[derive(Debug)]
pub struct Loaded {
    /// The building.
    pub building: Building,
    /// The rules; a site that is declared and has none was given empty ones.
    pub rules: Rules,
    /// The rules, compiled; it has no number yet.
    pub policy: Policy,
    /// The text of `policy.toml`, or of the starter policy.
    pub policy_text: String,
    /// The text of `stagedoor.toml`; empty where there is no file.
    pub building_text: String,
    /// What is allowed and probably not meant: a sentence each.
    pub warnings: Vec<String>,
}

/// A file is refused above this size, before it is read.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Reads and checks both files.
///
/// # Errors
/// Every fault of both files and of the environment at once.
pub fn load(sources: &Sources, env: &Environment) -> Result<Loaded, Faults> {
    let files = FileTexts::read(sources);
    load_texts(sources, env, &files)
}

/// Reads and checks the building alone: for a command that has to find the door while its house rules are at fault.
///
/// # Errors
/// Every fault of `stagedoor.toml` and of the environment at once.
pub fn load_building(sources: &Sources, env: &Environment) -> Result<Building, Faults> {
    let files = FileTexts::read(sources);
    let (building, assembled) = assemble(sources, env, &files.building);
    let faults = building.into_faults();
    match assembled {
        Some(building) if faults.is_empty() => Ok(building),
        _ if faults.is_empty() => Err(nothing_to_say()),
        _ => Err(faults),
    }
}

/// The texts of both files, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileTexts {
    pub(crate) building: Result<Arc<str>, FileFault>,
    pub(crate) policy: Result<Arc<str>, FileFault>,
}

impl FileTexts {
    pub(crate) fn read(sources: &Sources) -> Self {
        let text = |path: &Option<PathBuf>, built_in: &str| match path {
            Some(path) => read_file(path),
            None => Ok(Arc::from(built_in)),
        };
        Self {
            building: text(&sources.building, ""),
            policy: text(&sources.policy, starter_files().1),
        }
    }

    /// Whether this is what was loaded.
    pub(crate) fn are_of(&self, loaded: &Loaded) -> bool {
        let is = |text: &Result<Arc<str>, FileFault>, loaded: &str| text.as_deref().is_ok_and(|text| text == loaded);
        is(&self.building, &loaded.building_text) && is(&self.policy, &loaded.policy_text)
    }
}

/// Checks texts that were read already.
pub(crate) fn load_texts(sources: &Sources, env: &Environment, files: &FileTexts) -> Result<Loaded, Faults> {
    let (building, assembled) = assemble(sources, env, &files.building);
    let mut policy = Half::new(name(&sources.policy, "built-in policy"), &files.policy);
    let declared = building.root.names_in("site");
    let mut rules = policy.read(POLICY).map(rules::rules);
    let (mut compiled, mut warnings) = (None, Vec::new());
    if let Some(rules) = &mut rules {
        if let Some(building) = &assembled {
            warnings = complete(rules, building);
        }
        match stagedoor_policy::compile(rules, Revision::default()) {
            Ok(policy) => compiled = Some(policy),
            Err(faults) => policy.add(faults),
        }
        // Without the names of the sites, every name in the rules would be called wrong.
        if building.parsed && !declared.is_empty() {
            let prefix = assembled.as_ref().map(|building| building.portal.prefix.as_str());
            policy.add(check::rules(&declared, prefix, rules));
        }
    }
    let (building_text, policy_text) = (building.text.clone(), policy.text.clone());
    let mut faults = building.into_faults();
    faults.extend(policy.into_faults());
    match (assembled, rules, compiled) {
        (Some(building), Some(rules), Some(policy)) if faults.is_empty() => {
            warnings.extend(check::departures_without_reason(&policy));
            Ok(Loaded {
                building,
                rules,
                policy,
                policy_text: policy_text.as_ref().to_owned(),
                building_text: building_text.as_ref().to_owned(),
                warnings,
            })
        }
        _ if faults.is_empty() => Err(nothing_to_say()),
        _ => Err(faults),
    }
}

/// The building, as far as it could be assembled, and what is wrong with it.
fn assemble(sources: &Sources, env: &Environment, text: &Result<Arc<str>, FileFault>) -> (Half, Option<Building>) {
    let mut half = Half::new(name(&sources.building, "command line"), text);
    half.lay_over(sources, env);
    let folder = sources.building.as_deref().and_then(Path::parent);
    let declared = half.root.names_in("site");
    let assembled = half.read(BUILDING).and_then(|fields| {
        let mut assembly = Assembly::in_folder(folder.unwrap_or(Path::new("")));
        let assembled = assembly.building(fields);
        half.add(assembly.faults);
        half.add(assembled.iter().flat_map(check::building).collect());
        if declared.is_empty() {
            half.add(vec![check::no_site()]);
        }
        assembled
    });
    (half, assembled)
}

/// What a file is called in a fault.
fn name(path: &Option<PathBuf>, built_in: &str) -> String {
    match path {
        Some(path) => path.display().to_string(),
        None => built_in.to_owned(),
    }
}

/// Gives rules what the building says of them; answers what is probably not meant.
fn complete(rules: &mut Rules, building: &Building) -> Vec<String> {
    let mut warnings = Vec::new();
    let says_nothing = check::says_nothing(rules);
    warnings.extend(says_nothing.map(str::to_owned));
    for site in check::sites_without_rules(building, rules) {
        if says_nothing.is_none() {
            warnings.push(format!(
                "site `{site}` has no rules in policy.toml: every request to it is refused"
            ));
        }
        rules.sites.insert(site, SiteRules::default());
    }
    rules.title.clone_from(&building.portal.title);
    warnings
}

/// A part could not be made although no fault was found: refused all the same.
fn nothing_to_say() -> Faults {
    let mut faults = Faults::default();
    faults.push(FileFault::without_line(
        "stagedoor.toml",
        "the building is incomplete",
        None,
    ));
    faults
}

/// One of the two files on its way.
struct Half {
    name: String,
    text: Arc<str>,
    root: Node,
    /// Faults of reading, of syntax and of the environment.
    early: Faults,
    /// Whether the tree holds what the file says.
    parsed: bool,
    findings: Findings,
}

impl Half {
    fn new(name: String, text: &Result<Arc<str>, FileFault>) -> Self {
        let mut half = Self {
            name,
            text: Arc::from(""),
            root: Node::empty(),
            early: Faults::default(),
            parsed: true,
            findings: Findings::default(),
        };
        match text {
            Ok(text) => half.parse(text),
            Err(fault) => {
                half.parsed = false;
                half.early.push(fault.clone());
            }
        }
        half
    }

    fn parse(&mut self, text: &Arc<str>) {
        let (root, errors) = Node::parse(text);
        self.root = root;
        self.text = Arc::clone(text);
        self.parsed = errors.is_empty();
        for (span, message) in errors {
            self.early
                .push_with(|| FileFault::at((&self.name, text), span, false, message, None));
        }
    }

    fn lay_over(&mut self, sources: &Sources, env: &Environment) {
        self.early.extend(env.lay_over(&mut self.root));
        let key = |path: [&str; 3]| {
            path.into_iter()
                .filter(|key| !key.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        if let Some(upstream) = &sources.inline.upstream {
            if sources.building.is_some() {
                let help = "leave the argument out, or leave the file out";
                let message = "an upstream was given beside a file that names the upstreams";
                self.early
                    .push(FileFault::without_line("--upstream", message, Some(help.to_owned())));
            }
            self.root.put(
                &key(["site", "console", "upstream"]),
                Raw::Text(upstream.clone()),
                "--upstream",
            );
        }
        if let Some(data_dir) = &sources.inline.data_dir {
            // From where the command was given, not from the file's folder.
            let data_dir = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.clone());
            let text = Raw::Text(data_dir.to_string_lossy().into_owned());
            self.root.put(&key(["store", "data_dir", ""]), text, "--data-dir");
        }
    }

    /// `None` where the file could not be parsed: what was saved from it would only give rise to echoes.
    fn read(&mut self, table: &'static [Setting]) -> Option<Fields> {
        if !self.parsed {
            return None;
        }
        let (fields, findings) = read(&self.root, table);
        self.findings = findings;
        Some(fields)
    }

    fn add(&mut self, faults: Vec<Fault>) {
        for fault in faults {
            self.findings.add(fault);
        }
    }

    fn into_faults(self) -> Faults {
        let mut faults = self.early;
        for finding in self.findings.list {
            let Fault { at, message, help } = finding.fault;
            faults.push_with(|| match self.root.locate(&at, finding.spot) {
                Origin::Outside(name) => FileFault::without_line(name, message, help),
                Origin::File(_) if self.text.is_empty() => FileFault::without_line(self.name.as_str(), message, help),
                Origin::File(span) => {
                    FileFault::at((&self.name, &self.text), span.clone(), finding.secret, message, help)
                }
            });
        }
        faults.sort();
        faults
    }
}

fn read_file(path: &Path) -> Result<Arc<str>, FileFault> {
    let name = path.display().to_string();
    let fault = |message: String, help: &str| FileFault::without_line(name.as_str(), message, Some(help.to_owned()));
    let unreadable = |error: std::io::Error| {
        fault(
            format!("cannot read the file: {error}"),
            "see that it exists and that the user running Stagedoor may read it",
        )
    };
    // Opening a pipe would wait for somebody to write into it.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(fault(
            "cannot read the file: it is not a plain file".to_owned(),
            "name a file",
        ));
    }
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // One byte more than may be: so that a file growing meanwhile is noticed too.
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(fault(
            "the file is larger than 16 MiB".to_owned(),
            "see that it is the right file",
        ));
    }
    String::from_utf8(bytes).map(Arc::from).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes());
        let help = "save the file as UTF-8".to_owned();
        FileFault::at(
            (&name, &text),
            valid..valid,
            false,
            format!("byte {valid} is not UTF-8"),
            Some(help),
        )
    })
}
