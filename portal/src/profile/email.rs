//! Another address for one's letters: asked for with the password, one's own once the link that was sent to it was followed.
//! Nobody is shown that link here: it would confirm an address that nobody has shown to be theirs.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use stagedoor_identity::OwnFault;
use stagedoor_identity::sign_in::SignInRefusal;
use stagedoor_policy::Policy;

use super::page::{OwnEmailPage, Proof};
use super::{done, own_fields, own_form, proof, sign_in_first, waiting};
use crate::accounts::page::Field;
use crate::carried::Done;
use crate::halt::Halt;
use crate::told::Told;
use crate::visit::{SignedIn, Visit};

/// `GET profile/email`.
pub(crate) async fn show(visit: Visit) -> Response {
    let answer = match visit.signed_in() {
        Some(signed_in) => email_page(&visit, signed_in, StatusCode::OK, Field::default(), Proof::default()).await,
        None => sign_in_first(&visit, "profile/email"),
    };
    visit.finish(answer)
}

/// `POST profile/email`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = ask(&visit, request).await;
    visit.finish(answer)
}

async fn ask(visit: &Visit, request: Request) -> Result<Response, Halt> {
    let (signed_in, fields) = own_fields(visit, request).await?;
    let typed = fields.needed("email")?.trim().to_owned();
    let door = &visit.portal.door;
    let asked = match proof(&fields)? {
        Some(current) => {
            door.ask_email_change(&signed_in.session, &current, &typed, &visit.origin())
                .await
        }
        None => Err(OwnFault::Unproved(SignInRefusal::InvalidCredentials)),
    };
    let mut email = Field {
        value: typed,
        problems: Vec::new(),
    };
    match asked {
        Ok(()) => done(visit, signed_in, Done::EmailAsked).await,
        Err(OwnFault::Unproved(refusal)) => {
            let (status, proof) = super::unproved(visit, &refusal);
            let answer = email_page(visit, signed_in, status, email, proof).await?;
            Ok(waiting(visit, &refusal, answer))
        }
        Err(OwnFault::Change(fault)) => {
            let mut told = Told::of(visit, fault)?;
            let status = told.status;
            email.problems = told.take("email");
            let proof = Proof {
                error: told.sentences().into_iter().next(),
                password_is_wrong: false,
            };
            email_page(visit, signed_in, status, email, proof).await
        }
    }
}

async fn email_page(
    visit: &Visit,
    signed_in: &SignedIn,
    status: StatusCode,
    email: Field,
    proof: Proof,
) -> Result<Response, Halt> {
    let (token, _) = own_form(visit, signed_in).await?;
    let (door, account) = (&visit.portal.door, signed_in.session.account());
    let page = OwnEmailPage {
        look: visit.look(),
        token,
        present: account.email.clone(),
        letters: door.letterhead().is_some(),
        changed_by: administrators_of(&door.policy(), &account.role),
        email,
        proof,
    };
    visit.page(status, &page)
}

/// The roles that manage accounts of this one.
fn administrators_of(policy: &Policy, role: &str) -> Vec<String> {
    let manages = |by: &&str| policy.may_administer(by, role);
    policy.roles().filter(manages).map(str::to_owned).collect()
}
