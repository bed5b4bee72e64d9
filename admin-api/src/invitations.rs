//! `/v1/invitations`: accounts that wait for whoever they are for.

use axum::Json as Answer;
use axum::response::{IntoResponse as _, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use stagedoor_identity::Invited;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::shape::{AccountView, InvitationForm, LinkSent};
use crate::accounts::{find, tagged, view};
use crate::auth::{Allowed, Gate};
use crate::input::{Json, Named};
use crate::problem::{BodyRefusals, Missing, Problem, ProblemBody, Refusals, Sort};
use crate::scope::AccountsWrite;

pub(crate) fn routes() -> OpenApiRouter<Gate> {
    OpenApiRouter::new()
        .routes(routes!(invite))
        .routes(routes!(resend_invitation))
        .routes(routes!(withdraw_invitation))
}

/// An invitation that was sent, or whose link is shown.
#[derive(Serialize, ToSchema)]
struct InvitationMade {
    #[serde(flatten)]
    account: AccountView,
    link: LinkSent,
}

/// Invites somebody: makes an account that nobody can sign in to until the link is opened and a password set. The link goes
/// out by e-mail; where no mail server is configured, its token is shown this once.
#[utoipa::path(post, path = "/v1/invitations", tag = "invitations", request_body = InvitationForm,
    responses((status = 201, body = InvitationMade, headers(
        ("ETag" = String, description = "for `If-Match`"), ("Location" = String, description = "the account by id"))),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The name is taken, or no seat is left."),
        Refusals, BodyRefusals), security(("bearer" = ["accounts:write"])))]
async fn invite(by: Allowed<AccountsWrite>, Json(form): Json<InvitationForm>) -> Result<Response, Problem> {
    let invited = by.door().invite(form.into_new()?, by.actor()).await?;
    let mut response = made(&by, StatusCode::CREATED, &invited).await?;
    if let Ok(location) = HeaderValue::try_from(format!("/v1/accounts/{}", invited.account.id.0)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Sends an invitation again, with another link; the former one is worthless. Also to an account that disuse has banned, where
/// the policy lets it come back in this way.
#[utoipa::path(post, path = "/v1/invitations/{id_or_name}/resend", tag = "invitations",
    params(("id_or_name" = String, Path, description = "the account's id, or its name")),
    responses((status = 200, body = InvitationMade, headers(("ETag" = String, description = "for `If-Match`"))),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The account is in use."),
        Refusals, Missing), security(("bearer" = ["accounts:write"])))]
async fn resend_invitation(by: Allowed<AccountsWrite>, Named(named): Named) -> Result<Response, Problem> {
    let account = find(&by, &named).await?;
    let invited = by.door().resend_invitation(account.id, by.actor()).await?;
    made(&by, StatusCode::OK, &invited).await
}

/// Takes an invitation back: its account goes, and its link is worthless.
#[utoipa::path(delete, path = "/v1/invitations/{id_or_name}", tag = "invitations",
    params(("id_or_name" = String, Path, description = "the account's id, or its name")),
    responses((status = 204, description = "It is gone."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "It has been accepted: remove the account instead."),
        Refusals, Missing), security(("bearer" = ["accounts:write"])))]
async fn withdraw_invitation(by: Allowed<AccountsWrite>, Named(named): Named) -> Result<StatusCode, Problem> {
    let account = find(&by, &named).await?;
    if account.accepted_at.is_some() {
        let detail = "the invitation has been accepted; remove the account instead";
        return Err(Problem::because(Sort::ACCEPTED_ALREADY, detail));
    }
    // Whoever accepts it meanwhile has changed the account, and is not removed.
    by.door()
        .remove_account(account.id, Some(account.version), by.actor())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn made(by: &Allowed<AccountsWrite>, status: StatusCode, invited: &Invited) -> Result<Response, Problem> {
    let answer = InvitationMade {
        account: view(by, &invited.account).await?,
        link: LinkSent::of(invited.link.as_ref()),
    };
    Ok(tagged(&invited.account, (status, Answer(answer)).into_response()))
}
