//! Changing the name one signs in with, proved by the password.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use stagedoor_identity::OwnFault;
use stagedoor_identity::account::AccountName;
use stagedoor_identity::sign_in::SignInRefusal;

use super::page::{OwnNamePage, Proof};
use super::{done, own_fields, own_form, proof, sign_in_first, waiting};
use crate::accounts::page::Field;
use crate::carried::Done;
use crate::halt::Halt;
use crate::told::Told;
use crate::visit::{SignedIn, Visit};

/// `GET profile/name`.
pub(crate) async fn show(visit: Visit) -> Response {
    let answer = match visit.signed_in() {
        Some(signed_in) => {
            let name = signed_in.session.account().name.as_str().to_owned();
            name_page(&visit, signed_in, StatusCode::OK, name, Vec::new(), Proof::default()).await
        }
        None => sign_in_first(&visit, "profile/name"),
    };
    visit.finish(answer)
}

/// `POST profile/name`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = change(&visit, request).await;
    visit.finish(answer)
}

async fn change(visit: &Visit, request: Request) -> Result<Response, Halt> {
    let (signed_in, fields) = own_fields(visit, request).await?;
    let typed = fields.needed("name")?.to_owned();
    let name = match sign_in_name(visit, &typed) {
        Ok(name) => name,
        Err(problems) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return name_page(visit, signed_in, status, typed, problems, Proof::default()).await;
        }
    };
    let door = &visit.portal.door;
    let changed = match proof(&fields)? {
        Some(current) => {
            door.change_own_name(&signed_in.session, &current, name, &visit.origin())
                .await
        }
        None => Err(OwnFault::Unproved(SignInRefusal::InvalidCredentials)),
    };
    match changed {
        Ok(_) => done(visit, signed_in, Done::NameChanged).await,
        Err(OwnFault::Unproved(refusal)) => {
            let (status, proof) = super::unproved(visit, &refusal);
            let answer = name_page(visit, signed_in, status, typed, Vec::new(), proof).await?;
            Ok(waiting(visit, &refusal, answer))
        }
        Err(OwnFault::Change(fault)) => {
            let mut told = Told::of(visit, fault)?;
            let (status, problems) = (told.status, told.take("name"));
            let error = told.sentences().into_iter().next();
            let proof = Proof {
                error,
                password_is_wrong: false,
            };
            name_page(visit, signed_in, status, typed, problems, proof).await
        }
    }
}

/// As the policy wants it to be typed.
fn sign_in_name(visit: &Visit, typed: &str) -> Result<AccountName, Vec<String>> {
    visit.portal.door.policy().check_account_name(typed)?;
    AccountName::parse(typed).map_err(|sentence| vec![sentence.to_owned()])
}

async fn name_page(
    visit: &Visit,
    signed_in: &SignedIn,
    status: StatusCode,
    value: String,
    problems: Vec<String>,
    proof: Proof,
) -> Result<Response, Halt> {
    let (token, _) = own_form(visit, signed_in).await?;
    let page = OwnNamePage {
        look: visit.look(),
        token,
        name: Field { value, problems },
        proof,
    };
    visit.page(status, &page)
}
