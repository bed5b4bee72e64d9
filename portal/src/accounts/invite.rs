//! Inviting somebody, again where it is needed: an account that waits until its holder accepts it with a password of their own.

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use stagedoor_identity::account::{AccountName, NewAccount, NewInvitation};
use stagedoor_identity::port::LinkPurpose;
use stagedoor_identity::{ChangeFault, Password, Secret};

use super::Administrator;
use super::form::{Offer, Typed};
use super::grants::{self, Row, rows};
use super::page::ShownLinkPage;
use crate::carried::AccountDone;
use crate::fields::Fields;
use crate::halt::Halt;
use crate::told::Told;
use crate::visit::Visit;

/// `GET accounts/invite`.
pub(crate) async fn show(visit: Visit) -> Response {
    let answer = match Administrator::enter(&visit, "accounts/invite") {
        Ok(by) => by.form_page(offer(&by, rows(&by.policy, &[])), by.blank(), None).await,
        Err(answer) => *answer,
    };
    visit.finish(answer)
}

/// `POST accounts/invite`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = match Administrator::with_form(&visit, request).await {
        Ok((by, fields)) => invite(&by, &fields).await,
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

fn offer(by: &Administrator<'_>, chosen: Vec<Row>) -> Offer {
    Offer {
        there: None,
        invites: true,
        email: true,
        roles: by.roles_to_give(),
        networks: true,
        grants: Some((rows(&by.policy, &[]), chosen)),
        unreachable: None,
    }
}

async fn invite(by: &Administrator<'_>, fields: &Fields) -> Result<Response, Halt> {
    let typed = Typed::read(fields)?;
    let before = rows(&by.policy, &[]);
    let chosen = grants::sent(&before, fields)?;
    let granted = by.grants_sent(&[], &before, &chosen).unwrap_or_default();
    let door = &by.visit.portal.door;
    let fault = match typed.sign_in_name(by) {
        Ok(name) => match door.invite(invitation(&typed, name, granted), &by.actor).await {
            Ok(invited) => {
                let id = invited.account.id.0.to_string();
                return sent(
                    by,
                    LinkPurpose::Invitation,
                    &id,
                    invited.account.name.as_str(),
                    invited.link.as_ref(),
                )
                .await;
            }
            Err(fault) => fault,
        },
        Err(sentences) => without_a_name(by, &typed, granted, sentences).await,
    };
    let told = Told::of(by.visit, fault)?;
    by.form_page(offer(by, chosen), typed, Some(told)).await
}

fn invitation(typed: &Typed, name: AccountName, grants: Vec<stagedoor_policy::ExtraGrant>) -> NewInvitation {
    NewInvitation {
        name,
        display_name: typed.display_name.clone(),
        email: typed.email(),
        role: Some(typed.role.clone()),
        grants,
        networks: typed.networks().unwrap_or_default(),
    }
}

/// What is wrong besides the name: judged with stand-ins for it and for the password, whose own faults nobody is told.
async fn without_a_name(
    by: &Administrator<'_>,
    typed: &Typed,
    granted: Vec<stagedoor_policy::ExtraGrant>,
    sentences: Vec<String>,
) -> ChangeFault {
    let mut faults: Vec<(&'static str, String)> = sentences.into_iter().map(|sentence| ("name", sentence)).collect();
    if let (Ok(name), Some(password)) = (AccountName::parse("-"), Password::new("-")) {
        let invitation = invitation(typed, name, granted);
        let new = NewAccount {
            name: invitation.name,
            display_name: invitation.display_name,
            email: invitation.email,
            role: invitation.role,
            grants: invitation.grants,
            networks: invitation.networks,
            password,
            password_temporary: false,
        };
        match by.visit.portal.door.check_new_account(&new).await {
            Err(ChangeFault::Unfit(found)) => {
                faults.extend(
                    found
                        .into_iter()
                        .filter(|(field, _)| !matches!(*field, "name" | "password")),
                );
            }
            Err(fault) => return fault,
            Ok(()) => {}
        }
    }
    ChangeFault::Unfit(faults)
}

/// Back to the account where a letter carries the link; else the link itself, this once.
pub(super) async fn sent(
    by: &Administrator<'_>,
    purpose: LinkPurpose,
    id: &str,
    name: &str,
    link: Option<&Secret>,
) -> Result<Response, Halt> {
    let Some(link) = link else {
        let done = match purpose {
            LinkPurpose::SecondFactor => AccountDone::RecoverySent,
            _ => AccountDone::Invited,
        };
        return by.done(&format!("accounts/{id}"), done).await;
    };
    let visit = by.visit;
    let scheme = if visit.caller.secure { "https" } else { "http" };
    let path = visit.path(purpose.page());
    let page = ShownLinkPage {
        look: visit.look(),
        id: id.to_owned(),
        name: name.to_owned(),
        invited: purpose == LinkPurpose::Invitation,
        link: format!("{scheme}://{}{path}{}", visit.caller.host, link.expose_text()),
    };
    visit.page(StatusCode::OK, &page)
}
