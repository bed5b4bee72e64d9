//! Accepting an invitation: a password of one's own, then on to sign in.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request};
use axum::http::StatusCode;
use axum::response::Response;
use stagedoor_identity::Secret;
use stagedoor_identity::sign_in::SignInRefusal;

use super::{Asked, Fields, Kind, form_page, refused, token_of};
use crate::halt::Halt;
use crate::sign_in::new_password::typed_twice;
use crate::sign_in::{BROWSER, for_person, refused as sign_in_refused};
use crate::visit::{Posted, Visit};

/// `GET invitation?token=…`.
pub(crate) async fn show(visit: Visit, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let answer = form_page(
        &visit,
        Kind::Invitation,
        token_of(asked),
        StatusCode::OK,
        None,
        Vec::new(),
    )
    .await;
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
    let bond = visit.form_bond().ok_or(Halt::FormExpired)?;
    visit.check_form(Some(&bond), &fields.csrf).await?;
    let policy = visit.portal.door.policy();
    let typed = typed_twice(&policy, Kind::Invitation.unfit(), &fields.new_password, &fields.repeat);
    let password = match typed {
        Ok(password) => password,
        Err(sentence) => {
            let (status, error) = (StatusCode::UNPROCESSABLE_ENTITY, Some(sentence));
            return form_page(visit, Kind::Invitation, fields.token, status, error, Vec::new()).await;
        }
    };
    let door = &visit.portal.door;
    let token = Secret::new(fields.token.as_str());
    match door.accept(&token, &password, BROWSER, visit.origin()).await {
        Ok(accepted) => match accepted.next {
            Ok(progress) => for_person(visit, &bond, progress, "", &[]).await,
            // Accepted all the same; why one cannot come in this way is told as at any sign-in.
            Err(refusal) => sign_in_refused(visit, &refusal).await,
        },
        Err(refusal @ (SignInRefusal::PasswordUnfit(_) | SignInRefusal::Busy { .. } | SignInRefusal::LinkDead)) => {
            refused(visit, Kind::Invitation, fields.token, &refusal).await
        }
        Err(_) => Err(Halt::Unavailable),
    }
}
