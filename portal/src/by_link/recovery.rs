//! Another second factor in place of a lost one, or the first: the sign-in that a link gives the right for.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use stagedoor_identity::port::LinkPurpose;

use super::{Asked, dead, name_behind, token};
use crate::halt::Halt;
use crate::sign_in::with_link;
use crate::visit::Visit;

/// `GET recovery?token=…`: the sign-in page, which carries the link on.
pub(crate) async fn show(visit: Visit, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let answer = match token(asked) {
        Some(link) => lead_on(&visit, link).await,
        None => Err(Halt::NotFound),
    };
    visit.finish(answer)
}

async fn lead_on(visit: &Visit, link: String) -> Result<Response, Halt> {
    match name_behind(visit, &link, LinkPurpose::SecondFactor).await? {
        Some(name) => with_link(visit, name.as_str(), link).await,
        None => dead(visit),
    }
}
