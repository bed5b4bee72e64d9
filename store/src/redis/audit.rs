//! The audit: appended to, never changed. It and its indexes are streams whose ids are the numbers of the events, so that a
//! search walks backwards from any number. A search by time alone walks from the newest: clocks may go back, numbers do not.

use async_trait::async_trait;
use stagedoor_identity::event::{AuditQuery, Event, StoredEvent};
use stagedoor_identity::port::{Audit, StoreError};
use stagedoor_identity::secret::TokenHash;

use super::record::json;
use super::script::{Script, bytes, hex, reading, writing};
use super::{Redis, args};

const LISTED_MAX: u32 = 1000;
/// Events that one script reads while others wait.
const AT_ONCE: usize = 500;

static RECORD: Script = writing!("record");
static PAGE: Script = reading!("events");

#[async_trait]
impl Audit for Redis {
    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut args = Vec::with_capacity(events.len().saturating_mul(6));
        for event in events {
            // Which of several doors saw it is known nowhere else.
            let told = self
                .several
                .as_ref()
                .map(|several| event.clone().detail("node", &several.name));
            push(&mut args, told.as_ref().unwrap_or(event)).map_err(|why| self.engine("record", &why))?;
        }
        self.write("record", &RECORD, args).await.map(drop)
    }

    async fn events(&self, query: &AuditQuery) -> Result<Vec<StoredEvent>, StoreError> {
        let limit = usize::try_from(query.limit.clamp(1, LISTED_MAX)).unwrap_or(usize::MAX);
        let index = index_for(query);
        let (mut found, mut before) = (Vec::new(), query.before);
        loop {
            let page = self.page("events", &index, before, AT_ONCE).await?;
            let Some(last) = page.last() else { return Ok(found) };
            before = Some(last.number);
            let whole = page.len() == AT_ONCE;
            found.extend(page.into_iter().filter(|stored| wanted(query, &stored.event)));
            if found.len() >= limit || !whole {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }
}

impl Redis {
    /// Events below a number, newest first, of all or of an index.
    pub(super) async fn page(
        &self,
        operation: &'static str,
        index: &str,
        before: Option<u64>,
        count: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let before = before.map_or_else(String::new, |number| number.to_string());
        let Some(answer) = self.read(operation, &PAGE, args![index, before, count]).await? else {
            return Ok(Vec::new());
        };
        let read = |number| {
            let row = answer.texts(number)?;
            let [number, text] = row.as_slice() else {
                return Err("an event".to_owned());
            };
            let number = number
                .parse()
                .map_err(|_no_number| "the number of an event".to_owned())?;
            let event = serde_json::from_str(text).map_err(|_not_json| format!("event {number}"))?;
            Ok(StoredEvent { number, event })
        };
        let read: Result<Vec<_>, String> = (1..=answer.parts()).map(read).collect();
        read.map_err(self.damaged(operation))
    }
}

/// An event as `record.lua` takes it: its JSON, how many indexes it stands in, their names.
pub(super) fn push(args: &mut Vec<Vec<u8>>, event: &Event) -> Result<(), String> {
    let indexes = indexes(event);
    args.push(bytes(json(event)?));
    args.push(bytes(indexes.len()));
    args.extend(indexes.into_iter().map(bytes));
    Ok(())
}

/// The indexes an event stands in; texts of others only as hashes.
pub(super) fn indexes(event: &Event) -> Vec<String> {
    let mut indexes = vec![index("kind", event.kind.name()), index("account", &event.actor)];
    if let Some(account) = event.account.as_deref().filter(|account| *account != event.actor) {
        indexes.push(index("account", account));
    }
    indexes.extend(event.support_code.as_deref().map(|code| index("support_code", code)));
    indexes
}

fn index(what: &str, value: &str) -> String {
    format!("{what}:{}", hex(&TokenHash::of(value.as_bytes()).0))
}

/// The index that leaves least to look at; empty: all events.
fn index_for(query: &AuditQuery) -> String {
    if let Some(code) = &query.support_code {
        index("support_code", code)
    } else if let Some(account) = &query.account {
        index("account", account)
    } else if let Some(kind) = &query.kind {
        index("kind", kind)
    } else {
        String::new()
    }
}

fn wanted(query: &AuditQuery, event: &Event) -> bool {
    query.since.is_none_or(|since| event.at_micros >= since.as_micros())
        && query.until.is_none_or(|until| event.at_micros < until.as_micros())
        && query
            .account
            .as_ref()
            .is_none_or(|name| event.actor == *name || event.account.as_ref() == Some(name))
        && query.kind.as_ref().is_none_or(|kind| event.kind.name() == kind)
        && (query.support_code.is_none() || event.support_code == query.support_code)
}
