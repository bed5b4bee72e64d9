//! The identity provider that Pomerium demands, reduced to what it asks of one: a single person who is always signed in, and
//! no page. A real one cannot be had from a package registry; it is asked while somebody signs in and not while requests are
//! measured, so that it makes no difference to the figure.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use stagedoor_tests::{encoding::percent, unix_seconds};
use tokio::net::TcpListener;

use super::super::token_key::TokenKey;
use crate::Failure;

/// Longer than any run.
const LIFETIME_SECONDS: u64 = 24 * 3600;

/// What a visitor is sent here with.
#[derive(Deserialize)]
struct Asked {
    redirect_uri: String,
    state: String,
}

struct Signer {
    issuer: String,
    key: TokenKey,
}

/// What the provider that listens there calls itself.
pub(super) fn issuer(at: SocketAddr) -> String {
    format!("http://{at}")
}

/// Serves on a free port until the runtime ends.
pub(super) async fn serve() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let at = listener.local_addr()?;
    let signer = Signer {
        issuer: issuer(at),
        key: TokenKey::generate()?,
    };
    let router = Router::new()
        .route("/.well-known/openid-configuration", always(about(&signer.issuer)))
        .route("/keys", always(signer.key.set.clone()))
        .route("/person", always(person()))
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .with_state(Arc::new(signer));
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(at)
}

fn always(answer: Value) -> axum::routing::MethodRouter<Arc<Signer>> {
    get(async move || Json(answer.clone()))
}

/// OpenID Connect Discovery 1.0, section 3.
fn about(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "userinfo_endpoint": format!("{issuer}/person"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    })
}

/// Whom `benches/peers/pomerium.yaml` lets in.
fn person() -> Value {
    json!({ "sub": "ada", "email": "ada@example.org", "email_verified": true, "name": "Ada" })
}

async fn authorize(Query(asked): Query<Asked>) -> Redirect {
    let state = percent(&asked.state);
    Redirect::to(&format!("{}?code=of-ada&state={state}", asked.redirect_uri))
}

async fn token(State(signer): State<Arc<Signer>>) -> Result<Json<Value>, StatusCode> {
    let now = unix_seconds();
    // Who that is, Pomerium asks at /person.
    let claims = json!({
        "iss": signer.issuer, "aud": "bench", "sub": "ada", "iat": now, "exp": now + LIFETIME_SECONDS,
    });
    let signed = signer
        .key
        .sign(&claims)
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(json!({
        "access_token": "of-ada", "token_type": "Bearer", "expires_in": LIFETIME_SECONDS, "id_token": signed,
    })))
}
