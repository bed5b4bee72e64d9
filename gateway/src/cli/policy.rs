//! `stagedoor policy …`.

use std::io::Read as _;
use std::path::Path;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use stagedoor_policy::RoleTable;

use super::api::{Answer, Api, understand};
use super::arguments::{ApplyArgs, ExplainArgs, Output, PolicyCommand, Reach};
use super::failure::Failure;
use super::place;
use super::shell::Shell;
use super::text::{self, or_dash, plain};

mod compliance;

/// The largest policy that is sent, in bytes.
const POLICY_BYTES_MAX: u64 = 16 * 1024 * 1024;

pub(crate) async fn run(shell: &mut Shell<'_>, reach: &Reach, command: &PolicyCommand) -> Result<(), Failure> {
    if let PolicyCommand::Show = command
        && let Some(table) = table_of_files(shell, reach)?
    {
        return show(shell, &table);
    }
    if let PolicyCommand::Compliance = command {
        return compliance::run(shell, reach);
    }
    let text = match command {
        PolicyCommand::Apply(args) => Some(read_policy(shell, &args.file)?),
        _ => None,
    };
    let api = place::open(shell, reach).await?;
    match command {
        PolicyCommand::Show => {
            let mut table = api.get("/v1/policy/table").await?.value()?;
            // A door of a former version does not know of others.
            let nodes = api.get("/v1/nodes").await?.value().unwrap_or_default();
            if let (Some(fields), Some(nodes)) = (table.as_object_mut(), nodes.get("nodes")) {
                fields.insert("nodes".to_owned(), nodes.clone());
            }
            show(shell, &table)
        }
        PolicyCommand::Explain(args) => explain(shell, &api, args).await,
        PolicyCommand::Status => status(shell, &api).await,
        PolicyCommand::Apply(args) => apply(shell, &api, args, text.unwrap_or_default()).await,
        PolicyCommand::Get => get(shell, &api).await,
        // It has been answered without the door.
        PolicyCommand::Compliance => Ok(()),
    }
}

/// The table of the files here, in the API's shape; `None` where the running door has to be asked.
fn table_of_files(shell: &Shell<'_>, reach: &Reach) -> Result<Option<Value>, Failure> {
    let asks_the_door = reach.admin_url.is_some() || shell.var("STAGEDOOR_ADMIN_URL").is_some();
    let building = place::building_file(shell, reach.config.as_deref()).filter(|_| !asks_the_door);
    let Some(building) = building else {
        return Ok(None);
    };
    let loaded = stagedoor_config::load(&place::sources(shell, building), &place::settings(shell))
        .map_err(|faults| Failure::configuration(faults.to_string()))?;
    if loaded.building.cluster.is_some() {
        // What is in force is what all doors share, and which door runs what only they know.
        return Ok(None);
    }
    let table = RoleTable::of(&loaded.policy);
    let rows = table
        .rows
        .iter()
        .map(|(site, area, may)| json!({ "site": site, "area": area, "may": may }));
    Ok(Some(
        json!({ "columns": table.columns, "rows": rows.collect::<Vec<_>>() }),
    ))
}

#[derive(Debug, Deserialize)]
struct Table {
    columns: Vec<String>,
    rows: Vec<TableRow>,
    #[serde(default)]
    nodes: Vec<Node>,
}

/// A door that runs it, or should.
#[derive(Debug, Deserialize)]
struct Node {
    name: String,
    present: bool,
    version: String,
    revision: u64,
    cannot_take: Option<u64>,
}

impl Node {
    fn cells(&self) -> Vec<String> {
        let state = match (self.present, self.cannot_take) {
            (false, _) => "not heard of".to_owned(),
            (true, Some(revision)) => format!("cannot run revision {revision}: see `policy status` there"),
            (true, None) => "present".to_owned(),
        };
        let (name, version) = (plain(&self.name), plain(&self.version));
        vec![name, format!("revision {}", self.revision), state, version]
    }
}

#[derive(Debug, Deserialize)]
struct TableRow {
    site: String,
    area: String,
    may: Vec<String>,
}

fn show(shell: &mut Shell<'_>, value: &Value) -> Result<(), Failure> {
    let table: Table = understand(value)?;
    shell.answer(value, |width| {
        let headings: Vec<String> = ["site", "area"]
            .map(str::to_owned)
            .into_iter()
            .chain(table.columns)
            .collect();
        let cells = |row: TableRow| [row.site, row.area].into_iter().chain(row.may).collect();
        let grid = text::grid(&headings, table.rows.into_iter().map(cells).collect(), width);
        if table.nodes.len() < 2 {
            return grid;
        }
        let nodes = table.nodes.iter().map(Node::cells).collect();
        format!(
            "{grid}\n\n{}",
            text::list(&["door", "policy", "", "version"], nodes, width)
        )
    })
}

#[derive(Debug, Deserialize)]
struct Explained {
    decision: String,
    code: Option<String>,
    area: Option<String>,
    #[serde(default)]
    steps: Vec<ExplainedStep>,
    revision: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct ExplainedStep {
    check: String,
    passed: bool,
    detail: String,
    rule: Option<String>,
}

async fn explain(shell: &mut Shell<'_>, api: &Api, args: &ExplainArgs) -> Result<(), Failure> {
    let mut question = json!({ "from": args.from, "method": args.method, "url": args.url });
    if let (Some(account), Some(fields)) = (&args.account, question.as_object_mut()) {
        fields.insert("as".to_owned(), json!(account));
    }
    let value = api.json(Method::POST, "/v1/policy/explain", &question).await?.value()?;
    let explained: Explained = understand(&value)?;
    shell.answer(&value, |width| explained.to_text(width))
}

impl Explained {
    fn to_text(&self, width: Option<u16>) -> String {
        let deciding = self.steps.last();
        let mut facts = vec![("decision", plain(&self.decision))];
        facts.extend(self.code.as_deref().map(|code| ("because", plain(code))));
        facts.push(("area", or_dash(self.area.as_deref())));
        facts.push(("rule", or_dash(deciding.and_then(|step| step.rule.as_deref()))));
        facts.extend(self.revision.map(|revision| ("policy", format!("revision {revision}"))));
        let steps = self.steps.iter().map(ExplainedStep::cells).collect();
        format!(
            "{}\n\n{}",
            text::pairs(&facts),
            text::list(&["step", "", "what was found", "rule"], steps, width)
        )
    }
}

impl ExplainedStep {
    fn cells(&self) -> Vec<String> {
        let passed = if self.passed { "passed" } else { "stopped" };
        vec![
            plain(&self.check),
            passed.to_owned(),
            plain(&self.detail),
            or_dash(self.rule.as_deref()),
        ]
    }
}

async fn status(shell: &mut Shell<'_>, api: &Api) -> Result<(), Failure> {
    let value = api.get("/v1/policy/status").await?.value()?;
    shell.answer(&value, |_| status_text(&value))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusView {
    revision: Option<u64>,
    loaded_at: Option<String>,
    etag: Option<String>,
    reloads_ok: Option<u64>,
    reloads_failed: Option<u64>,
    restart_needed: Vec<String>,
    warnings: Vec<String>,
    last_fault: Option<FaultView>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FaultView {
    at: Option<String>,
    text: String,
}

fn status_text(value: &Value) -> String {
    let view: StatusView = understand(value).unwrap_or_default();
    let number = |number: Option<u64>| number.map_or_else(|| text::NOTHING.to_owned(), |number| number.to_string());
    let mut facts = vec![
        ("revision", number(view.revision)),
        ("in force since (UTC)", text::time(view.loaded_at.as_deref())),
        ("tag", or_dash(view.etag.as_deref())),
        ("reloads that went well", number(view.reloads_ok)),
        ("reloads that failed", number(view.reloads_failed)),
    ];
    if !view.restart_needed.is_empty() {
        facts.push(("waiting for a restart", plain(&view.restart_needed.join(", "))));
    }
    let warnings = view
        .warnings
        .iter()
        .map(|warning| format!("\nwarning: {}", plain(warning)));
    let told = text::pairs(&facts) + &warnings.collect::<String>();
    match view.last_fault {
        Some(fault) => {
            let lines: Vec<String> = fault.text.lines().map(plain).collect();
            format!(
                "{told}\n\nthe last fault, {} UTC:\n{}",
                text::time(fault.at.as_deref()),
                lines.join("\n")
            )
        }
        None => told,
    }
}

fn read_policy(shell: &mut Shell<'_>, file: &Path) -> Result<String, Failure> {
    let wrong = |why: String| Failure::failed(format!("the policy `{}` {why}", file.display()));
    let mut text = String::new();
    let read = if file == Path::new("-") {
        (&mut *shell.input).take(POLICY_BYTES_MAX).read_to_string(&mut text)
    } else {
        std::fs::File::open(shell.path(file)).and_then(|opened| opened.take(POLICY_BYTES_MAX).read_to_string(&mut text))
    };
    read.map_err(|error| wrong(format!("cannot be read: {error}")))?;
    if text.len() as u64 >= POLICY_BYTES_MAX {
        return Err(wrong(format!("is longer than {POLICY_BYTES_MAX} bytes")));
    }
    Ok(text)
}

async fn apply(shell: &mut Shell<'_>, api: &Api, args: &ApplyArgs, text: String) -> Result<(), Failure> {
    let etag = match &args.if_match {
        Some(etag) => etag.clone(),
        None => etag_of(&api.get("/v1/policy").await?)?.to_owned(),
    };
    let value = api.put_policy(text, &etag).await?.value()?;
    shell.answer(&value, |_| format!("The policy is in force.\n{}", status_text(&value)))
}

async fn get(shell: &mut Shell<'_>, api: &Api) -> Result<(), Failure> {
    let answer = api.get("/v1/policy").await?;
    let text = answer.text()?;
    if shell.output == Output::Json {
        let revision = answer.header(&http::HeaderName::from_static("stagedoor-revision"));
        let value = json!({ "etag": etag_of(&answer)?, "revision": revision, "text": text });
        return shell.say(&format!("{value:#}"));
    }
    write!(shell.out, "{text}")?;
    Ok(())
}

fn etag_of(answer: &Answer) -> Result<&str, Failure> {
    let untagged = || Failure::failed("the admin API sent a policy without a tag (ETag)");
    answer.etag().ok_or_else(untagged)
}
