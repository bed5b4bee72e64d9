//! `/v1/letters`: letters that wait to be sent, and a trial. Words and links are in no answer.

use axum::Json as Answer;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use stagedoor_identity::letter::{LetterId, WaitingLetter};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::auth::{Allowed, Gate};
use crate::input::{Asked, Json};
use crate::page::{Page, limit};
use crate::problem::{BodyRefusals, Problem, ProblemBody, Refusals, Sort};
use crate::scope::{LettersRead, LettersWrite};
use crate::time::written;

pub(crate) fn routes() -> OpenApiRouter<Gate> {
    OpenApiRouter::new().routes(routes!(list_letters, try_letters))
}

/// A letter that waits.
#[derive(Debug, Serialize, ToSchema)]
struct LetterView {
    id: String,
    /// Which letter it is: `invitation`, `password_reset`, …
    kind: &'static str,
    /// Whose it is, by id; `null` for a trial.
    #[schema(required)]
    account: Option<String>,
    /// The address it goes to.
    to: String,
    #[schema(format = DateTime)]
    queued_at: String,
    /// When it is tried next.
    #[schema(format = DateTime)]
    due_at: String,
    /// When it is given up.
    #[schema(format = DateTime)]
    give_up_at: String,
    /// How often it has failed.
    failures: u32,
    /// Why it failed last; `null` where it has not.
    #[schema(required)]
    last_failure: Option<String>,
}

impl LetterView {
    fn of(letter: WaitingLetter) -> Self {
        Self {
            id: letter.id.0.to_string(),
            kind: letter.kind.name(),
            account: letter.account.map(|account| account.0.to_string()),
            to: letter.to,
            queued_at: written(letter.queued_at),
            due_at: written(letter.due_at),
            give_up_at: written(letter.give_up_at),
            failures: letter.failures,
            last_failure: letter.last_failure,
        }
    }
}

/// Which letters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LetterSearch {
    /// `next` of the page before.
    #[param(value_type = Option<String>)]
    after: Option<Uuid>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// Where a trial goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TrialForm {
    /// One address.
    #[schema(min_length = 3, max_length = 254)]
    to: String,
}

/// A letter that was queued.
#[derive(Debug, Serialize, ToSchema)]
struct LetterQueued {
    id: String,
}

/// Letters that wait to be sent, the oldest first.
#[utoipa::path(get, path = "/v1/letters", tag = "letters", params(LetterSearch),
    responses((status = 200, body = Page<LetterView>), Refusals), security(("bearer" = ["letters:read"])))]
async fn list_letters(
    by: Allowed<LettersRead>,
    Asked(search): Asked<LetterSearch>,
) -> Result<Answer<Page<LetterView>>, Problem> {
    let limit = limit(search.limit)?;
    let letters = by.store().list_letters(search.after.map(LetterId), limit).await?;
    let page = Page::new(letters, limit, |letter| letter.id.0.to_string());
    Ok(Answer(page.map(LetterView::of)))
}

/// Queues a letter that says that letters arrive; it goes the way of all letters.
#[utoipa::path(post, path = "/v1/letters", tag = "letters", request_body = TrialForm,
    responses((status = 202, body = LetterQueued),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "No mail server is configured."),
        Refusals, BodyRefusals), security(("bearer" = ["letters:write"])))]
async fn try_letters(
    by: Allowed<LettersWrite>,
    Json(form): Json<TrialForm>,
) -> Result<(StatusCode, Answer<LetterQueued>), Problem> {
    let queued = by.door().queue_trial(&form.to, by.actor()).await?;
    let Some(id) = queued else {
        return Err(Problem::because(
            Sort::NO_MAIL_SERVER,
            "set `url`, `from` and `public_url` in `[mail]` of stagedoor.toml",
        ));
    };
    let queued = LetterQueued { id: id.0.to_string() };
    Ok((StatusCode::ACCEPTED, Answer(queued)))
}
