//! Signing out. Only a post does it; the page has the button.
//!
//! The answer also clears what the browser keeps of the console: on a shared machine the next person must find neither its
//! pages (the back button shows nothing) nor its own session.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;

use crate::cookie::{self, Jar};
use crate::forgery::{self, Bond};
use crate::halt::Halt;
use crate::page::LogoutPage;
use crate::visit::{Posted, Visit, with_cookies};
use crate::{Audience, audience};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Not `"cookies"`: that reaches every host of the domain. See [`cookie::clear_foreign`].
const CACHE_AND_STORAGE: HeaderValue = HeaderValue::from_static("\"cache\", \"storage\"");

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    csrf: String,
}

/// `GET logout`.
pub(crate) async fn show(visit: Visit) -> Response {
    let answer = button(&visit).await;
    visit.finish(answer)
}

/// `POST logout`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = sign_out(&visit, request).await;
    visit.finish(answer)
}

async fn button(visit: &Visit) -> Result<Response, Halt> {
    let token = match visit.signed_in() {
        Some(signed_in) => forgery::token(&visit.keys().await?.forms, &Bond::of_session(signed_in.session.id())),
        None => String::new(),
    };
    visit.page(
        StatusCode::OK,
        &LogoutPage {
            look: visit.look(),
            token,
        },
    )
}

async fn sign_out(visit: &Visit, request: Request) -> Result<Response, Halt> {
    if !forgery::may_be_ours(&visit.caller, &visit.headers) {
        return Err(Halt::Forged);
    }
    // Who is not signed in may have pressed the button twice. Nothing is cleared then: a foreign page that posts here comes
    // without the session cookie and must not be able to take it away.
    let Some(signed_in) = visit.signed_in() else {
        return signed_out(visit);
    };
    if !audience::has_json_body(&visit.headers) {
        let Posted::Form(fields) = visit.read::<Fields>(request).await? else {
            return Err(Halt::WrongType);
        };
        visit
            .check_form(Some(&Bond::of_session(signed_in.session.id())), &fields.csrf)
            .await?;
    }
    visit
        .portal
        .door
        .sign_out(&signed_in.token, &visit.origin())
        .await
        .map_err(|fault| {
            tracing::error!(request_id = %visit.caller.request_id, %fault, "a session could not be ended");
            Halt::Unavailable
        })?;
    let mut answer = signed_out(visit)?;
    answer.headers_mut().insert(CLEAR_SITE_DATA, CACHE_AND_STORAGE);
    let secure = visit.caller.secure;
    let own = [cookie::clear_session(secure), Jar::Step.clear(secure)];
    let foreign = cookie::clear_foreign(&visit.headers, secure).into_iter().map(Some);
    Ok(with_cookies(answer, own.into_iter().chain(foreign)))
}

fn signed_out(visit: &Visit) -> Result<Response, Halt> {
    match visit.audience {
        Audience::Program => Ok(Json(json!({ "signed_out": true })).into_response()),
        Audience::Person => {
            let mut look = visit.look();
            look.account = None;
            visit.page(
                StatusCode::OK,
                &LogoutPage {
                    look,
                    token: String::new(),
                },
            )
        }
    }
}
