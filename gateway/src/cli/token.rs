//! `stagedoor token …`.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Api, encode, understand};
use super::arguments::{CreateToken, Reach, TokenCommand};
use super::failure::Failure;
use super::moment;
use super::place;
use super::secret_file::SecretFile;
use super::shell::Shell;
use super::text::{self, plain};

pub(crate) async fn run(shell: &mut Shell<'_>, reach: &Reach, command: &TokenCommand) -> Result<(), Failure> {
    let expires = match command {
        TokenCommand::Create(CreateToken {
            expires: Some(typed), ..
        }) => Some(moment::parse(typed, shell.clock.now()).map_err(Failure::usage)?),
        _ => None,
    };
    let api = place::open(shell, reach).await?;
    match command {
        TokenCommand::List => {
            let value = api.list("/v1/tokens", &[]).await?;
            let tokens: Tokens = understand(&value)?;
            shell.answer(&value, |width| tokens_text(&tokens.items, width))
        }
        TokenCommand::Create(args) => create(shell, &api, args, expires).await,
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
    expires_at: Option<String>,
}

fn tokens_text(tokens: &[Token], width: Option<u16>) -> String {
    if tokens.is_empty() {
        return "No token.".to_owned();
    }
    let rows = tokens.iter().map(|token| {
        let created = text::time(token.created_at.as_deref());
        let expires = text::time(token.expires_at.as_deref());
        vec![plain(&token.name), plain(&token.scopes.join(" ")), created, expires]
    });
    text::list(
        &["name", "scopes", "created (UTC)", "expires (UTC)"],
        rows.collect(),
        width,
    )
}

async fn create(shell: &mut Shell<'_>, api: &Api, args: &CreateToken, expires: Option<String>) -> Result<(), Failure> {
    let mut file = match &args.save {
        Some(save) => Some(SecretFile::make(shell.path(save))?),
        None => None,
    };
    let mut value = match order(api, args, expires).await {
        Ok(value) => value,
        Err(failure) => {
            if let Some(file) = file {
                file.discard();
            }
            return Err(failure);
        }
    };
    let token = value.get("token").and_then(Value::as_str).map(str::to_owned);
    let token = token.ok_or_else(|| Failure::failed("the admin API made a token and did not say what it reads"))?;
    let name = plain(&args.name);
    let told = match &mut file {
        Some(file) => {
            file.write(&token)?;
            value.as_object_mut().map(|fields| fields.remove("token"));
            format!("Token {name} is made and written to {}.", file.path().display())
        }
        None => format!("Token {name} is made. It reads, shown this once:\n  {}", plain(&token)),
    };
    shell.answer(&value, |_| told)
}

async fn order(api: &Api, args: &CreateToken, expires: Option<String>) -> Result<Value, Failure> {
    let mut body = json!({ "name": args.name, "scopes": args.scopes });
    if let (Some(expires), Some(fields)) = (expires, body.as_object_mut()) {
        fields.insert("expires_at".to_owned(), Value::String(expires));
    }
    if let (Some(account), Some(fields)) = (&args.acts_as, body.as_object_mut()) {
        fields.insert("account".to_owned(), json!(account));
    }
    api.json(Method::POST, "/v1/tokens", &body).await?.value()
}
