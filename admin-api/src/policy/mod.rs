//! `/v1/policy`: the rules in force, read, checked, replaced and questioned.

mod explain;

use axum::Json as Answer;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{ETAG, HeaderName};
use serde::Serialize;
use stagedoor_identity::event::{Event, Kind, Outcome};
use stagedoor_policy::RoleTable;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, Gate};
use crate::board::{BoardStatus, Posted, ReplaceRefusal};
use crate::etag::{Expected, mismatch};
use crate::input::PolicyText;
use crate::layers::text;
use crate::problem::{BodyRefusals, FaultView, Problem, ProblemBody, Refusals, Sort};
use crate::scope::{PolicyRead, PolicyWrite};

pub(crate) fn routes() -> OpenApiRouter<Gate> {
    OpenApiRouter::new()
        .routes(routes!(show_policy, replace_policy))
        .routes(routes!(check_policy))
        .routes(routes!(policy_status))
        .routes(routes!(policy_table))
        .routes(routes!(explain::explain_request))
}

/// The policy in force, as it was written.
#[utoipa::path(get, path = "/v1/policy", tag = "policy",
    responses((status = 200, body = String, content_type = "text/plain", description = "TOML.", headers(
        ("ETag" = String, description = "for `If-Match`"),
        ("Stagedoor-Revision" = u64, description = "the revision in force"))), Refusals),
    security(("bearer" = ["policy:read"])))]
async fn show_policy(by: Allowed<PolicyRead>) -> Response {
    let posted = by.board().posted();
    labelled(&posted, text("text/plain; charset=utf-8", posted.text.to_string()))
}

/// Puts a policy in force: checked whole, written to its file, then swapped in. With a fault, nothing changes.
#[utoipa::path(put, path = "/v1/policy", tag = "policy",
    params(("If-Match" = String, Header, description = "the `ETag` it was read with; `*` for whatever is in force",
        pattern = "^(\\*|\"[^\"]*\"(, ?\"[^\"]*\")*)$")),
    request_body(description = "TOML, at most 16 MiB.", content(
        (String = "text/plain"), (String = "application/toml"))),
    responses((status = 200, body = BoardStatus, headers(
            ("ETag" = String, description = "for `If-Match`"),
            ("Stagedoor-Revision" = u64, description = "the revision in force"))),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The policy does not come from a file that can be written."),
        (status = 412, body = ProblemBody, content_type = "application/problem+json",
            description = "Another is in force."),
        (status = 428, body = ProblemBody, content_type = "application/problem+json",
            description = "`If-Match` is missing."),
        Refusals, BodyRefusals),
    security(("bearer" = ["policy:write"])))]
async fn replace_policy(
    by: Allowed<PolicyWrite>,
    headers: HeaderMap,
    PolicyText(text): PolicyText,
) -> Result<Response, Problem> {
    let expected = Expected::read(&headers)?;
    if expected == (Expected::Anything { said: false }) {
        return Err(Problem::because(
            Sort::IF_MATCH_NEEDED,
            "say by `If-Match` which policy this is to replace: the `ETag` of `GET /v1/policy`, or `*`",
        ));
    }
    let if_match = expected.against(&by.board().posted().etag)?;
    let replaced = by.board().replace(&text, if_match.as_deref(), by.actor().name()).await;
    let posted = by.board().posted();
    if let Some(event) = event_of(&by, &replaced, &posted) {
        by.door().record(vec![event]).await?;
    }
    replaced?;
    Ok(labelled(&posted, Answer(by.board().status()).into_response()))
}

/// For the audit: that a policy was put in force, or was not for its faults. That somebody was too late is no event.
fn event_of(by: &Allowed<PolicyWrite>, replaced: &Result<(), ReplaceRefusal>, posted: &Posted) -> Option<Event> {
    let (kind, outcome, reason) = match replaced {
        Ok(()) => (Kind::PolicyChanged, Outcome::Done, None),
        Err(ReplaceRefusal::Faults(_)) => (Kind::PolicyRejected, Outcome::Refused, Some("faults")),
        Err(ReplaceRefusal::Failed(_)) => (Kind::PolicyRejected, Outcome::Failed, Some("not_written")),
        Err(ReplaceRefusal::Mismatch(_) | ReplaceRefusal::ReadOnly) => return None,
    };
    let mut event = by.event(kind, outcome).detail("etag", &posted.etag);
    event.policy_revision = Some(posted.revision);
    event.reason = reason.map(str::to_owned);
    Some(event)
}

impl From<ReplaceRefusal> for Problem {
    fn from(refusal: ReplaceRefusal) -> Self {
        match refusal {
            ReplaceRefusal::Faults(faults) => Self::faults(faults),
            ReplaceRefusal::Mismatch(current) => mismatch(&current),
            ReplaceRefusal::ReadOnly => Self::because(Sort::READ_ONLY, "name a policy file in the configuration"),
            ReplaceRefusal::Failed(why) => {
                tracing::error!(%why, "a policy could not be put in force");
                Self::because(Sort::INTERNAL, "it could not be put in force; the log says why")
            }
        }
    }
}

/// What a check found.
#[derive(Debug, Serialize, ToSchema)]
struct Checked {
    ok: bool,
    faults: Vec<FaultView>,
}

/// Checks a policy without putting it in force. Every fault at once.
#[utoipa::path(post, path = "/v1/policy/check", tag = "policy",
    request_body(description = "TOML, at most 16 MiB.", content(
        (String = "text/plain"), (String = "application/toml"))),
    responses((status = 200, body = Checked), Refusals, BodyRefusals), security(("bearer" = ["policy:read"])))]
async fn check_policy(by: Allowed<PolicyRead>, PolicyText(text): PolicyText) -> Answer<Checked> {
    let faults = by.board().check(&text).await;
    Answer(Checked {
        ok: faults.is_empty(),
        faults,
    })
}

/// Which policy is in force since when, and whether the last reload was taken over.
#[utoipa::path(get, path = "/v1/policy/status", tag = "policy",
    responses((status = 200, body = BoardStatus), Refusals), security(("bearer" = ["policy:read"])))]
async fn policy_status(by: Allowed<PolicyRead>) -> Answer<BoardStatus> {
    Answer(by.board().status())
}

/// What each role may do in each area.
#[derive(Debug, Serialize, ToSchema)]
struct TableView {
    revision: u64,
    /// Role names.
    columns: Vec<String>,
    rows: Vec<RowView>,
}

/// An area.
#[derive(Debug, Serialize, ToSchema)]
struct RowView {
    site: String,
    area: String,
    /// What each role may do there, in the order of the columns: `-`, `view`, `manage`, action names after a `+`.
    may: Vec<String>,
}

/// The policy in force as a table, role by area.
#[utoipa::path(get, path = "/v1/policy/table", tag = "policy",
    responses((status = 200, body = TableView), Refusals), security(("bearer" = ["policy:read"])))]
async fn policy_table(by: Allowed<PolicyRead>) -> Answer<TableView> {
    let policy = by.board().policy();
    let table = RoleTable::of(&policy);
    let row = |(site, area, may)| RowView { site, area, may };
    Answer(TableView {
        revision: policy.revision().0,
        columns: table.columns,
        rows: table.rows.into_iter().map(row).collect(),
    })
}

fn labelled(posted: &Posted, mut response: Response) -> Response {
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::try_from(posted.etag.as_str()) {
        headers.insert(ETAG, tag);
    }
    headers.insert(
        HeaderName::from_static("stagedoor-revision"),
        HeaderValue::from(posted.revision),
    );
    response
}
