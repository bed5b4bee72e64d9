//! `stagedoor store`.

use serde_json::json;
use stagedoor_config::{RedisExtras, StoreChoice};

use super::arguments::CopyArgs;
use super::failure::Failure;
use super::shell::Shell;

/// `stagedoor store copy FROM TO`.
pub(crate) async fn copy(shell: &mut Shell<'_>, args: &CopyArgs) -> Result<(), Failure> {
    let extras = RedisExtras {
        password_file: args.password_file.as_ref().map(|file| shell.path(file)),
        sentinel_password_file: args.sentinel_password_file.as_ref().map(|file| shell.path(file)),
        sentinel_user: args.sentinel_user.clone(),
        ca_file: args.ca_file.as_ref().map(|file| shell.path(file)),
        key_prefix: args.key_prefix.clone(),
    };
    let (from, into) = (
        named(shell, "FROM", &args.from, &extras)?,
        named(shell, "TO", &args.to, &extras)?,
    );
    let moved = shell.house.copy_store(&from, &into).await.map_err(Failure::failed)?;
    shell.answer(&json!({ "copied": moved }), |_| format!("copied: {moved}"))?;
    Ok(())
}

fn named(shell: &Shell<'_>, which: &str, url: &str, extras: &RedisExtras) -> Result<StoreChoice, Failure> {
    // The URL itself is not shown: a password may be in it.
    StoreChoice::named(url, &shell.folder, extras).map_err(|why| Failure::usage(format!("{which}: {why}")))
}
