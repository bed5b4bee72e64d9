//! What people see of the door: sign-in, second factor, enrolment, change of password, profile, sign-out, who-am-I, and the
//! pages for refused requests. Everything works without scripts.
//!
//! [`router`] is an axum router that knows nothing of the proxy around it. The gateway hands each request under the reserved
//! prefix over with a [`Caller`] in its extensions, and sends the answer back. [`presented_token`] and [`refusal`] are for the
//! gateway's own use.
//!
//! Reading order: `visit` (one request), `sign_in` (the way in), `profile` (one's own account), `accounts` (those one
//! administers), `devices`, `refusal` (the way out).
//!
//! State lives in three cookies (see `cookie`): the session, a random value that strangers' forms are tied to, and the sealed
//! step a sign-in is at. The door itself remembers nothing of half-done sign-ins.

mod accounts;
mod assets;
mod audience;
mod carried;
mod cookie;
mod destination;
mod devices;
mod fields;
mod forgery;
mod halt;
mod headers;
mod keys;
mod links;
mod page;
mod parts;
mod picture;
mod profile;
mod qr;
pub mod refusal;
mod setup;
mod sign_in;
mod sign_out;
mod told;
mod visit;
mod when;
mod whoami;
mod words;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use stagedoor_identity::Doorkeeper;
use stagedoor_policy::request::ClientAddress;
use stagedoor_policy::time::Timestamp;

pub use audience::Audience;
pub use cookie::{Presented, cookie_name, is_own_cookie, presented_token};
pub use headers::ANSWERED_BY;
pub use setup::Setup;

use crate::halt::Halt;
use crate::keys::KeyRing;
use crate::refusal::Look;
use crate::sign_in::later::{self, LaterStep};
use crate::visit::Visit;

/// The largest body a form or a program may post to the portal, pictures apart.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Of a form that carries a picture: all but the picture itself.
const AROUND_PICTURE_BYTES_MAX: usize = 8 * 1024;

/// The largest body that somebody signed in may post to a page, by its path below the prefix; `None`: [`BODY_BYTES_MAX`], and
/// the page has nothing to say about larger ones.
pub fn body_bytes_max(page: &str, picture_bytes_max: usize) -> Option<usize> {
    (page == profile::picture::PAGE).then(|| picture_bytes_max.saturating_add(AROUND_PICTURE_BYTES_MAX))
}

/// Keys change rarely; who verifies assertions may keep them this long.
const JWKS_MAY_BE_KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// Who asks, as the gateway sees it: an extension of every request that reaches [`router`].
#[derive(Debug, Clone)]
pub struct Caller {
    /// From where.
    pub address: ClientAddress,
    /// Whether the visitor came over TLS.
    pub secure: bool,
    /// As in the `Host` header, the port included where there is one: forms must come from this origin.
    pub host: String,
    /// The site the host names.
    pub site: Option<String>,
    /// Which request.
    pub request_id: String,
    /// When it came.
    pub now: Timestamp,
    /// The largest picture that is taken, in bytes; 0: none is.
    pub picture_bytes_max: usize,
    /// The body was larger than may be, and is not here.
    pub body_too_large: bool,
}

/// What a portal is made of.
#[derive(Clone)]
pub struct PortalParts {
    /// Who knows the accounts and sessions.
    pub door: Arc<Doorkeeper>,
    /// The reserved prefix: `/.stagedoor/`. Slashes that are missing at its ends are added.
    pub prefix: String,
    /// The operator's name for the door, shown on every page.
    pub title: String,
    /// The public keys of the assertion, as a JWK set.
    pub jwks: Arc<dyn Fn() -> String + Send + Sync>,
    /// The right to make the first account, where there is none yet.
    pub setup: Option<Arc<Setup>>,
}

impl fmt::Debug for PortalParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalParts")
            .field("prefix", &self.prefix)
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}

/// What every handler shares.
pub(crate) struct Portal {
    door: Arc<Doorkeeper>,
    look: Look,
    jwks: Arc<dyn Fn() -> String + Send + Sync>,
    setup: Option<Arc<Setup>>,
    keys: KeyRing,
}

/// Everything under the prefix. Any other path is answered with 404, so hand over only what lies under the prefix.
pub fn router(parts: PortalParts) -> Router {
    let prefix = whole_prefix(&parts.prefix);
    // Braces would be read as a capture.
    let root = prefix.replace('{', "{{").replace('}', "}}");
    let at = |page: &str| format!("{root}{page}");
    let portal = Arc::new(Portal {
        door: parts.door,
        look: Look {
            prefix,
            title: parts.title,
        },
        jwks: parts.jwks,
        setup: parts.setup,
        keys: KeyRing::default(),
    });
    Router::new()
        .without_v07_checks()
        .route(&at(""), get(start))
        .route(
            &at("login"),
            get(sign_in::password::show).post(sign_in::password::submit),
        )
        .route(
            &at("login/second-factor"),
            later_step::<sign_in::second_factor::Fields>(),
        )
        .route(&at("login/enrol"), later_step::<sign_in::enrol::Fields>())
        .route(&at("login/password"), later_step::<sign_in::new_password::Fields>())
        .route(&at("setup"), get(setup::show).post(setup::submit))
        .route(&at("recovery"), get(links::recovery::show))
        .route(&at("logout"), get(sign_out::show).post(sign_out::submit))
        .route(&at("profile"), get(profile::show))
        .route(
            &at("profile/password"),
            get(profile::password::show).post(profile::password::submit),
        )
        .route(
            &at("profile/second-factor"),
            get(profile::second_factor::show).post(profile::second_factor::submit),
        )
        .route(
            &at("profile/details"),
            get(profile::details::show).post(profile::details::submit),
        )
        .route(
            &at("profile/name"),
            get(profile::name::show).post(profile::name::submit),
        )
        .route(
            &at("profile/email"),
            get(profile::email::show).post(profile::email::submit),
        )
        .route(
            &at(profile::picture::PAGE),
            get(profile::picture::show).post(profile::picture::submit),
        )
        .route(&at("profile/picture/remove"), post(profile::picture::remove))
        .route(&at("picture/{account}/{tag}"), get(picture::serve))
        .route(&at("email"), get(links::email::show).post(links::email::submit))
        .route(&at("profile/sessions"), post(profile::sessions::submit))
        .route(
            &at("invitation"),
            get(links::invitation::show).post(links::invitation::submit),
        )
        .route(&at("reset"), get(links::reset::show).post(links::reset::submit))
        .route(&at("reset/ask"), post(links::reset::ask))
        .merge(accounts_pages(at))
        .merge(devices_pages(at))
        .route(&at("whoami"), get(whoami::show))
        .route(&at("jwks.json"), get(jwks))
        .route(&at("assets/{name}"), get(asset))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(map_response(secured))
        .with_state(portal)
}

/// What somebody who administers accounts does there.
fn accounts_pages(at: impl Fn(&str) -> String) -> Router<Arc<Portal>> {
    Router::new()
        .without_v07_checks()
        .route(&at("accounts"), get(accounts::list::show))
        .route(
            &at("accounts/add"),
            get(accounts::add::show).post(accounts::add::submit),
        )
        .route(
            &at("accounts/invite"),
            get(accounts::invite::show).post(accounts::invite::submit),
        )
        .route(&at("accounts/{id}"), get(accounts::one::show))
        .route(
            &at("accounts/{id}/edit"),
            get(accounts::edit::show).post(accounts::edit::submit),
        )
        .route(
            &at("accounts/{id}/password"),
            get(accounts::password::show).post(accounts::password::submit),
        )
        .route(
            &at("accounts/{id}/{act}"),
            get(accounts::act::ask).post(accounts::act::submit),
        )
}

/// What somebody who administers every account does there.
fn devices_pages(at: impl Fn(&str) -> String) -> Router<Arc<Portal>> {
    Router::new()
        .without_v07_checks()
        .route(&at("devices"), get(devices::list::show).post(devices::register::submit))
        .route(&at("devices/{id}/link"), post(devices::link))
        .route(&at("devices/{id}/unlink"), post(devices::unlink))
        .route(
            &at("devices/{id}/remove"),
            get(devices::ask_to_remove).post(devices::remove),
        )
}

fn later_step<S: LaterStep>() -> MethodRouter<Arc<Portal>> {
    get(later::show::<S>).post(later::submit::<S>)
}

fn whole_prefix(written: &str) -> String {
    match written.trim_matches('/') {
        "" => "/".to_owned(),
        bare => format!("/{bare}/"),
    }
}

async fn start(visit: Visit) -> Response {
    let page = if visit.signed_in().is_some() {
        "profile"
    } else {
        "login"
    };
    visit.finish(visit.redirect(&visit.path(page)))
}

async fn jwks(State(portal): State<Arc<Portal>>) -> Response {
    let media_type = HeaderValue::from_static("application/jwk-set+json");
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, JWKS_MAY_BE_KEPT),
    ];
    (headers, (portal.jwks)()).into_response()
}

async fn asset(visit: Visit, name: Result<Path<String>, PathRejection>) -> Response {
    let found = name.ok().and_then(|Path(name)| assets::serve(&name));
    visit.finish(found.ok_or(Halt::NotFound))
}

async fn not_found(visit: Visit) -> Response {
    visit.refuse(Halt::NotFound)
}

async fn wrong_method(visit: Visit) -> Response {
    visit.refuse(Halt::WrongMethod)
}

async fn secured(mut answer: Response) -> Response {
    headers::secure(answer.headers_mut());
    answer
}
