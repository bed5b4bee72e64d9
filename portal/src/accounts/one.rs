//! One account: what is known of it, and what may be done.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::Response;
use http::StatusCode;
use stagedoor_identity::port::{Device, DeviceQuery};
use stagedoor_identity::{Account, AccountId};
use stagedoor_policy::{ExtraGrant, Level};

use super::enter::named;
use super::page::{AccountPage, LinkedDevice};
use super::{Administrator, list};
use crate::halt::Halt;
use crate::told::of_store;
use crate::visit::Visit;
use crate::when::{When, date};

/// Of the devices that are linked to an account, as many are on its page.
const DEVICES_SHOWN_MAX: u32 = 100;

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
        linked: linked(by, account).await?,
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

async fn linked(by: &Administrator<'_>, account: &Account) -> Result<Vec<LinkedDevice>, Halt> {
    if account.devices == 0 {
        return Ok(Vec::new());
    }
    let query = DeviceQuery {
        account: Some(account.id),
        after: None,
        limit: DEVICES_SHOWN_MAX,
    };
    let devices = by.visit.portal.door.devices(query, &by.actor).await;
    let shown = |device: Device| LinkedDevice {
        name: device.name,
        registered: date(device.registered_at),
        last_seen: device.last_seen_at.map(When::of),
    };
    let devices = devices.map_err(|fault| of_store(by.visit, fault))?;
    Ok(devices.into_iter().map(shown).collect())
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
