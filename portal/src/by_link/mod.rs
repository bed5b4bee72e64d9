//! Pages that a link in a letter leads to. The link's token is carried in the form and proves who one is; it is in no log, for
//! the gateway logs no query under the prefix, and in no `Referer`, for the pages send none.

pub(crate) mod invitation;
pub(crate) mod recovery;
pub(crate) mod reset;

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use stagedoor_identity::Secret;
use stagedoor_identity::account::AccountName;
use stagedoor_identity::port::LinkPurpose;
use stagedoor_identity::sign_in::SignInRefusal;

use crate::halt::Halt;
use crate::page::{LinkDeadPage, LinkPasswordPage};
use crate::sign_in::advise_waiting;
use crate::sign_in::new_password::{Typed, problems, typed_twice};
use crate::visit::{Visit, with_cookies};
use crate::words;

/// What the link carries.
#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    token: String,
}

/// A new password, proved by a link.
#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    csrf: String,
    link: String,
    new_password: String,
    repeat: String,
}

/// What one of the pages on which a password is set says.
struct Words {
    title: &'static str,
    lead: &'static str,
    action: &'static str,
    button: &'static str,
}

fn token(asked: Result<Query<Asked>, QueryRejection>) -> Option<String> {
    let token = asked.ok().map(|Query(asked)| asked.token);
    token.filter(|token| !token.is_empty())
}

async fn name_behind(visit: &Visit, link: &str, purpose: LinkPurpose) -> Result<Option<AccountName>, Halt> {
    let behind = visit
        .portal
        .door
        .name_behind(&Secret::new(link.as_bytes()), purpose)
        .await;
    behind.map_err(|fault| {
        tracing::error!(request_id = %visit.caller.request_id, %fault, "a link could not be looked up");
        Halt::Unavailable
    })
}

/// The page on which a password is set, for whom the link is; or that it leads nowhere.
async fn password_page(
    visit: &Visit,
    (words, purpose): (&Words, LinkPurpose),
    link: String,
    (status, error, problems): (StatusCode, Option<String>, Vec<String>),
) -> Result<Response, Halt> {
    let Some(name) = name_behind(visit, &link, purpose).await? else {
        return dead(visit);
    };
    let form = visit.strangers_form().await?;
    let page = LinkPasswordPage {
        look: visit.look(),
        token: form.token,
        title: words.title,
        lead: words.lead,
        action: words.action,
        button: words.button,
        link,
        name: name.as_str().to_owned(),
        error,
        problems,
    };
    Ok(with_cookies(visit.page(status, &page)?, [form.cookie]))
}

/// The password as typed, or the page once more.
async fn typed(
    visit: &Visit,
    shown: (&Words, LinkPurpose),
    fields: &Fields,
) -> Result<Result<stagedoor_identity::Password, Response>, Halt> {
    visit.check_form(visit.form_bond().as_ref(), &fields.csrf).await?;
    match typed_twice(&fields.new_password, &fields.repeat) {
        Typed::Fine(password) => Ok(Ok(password)),
        Typed::Wrong(sentence) => {
            let told = (StatusCode::UNPROCESSABLE_ENTITY, Some(sentence.to_owned()), Vec::new());
            password_page(visit, shown, fields.link.clone(), told).await.map(Err)
        }
    }
}

/// The page once more, since the password was refused; or that the link leads nowhere.
async fn refused(
    visit: &Visit,
    shown: (&Words, LinkPurpose),
    link: String,
    refusal: &SignInRefusal,
) -> Result<Response, Halt> {
    if *refusal == SignInRefusal::LinkDead {
        return dead(visit);
    }
    let told = (
        words::sign_in_status(refusal),
        Some(visit.sentence(refusal)),
        problems(refusal),
    );
    let mut answer = password_page(visit, shown, link, told).await?;
    advise_waiting(visit, refusal, &mut answer);
    Ok(answer)
}

/// The same for links that were used, replaced, have run out or never were.
fn dead(visit: &Visit) -> Result<Response, Halt> {
    let page = LinkDeadPage { look: visit.look() };
    visit.page(StatusCode::GONE, &page)
}
