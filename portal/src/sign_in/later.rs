//! What the steps after the first have in common: a page for who is at the step, a form of that page, and the same by JSON with
//! the ticket in it.

use axum::extract::Request;
use axum::response::Response;
use serde::de::DeserializeOwned;
use stagedoor_identity::sign_in::Ticket;

use super::{page_of, password};
use crate::carried::{Pending, Step};
use crate::forgery::Bond;
use crate::halt::Halt;
use crate::visit::{Posted, Visit};

/// A step after the first, by the fields that its form and its JSON have.
pub(crate) trait LaterStep: DeserializeOwned + Send + 'static {
    /// Which one.
    const STEP: Step;

    /// The form's token; empty in JSON.
    fn token(&self) -> &str;
    /// What proves the steps before, in JSON.
    fn ticket(&self) -> Option<&str>;
    /// The page for who is at the step.
    fn page(visit: &Visit, pending: &Pending) -> impl Future<Output = Result<Response, Halt>> + Send;
    /// Takes the step for a person: the form is this visitor's, who is at the step.
    fn by_form(
        self,
        visit: &Visit,
        bond: &Bond,
        pending: Pending,
    ) -> impl Future<Output = Result<Response, Halt>> + Send;
    /// Takes the step for a program.
    fn by_program(self, visit: &Visit, ticket: Ticket) -> impl Future<Output = Result<Response, Halt>> + Send;
}

/// `GET` of the step's page.
pub(crate) async fn show<S: LaterStep>(visit: Visit) -> Response {
    let answer = match at_step(&visit, S::STEP).await {
        Ok(Ok(pending)) => S::page(&visit, &pending).await,
        Ok(Err(elsewhere)) => Ok(elsewhere),
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

/// `POST` of the step's form, or of its JSON.
pub(crate) async fn submit<S: LaterStep>(visit: Visit, request: Request) -> Response {
    let answer = match visit.read::<S>(request).await {
        Ok(Posted::Json(fields)) => by_program(&visit, fields).await,
        Ok(Posted::Form(fields)) => by_form(&visit, fields).await,
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

async fn by_program<S: LaterStep>(visit: &Visit, fields: S) -> Result<Response, Halt> {
    let ticket = Ticket::from_text(fields.ticket().ok_or(Halt::Malformed)?);
    fields.by_program(visit, ticket).await
}

async fn by_form<S: LaterStep>(visit: &Visit, fields: S) -> Result<Response, Halt> {
    let Some(bond) = visit.form_bond() else {
        return password::begin_again(visit).await;
    };
    visit.check_form(Some(&bond), fields.token()).await?;
    match at_step(visit, S::STEP).await? {
        Ok(pending) => fields.by_form(visit, &bond, pending).await,
        Err(elsewhere) => Ok(elsewhere),
    }
}

/// The step the visitor is at, if it is this one; else the answer that leads to the right place.
async fn at_step(visit: &Visit, step: Step) -> Result<Result<Pending, Response>, Halt> {
    match visit.pending().await? {
        Some(pending) if pending.step == step => Ok(Ok(pending)),
        Some(pending) => visit.redirect(&visit.path(page_of(pending.step))).map(Err),
        None => password::begin_again(visit).await.map(Err),
    }
}
