//! `stagedoor audit`: what happened, the latest at the bottom.

use std::collections::BTreeMap;
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
/// How many pages it goes back at most to find where it was.
const FOLLOW_PAGES_MAX: usize = 100;

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
    let mut pages = vec![page];
    let mut shown = 0;
    loop {
        for item in fresh(&pages, shown) {
            shown = print(shell, item)?;
        }
        shell.out.flush()?;
        tokio::time::sleep(FOLLOW_INTERVAL).await;
        pages = pages_since(api, search, shown).await?;
    }
}

/// The pages down to the event `shown`, the latest first: more than one may have filled since.
async fn pages_since(api: &Api, search: &Search, shown: u64) -> Result<Vec<Value>, Failure> {
    let mut pages = vec![search.page(api, FOLLOW_PAGE, None).await?];
    while let Some(oldest) = pages.last().and_then(oldest_number) {
        if oldest <= shown.saturating_add(1) || pages.len() >= FOLLOW_PAGES_MAX {
            break;
        }
        pages.push(search.page(api, FOLLOW_PAGE, Some(oldest)).await?);
    }
    Ok(pages)
}

/// The events above the number `shown`, the oldest first. Pages and what is on them come the latest first.
fn fresh(pages: &[Value], shown: u64) -> impl Iterator<Item = &Value> {
    let all = pages.iter().rev().flat_map(|page| items(page).iter().rev());
    all.filter(move |item| number(item).is_some_and(|number| number > shown))
}

/// Prints one event on one line; answers its number.
fn print(shell: &mut Shell<'_>, item: &Value) -> Result<u64, Failure> {
    let event: Event = understand(item)?;
    match shell.output {
        Output::Json => shell.say(&item.to_string())?,
        Output::Text => shell.say(&event.cells().join("  "))?,
    }
    Ok(event.number)
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
    details: BTreeMap<String, String>,
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
    "more",
];

impl Event {
    fn cells(&self) -> Vec<String> {
        let named = [self.target.as_ref(), self.support_code.as_ref()]
            .into_iter()
            .flatten()
            .cloned();
        let details = self.details.iter().map(|(name, value)| format!("{name}={value}"));
        let more: Vec<String> = named.chain(details).filter(|word| !word.is_empty()).collect();
        vec![
            text::time(self.at.as_deref()),
            plain(&self.kind),
            or_dash(self.actor.as_deref()),
            or_dash(self.account.as_deref()),
            or_dash(self.address.as_deref()),
            or_dash(self.outcome.as_deref()),
            or_dash(self.reason.as_deref()),
            or_dash(self.rule.as_deref()),
            or_dash(Some(&more.join(" "))),
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

fn number(item: &Value) -> Option<u64> {
    item.get("number")?.as_u64()
}

fn oldest_number(page: &Value) -> Option<u64> {
    number(items(page).last()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(numbers: &[u64]) -> Value {
        let items: Vec<Value> = numbers.iter().map(|number| json!({ "number": number })).collect();
        json!({ "items": items, "next": null })
    }

    #[test]
    fn what_came_since_is_told_once_and_from_old_to_new() {
        let pages = [page(&[9, 8, 7]), page(&[6, 5, 4])];
        let told: Vec<u64> = fresh(&pages, 5).filter_map(number).collect();
        assert_eq!(told, [6, 7, 8, 9]);
        assert_eq!(fresh(&pages, 9).count(), 0);
    }

    #[test]
    fn an_event_is_shown_with_its_details_and_nothing_that_steers_the_terminal() {
        let event: Event = understand(&json!({
            "number": 3, "at": "2026-11-22T15:00:00Z", "kind": "request.refused", "actor": "", "account": "vera",
            "address": "192.0.2.7", "outcome": "refused", "reason": "not_granted", "rule": "role.viewer.may.devices",
            "target": "POST /a\u{1b}[2J", "support_code": "K7Q2", "details": { "a": "b" },
        }))
        .unwrap();
        let shown = events_text(&[event], None);
        assert!(
            shown.contains("2026-11-22 15:00:00  request.refused  -   vera"),
            "{shown}"
        );
        assert!(shown.ends_with("POST /a\u{fffd}[2J K7Q2 a=b"), "{shown}");
    }
}
