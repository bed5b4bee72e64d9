//! Changing what an account is made of. Two who do so at once do not overwrite each other: the form carries the version it
//! was made for.

use std::net::IpAddr;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request};
use axum::response::Response;
use http::StatusCode;
use stagedoor_identity::account::AccountChange;
use stagedoor_identity::{Account, AccountId};
use stagedoor_policy::network::NetworkSet;

use super::Administrator;
use super::enter::named;
use super::form::{Offer, Typed};
use super::grants::{self, Row, rows_of};
use super::one::{account_page, grant_texts, heading};
use super::page::{There, Unreachable};
use crate::carried::AccountDone;
use crate::fields::Fields;
use crate::halt::Halt;
use crate::told::Told;
use crate::visit::Visit;

type Named = Result<Path<AccountId>, PathRejection>;

const SIGNED_IN: &str = "The account is signed in and is not changed meanwhile.";

/// `GET accounts/{id}/edit`.
pub(crate) async fn show(visit: Visit, path: Named) -> Response {
    let answer = match Administrator::enter(&visit, "accounts") {
        Ok(by) => filled_in(&by, path).await,
        Err(answer) => *answer,
    };
    visit.finish(answer)
}

/// `POST accounts/{id}/edit`.
pub(crate) async fn submit(visit: Visit, path: Named, request: Request) -> Response {
    let answer = match Administrator::with_form(&visit, request).await {
        Ok((by, fields)) => change(&by, path, &fields).await,
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

async fn filled_in(by: &Administrator<'_>, path: Named) -> Result<Response, Halt> {
    let account = by.account(named(path)).await?;
    let standing = by.standing(&account).await?;
    if !by.may(&account, &standing).edit {
        return account_page(by, &account, StatusCode::CONFLICT, vec![SIGNED_IN.to_owned()]).await;
    }
    let rows = rows_of(&by.policy, &account);
    by.form_page(
        offer(by, &account, account.version, rows, None),
        as_it_is(&account),
        None,
    )
    .await
}

/// `version`: of the account that whoever types has seen.
fn offer(
    by: &Administrator<'_>,
    account: &Account,
    version: u64,
    chosen: Vec<Row>,
    unreachable: Option<Unreachable>,
) -> Offer {
    let there = There {
        id: account.id.0.to_string(),
        called: heading(account).to_owned(),
        version,
    };
    Offer {
        there: Some(there),
        invites: false,
        email: !by.is(account),
        roles: by.roles_for(account),
        networks: by.may_set_networks(account),
        // Nobody raises themselves.
        grants: (!by.is(account)).then(|| (rows_of(&by.policy, account), chosen)),
        unreachable,
    }
}

fn as_it_is(account: &Account) -> Typed {
    Typed {
        display_name: account.display_name.clone(),
        name: account.name.as_str().to_owned(),
        role: account.role.clone(),
        networks: Some(account.networks.join(",")),
        email: Some(account.email.clone().unwrap_or_default()),
    }
}

async fn change(by: &Administrator<'_>, path: Named, fields: &Fields) -> Result<Response, Halt> {
    let account = by.account(named(path)).await?;
    let typed = Typed::read(fields)?;
    let version = fields.version()?;
    let before = rows_of(&by.policy, &account);
    let chosen = grants::sent(&before, fields)?;
    let granted = by.grants_sent(&account.grants, &before, &chosen);
    let unreachable = unreachable(by, &account, &typed, fields)?;
    if unreachable.is_some() {
        return by
            .form_page(offer(by, &account, version, chosen, unreachable), typed, None)
            .await;
    }
    let change = match changed(by, &account, &typed, granted) {
        Ok(change) => change,
        Err(told) => {
            return by
                .form_page(offer(by, &account, version, chosen, None), typed, Some(told))
                .await;
        }
    };
    let door = &by.visit.portal.door;
    match door.change_account(account.id, Some(version), change, &by.actor).await {
        Ok(after) => changed_well(by, &account, &after).await,
        Err(fault) => {
            let told = Told::of(by.visit, fault)?;
            let now = by.account(Ok(account.id)).await?;
            let (told, version) = if told.outdated {
                // What somebody else has done is told: it is not undone unseen.
                (with_what_is_now(by, told, &now, &typed, &chosen), now.version)
            } else {
                (told, version)
            };
            by.form_page(offer(by, &now, version, chosen, None), typed, Some(told))
                .await
        }
    }
}

/// Beside each field that was typed otherwise, what the account has there now.
fn with_what_is_now(by: &Administrator<'_>, mut told: Told, now: &Account, typed: &Typed, chosen: &[Row]) -> Told {
    let is = as_it_is(now);
    let networks = typed.networks().is_some_and(|networks| networks != now.networks);
    let email = typed.email.is_some() && typed.email() != now.email;
    let fields = [
        ("display_name", is.display_name != typed.display_name, is.display_name),
        ("name", is.name != typed.name, is.name),
        ("email", email, is.email.unwrap_or_default()),
        ("role", is.role != typed.role, is.role),
        ("networks", networks, is.networks.unwrap_or_default()),
        (
            "grants",
            rows_of(&by.policy, now) != chosen,
            grant_texts(now).join("; "),
        ),
    ];
    let differing = fields.into_iter().filter(|(_, differs, _)| *differs);
    let sentence = |(field, _, value): (&'static str, bool, String)| (field, format!("It is now: {value}"));
    told.faults.extend(differing.map(sentence));
    told
}

async fn changed_well(by: &Administrator<'_>, before: &Account, after: &Account) -> Result<Response, Halt> {
    let door = &by.visit.portal.door;
    let still_in = door
        .sessions_of(by.own.id)
        .iter()
        .any(|session| session.id == by.signed_in.session.id());
    if !still_in {
        // One's own role or networks: the change has signed out.
        return by.visit.redirect(&by.visit.path("login"));
    }
    if by.is(before) {
        // One may administer nobody any more, and there would be no page to go back to.
        return by.done("accounts", AccountDone::Changed).await;
    }
    by.done(&format!("accounts/{}", after.id.0), AccountDone::Changed).await
}

/// What of the account is to become different; else every fault of what was typed that can be told here.
fn changed(
    by: &Administrator<'_>,
    account: &Account,
    typed: &Typed,
    granted: Option<Vec<stagedoor_policy::ExtraGrant>>,
) -> Result<AccountChange, Told> {
    let mut faults = Vec::new();
    let renamed = typed.name != account.name.as_str();
    let name = renamed
        .then(|| typed.sign_in_name(by))
        .transpose()
        .unwrap_or_else(|sentences| {
            faults.extend(sentences.into_iter().map(|sentence| ("name", sentence)));
            None
        });
    let display_name = (typed.display_name != account.display_name).then(|| typed.display_name.clone());
    let role = (typed.role != account.role).then(|| typed.role.clone());
    let networks = typed.networks().filter(|networks| *networks != account.networks);
    let email = typed
        .email
        .is_some()
        .then(|| typed.email())
        .filter(|email| *email != account.email);
    if faults.is_empty() {
        return Ok(AccountChange {
            display_name,
            name,
            email,
            role,
            networks,
            grants: granted,
            ..AccountChange::default()
        });
    }
    let wrong =
        |field: &'static str, sentences: Vec<String>| sentences.into_iter().map(move |sentence| (field, sentence));
    if let Some(Err(sentences)) = display_name.map(|name| by.policy.check_display_name(&name)) {
        faults.extend(wrong("display_name", sentences));
    }
    if let Some(Err(sentences)) = networks.map(|networks| by.policy.check_account_networks(&typed.role, &networks)) {
        faults.extend(wrong("networks", sentences));
    }
    if let Some(Err(sentences)) = granted.map(|grants| by.policy.check_extra_grants(&typed.role, &grants)) {
        faults.extend(wrong("grants", sentences));
    }
    Err(Told::unfit(faults))
}

/// A list for oneself that does not hold one's own address, unless just that list was confirmed.
fn unreachable(
    by: &Administrator<'_>,
    account: &Account,
    typed: &Typed,
    fields: &Fields,
) -> Result<Option<Unreachable>, Halt> {
    let theirs = by.is(account) && by.may_set_networks(account);
    let Some(networks) = typed
        .networks()
        .filter(|networks| theirs && *networks != account.networks)
    else {
        return Ok(None);
    };
    let joined = networks.join(",");
    let address = by.visit.caller.address.ip();
    let confirmed = fields.one("confirm")?.is_some() && fields.one("confirmed_networks")? == Some(joined.as_str());
    Ok((!confirmed && keeps_out(&networks, address)).then(|| Unreachable {
        address: address.to_string(),
        networks: joined,
    }))
}

/// Whether the list is one that can be read and does not hold the address. One that cannot be read is refused later.
fn keeps_out(networks: &[String], address: IpAddr) -> bool {
    let set = NetworkSet::parse(networks.iter().map(String::as_str));
    set.is_ok_and(|set| !set.is_empty() && !set.contains(address))
}
