//! What people who hold a one-time link do with it: accept an invitation, choose a new password in place of a forgotten
//! one, set up a second factor in place of a lost one, or confirm an address. The link is worth something once; its pages say
//! no more to who holds a dead one than that it is dead.

pub(crate) mod email;
pub(crate) mod invitation;
pub(crate) mod recovery;
pub(crate) mod reset;

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use stagedoor_identity::Secret;
use stagedoor_identity::port::LinkPurpose;
use stagedoor_identity::sign_in::SignInRefusal;
use stagedoor_policy::rules::MessageKey;

use crate::halt::Halt;
use crate::page::{DeadLinkPage, LinkPasswordPage};
use crate::sign_in::advise_waiting;
use crate::sign_in::new_password::problems;
use crate::visit::{Visit, with_cookies};
use crate::words;

/// Longer than any token of ours: not looked up.
const TOKEN_BYTES_MAX: usize = 64;

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    token: String,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    csrf: String,
    token: String,
    new_password: String,
    repeat: String,
}

/// What a link is for.
#[derive(Clone, Copy)]
enum Kind {
    Invitation,
    Reset,
    Recovery,
    Email,
}

impl Kind {
    const fn purpose(self) -> LinkPurpose {
        match self {
            Self::Invitation => LinkPurpose::Invitation,
            Self::Reset => LinkPurpose::PasswordReset,
            Self::Recovery => LinkPurpose::SecondFactor,
            Self::Email => LinkPurpose::Email,
        }
    }

    /// What is said of a password that does not keep the rules.
    const fn unfit(self) -> MessageKey {
        match self {
            Self::Invitation => MessageKey::PasswordUnfit,
            Self::Reset | Self::Recovery | Self::Email => MessageKey::NewPasswordUnfit,
        }
    }

    /// The path below the prefix.
    const fn page(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reset => "reset",
            Self::Recovery => "recovery",
            Self::Email => "email",
        }
    }
}

fn token_of(asked: Result<Query<Asked>, QueryRejection>) -> String {
    asked.ok().map(|Query(asked)| asked.token).unwrap_or_default()
}

/// The form behind a link that is worth something, or the news that this one is not.
async fn form_page(
    visit: &Visit,
    kind: Kind,
    token: String,
    status: StatusCode,
    error: Option<String>,
    problems: Vec<String>,
) -> Result<Response, Halt> {
    let Some(name) = name_behind(visit, kind, &token).await? else {
        return dead(visit, kind);
    };
    let form = visit.strangers_form().await?;
    let page = LinkPasswordPage {
        look: visit.look(),
        token: form.token,
        link: token,
        name,
        invited: matches!(kind, Kind::Invitation),
        action: kind.page(),
        error,
        problems,
    };
    Ok(with_cookies(visit.page(status, &page)?, [form.cookie]))
}

async fn name_behind(visit: &Visit, kind: Kind, token: &str) -> Result<Option<String>, Halt> {
    if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
        return Ok(None);
    }
    let found = visit.portal.door.name_behind(&Secret::new(token), kind.purpose()).await;
    let found = found.map_err(|fault| {
        tracing::error!(request_id = %visit.caller.request_id, %fault, "a link could not be looked up");
        Halt::Unavailable
    })?;
    Ok(found.map(|name| name.as_str().to_owned()))
}

fn dead(visit: &Visit, kind: Kind) -> Result<Response, Halt> {
    let page = DeadLinkPage {
        look: visit.look(),
        sentence: visit.sentence(&SignInRefusal::LinkDead),
        invited: matches!(kind, Kind::Invitation),
    };
    visit.page(StatusCode::GONE, &page)
}

/// A password that was refused: the form again where that may help.
async fn refused(visit: &Visit, kind: Kind, token: String, refusal: &SignInRefusal) -> Result<Response, Halt> {
    if matches!(refusal, SignInRefusal::LinkDead) {
        return dead(visit, kind);
    }
    let sentence = match refusal {
        SignInRefusal::PasswordUnfit(_) => visit.portal.door.policy().message(kind.unfit()).to_owned(),
        other => visit.sentence(other),
    };
    let (status, error) = (words::sign_in_status(refusal), Some(sentence));
    let mut answer = form_page(visit, kind, token, status, error, problems(refusal)).await?;
    advise_waiting(visit, refusal, &mut answer);
    Ok(answer)
}
