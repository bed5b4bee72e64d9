//! The companion API: accounts, sessions, locks, policy, audit and tokens over HTTP, with the OpenAPI document made of
//! the same declarations that route the calls.
//!
//! A call passes, from the outside in: request id and panic catcher (`layers`), host and origin (`guard`), bearer token
//! (`auth`), routing, the scope that its handler's signature demands (`auth::Allowed`), and only then its handler.
//!
//! To add an endpoint: write the handler in its resource's file with `#[utoipa::path(…, security(…))]` and an
//! `Allowed<Scope>` argument, name it in that file's `routes()`, run the tests with `STAGEDOOR_UPDATE_DOCS=1`.

mod accounts;
mod audit;
mod auth;
mod board;
mod devices;
mod document;
mod etag;
mod guard;
mod health;
mod input;
mod invitations;
mod layers;
mod letters;
mod live;
mod lockouts;
mod nodes;
mod page;
mod passphrase;
mod policy;
mod problem;
mod scope;
mod sessions;
mod time;
mod tokens;

use std::fmt;
use std::sync::Arc;

use axum::middleware::{from_fn, from_fn_with_state};
use stagedoor_identity::Doorkeeper;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

pub use board::{BoardFault, BoardStatus, FaultView, PolicyBoard, Posted, ReplaceRefusal};
pub use document::openapi;
pub use nodes::{Alone, Node, Nodes, Word};

/// What the API is made of.
#[derive(Clone)]
pub struct AdminParts {
    /// Accounts, sessions, tokens, audit.
    pub door: Arc<Doorkeeper>,
    /// The policy in force.
    pub live: Arc<dyn PolicyBoard>,
    /// The doors that share the store.
    pub nodes: Arc<dyn Nodes>,
    /// The metrics of the moment, in the Prometheus text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl fmt::Debug for AdminParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminParts")
            .field("live", &self.live)
            .finish_non_exhaustive()
    }
}

/// The whole API. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that the audit knows from
/// where a change was made.
pub fn router(parts: AdminParts) -> axum::Router {
    let (router, _) = routes().split_for_parts();
    let gate = auth::Gate::new(parts);
    router
        .fallback(layers::no_such_path)
        .method_not_allowed_fallback(layers::no_such_method)
        .layer(from_fn(layers::finish))
        .layer(from_fn_with_state(gate.clone(), auth::authenticate))
        .layer(from_fn_with_state(gate.clone(), guard::check))
        .layer(CatchPanicLayer::custom(layers::after_panic))
        .layer(from_fn_with_state(gate.clone(), layers::identify))
        .with_state(gate)
}

fn routes() -> OpenApiRouter<auth::Gate> {
    OpenApiRouter::with_openapi(document::frame())
        .merge(accounts::routes())
        .merge(invitations::routes())
        .merge(devices::routes())
        .merge(sessions::routes())
        .merge(lockouts::routes())
        .merge(policy::routes())
        .merge(nodes::routes())
        .merge(audit::routes())
        .merge(tokens::routes())
        .merge(letters::routes())
        .merge(document::routes())
        .merge(health::routes())
}
