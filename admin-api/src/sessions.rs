//! `/v1/sessions`: who is in, and showing them out.

use axum::Json as Answer;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use stagedoor_identity::session::SessionRecord;
use stagedoor_identity::{Account, EndReason, SessionId};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::accounts::find;
use crate::auth::{Allowed, Gate};
use crate::input::{Asked, Named};
use crate::page::{Page, limit};
use crate::problem::{Missing, Problem, Refusals, Sort};
use crate::scope::{SessionsRead, SessionsWrite};
use crate::time::written;

pub(crate) fn routes() -> OpenApiRouter<Gate> {
    OpenApiRouter::new()
        .routes(routes!(list_sessions, end_sessions_of))
        .routes(routes!(end_session))
}

/// A live session.
#[derive(Debug, Serialize, ToSchema)]
struct SessionView {
    /// Its public name; opens nothing.
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    /// Whose it is, by name.
    account: String,
    role: String,
    channel: String,
    /// From where it was opened.
    address: String,
    user_agent: String,
    /// Whether a second factor was shown.
    second_factor: bool,
    #[schema(format = DateTime)]
    opened_at: String,
    /// To within ten seconds.
    #[schema(format = DateTime)]
    last_used_at: String,
    /// When it ends at the latest.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl SessionView {
    fn of(session: &SessionRecord, account: &Account) -> Self {
        Self {
            id: session.id.0,
            account: account.name.as_str().to_owned(),
            role: account.role.clone(),
            channel: session.channel.clone(),
            address: session.address.to_string(),
            user_agent: session.user_agent.clone(),
            second_factor: session.second_factor,
            opened_at: written(session.opened_at),
            last_used_at: written(session.last_used_at),
            expires_at: written(session.expires_at),
        }
    }
}

/// Which sessions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SessionSearch {
    /// Only those of this account, by id or name.
    account: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// Live sessions, oldest first.
#[utoipa::path(get, path = "/v1/sessions", tag = "sessions", params(SessionSearch),
    responses((status = 200, body = Page<SessionView>), Refusals, Missing), security(("bearer" = ["sessions:read"])))]
async fn list_sessions(
    by: Allowed<SessionsRead>,
    Asked(search): Asked<SessionSearch>,
) -> Result<Answer<Page<SessionView>>, Problem> {
    let limit = limit(search.limit)?;
    let only = match &search.account {
        Some(named) => Some(find(&by, named).await?.id),
        None => None,
    };
    let mut sessions = by.door().sessions();
    // Ids rise with time, and unlike a place in the list still say where to go on when sessions have ended meanwhile.
    sessions.sort_unstable_by_key(|(session, _)| session.id);
    let wanted = sessions
        .iter()
        .filter(|(session, _)| only.is_none_or(|account| session.account == account));
    let after = search.after.as_deref();
    let page = Page::cut(wanted, after, limit, |(session, _)| session.id.0.to_string());
    Ok(Answer(page.map(|(session, account)| SessionView::of(session, account))))
}

/// Whose sessions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SessionsOf {
    /// By id or name.
    account: String,
}

/// How many ended.
#[derive(Debug, Serialize, ToSchema)]
struct SessionsEnded {
    ended: usize,
}

/// Ends every session of an account, and whatever is open in them.
#[utoipa::path(delete, path = "/v1/sessions", tag = "sessions", params(SessionsOf),
    responses((status = 200, body = SessionsEnded), Refusals, Missing), security(("bearer" = ["sessions:write"])))]
async fn end_sessions_of(
    by: Allowed<SessionsWrite>,
    Asked(of): Asked<SessionsOf>,
) -> Result<Answer<SessionsEnded>, Problem> {
    let account = find(&by, &of.account).await?;
    let ended = by.door().end_sessions_of(account.id, by.actor()).await?;
    Ok(Answer(SessionsEnded { ended }))
}

/// Ends a session, and whatever is open in it.
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "sessions",
    params(("id" = String, Path, description = "the session's id")),
    responses((status = 204, description = "It has ended."), Refusals, Missing),
    security(("bearer" = ["sessions:write"])))]
async fn end_session(by: Allowed<SessionsWrite>, Named(id): Named) -> Result<StatusCode, Problem> {
    let not_live = || Problem::because(Sort::NOT_FOUND, "no live session has that id");
    let id = Uuid::try_parse(&id).map(SessionId).map_err(|_| not_live())?;
    let ended = by
        .door()
        .end_session(id, EndReason::EndedByAdministrator, by.actor())
        .await?;
    if ended {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(not_live())
    }
}
