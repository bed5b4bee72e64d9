//! Invitations and links.

use http::Method;
use serde_json::{Map, Value, json};

use super::{Account, path};
use crate::cli::api::{Api, encode, understand};
use crate::cli::arguments::Invite;
use crate::cli::failure::Failure;
use crate::cli::shell::Shell;
use crate::cli::text::{or_dash, plain};

pub(super) async fn invite(shell: &mut Shell<'_>, api: &Api, args: &Invite) -> Result<(), Failure> {
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(args.name));
    let mut given = |key: &str, value: Option<&String>| value.map(|value| body.insert(key.to_owned(), json!(value)));
    given("role", args.role.as_ref());
    given("display_name", args.display_name.as_ref());
    given("email", args.email.as_ref());
    body.insert("grants".to_owned(), json!(args.grants));
    body.insert("networks".to_owned(), json!(args.networks));
    let value = api
        .json(Method::POST, "/v1/invitations", &Value::Object(body))
        .await?
        .value()?;
    told(shell, &value)
}

pub(super) async fn resend(shell: &mut Shell<'_>, api: &Api, name: &str) -> Result<(), Failure> {
    let path = format!("/v1/invitations/{}/resend", encode(name));
    let value = api.json(Method::POST, &path, &json!({})).await?.value()?;
    told(shell, &value)
}

pub(super) async fn withdraw(shell: &mut Shell<'_>, api: &Api, name: &str) -> Result<(), Failure> {
    api.delete(&format!("/v1/invitations/{}", encode(name))).await?;
    shell.answer(&Value::Null, |_| {
        format!("The invitation of {} is taken back.", plain(name))
    })
}

pub(super) async fn recover(shell: &mut Shell<'_>, api: &Api, name: &str) -> Result<(), Failure> {
    let value = api
        .json(Method::POST, &path(name, "/second-factor/recovery"), &json!({}))
        .await?
        .value()?;
    let told = format!("{} may set up another second factor, with the password.", plain(name));
    shell.answer(&value, |_| with_link(told, &value, "recovery"))
}

pub(super) async fn hand_over(shell: &mut Shell<'_>, api: &Api, name: &str) -> Result<(), Failure> {
    let value = api
        .json(Method::POST, &path(name, "/hand-over"), &json!({}))
        .await?
        .value()?;
    let holder: Account = understand(value.get("holder").unwrap_or(&Value::Null))?;
    let role = or_dash(holder.role.as_deref());
    shell.answer(&value, |_| {
        format!("{} holds the role {role} now.", plain(&holder.name))
    })
}

fn told(shell: &mut Shell<'_>, value: &Value) -> Result<(), Failure> {
    let account: Account = understand(value)?;
    let role = or_dash(account.role.as_deref());
    let told = format!("{} is invited, with the role {role}.", plain(&account.name));
    let link = value.get("link").unwrap_or(&Value::Null);
    shell.answer(value, |_| with_link(told, link, "invitation"))
}

/// A link that no letter carries, to be handed on.
fn with_link(told: String, link: &Value, page: &str) -> String {
    match link.get("token").and_then(Value::as_str) {
        Some(token) => format!(
            "{told}\nNo letters are sent; the link, shown this once, is the door's address and:\n  \
             /.stagedoor/{page}?token={}",
            plain(token)
        ),
        None => format!("{told}\nA letter with the link is on its way."),
    }
}
