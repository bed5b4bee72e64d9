//! Setting up one's own second factor, or a fresh one in place of the old: the password, then the new secret, then a code.
//! Fresh recovery codes come with it.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use stagedoor_identity::Password;
use stagedoor_identity::sign_in::{Progress, SignInRefusal};

use super::{own_form, sign_in_first};
use crate::carried::{Carried, Pending, Step};
use crate::cookie::{self, Jar};
use crate::forgery::Bond;
use crate::halt::Halt;
use crate::page::{EnrolPage, OwnSecondFactorPage};
use crate::sign_in::{advise_waiting, show_codes, tidy_code};
use crate::visit::{Posted, SignedIn, Visit, with_cookies};
use crate::{qr, words};

const PASSWORD_IS_WRONG: &str = "The password is wrong.";

/// The first form sends the password, the second one the code; either may be left for the other.
#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    csrf: String,
    password: Option<String>,
    code: Option<String>,
}

/// `GET profile/second-factor`.
pub(crate) async fn show(visit: Visit) -> Response {
    let answer = match visit.signed_in() {
        Some(signed_in) => current_page(&visit, signed_in).await,
        None => sign_in_first(&visit, "profile/second-factor"),
    };
    visit.finish(answer)
}

/// `POST profile/second-factor`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = take(&visit, request).await;
    visit.finish(answer)
}

async fn take(visit: &Visit, request: Request) -> Result<Response, Halt> {
    let signed_in = visit.signed_in().ok_or(Halt::SignInFirst)?;
    let Posted::Form(fields) = visit.read::<Fields>(request).await? else {
        return Err(Halt::WrongType);
    };
    visit
        .check_form(Some(&Bond::of_session(signed_in.session.id())), &fields.csrf)
        .await?;
    match (fields.password, fields.code) {
        (Some(password), None) => begin(visit, signed_in, password).await,
        (None, Some(code)) => confirm(visit, signed_in, &code).await,
        (Some(_), Some(_)) | (None, None) => Err(Halt::Malformed),
    }
}

async fn begin(visit: &Visit, signed_in: &SignedIn, password: String) -> Result<Response, Halt> {
    let begun = match Password::new(password) {
        Some(password) => {
            visit
                .portal
                .door
                .begin_own_enrolment(&signed_in.session, &password, &visit.origin())
                .await
        }
        None => Err(SignInRefusal::InvalidCredentials),
    };
    match begun {
        Ok(enrolment) => {
            let pending = Pending::enrolment(Step::OwnEnrolment, &enrolment, "/");
            let bond = Bond::of_session(signed_in.session.id());
            let cookie = visit.carry(&Carried::Pending(pending), &bond).await?;
            Ok(with_cookies(
                visit.redirect(&visit.path("profile/second-factor"))?,
                [cookie],
            ))
        }
        Err(refusal) => password_page(visit, signed_in, Some(&refusal)).await,
    }
}

async fn confirm(visit: &Visit, signed_in: &SignedIn, code: &str) -> Result<Response, Halt> {
    let Some(pending) = pending(visit, signed_in).await? else {
        return password_page(visit, signed_in, Some(&SignInRefusal::TicketExpired)).await;
    };
    let door = &visit.portal.door;
    match door
        .confirm_enrolment(&pending.ticket(), &tidy_code(code), visit.origin())
        .await
    {
        Ok((codes, progress)) => {
            let secure = visit.caller.secure;
            let session = match progress {
                Progress::Open(open) => cookie::set_session(&open.token, secure),
                // One more step is asked for only of who has no session yet.
                Progress::Needs(..) => None,
            };
            let answer = show_codes(visit, &codes, visit.path("profile"))?;
            Ok(with_cookies(answer, [session, Jar::Step.clear(secure)]))
        }
        Err(refusal @ (SignInRefusal::InvalidCode | SignInRefusal::Busy { .. } | SignInRefusal::Unavailable)) => {
            code_page(visit, signed_in, &pending, Some(&refusal)).await
        }
        Err(refusal) => {
            let answer = password_page(visit, signed_in, Some(&refusal)).await?;
            Ok(with_cookies(answer, [Jar::Step.clear(visit.caller.secure)]))
        }
    }
}

async fn current_page(visit: &Visit, signed_in: &SignedIn) -> Result<Response, Halt> {
    match pending(visit, signed_in).await? {
        Some(pending) => code_page(visit, signed_in, &pending, None).await,
        None => password_page(visit, signed_in, None).await,
    }
}

async fn pending(visit: &Visit, signed_in: &SignedIn) -> Result<Option<Pending>, Halt> {
    let bond = Bond::of_session(signed_in.session.id());
    Ok(match visit.carried(Some(&bond)).await? {
        Some(Carried::Pending(pending)) if pending.step == Step::OwnEnrolment => Some(pending),
        _ => None,
    })
}

async fn password_page(visit: &Visit, signed_in: &SignedIn, refusal: Option<&SignInRefusal>) -> Result<Response, Halt> {
    let (token, _) = own_form(visit, signed_in).await?;
    let error = refusal.map(|refusal| match refusal {
        SignInRefusal::InvalidCredentials => PASSWORD_IS_WRONG.to_owned(),
        SignInRefusal::TicketExpired => "This took too long. Please begin again with your password.".to_owned(),
        other => visit.sentence(other),
    });
    let again = signed_in.session.account().second_factor;
    let page = OwnSecondFactorPage {
        look: visit.look(),
        token,
        error,
        again,
    };
    answer(visit, &page, refusal)
}

async fn code_page(
    visit: &Visit,
    signed_in: &SignedIn,
    pending: &Pending,
    refusal: Option<&SignInRefusal>,
) -> Result<Response, Halt> {
    let (token, _) = own_form(visit, signed_in).await?;
    let secret = pending.secret.as_ref().ok_or(Halt::Broken)?;
    let page = EnrolPage {
        look: visit.look(),
        token,
        error: refusal.map(|refusal| visit.sentence(refusal)),
        qr: qr::image(&secret.uri),
        typed: secret.typed.clone(),
        action: "profile/second-factor",
        demanded: false,
    };
    answer(visit, &page, refusal)
}

fn answer(visit: &Visit, page: &impl askama::Template, refusal: Option<&SignInRefusal>) -> Result<Response, Halt> {
    let mut answer = visit.page(refusal.map_or(StatusCode::OK, words::sign_in_status), page)?;
    if let Some(refusal) = refusal {
        advise_waiting(visit, refusal, &mut answer);
    }
    Ok(answer)
}
