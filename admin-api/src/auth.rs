//! Who calls, and what they may do. The house itself is behind the check: a handler reaches the door and the policy
//! only through [`Allowed`], which cannot be had without a token that has the scope in its type.

use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use stagedoor_identity::event::{Event, Kind, Outcome};
use stagedoor_identity::port::{ApiToken, SharedStore};
use stagedoor_identity::{Actor, Doorkeeper};

use crate::layers::RequestId;
use crate::problem::Problem;
use crate::scope::{Scope, holds};
use crate::{AdminParts, Nodes, PolicyBoard};

/// The paths that need no token: probes and the scraper.
pub(crate) const OPEN_PATHS: &[&str] = &["/livez", "/readyz", "/metrics"];

/// Longer than any token there is, in bytes.
const BEARER_BYTES_MAX: usize = 256;

/// The router's state. Its contents are private to this module; see [`Allowed`] and [`Anybody`].
#[derive(Clone)]
pub(crate) struct Gate(Arc<AdminParts>);

impl Gate {
    pub(crate) fn new(parts: AdminParts) -> Self {
        Self(Arc::new(parts))
    }

    /// For the layers in front of the handlers.
    pub(crate) fn board(&self) -> &dyn PolicyBoard {
        self.0.live.as_ref()
    }

    pub(crate) fn now(&self) -> stagedoor_policy::time::Timestamp {
        self.0.door.now()
    }
}

/// The token a request came with, once it has been found valid.
#[derive(Debug, Clone)]
struct Authenticated(ApiToken);

/// Refuses whatever comes without a valid token, before it is routed: who has none learns nothing, not even which paths
/// there are.
pub(crate) async fn authenticate(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    if OPEN_PATHS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let Some(presented) = bearer(request.headers()) else {
        return Problem::unauthenticated().into_response();
    };
    match gate.0.door.token(presented).await {
        Ok(Some(token)) => {
            request.extensions_mut().insert(Authenticated(token));
            next.run(request).await
        }
        Ok(None) => Problem::unauthenticated().into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// Exactly one `Authorization: Bearer …`; two are as good as none.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    let plain = !token.is_empty() && token.len() <= BEARER_BYTES_MAX;
    (scheme.eq_ignore_ascii_case("bearer") && plain).then_some(token)
}

/// The house, for a caller who has shown a token with the scope `S`.
pub(crate) struct Allowed<S> {
    parts: Arc<AdminParts>,
    token: ApiToken,
    actor: Actor,
    scope: PhantomData<S>,
}

impl<S: Scope> FromRequestParts<Gate> for Allowed<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, gate: &Gate) -> Result<Self, Problem> {
        let Some(Authenticated(token)) = parts.extensions.get::<Authenticated>().cloned() else {
            return Err(Problem::unauthenticated());
        };
        if let Some(scope) = S::NAME.filter(|scope| !holds(&token, scope)) {
            return Err(Problem::scope_missing(scope));
        }
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let acting = gate.0.door.actor_of(&token).await?;
        let actor = acting
            .ok_or_else(Problem::unauthenticated)?
            .from(peer.map(|ConnectInfo(peer)| peer.ip().to_canonical()))
            .in_request(parts.extensions.get::<RequestId>().map(ToString::to_string));
        Ok(Self {
            parts: Arc::clone(&gate.0),
            token,
            actor,
            scope: PhantomData,
        })
    }
}

impl<S: Scope> Allowed<S> {
    pub(crate) fn door(&self) -> &Doorkeeper {
        &self.parts.door
    }
    pub(crate) fn store(&self) -> &SharedStore {
        self.parts.door.store()
    }
    pub(crate) fn board(&self) -> &dyn PolicyBoard {
        self.parts.live.as_ref()
    }
    pub(crate) fn nodes(&self) -> &dyn Nodes {
        self.parts.nodes.as_ref()
    }
    /// Who asks, for the audit.
    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }
    /// What they asked with.
    pub(crate) fn token(&self) -> &ApiToken {
        &self.token
    }
    /// An audit event for a change made here rather than by the door.
    pub(crate) fn event(&self, kind: Kind, outcome: Outcome) -> Event {
        Event {
            outcome,
            ..Event::done(kind, &self.actor, self.door().now())
        }
    }
}

/// What a probe or a scraper may have: nothing that names anybody.
pub(crate) struct Anybody(Arc<AdminParts>);

impl FromRequestParts<Gate> for Anybody {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, gate: &Gate) -> Result<Self, Self::Rejection> {
        Ok(Self(Arc::clone(&gate.0)))
    }
}

impl Anybody {
    pub(crate) fn metrics(&self) -> String {
        (self.0.metrics)()
    }
    pub(crate) fn board(&self) -> &dyn PolicyBoard {
        self.0.live.as_ref()
    }
    pub(crate) fn store(&self) -> &SharedStore {
        self.0.door.store()
    }
    pub(crate) fn nodes(&self) -> &dyn Nodes {
        self.0.nodes.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        bearer(&headers).map(str::to_owned)
    }

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        assert_eq!(read(&["Bearer sdt_x"]).as_deref(), Some("sdt_x"));
        assert_eq!(read(&["bearer  sdt_x"]).as_deref(), Some("sdt_x"));
        assert_eq!(read(&["Basic sdt_x"]), None);
        assert_eq!(read(&["sdt_x"]), None);
        assert_eq!(read(&["Bearer "]), None);
    }

    #[test]
    fn two_tokens_are_as_good_as_none() {
        assert_eq!(read(&["Bearer sdt_x", "Bearer sdt_x"]), None);
    }

    #[test]
    fn a_token_longer_than_any_there_is_is_not_looked_up() {
        assert_eq!(read(&[&format!("Bearer {}", "a".repeat(BEARER_BYTES_MAX + 1))]), None);
    }
}
