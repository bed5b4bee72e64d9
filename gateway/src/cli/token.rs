//! `stagedoor token …`.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Api, encode, understand};
use super::arguments::{Reach, TokenCommand};
use super::failure::Failure;
use super::place;
use super::shell::Shell;
use super::text::{self, plain};

pub(crate) async fn run(shell: &mut Shell<'_>, reach: &Reach, command: &TokenCommand) -> Result<(), Failure> {
    let api = place::open(shell, reach).await?;
    match command {
        TokenCommand::List => {
            let value = api.list("/v1/tokens", &[]).await?;
            let tokens: Tokens = understand(&value)?;
            shell.answer(&value, |width| tokens_text(&tokens.items, width))
        }
        TokenCommand::Create { name, scopes, save } => create(shell, &api, name, scopes, save.as_deref()).await,
        TokenCommand::Revoke { name } => {
            let value = api.delete(&format!("/v1/tokens/{}", encode(name))).await?.value()?;
            shell.answer(&value, |_| format!("Token {} is worthless from now on.", plain(name)))
        }
    }
}

#[derive(Debug, Deserialize)]
struct Tokens {
    items: Vec<Token>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Token {
    name: String,
    scopes: Vec<String>,
    created_at: Option<String>,
    last_used_at: Option<String>,
}

fn tokens_text(tokens: &[Token], width: Option<u16>) -> String {
    if tokens.is_empty() {
        return "No token.".to_owned();
    }
    let rows = tokens.iter().map(|token| {
        let created = text::time(token.created_at.as_deref());
        let used = text::time(token.last_used_at.as_deref());
        vec![plain(&token.name), plain(&token.scopes.join(" ")), created, used]
    });
    text::list(
        &["name", "scopes", "created (UTC)", "last used (UTC)"],
        rows.collect(),
        width,
    )
}

async fn create(
    shell: &mut Shell<'_>,
    api: &Api,
    name: &str,
    scopes: &[String],
    save: Option<&Path>,
) -> Result<(), Failure> {
    let mut file = save
        .map(|save| shell.path(save))
        .map(|save| new_secret_file(&save))
        .transpose()?;
    let body = json!({ "name": name, "scopes": scopes });
    let created = api
        .json(Method::POST, "/v1/tokens", &body)
        .await
        .and_then(|answer| answer.value());
    let mut value = match (created, save) {
        (Ok(value), _) => value,
        (Err(failure), save) => {
            // The empty file would only be in the way of the next try.
            let _ = save.map(|save| std::fs::remove_file(shell.path(save)));
            return Err(failure);
        }
    };
    let token = value.get("token").and_then(Value::as_str).map(str::to_owned);
    let token = token.ok_or_else(|| Failure::failed("the admin API made a token and did not say what it reads"))?;
    let told = match (&mut file, save) {
        (Some(file), Some(save)) => {
            writeln!(file, "{token}")
                .and_then(|()| file.sync_all())
                .map_err(|error| unwritable(save, &error))?;
            value.as_object_mut().map(|fields| fields.remove("token"));
            format!("Token {} is made and written to {}.", plain(name), save.display())
        }
        _ => format!(
            "Token {} is made. It reads, shown this once:\n  {}",
            plain(name),
            plain(&token)
        ),
    };
    shell.answer(&value, |_| told)
}

/// A file that was not there, for the owner alone; made before the token is, so that none is made that cannot be kept.
fn new_secret_file(file: &Path) -> Result<std::fs::File, Failure> {
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file);
    made.map_err(|error| unwritable(file, &error))
}

fn unwritable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("the token cannot be written to `{}`: {error}", file.display()))
}
