//! The audit: appended to, never changed.

use async_trait::async_trait;
use rusqlite::types::Value;
use rusqlite::{Connection, named_params, params_from_iter};
use stagedoor_identity::event::{AuditQuery, Event, Kind, Outcome, StoredEvent};
use stagedoor_identity::port::{Audit, StoreError};
use stagedoor_policy::time::Timestamp;

use super::column::Row;
use super::fault::Fault;
use super::{Embedded, column};

const LISTED_MAX: u32 = 1000;

#[async_trait]
impl Audit for Embedded {
    async fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let events = events.to_vec();
        self.write("record", move |step| append(step, &events)).await
    }

    async fn events(&self, query: &AuditQuery) -> Result<Vec<StoredEvent>, StoreError> {
        let (sql, values) = search(query);
        let work = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            column::all(statement.query(params_from_iter(values))?, read)
        };
        self.read("events", work).await
    }
}

/// Numbers are given inside the transaction: one that is rolled back leaves no gap.
pub(super) fn append(step: &Connection, events: &[Event]) -> Result<(), Fault> {
    let mut insert = step.prepare_cached(
        "INSERT INTO audit (number, at, kind, actor, account, address, outcome, reason, rule, site, area, target, \
         policy_revision, request_id, support_code, session, details) VALUES \
         ((SELECT coalesce(max(number), 0) + 1 FROM audit), :at, :kind, :actor, :account, :address, :outcome, :reason, \
         :rule, :site, :area, :target, :policy_revision, :request_id, :support_code, :session, :details)",
    )?;
    for event in events {
        insert.execute(named_params! {
            ":at": event.at_micros,
            ":kind": event.kind.name(),
            ":actor": event.actor,
            ":account": event.account,
            ":address": event.address.map(|address| address.to_string()),
            ":outcome": event.outcome.name(),
            ":reason": event.reason,
            ":rule": event.rule,
            ":site": event.site,
            ":area": event.area,
            ":target": event.target,
            ":policy_revision": event.policy_revision.map(column::stored_count),
            ":request_id": event.request_id,
            ":support_code": event.support_code,
            ":session": event.session,
            ":details": column::to_json(&event.details, "details")?,
        })?;
    }
    Ok(())
}

/// The statement of a search and its values, in order. Each part is walked by an index, newest first, up to the limit.
fn search(query: &AuditQuery) -> (String, Vec<Value>) {
    let mut filter = Filter::default();
    let micros = |time: Timestamp| Value::Integer(time.as_micros());
    filter.add("at >= ?", query.since.map(micros));
    filter.add("at < ?", query.until.map(micros));
    filter.add("kind = ?", query.kind.clone().map(Value::Text));
    filter.add("support_code = ?", query.support_code.clone().map(Value::Text));
    let before = query.before.map(|number| Value::Integer(column::stored_count(number)));
    filter.add("number < ?", before);
    let limit = Value::Integer(query.limit.clamp(1, LISTED_MAX).into());

    let Some(account) = query.account.clone() else {
        let sql = format!("SELECT * FROM audit{} ORDER BY number DESC LIMIT ?", filter.sql());
        return (sql, filter.values_and(&[limit]));
    };
    // Two walks, one for what was done to the account and one for what it did, each cut off at the limit.
    let (mut of, mut by) = (filter.clone(), filter);
    of.add("account = ?", Some(Value::Text(account.clone())));
    by.add("actor = ?", Some(Value::Text(account)));
    let sql = format!(
        "SELECT * FROM audit WHERE number IN (SELECT number FROM (SELECT number FROM audit{} ORDER BY number DESC LIMIT ?) \
         UNION SELECT number FROM (SELECT number FROM audit{} ORDER BY number DESC LIMIT ?)) ORDER BY number DESC LIMIT ?",
        of.sql(),
        by.sql(),
    );
    let mut values = of.values_and(std::slice::from_ref(&limit));
    values.extend(by.values_and(&[limit.clone(), limit]));
    (sql, values)
}

#[derive(Default, Clone)]
struct Filter {
    conditions: Vec<&'static str>,
    values: Vec<Value>,
}

impl Filter {
    fn add(&mut self, condition: &'static str, value: Option<Value>) {
        if let Some(value) = value {
            self.conditions.push(condition);
            self.values.push(value);
        }
    }

    fn sql(&self) -> String {
        if self.conditions.is_empty() {
            return String::new();
        }
        format!(" WHERE {}", self.conditions.join(" AND "))
    }

    fn values_and(mut self, more: &[Value]) -> Vec<Value> {
        self.values.extend_from_slice(more);
        self.values
    }
}

pub(super) fn read(row: &Row<'_>) -> Result<StoredEvent, Fault> {
    let address: Option<String> = column::get(row, "address")?;
    let (kind, outcome): (String, String) = (column::get(row, "kind")?, column::get(row, "outcome")?);
    let event = Event {
        at_micros: column::get(row, "at")?,
        kind: Kind::from_name(&kind).ok_or_else(|| column::damaged("kind"))?,
        actor: column::get(row, "actor")?,
        account: column::get(row, "account")?,
        address: address.map(|_text| column::address(row, "address")).transpose()?,
        outcome: Outcome::from_name(&outcome).ok_or_else(|| column::damaged("outcome"))?,
        reason: column::get(row, "reason")?,
        rule: column::get(row, "rule")?,
        site: column::get(row, "site")?,
        area: column::get(row, "area")?,
        target: column::get(row, "target")?,
        policy_revision: column::count_if_any(row, "policy_revision")?,
        request_id: column::get(row, "request_id")?,
        support_code: column::get(row, "support_code")?,
        session: column::get(row, "session")?,
        details: column::json(row, "details")?,
    };
    Ok(StoredEvent {
        number: column::count(row, "number")?,
        event,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{connection, place};
    use super::*;

    fn plan(query: &AuditQuery) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let connection = connection::for_writing(&place::prepare(&folder.path().join("data")).unwrap()).unwrap();
        let (sql, values) = search(query);
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let lines = statement
            .query_map(params_from_iter(values), |row| row.get("detail"))
            .unwrap();
        lines.map(Result::unwrap).collect()
    }

    #[test]
    fn searches_walk_an_index_newest_first_and_stop_at_the_limit() {
        let text = || Some("x".to_owned());
        let all = AuditQuery::default;
        for (query, walk) in [
            (all(), "SCAN audit"),
            (
                AuditQuery {
                    before: Some(9),
                    ..all()
                },
                "INTEGER PRIMARY KEY (rowid<?)",
            ),
            (AuditQuery { kind: text(), ..all() }, "audit_by_kind (kind=?)"),
            (
                AuditQuery {
                    support_code: text(),
                    ..all()
                },
                "audit_by_support_code (support_code=?)",
            ),
        ] {
            let plan = plan(&query);
            assert!(plan.len() == 1 && plan[0].ends_with(walk), "{query:?}: {plan:#?}");
        }
    }

    #[test]
    fn a_search_for_an_account_walks_both_of_its_indexes_and_reads_only_what_it_found() {
        let plan = plan(&AuditQuery {
            account: Some("x".to_owned()),
            ..AuditQuery::default()
        });
        for walk in [
            "audit_by_account (account=?)",
            "audit_by_actor (actor=?)",
            "INTEGER PRIMARY KEY (rowid=?)",
        ] {
            assert!(plan.iter().any(|line| line.ends_with(walk)), "{walk}: {plan:#?}");
        }
    }
}
