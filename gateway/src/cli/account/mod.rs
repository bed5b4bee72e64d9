//! `stagedoor account …`.

mod invitations;
mod view;

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::api::{Api, encode, understand};
use super::arguments::{AccountCommand, AddAccount, EditAccount, NewPassword, Reach, RemoveAccount, ResetPassword};
use super::failure::Failure;
use super::place;
use super::shell::Shell;
use super::text::{or_dash, plain};
use view::{Account, accounts_text};

pub(crate) async fn run(shell: &mut Shell<'_>, reach: &Reach, command: &AccountCommand) -> Result<(), Failure> {
    if let AccountCommand::Remove(args) = command {
        confirm_removal(shell, args)?;
    }
    let password = match command {
        AccountCommand::Add(args) => take_password(shell, &args.password, args.lasting)?,
        AccountCommand::ResetPassword(args) => take_password(shell, &args.password, false)?,
        _ => None,
    };
    let api = place::open(shell, reach).await?;
    match command {
        AccountCommand::List { contains } => list(shell, &api, contains.as_deref()).await,
        AccountCommand::Show(args) => show(shell, &api, &args.name).await,
        AccountCommand::Add(args) => add(shell, &api, args, password).await,
        AccountCommand::Invite(args) => invitations::invite(shell, &api, args).await,
        AccountCommand::ResendInvitation(args) => invitations::resend(shell, &api, &args.name).await,
        AccountCommand::WithdrawInvitation(args) => invitations::withdraw(shell, &api, &args.name).await,
        AccountCommand::RecoverSecondFactor(args) => invitations::recover(shell, &api, &args.name).await,
        AccountCommand::HandOver(args) => invitations::hand_over(shell, &api, &args.name).await,
        AccountCommand::Edit(args) => edit(shell, &api, args).await,
        AccountCommand::Remove(args) => {
            api.delete(&path(&args.name, "")).await?;
            done(
                shell,
                &Value::Null,
                &format!("Account {} is removed, its sessions have ended.", plain(&args.name)),
            )
        }
        AccountCommand::Disable(args) => switch(shell, &api, &args.name, true).await,
        AccountCommand::Enable(args) => switch(shell, &api, &args.name, false).await,
        AccountCommand::ResetPassword(args) => reset_password(shell, &api, args, password).await,
        AccountCommand::ResetSecondFactor(args) => {
            let value = api.delete(&path(&args.name, "/second-factor")).await?.value()?;
            done(
                shell,
                &value,
                &format!(
                    "{} has no second factor any more and can enrol a new one.",
                    plain(&args.name)
                ),
            )
        }
        AccountCommand::Unlock(args) => unlock(shell, &api, &args.name).await,
        AccountCommand::Reinstate(args) => {
            let value = api
                .json(Method::POST, &path(&args.name, "/reinstate"), &json!({}))
                .await?
                .value()?;
            done(
                shell,
                &value,
                &format!("{} may sign in again; disuse is counted from now.", plain(&args.name)),
            )
        }
    }
}

#[derive(Debug, Deserialize)]
struct Accounts {
    items: Vec<Account>,
}

async fn list(shell: &mut Shell<'_>, api: &Api, contains: Option<&str>) -> Result<(), Failure> {
    let query: Vec<_> = contains.map(|text| ("contains", text)).into_iter().collect();
    let value = api.list("/v1/accounts", &query).await?;
    let accounts: Accounts = understand(&value)?;
    shell.answer(&value, |width| accounts_text(&accounts.items, width))
}

async fn show(shell: &mut Shell<'_>, api: &Api, name: &str) -> Result<(), Failure> {
    let value = api.get(&path(name, "")).await?.value()?;
    let account: Account = understand(&value)?;
    shell.answer(&value, |_| account.to_text())
}

async fn add(
    shell: &mut Shell<'_>,
    api: &Api,
    args: &AddAccount,
    password: Option<Zeroizing<String>>,
) -> Result<(), Failure> {
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(args.name));
    let mut given = |key: &str, value: Option<&String>| value.map(|value| body.insert(key.to_owned(), json!(value)));
    given("role", args.role.as_ref());
    given("display_name", args.display_name.as_ref());
    given("email", args.email.as_ref());
    if !args.grants.is_empty() {
        body.insert("grants".to_owned(), json!(args.grants));
    }
    if !args.networks.is_empty() {
        body.insert("networks".to_owned(), json!(args.networks));
    }
    if let Some(password) = &password {
        body.insert("password".to_owned(), json!(password.as_str()));
        body.insert("password_temporary".to_owned(), json!(!args.lasting));
    }
    let value = api
        .json(Method::POST, "/v1/accounts", &Value::Object(body))
        .await?
        .value()?;
    let account: Account = understand(&value)?;
    shell.answer(&value, |_| {
        let role = or_dash(account.role.as_deref());
        let told = format!("Account {} is made, with the role {role}.", plain(&account.name));
        with_password(told, &value)
    })
}

async fn edit(shell: &mut Shell<'_>, api: &Api, args: &EditAccount) -> Result<(), Failure> {
    let mut change = Map::new();
    let mut given = |key: &str, value: Option<&String>| value.map(|value| change.insert(key.to_owned(), json!(value)));
    given("role", args.role.as_ref());
    given("display_name", args.display_name.as_ref());
    given("email", args.email.as_ref());
    if args.no_email {
        change.insert("email".to_owned(), Value::Null);
    }
    if args.no_grants || !args.grants.is_empty() {
        change.insert("grants".to_owned(), json!(args.grants));
    }
    if args.no_networks || !args.networks.is_empty() {
        change.insert("networks".to_owned(), json!(args.networks));
    }
    if args.demand_second_factor || args.no_second_factor_demand {
        change.insert("second_factor_demanded".to_owned(), json!(args.demand_second_factor));
    }
    let value = api
        .json(Method::PATCH, &path(&args.name, ""), &Value::Object(change))
        .await?
        .value()?;
    let account: Account = understand(&value)?;
    shell.answer(&value, |_| account.to_text())
}

async fn switch(shell: &mut Shell<'_>, api: &Api, name: &str, disabled: bool) -> Result<(), Failure> {
    let value = api
        .json(Method::PATCH, &path(name, ""), &json!({ "disabled": disabled }))
        .await?
        .value()?;
    let name = plain(name);
    let told = if disabled {
        format!("Account {name} is disabled, its sessions have ended.")
    } else {
        format!("Account {name} is enabled.")
    };
    done(shell, &value, &told)
}

async fn reset_password(
    shell: &mut Shell<'_>,
    api: &Api,
    args: &ResetPassword,
    password: Option<Zeroizing<String>>,
) -> Result<(), Failure> {
    let body = match &password {
        Some(password) => json!({ "password": password.as_str() }),
        None => json!({}),
    };
    let value = api
        .json(Method::POST, &path(&args.name, "/password"), &body)
        .await?
        .value()?;
    shell.answer(&value, |_| {
        with_password(format!("{} has a new password.", plain(&args.name)), &value)
    })
}

async fn unlock(shell: &mut Shell<'_>, api: &Api, name: &str) -> Result<(), Failure> {
    let value = api
        .json(Method::POST, &path(name, "/unlock"), &json!({}))
        .await?
        .value()?;
    let told = value.get("message").and_then(Value::as_str).map(plain);
    done(
        shell,
        &value,
        &told.unwrap_or_else(|| format!("{} is unlocked.", plain(name))),
    )
}

fn done(shell: &mut Shell<'_>, value: &Value, told: &str) -> Result<(), Failure> {
    shell.answer(value, |_| told.to_owned())
}

/// What was done, and the generated password, where there is one.
fn with_password(told: String, value: &Value) -> String {
    match value.get("temporary_password").and_then(Value::as_str) {
        Some(password) => format!(
            "{told}\nThe password, shown this once, to be changed at the next sign-in:\n  {}",
            plain(password)
        ),
        None => told,
    }
}

/// The password that was asked for by the flags; `None` leaves it to the API to make one.
fn take_password(
    shell: &mut Shell<'_>,
    wanted: &NewPassword,
    lasting: bool,
) -> Result<Option<Zeroizing<String>>, Failure> {
    if wanted.password_stdin {
        return shell.password_line().map(Some);
    }
    if wanted.ask_password {
        return shell.ask_password().map(Some);
    }
    if lasting {
        return Err(
            Failure::usage("a generated password has to be changed at the next sign-in")
                .help("with `--lasting`, give a password by `--ask-password` or `--password-stdin`"),
        );
    }
    Ok(None)
}

fn confirm_removal(shell: &mut Shell<'_>, args: &RemoveAccount) -> Result<(), Failure> {
    if args.yes {
        return Ok(());
    }
    let question = format!("Remove the account {} for good? [y/N] ", plain(&args.name));
    match shell.keyboard.line(&question)?.as_deref() {
        Some("y" | "Y" | "yes") => Ok(()),
        Some(_) => Err(Failure::failed("nothing was removed")),
        None => Err(Failure::usage("nobody is there to confirm the removal").help("repeat it with `--yes`")),
    }
}

fn path(name: &str, below: &str) -> String {
    format!("/v1/accounts/{}{below}", encode(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_password_is_shown_and_a_given_one_is_not() {
        let told = with_password("Made.".to_owned(), &json!({ "temporary_password": "correct-horse" }));
        assert!(told.ends_with("\n  correct-horse"), "{told}");
        assert_eq!(with_password("Made.".to_owned(), &json!({ "name": "ada" })), "Made.");
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_the_path() {
        assert_eq!(path("../tokens", "/unlock"), "/v1/accounts/..%2Ftokens/unlock");
    }
}
