//! Another second factor in place of a lost one, or the first: the sign-in that a link gives the right for.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;

use super::{Asked, Kind, dead, name_behind, token_of};
use crate::halt::Halt;
use crate::sign_in::with_link;
use crate::visit::Visit;

/// `GET recovery?token=…`: the sign-in page, which carries the link on.
pub(crate) async fn show(visit: Visit, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let answer = lead_on(&visit, token_of(asked)).await;
    visit.finish(answer)
}

async fn lead_on(visit: &Visit, token: String) -> Result<Response, Halt> {
    match name_behind(visit, Kind::Recovery, &token).await? {
        Some(name) => with_link(visit, &name, token).await,
        None => dead(visit, Kind::Recovery),
    }
}
