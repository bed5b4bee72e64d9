//! `stagedoor audit`: what happened, the latest at the bottom.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::api::{Api, target, understand};
use super::arguments::{AuditArgs, Output, Reach};
use super::failure::Failure;
use super::moment;
use super::place;
use super::shell::Shell;
use super::text::{self, or_dash, plain};

/// How often `--follow` asks.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(1);
/// How many events `--follow` takes in one page.
const FOLLOW_PAGE: u32 = 1000;

pub(crate) async fn run(shell: &mut Shell<'_>, reach: &Reach, args: &AuditArgs) -> Result<(), Failure> {
    let search = Search::of(shell, args)?;
    let api = place::open(shell, reach).await?;
    let page = search.page(&api, args.limit, None).await?;
    if !args.follow {
        let events: Vec<Event> = understand_all(&page)?;
        return match shell.output {
            Output::Json => shell.say(&format!("{page:#}")),
            Output::Text => {
                let shown = events_text(&events, shell.width);
                shell.say(&shown)
            }
        };
    }
    if api.is_local() {
        return Err(Failure::failed("there is nothing to follow: the door is not running"));
    }
    follow(shell, &api, &search, page).await
}

/// What is searched for, as the query has it.
#[derive(Debug)]
struct Search {
    query: Vec<(&'static str, String)>,
}

impl Search {
    fn of(shell: &Shell<'_>, args: &AuditArgs) -> Result<Self, Failure> {
        let now = shell.clock.now();
        let moment = |typed: &Option<String>| typed.as_deref().map(|typed| moment::parse(typed, now)).transpose();
        let fields = [
            ("since", moment(&args.since).map_err(Failure::usage)?),
            ("until", moment(&args.until).map_err(Failure::usage)?),
            ("account", args.account.clone()),
            ("event", args.event.clone()),
            ("support_code", args.support_code.clone()),
        ];
        let query = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
        Ok(Self { query: query.collect() })
    }

    /// The latest `limit` events below the number `before`, the latest first.
    async fn page(&self, api: &Api, limit: u32, before: Option<u64>) -> Result<Value, Failure> {
        let limit = limit.to_string();
        let before = before.map(|before| before.to_string());
        let mut query: Vec<(&str, &str)> = self.query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        query.push(("limit", &limit));
        query.extend(before.as_deref().map(|before| ("before", before)));
        api.get(&target("/v1/audit", &query)).await?.value()
    }
}

/// Prints the page and then, once a second, what came since, until interrupted.
async fn follow(shell: &mut Shell<'_>, api: &Api, search: &Search, page: Value) -> Result<(), Failure> {
    let mut shown = print_since(shell, &page, 0)?;
    loop {
        tokio::time::sleep(FOLLOW_INTERVAL).await;
        let mut pages = vec![search.page(api, FOLLOW_PAGE, None).await?];
        // More than a page may have happened in a second: go back until what was shown last is reached.
        while let Some(oldest) = pages
            .last()
            .and_then(oldest_number)
            .filter(|oldest| *oldest > shown.saturating_add(1))
        {
            let page = search.page(api, FOLLOW_PAGE, Some(oldest)).await?;
            if oldest_number(&page).is_none() {
                break;
            }
            pages.push(page);
        }
        for page in pages.iter().rev() {
            shown = print_since(shell, page, shown)?;
        }
    }
}

/// Prints the events above the number `shown`, the oldest first; answers the highest number printed so far.
fn print_since(shell: &mut Shell<'_>, page: &Value, shown: u64) -> Result<u64, Failure> {
    let mut latest = shown;
    for item in items(page).iter().rev() {
        let event: Event = understand(item)?;
        if event.number <= shown {
            continue;
        }
        match shell.output {
            Output::Json => shell.say(&item.to_string())?,
            Output::Text => shell.say(&event.cells().join("  "))?,
        }
        latest = latest.max(event.number);
    }
    shell.out.flush()?;
    Ok(latest)
}

/// An event as the API shows it, as far as the texts need it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    number: u64,
    at: Option<String>,
    kind: String,
    actor: Option<String>,
    account: Option<String>,
    address: Option<String>,
    outcome: Option<String>,
    reason: Option<String>,
    rule: Option<String>,
    target: Option<String>,
    support_code: Option<String>,
}

const HEADINGS: [&str; 9] = [
    "time (UTC)",
    "event",
    "by",
    "account",
    "from",
    "outcome",
    "reason",
    "rule",
    "request or support code",
];

impl Event {
    fn cells(&self) -> Vec<String> {
        let request = [self.target.as_deref(), self.support_code.as_deref()];
        let request: Vec<&str> = request.into_iter().flatten().filter(|text| !text.is_empty()).collect();
        vec![
            text::time(self.at.as_deref()),
            plain(&self.kind),
            or_dash(self.actor.as_deref()),
            or_dash(self.account.as_deref()),
            or_dash(self.address.as_deref()),
            or_dash(self.outcome.as_deref()),
            or_dash(self.reason.as_deref()),
            or_dash(self.rule.as_deref()),
            or_dash(Some(&request.join(" "))),
        ]
    }
}

fn events_text(events: &[Event], width: Option<u16>) -> String {
    if events.is_empty() {
        return "Nothing of that kind happened.".to_owned();
    }
    text::list(&HEADINGS, events.iter().rev().map(Event::cells).collect(), width)
}

fn items(page: &Value) -> &[Value] {
    page.get("items")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn understand_all(page: &Value) -> Result<Vec<Event>, Failure> {
    items(page).iter().map(understand).collect()
}

fn oldest_number(page: &Value) -> Option<u64> {
    items(page).last()?.get("number")?.as_u64()
}
