//! `/v1/audit`: what happened, newest first. The words are in `docs/reference/audit-events.md`.

use std::collections::BTreeMap;

use axum::Json as Answer;
use serde::{Deserialize, Serialize};
use stagedoor_identity::event::{AuditQuery, Kind, Outcome, StoredEvent};
use stagedoor_policy::time::Timestamp;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, Gate};
use crate::input::Asked;
use crate::page::{Page, limit};
use crate::problem::{Problem, Refusals};
use crate::scope::AuditRead;
use crate::time::{read, written};

/// What a store counts to: a signed number of 64 bits, as the document's format has it.
const NUMBER_MAX: u64 = i64::MAX.unsigned_abs();

pub(crate) fn routes() -> OpenApiRouter<Gate> {
    OpenApiRouter::new().routes(routes!(list_events))
}

/// One line of the audit.
#[derive(Debug, Serialize, ToSchema)]
struct EventView {
    /// Rises by one with each event; no gaps.
    number: u64,
    #[schema(format = DateTime)]
    at: String,
    /// What happened.
    #[schema(schema_with = kind_names)]
    kind: &'static str,
    /// Who did it: an account's name, `token:NAME`, `cli`, `system`; empty where nobody is known.
    actor: String,
    /// The account it was done to or tried with.
    #[schema(required)]
    account: Option<String>,
    /// From where.
    #[schema(required)]
    address: Option<String>,
    /// How it ended.
    #[schema(schema_with = outcome_names)]
    outcome: &'static str,
    /// A stable code.
    #[schema(required)]
    reason: Option<String>,
    /// The rule's key path in the policy.
    #[schema(required)]
    rule: Option<String>,
    #[schema(required)]
    site: Option<String>,
    #[schema(required)]
    area: Option<String>,
    /// Method and path, without the query.
    #[schema(required)]
    target: Option<String>,
    #[schema(required)]
    policy_revision: Option<u64>,
    #[schema(required)]
    request_id: Option<String>,
    /// What the visitor was shown.
    #[schema(required)]
    support_code: Option<String>,
    /// Which session, by its public name.
    #[schema(required)]
    session: Option<String>,
    /// What else is to be known.
    details: BTreeMap<String, String>,
}

/// The closed vocabulary, for the document.
fn kind_names() -> Object {
    names(Kind::ALL.iter().map(|kind| kind.name()).collect())
}

fn outcome_names() -> Object {
    let outcomes = [Outcome::Allowed, Outcome::Refused, Outcome::Done, Outcome::Failed];
    names(outcomes.into_iter().map(Outcome::name).collect())
}

fn names(names: Vec<&'static str>) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(names))
        .build()
}

impl EventView {
    fn of(stored: StoredEvent) -> Self {
        let event = stored.event;
        Self {
            number: stored.number,
            at: written(Timestamp::from_micros(event.at_micros)),
            kind: event.kind.name(),
            actor: event.actor,
            account: event.account,
            address: event.address.map(|address| address.to_string()),
            outcome: event.outcome.name(),
            reason: event.reason,
            rule: event.rule,
            site: event.site,
            area: event.area,
            target: event.target,
            policy_revision: event.policy_revision,
            request_id: event.request_id,
            support_code: event.support_code,
            session: event.session,
            details: event.details.into_iter().collect(),
        }
    }
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EventSearch {
    /// Not before this time: RFC 3339, or `-15m`, `-2h`, `-2d` for so long ago.
    #[param(min_length = 2)]
    since: Option<String>,
    /// Before this time, written likewise.
    #[param(min_length = 2)]
    until: Option<String>,
    /// Done by this account or to it, by name.
    account: Option<String>,
    /// Only this kind.
    #[param(schema_with = kind_names)]
    event: Option<String>,
    /// Only this support code, as the visitor reads it out.
    support_code: Option<String>,
    /// Only numbers below this one: `next` of the page before.
    #[param(minimum = 0, maximum = 9_223_372_036_854_775_807_i64)]
    before: Option<u64>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// What happened, newest first.
#[utoipa::path(get, path = "/v1/audit", tag = "audit", params(EventSearch),
    responses((status = 200, body = Page<EventView>), Refusals), security(("bearer" = ["audit:read"])))]
async fn list_events(
    by: Allowed<AuditRead>,
    Asked(search): Asked<EventSearch>,
) -> Result<Answer<Page<EventView>>, Problem> {
    let limit = limit(search.limit)?;
    let events = by.store().events(&search.into_query(by.door().now(), limit)?).await?;
    let views = events.into_iter().map(EventView::of).collect();
    Ok(Answer(Page::new(views, limit, |event: &EventView| {
        event.number.to_string()
    })))
}

impl EventSearch {
    fn into_query(self, now: Timestamp, limit: u32) -> Result<AuditQuery, Problem> {
        let time = |field: &'static str, text: Option<String>| {
            text.map(|text| read(&text, now).map_err(|why| Problem::field(field, why)))
                .transpose()
        };
        if let Some(event) = self.event.as_deref().filter(|event| Kind::from_name(event).is_none()) {
            let known: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            return Err(Problem::field(
                "event",
                format!("`{event}` is no kind of event; there are {}", known.join(", ")),
            ));
        }
        if let Some(beyond) = self.before.filter(|number| *number > NUMBER_MAX) {
            return Err(Problem::field(
                "before",
                format!("`{beyond}` is above {NUMBER_MAX}, the highest there can be"),
            ));
        }
        Ok(AuditQuery {
            since: time("since", self.since)?,
            until: time("until", self.until)?,
            account: self.account,
            kind: self.event,
            support_code: self.support_code,
            before: self.before,
            limit,
        })
    }
}
