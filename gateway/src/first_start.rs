//! The first start: how somebody gets in who has no account yet, without anybody else getting in before.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use stagedoor_config::Building;
use stagedoor_identity::account::{AccountName, AccountQuery, NewAccount};
use stagedoor_identity::port::ApiToken;
use stagedoor_identity::{Actor, ChangeFault, Doorkeeper, Password, Secret, SessionToken};
use stagedoor_policy::Policy;

use crate::demo::DemoAccount;
use crate::fault::StartFault;

/// The file in the data folder that holds the token of the commands on this machine.
pub const TOKEN_FILE: &str = "admin.token";

/// Who does what is done here, in the audit.
fn actor() -> Actor {
    Actor::operator("setup")
}

/// Makes the first bearer token where there is none, and keeps it in a file that only this user can read.
///
/// # Errors
/// Where the store or the file cannot be written.
pub async fn first_token(door: &Doorkeeper, data_dir: &Path) -> Result<Option<Secret>, StartFault> {
    let tokens = door
        .store()
        .list_tokens()
        .await
        .map_err(|error| StartFault::Failed(error.to_string()))?;
    if !tokens.is_empty() {
        return Ok(None);
    }
    keep_token(door, data_dir, "local".to_owned()).await.map(Some)
}

/// The bearer token of a machine among several on one store: each has one of its own, made where its file is not there.
///
/// # Errors
/// Where the store or the file cannot be written.
pub async fn token_of_node(door: &Doorkeeper, data_dir: &Path, node: &str) -> Result<Option<Secret>, StartFault> {
    if data_dir.join(TOKEN_FILE).exists() {
        return Ok(None);
    }
    let name = format!("local-{node}");
    // Its file is gone, and so is whoever could use it rightly.
    door.revoke_token(&name, &actor())
        .await
        .map_err(|fault| StartFault::Failed(describe(&fault)))?;
    keep_token(door, data_dir, name).await.map(Some)
}

async fn keep_token(door: &Doorkeeper, data_dir: &Path, name: String) -> Result<Secret, StartFault> {
    let token = ApiToken {
        name,
        scopes: vec!["*".to_owned()],
        created_at: door.now(),
        expires_at: None,
        account: None,
    };
    let secret = door
        .create_token(token, &actor())
        .await
        .map_err(|fault| StartFault::Failed(describe(&fault)))?;
    let path = data_dir.join(TOKEN_FILE);
    let written = std::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&path);
    let written = written.and_then(|mut file| file.write_all(secret.expose()).and_then(|()| file.sync_all()));
    written.map_err(|error| StartFault::Failed(format!("cannot write `{}`: {error}", path.display())))?;
    Ok(secret)
}

/// Whether anybody can sign in yet.
///
/// # Errors
/// Where the store cannot be read.
pub async fn has_accounts(door: &Doorkeeper) -> Result<bool, StartFault> {
    let query = AccountQuery {
        limit: 1,
        ..AccountQuery::default()
    };
    let accounts = door
        .store()
        .list_accounts(&query)
        .await
        .map_err(|error| StartFault::Failed(error.to_string()))?;
    Ok(!accounts.is_empty())
}

/// Makes the account that `--admin NAME` names, with the administrator's role, where it does not exist.
///
/// # Errors
/// Where name or password are unfit, or the policy has no role for it.
pub async fn first_administrator(
    door: &Doorkeeper,
    policy: &Policy,
    name: &str,
    password: Password,
) -> Result<bool, StartFault> {
    let unfit = |sentence: &str| StartFault::Failed(format!("`--admin {name}` cannot be used: {sentence}"));
    let name = AccountName::parse(name).map_err(unfit)?;
    let found = door
        .store()
        .account_by_name(&name)
        .await
        .map_err(|error| StartFault::Failed(error.to_string()))?;
    if found.is_some() {
        return Ok(false);
    }
    let new = NewAccount {
        display_name: name.as_str().to_owned(),
        name,
        email: None,
        role: Some(administrator_role(policy)?),
        grants: Vec::new(),
        networks: Vec::new(),
        password,
        password_temporary: false,
    };
    let created = door.create_account(new, &actor()).await;
    created
        .map(|_| true)
        .map_err(|fault| StartFault::Failed(describe(&fault)))
}

/// Makes one of the demo's accounts.
///
/// # Errors
/// Where the store fails.
pub async fn demo_account(door: &Doorkeeper, account: &DemoAccount, password: &str) -> Result<(), StartFault> {
    let unfit = |sentence: &str| StartFault::Failed(sentence.to_owned());
    let new = NewAccount {
        name: AccountName::parse(account.name).map_err(unfit)?,
        display_name: account.display_name.to_owned(),
        email: None,
        role: Some(account.role.to_owned()),
        grants: Vec::new(),
        networks: Vec::new(),
        password: Password::new(password).ok_or_else(|| unfit("the demo's password is too long"))?,
        password_temporary: false,
    };
    let created = door.create_account(new, &actor()).await;
    created
        .map(|_| ())
        .map_err(|fault| StartFault::Failed(describe(&fault)))
}

/// The role that may do most: the only sensible one for who sets the door up.
///
/// # Errors
/// Where no role may manage every area.
pub fn administrator_role(policy: &Policy) -> Result<String, StartFault> {
    policy.roles_that_manage_everything().next().map(str::to_owned).ok_or_else(|| {
        let roles: Vec<_> = policy.roles().collect();
        StartFault::Failed(format!(
            "no role of the policy may manage every area, so none is fit for the first administrator; the roles are: {}; \
             give one of them `may = {{ \"*\" = \"all\" }}`, or make the account with `stagedoor account add`",
            roles.join(", ")
        ))
    })
}

/// The link to the page that makes the first account, as it is opened on this machine.
pub fn setup_link(building: &Building, token: &SessionToken) -> String {
    let prefix = &building.portal.prefix;
    let (scheme, address) = match (building.listen.http.first(), building.listen.https.first()) {
        (_, Some(address)) => ("https", Some(address)),
        (address, None) => ("http", address),
    };
    let address = address
        .map(ToString::to_string)
        .unwrap_or_default()
        .replace("0.0.0.0", "127.0.0.1")
        .replace("[::]", "[::1]");
    format!("{scheme}://{address}{prefix}setup?token={}", token.expose())
}

/// A change's faults as one text.
pub fn describe(fault: &ChangeFault) -> String {
    match fault {
        ChangeFault::Unfit(fields) => fields
            .iter()
            .map(|(field, sentence)| format!("{field}: {sentence}"))
            .collect::<Vec<_>>()
            .join("; "),
        other => other.to_string(),
    }
}
