//! Changing one's own password: the current one proves it, every other session of the account ends.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use stagedoor_identity::Password;
use stagedoor_identity::sign_in::SignInRefusal;
use stagedoor_policy::rules::MessageKey;

use super::{CURRENT_IS_WRONG, done, own_form, sign_in_first};
use crate::carried::Done;
use crate::forgery::Bond;
use crate::halt::Halt;
use crate::page::OwnPasswordPage;
use crate::sign_in::advise_waiting;
use crate::sign_in::new_password::{problems, typed_twice};
use crate::visit::{Posted, SignedIn, Visit};
use crate::words;

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    csrf: String,
    current_password: String,
    new_password: String,
    repeat: String,
}

/// `GET profile/password`.
pub(crate) async fn show(visit: Visit) -> Response {
    let answer = match visit.signed_in() {
        Some(signed_in) => password_page(&visit, signed_in, StatusCode::OK, None, Vec::new()).await,
        None => sign_in_first(&visit, "profile/password"),
    };
    visit.finish(answer)
}

/// `POST profile/password`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = change(&visit, request).await;
    visit.finish(answer)
}

async fn change(visit: &Visit, request: Request) -> Result<Response, Halt> {
    let signed_in = visit.signed_in().ok_or(Halt::SignInFirst)?;
    let Posted::Form(fields) = visit.read::<Fields>(request).await? else {
        return Err(Halt::WrongType);
    };
    visit
        .check_form(Some(&Bond::of_session(signed_in.session.id())), &fields.csrf)
        .await?;
    let policy = visit.portal.door.policy();
    let typed = typed_twice(
        &policy,
        MessageKey::NewPasswordUnfit,
        &fields.new_password,
        &fields.repeat,
    );
    let new = match typed {
        Ok(new) => new,
        Err(sentence) => {
            let error = Some(sentence);
            return password_page(visit, signed_in, StatusCode::UNPROCESSABLE_ENTITY, error, Vec::new()).await;
        }
    };
    let Some(current) = Password::new(fields.current_password) else {
        let error = Some(CURRENT_IS_WRONG.to_owned());
        return password_page(visit, signed_in, StatusCode::UNAUTHORIZED, error, Vec::new()).await;
    };
    let door = &visit.portal.door;
    match door
        .change_own_password(&signed_in.session, &current, new, &visit.origin())
        .await
    {
        Ok(()) => done(visit, signed_in, Done::PasswordChanged).await,
        Err(refusal) => {
            let error = match &refusal {
                SignInRefusal::InvalidCredentials => CURRENT_IS_WRONG.to_owned(),
                other => visit.sentence(other),
            };
            let status = words::sign_in_status(&refusal);
            let mut answer = password_page(visit, signed_in, status, Some(error), problems(&refusal)).await?;
            advise_waiting(visit, &refusal, &mut answer);
            Ok(answer)
        }
    }
}

async fn password_page(
    visit: &Visit,
    signed_in: &SignedIn,
    status: StatusCode,
    error: Option<String>,
    problems: Vec<String>,
) -> Result<Response, Halt> {
    let (token, _) = own_form(visit, signed_in).await?;
    visit.page(
        status,
        &OwnPasswordPage {
            look: visit.look(),
            token,
            current_is_wrong: error.as_deref() == Some(CURRENT_IS_WRONG),
            error,
            problems,
        },
    )
}
