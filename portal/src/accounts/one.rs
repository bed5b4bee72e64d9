//! One account: what is known of it, and what may be done.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::Response;
use http::StatusCode;
use stagedoor_identity::{Account, AccountId};
use stagedoor_policy::{ExtraGrant, Level};

use super::enter::named;
use super::page::AccountPage;
use super::{Administrator, list};
use crate::halt::Halt;
use crate::visit::Visit;
use crate::when::{When, date};

/// `GET accounts/{id}`.
pub(crate) async fn show(visit: Visit, path: Result<Path<AccountId>, PathRejection>) -> Response {
    let answer = match Administrator::enter(&visit, "accounts") {
        Ok(by) => look_at(&by, path).await,
        Err(answer) => *answer,
    };
    visit.finish(answer)
}

async fn look_at(by: &Administrator<'_>, path: Result<Path<AccountId>, PathRejection>) -> Result<Response, Halt> {
    let account = by.account(named(path)).await?;
    account_page(by, &account, StatusCode::OK, Vec::new()).await
}

/// The account's page; with what went wrong, where something did.
pub(super) async fn account_page(
    by: &Administrator<'_>,
    account: &Account,
    status: StatusCode,
    errors: Vec<String>,
) -> Result<Response, Halt> {
    let standing = by.standing(account).await?;
    let done = by.just_done().await?;
    let page = AccountPage {
        look: by.visit.look(),
        token: by.token().await?,
        version: account.version,
        done: done.clone(),
        errors,
        id: account.id.0.to_string(),
        heading: heading(account).to_owned(),
        picture: by.visit.picture(account.id).await?,
        display_name: account.display_name.clone(),
        name: account.name.as_str().to_owned(),
        email: account.email.clone(),
        role: account.role.clone(),
        own: by.is(account),
        networks: account.networks.clone(),
        grants: grant_texts(account),
        devices: account.devices,
        registered: date(account.created_at),
        last_sign_in: account.last_sign_in_at.map(When::of),
        second_factor: account.second_factor,
        password_temporary: account.password_temporary,
        sessions: standing.channels.len(),
        state: list::described(by, account, standing.state).await?,
        may: by.may(account, &standing),
    };
    Ok(by.said(by.visit.page(status, &page)?, done.as_deref()))
}

/// What people call it.
pub(super) fn heading(account: &Account) -> &str {
    if account.display_name.trim().is_empty() {
        account.name.as_str()
    } else {
        &account.display_name
    }
}

/// What it is granted besides its role, one text a grant.
pub(super) fn grant_texts(account: &Account) -> Vec<String> {
    account.grants.iter().map(grant_text).collect()
}

/// `console/devices: view, reboot`.
fn grant_text(grant: &ExtraGrant) -> String {
    let level = match grant.level {
        Level::None => None,
        Level::View => Some("view"),
        Level::Manage => Some("manage"),
    };
    let words: Vec<&str> = level
        .into_iter()
        .chain(grant.actions.iter().map(String::as_str))
        .collect();
    let place = match &grant.site {
        Some(site) => format!("{site}/{}", grant.area),
        None => grant.area.clone(),
    };
    format!("{place}: {}", words.join(", "))
}
