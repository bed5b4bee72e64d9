//! An invitation is accepted by setting a password; the sign-in goes on from there.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request};
use axum::http::StatusCode;
use axum::response::Response;
use stagedoor_identity::Secret;
use stagedoor_identity::port::LinkPurpose;

use super::{Asked, Fields, Words, password_page, refused, token, typed};
use crate::halt::Halt;
use crate::sign_in::{BROWSER, for_person, refused_for_good};
use crate::visit::{Posted, Visit};

const SHOWN: (&Words, LinkPurpose) = (
    &Words {
        title: "Accept your invitation",
        lead: "Choose a password to sign in with. A few words in a row that only you would think of make a good one.",
        action: "invitation",
        button: "Accept and sign in",
    },
    LinkPurpose::Invitation,
);

/// `GET invitation?token=…`.
pub(crate) async fn show(visit: Visit, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let answer = match token(asked) {
        Some(link) => password_page(&visit, SHOWN, link, (StatusCode::OK, None, Vec::new())).await,
        None => Err(Halt::NotFound),
    };
    visit.finish(answer)
}

/// `POST invitation`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = match visit.read::<Fields>(request).await {
        Ok(Posted::Form(fields)) => accept(&visit, fields).await,
        Ok(Posted::Json(_)) => Err(Halt::WrongType),
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

async fn accept(visit: &Visit, fields: Fields) -> Result<Response, Halt> {
    let password = match typed(visit, SHOWN, &fields).await? {
        Ok(password) => password,
        Err(page) => return Ok(page),
    };
    let bond = visit.form_bond().ok_or(Halt::FormExpired)?;
    let link = Secret::new(fields.link.as_bytes());
    let accepted = visit
        .portal
        .door
        .accept(&link, &password, BROWSER, visit.origin())
        .await;
    match accepted {
        Err(refusal) => refused(visit, SHOWN, fields.link, &refusal).await,
        Ok(accepted) => match accepted.next {
            Ok(progress) => for_person(visit, &bond, progress, "", &[]).await,
            Err(refusal) => refused_for_good(visit, &refusal).await,
        },
    }
}
