//! A temporary password for an account, typed twice.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request};
use axum::response::Response;
use http::StatusCode;
use stagedoor_identity::{Account, AccountId};
use stagedoor_policy::rules::MessageKey;

use super::Administrator;
use super::enter::named;
use super::one::heading;
use super::page::TemporaryPasswordPage;
use crate::carried::AccountDone;
use crate::fields::Fields;
use crate::halt::Halt;
use crate::sign_in::new_password::typed_twice;
use crate::told::Told;
use crate::visit::Visit;

type Named = Result<Path<AccountId>, PathRejection>;

/// `GET accounts/{id}/password`.
pub(crate) async fn show(visit: Visit, path: Named) -> Response {
    let answer = match Administrator::enter(&visit, "accounts") {
        Ok(by) => empty(&by, path).await,
        Err(answer) => *answer,
    };
    visit.finish(answer)
}

/// `POST accounts/{id}/password`.
pub(crate) async fn submit(visit: Visit, path: Named, request: Request) -> Response {
    let answer = match Administrator::with_form(&visit, request).await {
        Ok((by, fields)) => reset(&by, path, &fields).await,
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

async fn empty(by: &Administrator<'_>, path: Named) -> Result<Response, Halt> {
    let account = by.account(named(path)).await?;
    password_page(by, &account, StatusCode::OK, Vec::new()).await
}

async fn reset(by: &Administrator<'_>, path: Named, fields: &Fields) -> Result<Response, Halt> {
    let account = by.account(named(path)).await?;
    let typed = typed_twice(
        &by.policy,
        MessageKey::NewPasswordUnfit,
        fields.needed("new_password")?,
        fields.needed("repeat")?,
    );
    let told = match typed {
        Ok(password) => {
            let door = &by.visit.portal.door;
            match door.reset_password(account.id, password, &by.actor).await {
                Ok(()) => {
                    return by
                        .done(&format!("accounts/{}", account.id.0), AccountDone::PasswordReset)
                        .await;
                }
                Err(fault) => Told::of(by.visit, fault)?,
            }
        }
        Err(sentence) => Told::unfit(vec![("password", sentence)]),
    };
    password_page(by, &account, told.status, told.sentences()).await
}

async fn password_page(
    by: &Administrator<'_>,
    account: &Account,
    status: StatusCode,
    problems: Vec<String>,
) -> Result<Response, Halt> {
    let page = TemporaryPasswordPage {
        look: by.visit.look(),
        token: by.token().await?,
        id: account.id.0.to_string(),
        called: heading(account).to_owned(),
        name: account.name.as_str().to_owned(),
        problems,
    };
    by.visit.page(status, &page)
}
