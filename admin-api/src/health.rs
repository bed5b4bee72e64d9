//! `/livez`, `/readyz`, `/metrics`: for probes and scrapers, without a token; they name nobody.

use std::time::Duration;

use axum::Json as Answer;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Anybody, Gate};
use crate::layers::text;

/// A store that takes longer than this to answer is not ready.
const STORE_SECONDS_MAX: Duration = Duration::from_secs(2);

pub(crate) fn routes() -> OpenApiRouter<Gate> {
    OpenApiRouter::new()
        .routes(routes!(livez))
        .routes(routes!(readyz))
        .routes(routes!(metrics))
}

/// Whether requests can be judged.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    ready: bool,
    /// What was looked at. A faulty policy file does not make the door unready: the policy before it stays in force.
    checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize, ToSchema)]
struct Check {
    /// `policy`, `policy-file`, `store`.
    name: &'static str,
    ok: bool,
    detail: String,
}

/// Whether the process answers at all.
#[utoipa::path(get, path = "/livez", tag = "health",
    responses((status = 200, content_type = "text/plain", body = String, description = "It does.")))]
async fn livez() -> Response {
    text("text/plain; charset=utf-8", "ok\n".to_owned())
}

/// Whether requests can be judged: 200 where they can, 503 where they cannot.
#[utoipa::path(get, path = "/readyz", tag = "health",
    responses((status = 200, body = Readiness, description = "They can."),
        (status = 503, body = Readiness, description = "They cannot; the checks say why.")))]
async fn readyz(anybody: Anybody) -> (StatusCode, Answer<Readiness>) {
    let status = anybody.board().status();
    let policy = Check {
        name: "policy",
        ok: true,
        detail: format!("revision {} is in force", status.revision),
    };
    let file = match status.last_fault {
        None => Check {
            name: "policy-file",
            ok: true,
            detail: "what is in force is what the files say".to_owned(),
        },
        Some(fault) => Check {
            name: "policy-file",
            ok: false,
            detail: fault.text,
        },
    };
    let store = store_check(&anybody).await;
    let ready = store.ok;
    let code = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let checks = vec![policy, file, store];
    (code, Answer(Readiness { ready, checks }))
}

/// Without the store nobody can sign in, and no sign-in can be judged.
async fn store_check(anybody: &Anybody) -> Check {
    let asked = tokio::time::timeout(STORE_SECONDS_MAX, anybody.store().policy_revision()).await;
    let (ok, detail) = match asked {
        Ok(Ok(_)) => (true, "it answers".to_owned()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the store failed a readiness check");
            (false, "it fails; the log says why".to_owned())
        }
        Err(_) => (
            false,
            format!("it did not answer within {} s", STORE_SECONDS_MAX.as_secs()),
        ),
    };
    Check {
        name: "store",
        ok,
        detail,
    }
}

/// Counters and gauges in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, content_type = "text/plain", body = String, description = "The metrics of the moment.")))]
async fn metrics(anybody: Anybody) -> Response {
    text("text/plain; version=0.0.4; charset=utf-8", anybody.metrics())
}
