//! The first step: name and password.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use stagedoor_identity::sign_in::{Attempt, Progress, SignInRefusal};
use stagedoor_identity::{Password, Secret};

use super::{BROWSER, outcome};
use crate::cookie::Jar;
use crate::halt::Halt;
use crate::page::LoginPage;
use crate::visit::{Posted, Standing, Visit, with_cookies};
use crate::words::{self, Words};

#[derive(Deserialize)]
pub(crate) struct Asked {
    to: Option<String>,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    to: String,
    username: String,
    password: String,
    code: Option<String>,
    channel: Option<String>,
    /// What proves the device that a program comes from.
    device_key: Option<String>,
    /// What a link carried: the right to set up a second factor.
    #[serde(default)]
    link: String,
}

/// `GET login`.
pub(crate) async fn show(visit: Visit, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let to = asked.ok().and_then(|Query(asked)| asked.to).unwrap_or_default();
    let answer = login_page(&visit, StatusCode::OK, View { to, ..View::default() }).await;
    visit.finish(answer)
}

/// `POST login`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = match visit.read::<Fields>(request).await {
        Ok(Posted::Json(fields)) => Ok(by_program(&visit, &fields).await),
        Ok(Posted::Form(fields)) => by_form(&visit, fields).await,
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

/// The first step once more, for somebody who came to a later one without it.
pub(super) async fn begin_again(visit: &Visit) -> Result<Response, Halt> {
    let error = "Please begin with your name and password.".to_owned();
    login_page(
        visit,
        StatusCode::CONFLICT,
        View {
            error: Some(error),
            ..View::default()
        },
    )
    .await
}

/// The first step once more, since a later one was refused for good.
pub(crate) async fn refused(visit: &Visit, refusal: &SignInRefusal) -> Result<Response, Halt> {
    let view = View {
        error: Some(visit.sentence(refusal)),
        ..View::default()
    };
    let mut answer = login_page(visit, words::sign_in_status(refusal), view).await?;
    outcome::advise_waiting(visit, refusal, &mut answer);
    Ok(with_cookies(answer, [Jar::Step.clear(visit.caller.secure)]))
}

/// The first step for the holder of a link, which gives the right to set up a second factor.
pub(crate) async fn with_link(visit: &Visit, name: &str, link: String) -> Result<Response, Halt> {
    let view = View {
        name: name.to_owned(),
        link,
        ..View::default()
    };
    login_page(visit, StatusCode::OK, view).await
}

async fn by_program(visit: &Visit, fields: &Fields) -> Response {
    let channel = fields.channel.as_deref().unwrap_or(BROWSER);
    outcome::for_program(visit, channel, sign_in(visit, fields).await).await
}

async fn by_form(visit: &Visit, mut fields: Fields) -> Result<Response, Halt> {
    let Some(bond) = visit.form_bond() else {
        return out_of_date(visit, fields).await;
    };
    match visit.check_form(Some(&bond), &fields.csrf).await {
        Ok(()) => {}
        Err(Halt::FormExpired) => return out_of_date(visit, fields).await,
        Err(halt) => return Err(halt),
    }
    // A page has no say in this.
    (fields.channel, fields.device_key) = (None, None);
    match sign_in(visit, &fields).await {
        Ok(progress) => outcome::for_person(visit, &bond, progress, &fields.to, &[]).await,
        Err(refusal) => {
            let view = View {
                error: Some(visit.sentence(&refusal)),
                to: fields.to,
                name: fields.username,
                link: fields.link,
            };
            let mut answer = login_page(visit, words::sign_in_status(&refusal), view).await?;
            outcome::advise_waiting(visit, &refusal, &mut answer);
            Ok(answer)
        }
    }
}

async fn sign_in(visit: &Visit, fields: &Fields) -> Result<Progress, SignInRefusal> {
    // Longer than any password can be: it is wrong without looking.
    let password = Password::new(fields.password.as_str()).ok_or(SignInRefusal::InvalidCredentials)?;
    let attempt = Attempt {
        name: fields.username.clone(),
        password,
        code: fields
            .code
            .as_deref()
            .map(super::tidy_code)
            .filter(|code| !code.is_empty()),
        channel: fields.channel.clone().unwrap_or_else(|| BROWSER.to_owned()),
        right: Some(fields.link.as_bytes())
            .filter(|link| !link.is_empty())
            .map(Secret::new),
        device_key: fields.device_key.as_deref().map(|key| Secret::new(key.as_bytes())),
        from: visit.origin(),
    };
    visit.portal.door.sign_in(attempt).await
}

async fn out_of_date(visit: &Visit, fields: Fields) -> Result<Response, Halt> {
    let error =
        "This page was open for too long, or your browser did not keep our cookie. Please try again.".to_owned();
    login_page(
        visit,
        StatusCode::FORBIDDEN,
        View {
            error: Some(error),
            to: fields.to,
            name: fields.username,
            link: fields.link,
        },
    )
    .await
}

#[derive(Default)]
struct View {
    error: Option<String>,
    to: String,
    name: String,
    link: String,
}

async fn login_page(visit: &Visit, status: StatusCode, view: View) -> Result<Response, Halt> {
    let form = visit.strangers_form().await?;
    let destination = visit.destination(Some(&view.to));
    let page = LoginPage {
        reset: visit.portal.door.letterhead().is_some(),
        look: visit.look(),
        token: form.token,
        to: if destination.is_home() {
            String::new()
        } else {
            destination.as_str().to_owned()
        },
        name: view.name,
        notice: if view.error.is_none() { notice(visit) } else { None },
        error: view.error,
        host: visit.caller.host.clone(),
        onward: destination.as_str().to_owned(),
        link: view.link,
    };
    Ok(with_cookies(visit.page(status, &page)?, [form.cookie]))
}

/// Why one is here: told from the session that is over, never from the address of the page, which anybody can write.
fn notice(visit: &Visit) -> Option<Words> {
    match &visit.standing {
        Standing::Ended(ended) => Some(words::ended(ended)),
        Standing::Stranger | Standing::SignedIn(_) => None,
    }
}
