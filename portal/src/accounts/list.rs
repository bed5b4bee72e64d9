//! The list: a search by part of the name, and pages.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use stagedoor_identity::Account;
use stagedoor_identity::account::{AccountName, AccountQuery, AccountState};

use super::Administrator;
use super::page::{AccountRow, AccountsPage, State};
use crate::destination::escaped;
use crate::halt::Halt;
use crate::told::of_store;
use crate::visit::Visit;
use crate::when::{When, date};

/// The longest part of a name that is searched for, in characters: what the manual of a console with such a list says.
const SEARCH_CHARS_MAX: usize = 20;

const ROWS_PER_PAGE: usize = 50;

#[derive(Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    name: String,
    /// Only accounts after this one.
    #[serde(default)]
    after: String,
}

/// `GET accounts`.
pub(crate) async fn show(visit: Visit, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let answer = match Administrator::enter(&visit, "accounts") {
        Ok(by) => list(&by, asked).await,
        Err(answer) => *answer,
    };
    visit.finish(answer)
}

async fn list(by: &Administrator<'_>, asked: Result<Query<Asked>, QueryRejection>) -> Result<Response, Halt> {
    let Query(asked) = asked.map_err(|_| Halt::Malformed)?;
    if asked.name.chars().count() > SEARCH_CHARS_MAX {
        let error = format!("Please enter at most {SEARCH_CHARS_MAX} characters of the name.");
        return list_page(by, asked, Some(error), Vec::new(), None).await;
    }
    let mut accounts = search(by, &asked).await?;
    let more = accounts.len() > ROWS_PER_PAGE;
    accounts.truncate(ROWS_PER_PAGE);
    let last = accounts
        .last()
        .filter(|_| more)
        .map(|account| account.name.as_str().to_owned());
    let mut rows = Vec::with_capacity(accounts.len());
    let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
    let pictures = by.visit.pictures(&ids).await?;
    for (account, picture) in accounts.iter().zip(pictures) {
        rows.push(row(by, account, picture).await?);
    }
    list_page(by, asked, None, rows, last).await
}

async fn search(by: &Administrator<'_>, asked: &Asked) -> Result<Vec<Account>, Halt> {
    let after = match asked.after.as_str() {
        "" => None,
        name => Some(AccountName::parse(name).map_err(|_| Halt::Malformed)?),
    };
    let query = AccountQuery {
        contains: asked.name.clone(),
        // Where everybody has to have a name, "name" means that one and not what they sign in with.
        display_name_only: by.policy.account().display_name_at_least > 0,
        roles: None,
        after,
        limit: u32::try_from(ROWS_PER_PAGE + 1).unwrap_or(u32::MAX),
    };
    let found = by.visit.portal.door.accounts(query, &by.actor).await;
    found.map_err(|fault| of_store(by.visit, fault))
}

async fn row(by: &Administrator<'_>, account: &Account, picture: Option<String>) -> Result<AccountRow, Halt> {
    Ok(AccountRow {
        id: account.id.0.to_string(),
        picture,
        display_name: account.display_name.clone(),
        name: account.name.as_str().to_owned(),
        role: account.role.clone(),
        devices: account.devices,
        registered: date(account.created_at),
        last_sign_in: account.last_sign_in_at.map(When::of),
        state: state(by, account).await?,
    })
}

async fn state(by: &Administrator<'_>, account: &Account) -> Result<State, Halt> {
    let state = by.visit.portal.door.state_of(account).await;
    described(by, account, state.map_err(|fault| of_store(by.visit, fault.into()))?).await
}

/// A state, with until when it lasts where it ends by itself.
pub(super) async fn described(by: &Administrator<'_>, account: &Account, state: AccountState) -> Result<State, Halt> {
    let until = match state {
        AccountState::Locked => {
            let store = by.visit.portal.door.store();
            let locks = store.lockouts(Some(&account.name), by.visit.caller.now).await;
            let locks = locks.map_err(|fault| of_store(by.visit, fault.into()))?;
            locks.into_iter().map(|lock| lock.until).max()
        }
        AccountState::Invited => account.invitation.map(|invitation| invitation.expires_at),
        _ => None,
    };
    Ok(State {
        name: state.name(),
        until: until.map(When::of),
    })
}

async fn list_page(
    by: &Administrator<'_>,
    asked: Asked,
    error: Option<String>,
    rows: Vec<AccountRow>,
    last: Option<String>,
) -> Result<Response, Halt> {
    let status = if error.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let done = by.just_done().await?;
    let next = last.map(|last| {
        format!(
            "name={}&after={}",
            escaped(asked.name.as_bytes()),
            escaped(last.as_bytes())
        )
    });
    let page = AccountsPage {
        look: by.visit.look(),
        done: done.clone(),
        error,
        begun: asked.after.is_empty(),
        first: format!("name={}", escaped(asked.name.as_bytes())),
        may_add: !by.roles_to_give().is_empty(),
        sees_devices: by.policy.may_administer(&by.own.role, ""),
        searched: asked.name,
        rows,
        next,
    };
    Ok(by.said(by.visit.page(status, &page)?, done.as_deref()))
}
