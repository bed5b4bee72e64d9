//! One's own account: what the door knows of it, its sessions, its password and its second factor.

pub(crate) mod details;
pub(crate) mod email;
pub(crate) mod name;
pub(crate) mod page;
pub(crate) mod password;
pub(crate) mod picture;
pub(crate) mod second_factor;
pub(crate) mod sessions;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use stagedoor_identity::Password;
use stagedoor_identity::sign_in::SignInRefusal;
use stagedoor_policy::Policy;

use crate::Audience;
use crate::carried::{Carried, Done};
use crate::cookie::Jar;
use crate::fields::Fields;
use crate::forgery::{self, Bond};
use crate::halt::Halt;
use crate::page::{ChosenRow, ProfilePage, SessionRow};
use crate::sign_in::advise_waiting;
use crate::visit::{Posted, SignedIn, Visit, with_cookies};
use crate::when::When;
use crate::words;
use page::Proof;

const CURRENT_IS_WRONG: &str = "The current password is wrong.";

/// `GET profile`.
pub(crate) async fn show(visit: Visit) -> Response {
    let answer = match visit.signed_in() {
        Some(signed_in) => profile_page(&visit, signed_in).await,
        None => sign_in_first(&visit, "profile"),
    };
    visit.finish(answer)
}

/// A person is led to sign in and back; a program is told.
pub(crate) fn sign_in_first(visit: &Visit, page: &str) -> Result<Response, Halt> {
    match visit.audience {
        Audience::Person => {
            let back = visit.path(page);
            let to = visit.destination(Some(&back));
            visit.redirect(&format!("{}?to={}", visit.path("login"), to.escaped()))
        }
        Audience::Program => Err(Halt::SignInFirst),
    }
}

/// A form of somebody signed in: its token and what it is tied to.
async fn own_form(visit: &Visit, signed_in: &SignedIn) -> Result<(String, Bond), Halt> {
    let bond = Bond::of_session(signed_in.session.id());
    let token = forgery::token(&visit.keys().await?.forms, &bond);
    Ok((token, bond))
}

/// The fields of such a form, sent by whom it was made for.
async fn own_fields(visit: &Visit, request: Request) -> Result<(&SignedIn, Fields), Halt> {
    let signed_in = visit.signed_in().ok_or(Halt::SignInFirst)?;
    let Posted::Form(fields) = visit.read::<Vec<(String, String)>>(request).await? else {
        return Err(Halt::WrongType);
    };
    let fields = Fields::of(fields);
    let bond = Bond::of_session(signed_in.session.id());
    visit
        .check_form(Some(&bond), fields.one("csrf")?.unwrap_or_default())
        .await?;
    Ok((signed_in, fields))
}

/// The password that was typed once more; `None` where it cannot be one.
fn proof(fields: &Fields) -> Result<Option<Password>, Halt> {
    Ok(Password::new(fields.needed("current_password")?))
}

/// What a form says that was not proved.
fn unproved(visit: &Visit, refusal: &SignInRefusal) -> (StatusCode, Proof) {
    let password_is_wrong = matches!(refusal, SignInRefusal::InvalidCredentials);
    let error = if password_is_wrong {
        CURRENT_IS_WRONG.to_owned()
    } else {
        visit.sentence(refusal)
    };
    let proof = Proof {
        error: Some(error),
        password_is_wrong,
    };
    (words::sign_in_status(refusal), proof)
}

/// An answer that says when to try again, where that helps.
fn waiting(visit: &Visit, refusal: &SignInRefusal, mut answer: Response) -> Response {
    advise_waiting(visit, refusal, &mut answer);
    answer
}

/// Back to the profile page, which says what was done.
async fn done(visit: &Visit, signed_in: &SignedIn, done: Done) -> Result<Response, Halt> {
    let bond = Bond::of_session(signed_in.session.id());
    let cookie = visit.carry(&Carried::Done(done), &bond).await?;
    Ok(with_cookies(visit.redirect(&visit.path("profile"))?, [cookie]))
}

async fn profile_page(visit: &Visit, signed_in: &SignedIn) -> Result<Response, Halt> {
    let (token, bond) = own_form(visit, signed_in).await?;
    let account = signed_in.session.account();
    let done = match visit.carried(Some(&bond)).await? {
        Some(Carried::Done(done)) => Some(done),
        Some(Carried::Pending(_)) | None => None,
    };
    let page = ProfilePage {
        look: visit.look(),
        token,
        done: done.map(|done| sentence(done, &visit.portal.door.policy())),
        display_name: account.display_name.clone(),
        picture: visit.picture(account.id).await?,
        pictures: visit.caller.picture_bytes_max > 0,
        email: account.email.clone(),
        chosen: chosen(&visit.portal.door.policy(), &account.preferences),
        role: account.role.clone(),
        last_sign_in: account.last_sign_in_at.map(When::of),
        second_factor: account.second_factor,
        recovery_codes_left: account.recovery_codes_left,
        sessions: rows(visit, signed_in),
        address: visit.caller.address.ip().to_string(),
    };
    let said = done.and_then(|_| Jar::Step.clear(visit.caller.secure));
    Ok(with_cookies(visit.page(StatusCode::OK, &page)?, [said]))
}

/// What holds of each preference.
fn chosen(policy: &Policy, preferences: &std::collections::BTreeMap<String, String>) -> Vec<ChosenRow> {
    let row = |preference: &stagedoor_policy::Preference| ChosenRow {
        title: preference.title.clone(),
        choice: preference
            .holds(preferences.get(&preference.name).map(String::as_str))
            .to_owned(),
    };
    policy.preferences().iter().map(row).collect()
}

/// This session first, then the others, the last used first.
fn rows(visit: &Visit, signed_in: &SignedIn) -> Vec<SessionRow> {
    let current = signed_in.session.id();
    let mut records = visit.portal.door.sessions_of(signed_in.session.account().id);
    records.sort_by_key(|record| (record.id != current, std::cmp::Reverse(record.last_used_at)));
    let row = |record: stagedoor_identity::session::SessionRecord| SessionRow {
        id: record.id.0.to_string(),
        current: record.id == current,
        address: record.address.to_string(),
        agent: agent(&record.user_agent),
        channel: if record.channel == "browser" {
            String::new()
        } else {
            record.channel
        },
        opened: When::of(record.opened_at),
        used: When::of(if record.id == current {
            visit.caller.now
        } else {
            record.last_used_at
        }),
    };
    records.into_iter().map(row).collect()
}

/// What people call their browser, as far as it says so; else its own words, cut short.
fn agent(user_agent: &str) -> String {
    const AGENT_CHARS_MAX: usize = 60;
    // In this order: most browsers also claim to be those further down.
    let browsers = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let named = |names: &[(&str, &'static str)]| {
        names
            .iter()
            .find(|(mark, _)| user_agent.contains(mark))
            .map(|(_, name)| *name)
    };
    match (named(&browsers), named(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) if user_agent.trim().is_empty() => "A program that does not name itself".to_owned(),
        (None, _) => user_agent.chars().take(AGENT_CHARS_MAX).collect(),
    }
}

fn sentence(done: Done, policy: &Policy) -> String {
    match done {
        Done::PasswordChanged => "Your password is changed. Every other session of yours has ended.".to_owned(),
        Done::DetailsChanged => "Your details are changed.".to_owned(),
        Done::NameChanged => "The name you sign in with is changed.".to_owned(),
        Done::EmailAsked => "A letter is on its way to the new address. It becomes yours once you have followed the \
                             letter's link; until then nothing changes."
            .to_owned(),
        Done::PictureSet => "Your picture is changed.".to_owned(),
        Done::PictureRemoved => "Your picture is removed.".to_owned(),
        Done::SessionEnded => "That session has ended.".to_owned(),
        Done::SessionsEnded(0) => "There was no other session.".to_owned(),
        Done::SessionsEnded(1) => "One other session has ended.".to_owned(),
        Done::SessionsEnded(number) => format!("{number} other sessions have ended."),
        Done::Account(done) => done.sentence(policy),
    }
}

#[cfg(test)]
mod tests {
    use super::agent;

    #[test]
    fn a_browser_is_called_by_its_common_name() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
        assert_eq!(agent(chrome), "Chrome on Linux");
        assert_eq!(agent(&format!("{chrome} Edg/142.0")), "Edge on Linux");
        assert_eq!(
            agent("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1"),
            "Safari on iPhone"
        );
        assert_eq!(agent("curl/8.1"), "curl/8.1");
        assert_eq!(agent(" "), "A program that does not name itself");
        assert_eq!(agent(&"x".repeat(200)).len(), 60);
    }
}
