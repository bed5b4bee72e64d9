//! Making an account, with a temporary password.

use axum::extract::Request;
use axum::response::Response;
use stagedoor_identity::account::{AccountName, NewAccount};
use stagedoor_identity::{ChangeFault, Password};
use stagedoor_policy::rules::MessageKey;

use super::Administrator;
use super::form::{Offer, Typed};
use super::grants::{self, rows};
use crate::carried::AccountDone;
use crate::fields::Fields;
use crate::halt::Halt;
use crate::sign_in::new_password::typed_twice;
use crate::told::Told;
use crate::visit::Visit;

/// `GET accounts/add`.
pub(crate) async fn show(visit: Visit) -> Response {
    let answer = match Administrator::enter(&visit, "accounts/add") {
        Ok(by) => by.form_page(offer(&by, rows(&by.policy, &[])), by.blank(), None).await,
        Err(answer) => *answer,
    };
    visit.finish(answer)
}

/// `POST accounts/add`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = match Administrator::with_form(&visit, request).await {
        Ok((by, fields)) => add(&by, &fields).await,
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

fn offer(by: &Administrator<'_>, chosen: Vec<grants::Row>) -> Offer {
    Offer {
        there: None,
        invites: false,
        email: true,
        roles: by.roles_to_give(),
        networks: true,
        grants: Some((rows(&by.policy, &[]), chosen)),
        unreachable: None,
    }
}

async fn add(by: &Administrator<'_>, fields: &Fields) -> Result<Response, Halt> {
    let typed = Typed::read(fields)?;
    let before = rows(&by.policy, &[]);
    let chosen = grants::sent(&before, fields)?;
    let granted = by.grants_sent(&[], &before, &chosen).unwrap_or_default();
    match made(by, fields, &typed, granted).await {
        Ok(id) => by.done(&format!("accounts/{id}"), AccountDone::Added).await,
        Err(fault) => {
            let told = match fault {
                Fault::Typed(faults) => Told::unfit(faults),
                Fault::Change(fault) => Told::of(by.visit, fault)?,
                Fault::Halt(halt) => return Err(halt),
            };
            by.form_page(offer(by, chosen), typed, Some(told)).await
        }
    }
}

enum Fault {
    Typed(Vec<(&'static str, String)>),
    Change(ChangeFault),
    Halt(Halt),
}

/// Makes the account; else every fault of every field at once.
async fn made(
    by: &Administrator<'_>,
    fields: &Fields,
    typed: &Typed,
    granted: Vec<stagedoor_policy::ExtraGrant>,
) -> Result<String, Fault> {
    let name = typed.sign_in_name(by);
    let password = typed_twice(
        &by.policy,
        MessageKey::PasswordUnfit,
        fields.needed("new_password").map_err(Fault::Halt)?,
        fields.needed("repeat").map_err(Fault::Halt)?,
    );
    let door = &by.visit.portal.door;
    let (name, password) = match (name, password) {
        (Ok(name), Ok(password)) => {
            let new = new_account(typed, name, password, granted);
            let made = door.create_account(new, &by.actor).await.map_err(Fault::Change)?;
            return Ok(made.id.0.to_string());
        }
        judged => judged,
    };
    // Something in the form itself is wrong; the rest is judged with stand-ins, whose own faults nobody is told.
    let stand_in_name = name.as_ref().ok().cloned().map_or_else(stand_in_name, Some);
    let stand_in_password = password.as_ref().ok().cloned().map_or_else(|| Password::new("-"), Some);
    let mut faults = Vec::new();
    if let Some((name, password)) = stand_in_name.zip(stand_in_password) {
        match door
            .check_new_account(&new_account(typed, name, password, granted))
            .await
        {
            Ok(()) => {}
            Err(ChangeFault::Unfit(found)) => faults = found,
            Err(fault) => return Err(Fault::Change(fault)),
        }
    }
    if let Err(sentences) = name {
        faults.retain(|(field, _)| *field != "name");
        faults.extend(sentences.into_iter().map(|sentence| ("name", sentence)));
    }
    if let Err(sentence) = password {
        faults.retain(|(field, _)| *field != "password");
        faults.push(("password", sentence));
    }
    Err(Fault::Typed(faults))
}

fn stand_in_name() -> Option<AccountName> {
    AccountName::parse("-").ok()
}

fn new_account(
    typed: &Typed,
    name: AccountName,
    password: Password,
    grants: Vec<stagedoor_policy::ExtraGrant>,
) -> NewAccount {
    NewAccount {
        name,
        display_name: typed.display_name.clone(),
        email: typed.email(),
        role: Some(typed.role.clone()),
        grants,
        networks: typed.networks().unwrap_or_default(),
        password,
        password_temporary: true,
    }
}
