//! `stagedoor serve`.

use std::path::PathBuf;
use std::sync::Arc;

use stagedoor_config::{Environment, Inline, Sources};
use stagedoor_identity::{Password, SessionToken, SystemChance};
use stagedoor_portal::Setup;

use crate::app::{self, Door, Premises, Start};
use crate::cli::ServeArgs;
use crate::fault::StartFault;
use crate::upgrade::giving::Relaunch;
use crate::upgrade::taking::Heritage;
use crate::{first_start, logging, storing};

/// The building file where none is named.
pub(super) const BUILDING_FILE: &str = "stagedoor.toml";
/// The rules beside it.
pub(super) const POLICY_FILE: &str = "policy.toml";
/// Holds the first administrator's password.
const PASSWORD_VARIABLE: &str = "STAGEDOOR_ADMIN_PASSWORD";

/// Opens the door as the arguments, the files and the environment say.
pub(super) fn run(args: &ServeArgs) -> Result<(), StartFault> {
    let (sources, environment) = (sources(args)?, environment());
    let loaded = stagedoor_config::load(&sources, &environment).map_err(StartFault::Configuration)?;
    logging::start(&loaded.building.log);
    let password = first_password(args)?;
    let relaunch = Some(Relaunch::of_this_process());
    let heritage = if args.take_over {
        let building = &loaded.building;
        let mut heritage = Heritage::receive(&storing::name(&building.store))?;
        let premises = Premises::make(building, Some(&mut heritage))?;
        heritage.wait_for_store()?;
        Some((heritage, premises))
    } else {
        None
    };
    let runtime = starting_runtime()?;
    let (opened, start) = runtime.block_on(async {
        let opened = app::open_loaded(sources, environment, loaded).await?;
        let setup = prepare(&opened, args, password).await?;
        let signing_key = app::signing_key(&opened.door).await?;
        let mark = app::mark(&opened.door).await?;
        let start = Start {
            signing_key,
            mark,
            setup,
            heritage,
            relaunch,
        };
        Ok::<_, StartFault>((opened, start))
    })?;
    app::run(opened, start, runtime)
}

/// First token, first account, or the link to make it.
async fn prepare(
    opened: &Door,
    args: &ServeArgs,
    password: Option<Password>,
) -> Result<Option<Arc<Setup>>, StartFault> {
    let snapshot = opened.live.current();
    let data_dir = snapshot.building.store.data_dir();
    // Not printed: what a service prints is kept in the journal, and this opens everything for as long as it lives.
    let made = match &snapshot.building.cluster {
        Some(cluster) => first_start::token_of_node(&opened.door, data_dir, &cluster.node).await?,
        None => first_start::first_token(&opened.door, data_dir).await?,
    };
    if made.is_some() {
        println!(
            "the token of the admin API is kept for the commands of this machine in {}",
            data_dir.join(first_start::TOKEN_FILE).display()
        );
    }
    if let (Some(name), Some(password)) = (&args.admin, password)
        && first_start::first_administrator(&opened.door, &snapshot.policy, name, password).await?
    {
        println!("account `{name}` was made; a second factor is urged: sign in and open the profile page");
    }
    if first_start::has_accounts(&opened.door).await? {
        return Ok(None);
    }
    let role = match first_start::administrator_role(&snapshot.policy) {
        Ok(role) => role,
        // The admin API can still make accounts, and rules can still change: that is no reason to stay shut.
        Err(fault) => {
            println!("nobody can sign in yet: {fault}");
            return Ok(None);
        }
    };
    let token = SessionToken::generate(&SystemChance);
    let setup = Setup::new(&token, role);
    println!("nobody can sign in yet; make the first account here, once:");
    println!("  {}", first_start::setup_link(&snapshot.building, &token));
    Ok(Some(Arc::new(setup)))
}

fn first_password(args: &ServeArgs) -> Result<Option<Password>, StartFault> {
    if args.admin.is_none() {
        return Ok(None);
    }
    let typed = match std::env::var(format!("{PASSWORD_VARIABLE}_FILE")) {
        Ok(path) => std::fs::read_to_string(&path)
            .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
            .map_err(|error| {
                StartFault::Failed(format!(
                    "cannot read `{path}`, named by {PASSWORD_VARIABLE}_FILE: {error}"
                ))
            })?,
        Err(_) => std::env::var(PASSWORD_VARIABLE).map_err(|_| {
            StartFault::Failed(format!(
                "`--admin` needs the account's password in {PASSWORD_VARIABLE} or {PASSWORD_VARIABLE}_FILE"
            ))
        })?,
    };
    Password::new(typed)
        .map(Some)
        .ok_or_else(|| StartFault::Failed(format!("the password in {PASSWORD_VARIABLE} is too long")))
}

fn sources(args: &ServeArgs) -> Result<Sources, StartFault> {
    if let Some(upstream) = &args.upstream {
        let inline = Inline {
            upstream: Some(upstream.clone()),
            data_dir: args.data_dir.clone(),
        };
        return Ok(Sources {
            inline,
            ..Sources::default()
        });
    }
    let building = args
        .config
        .clone()
        .or_else(|| std::env::var_os("STAGEDOOR_CONFIG").map(PathBuf::from));
    let building = building.unwrap_or_else(|| PathBuf::from(BUILDING_FILE));
    if args.config.is_none() && !building.exists() {
        return Err(StartFault::NothingToServe(building.display().to_string()));
    }
    Ok(sources_of(building, args.data_dir.clone()))
}

/// Both files: the rules are STAGEDOOR_POLICY, else they stand beside the building.
pub(super) fn sources_of(building: PathBuf, data_dir: Option<PathBuf>) -> Sources {
    let policy = std::env::var_os("STAGEDOOR_POLICY").map(PathBuf::from);
    let policy = policy.unwrap_or_else(|| building.with_file_name(POLICY_FILE));
    Sources {
        building: Some(building),
        policy: Some(policy),
        inline: Inline {
            upstream: None,
            data_dir,
        },
    }
}

fn environment() -> Environment {
    let readable = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    Environment::new(std::env::vars_os().filter_map(readable))
}

/// The keeper's threads, on which the door is opened as well.
pub(super) fn starting_runtime() -> Result<tokio::runtime::Runtime, StartFault> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("keeper")
        .enable_all()
        .build();
    runtime.map_err(|error| StartFault::Failed(format!("the keeper's threads cannot be started: {error}")))
}
