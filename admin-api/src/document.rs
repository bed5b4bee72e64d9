//! `/v1/openapi.json`: the document of this API, made of what is routed.

use std::sync::LazyLock;

use axum::response::Response;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, Gate};
use crate::layers::text;
use crate::problem::Refusals;
use crate::scope::AnyToken;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Stagedoor admin API",
        description = "Accounts, sessions, locks, policy, audit and tokens of a Stagedoor. Every call but the three \
            probes needs `Authorization: Bearer sdt_…` with the scope that the operation's `security` names. Unknown \
            fields are refused. Errors are `application/problem+json` with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact()
    ),
    servers((url = "http://127.0.0.1:9080", description = "where it listens by default")),
    tags(
        (name = "accounts", description = "Who there is, and what may be done to them."),
        (name = "sessions", description = "Who is in, and showing them out."),
        (name = "lockouts", description = "Which names are locked after too many failures."),
        (name = "policy", description = "The rules in force: reading, checking, replacing, questioning."),
        (name = "audit", description = "What happened."),
        (name = "tokens", description = "The keys to this API."),
        (name = "letters", description = "Letters that wait to be sent."),
        (name = "health", description = "Probes, metrics, this document."),
    )
)]
struct Frame;

/// What is said once for the whole API.
pub(crate) fn frame() -> utoipa::openapi::OpenApi {
    let mut document = Frame::openapi();
    let bearer = SecurityScheme::Http(
        Http::builder()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token made by `stagedoor token create` or `POST /v1/tokens`."))
            .build(),
    );
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("bearer", bearer);
    document
}

/// Written when it is first asked for: that takes as long as half of a door's start.
static DOCUMENT: LazyLock<String> = LazyLock::new(openapi);

/// The document as it is served, as `docs/reference/openapi.json` holds it.
pub fn openapi() -> String {
    // Plain data with text keys always serialises; were that ever untrue, the test that compares the document fails.
    let mut text = crate::routes().into_openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

pub(crate) fn routes() -> OpenApiRouter<Gate> {
    OpenApiRouter::new().routes(routes!(show_document))
}

/// This document.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "health",
    responses((status = 200, content_type = "application/json", body = serde_json::Value), Refusals),
    security(("bearer" = [])))]
async fn show_document(_: Allowed<AnyToken>) -> Response {
    text("application/json", DOCUMENT.clone())
}
