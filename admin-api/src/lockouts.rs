//! `/v1/lockouts`: which names are locked, and ending a lock before its time.

use axum::Json as Answer;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use stagedoor_identity::event::{Kind, Outcome};
use stagedoor_identity::port::Lockout;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, Gate};
use crate::input::{Asked, Named};
use crate::page::{Page, limit};
use crate::problem::{Missing, Problem, Refusals, Sort};
use crate::scope::{LockoutsRead, LockoutsWrite};
use crate::time::written;

pub(crate) fn routes() -> OpenApiRouter<Gate> {
    OpenApiRouter::new()
        .routes(routes!(list_lockouts))
        .routes(routes!(end_lockout))
}

/// A lock that holds.
#[derive(Debug, Serialize, ToSchema)]
struct LockoutView {
    id: String,
    /// `null` where a name was tried that no account has.
    #[schema(required)]
    account: Option<String>,
    /// An IPv4 address or an IPv6 /64; `null` where the name is locked for every source.
    #[schema(required)]
    source: Option<String>,
    /// Failures counted.
    failures: u32,
    #[schema(format = DateTime)]
    since: String,
    /// When it ends by itself.
    #[schema(format = DateTime)]
    until: String,
}

impl LockoutView {
    fn of(lock: Lockout) -> Self {
        Self {
            id: lock.id,
            account: lock.account.map(|name| name.as_str().to_owned()),
            source: lock.source.map(|source| source.0),
            failures: lock.failures,
            since: written(lock.since),
            until: written(lock.until),
        }
    }
}

/// Which locks.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LockoutSearch {
    /// `next` of the page before.
    after: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// Locks that hold now.
#[utoipa::path(get, path = "/v1/lockouts", tag = "lockouts", params(LockoutSearch),
    responses((status = 200, body = Page<LockoutView>), Refusals), security(("bearer" = ["lockouts:read"])))]
async fn list_lockouts(
    by: Allowed<LockoutsRead>,
    Asked(search): Asked<LockoutSearch>,
) -> Result<Answer<Page<LockoutView>>, Problem> {
    let limit = limit(search.limit)?;
    let mut locks = by.store().lockouts(None, by.door().now()).await?;
    locks.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let page = Page::cut(locks.into_iter(), search.after.as_deref(), limit, |lock| {
        lock.id.clone()
    });
    Ok(Answer(page.map(LockoutView::of)))
}

/// Ends one lock.
#[utoipa::path(delete, path = "/v1/lockouts/{id}", tag = "lockouts",
    params(("id" = String, Path, description = "the lock's id")),
    responses((status = 204, description = "It is lifted."), Refusals, Missing),
    security(("bearer" = ["lockouts:write"])))]
async fn end_lockout(by: Allowed<LockoutsWrite>, Named(id): Named) -> Result<StatusCode, Problem> {
    let locks = by.store().lockouts(None, by.door().now()).await?;
    let lock = locks.into_iter().find(|lock| lock.id == id);
    let none = || Problem::because(Sort::NOT_FOUND, "no lock that holds has that id");
    let lock = lock.ok_or_else(none)?;
    if !by.store().unlock_one(&lock.id).await? {
        return Err(none());
    }
    let source = lock.source.map_or_else(|| "anywhere".to_owned(), |source| source.0);
    let mut event = by
        .event(Kind::AccountUnlocked, Outcome::Done)
        .detail("lockout", &lock.id)
        .detail("source", source);
    event.account = lock.account.map(|name| name.as_str().to_owned());
    by.door().record(vec![event]).await?;
    Ok(StatusCode::NO_CONTENT)
}
