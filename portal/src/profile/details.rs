//! What one is shown as, and the choices that the policy declares. Two who change them at once do not overwrite each other:
//! the form carries the version it was made for.

use std::collections::BTreeMap;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use stagedoor_identity::{Account, OwnChange};
use stagedoor_policy::Policy;

use super::page::{OwnDetailsPage, PreferenceRow};
use super::{done, own_fields, own_form, sign_in_first};
use crate::accounts::page::{Choice, Field};
use crate::carried::Done;
use crate::fields::Fields;
use crate::halt::Halt;
use crate::told::Told;
use crate::visit::{SignedIn, Visit};

/// Before the name of a preference, in its field.
const PREFERENCE: &str = "preference:";

/// `GET profile/details`.
pub(crate) async fn show(visit: Visit) -> Response {
    let answer = match visit.signed_in() {
        Some(signed_in) => as_it_is(&visit, signed_in).await,
        None => sign_in_first(&visit, "profile/details"),
    };
    visit.finish(answer)
}

/// `POST profile/details`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = change(&visit, request).await;
    visit.finish(answer)
}

async fn as_it_is(visit: &Visit, signed_in: &SignedIn) -> Result<Response, Halt> {
    let account = signed_in.session.account();
    let (shown_as, chosen) = (account.display_name.clone(), account.preferences.clone());
    details_page(visit, signed_in, account.version, shown_as, &chosen, None).await
}

async fn change(visit: &Visit, request: Request) -> Result<Response, Halt> {
    let (signed_in, fields) = own_fields(visit, request).await?;
    let (door, version) = (&visit.portal.door, fields.version()?);
    let shown_as = fields.needed("display_name")?.to_owned();
    let account = signed_in.session.account();
    let chosen = chosen(&door.policy(), &account, &fields)?;
    let change = OwnChange {
        display_name: (shown_as != account.display_name).then(|| shown_as.clone()),
        preferences: (chosen != account.preferences).then(|| chosen.clone()),
    };
    let changed = door
        .change_own_profile(&signed_in.session, Some(version), change, &visit.origin())
        .await;
    match changed {
        Ok(_) => done(visit, signed_in, Done::DetailsChanged).await,
        Err(fault) => {
            let told = Told::of(visit, fault)?;
            let version = if told.outdated {
                signed_in.session.account().version
            } else {
                version
            };
            details_page(visit, signed_in, version, shown_as, &chosen, Some(told)).await
        }
    }
}

/// What the account has chosen with what was sent in place of it. What the policy does not declare any more stays out.
fn chosen(policy: &Policy, account: &Account, fields: &Fields) -> Result<BTreeMap<String, String>, Halt> {
    let mut chosen = BTreeMap::new();
    for preference in policy.preferences() {
        let sent = fields.one(&format!("{PREFERENCE}{}", preference.name))?;
        let before = account.preferences.get(&preference.name).map(String::as_str);
        // Whoever leaves a default as it is goes with it when the policy changes it.
        let untouched = before.is_none() && sent == Some(preference.default.as_str());
        if let Some(choice) = sent.or(before).filter(|_| !untouched) {
            chosen.insert(preference.name.clone(), choice.to_owned());
        }
    }
    Ok(chosen)
}

async fn details_page(
    visit: &Visit,
    signed_in: &SignedIn,
    version: u64,
    shown_as: String,
    chosen: &BTreeMap<String, String>,
    told: Option<Told>,
) -> Result<Response, Halt> {
    let (token, _) = own_form(visit, signed_in).await?;
    let status = told.as_ref().map_or(StatusCode::OK, |told| told.status);
    let mut told = told.unwrap_or_default();
    let page = OwnDetailsPage {
        look: visit.look(),
        token,
        version,
        display_name: Field {
            value: shown_as,
            problems: told.take("display_name"),
        },
        preference_problems: told.take("preferences"),
        errors: told.sentences(),
        preferences: rows(&visit.portal.door.policy(), chosen),
    };
    visit.page(status, &page)
}

fn rows(policy: &Policy, chosen: &BTreeMap<String, String>) -> Vec<PreferenceRow> {
    let row = |preference: &stagedoor_policy::Preference| {
        let holds = preference.holds(chosen.get(&preference.name).map(String::as_str));
        let choice = |choice: &String| Choice {
            name: choice.clone(),
            chosen: choice == holds,
        };
        PreferenceRow {
            name: preference.name.clone(),
            title: preference.title.clone(),
            choices: preference.choices.iter().map(choice).collect(),
        }
    };
    policy.preferences().iter().map(row).collect()
}
