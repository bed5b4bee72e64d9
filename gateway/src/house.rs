//! The house behind the command line: what `serve`, `demo`, `init` and the commands without a running door need.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use stagedoor_config::{Environment, Inline, Sources};
use stagedoor_identity::port::ApiToken;
use stagedoor_identity::{Actor, Chance as _, Password, Secret, SessionToken, SystemChance};
use stagedoor_portal::Setup;

use crate::app::{self, Door, Start};
use crate::cli::{DemoArgs, FirstToken, House, LocalAdmin, LocalPlace, ServeArgs};
use crate::fault::StartFault;
use crate::{demo, first_start, logging};

/// The building file where none is named.
const BUILDING_FILE: &str = "stagedoor.toml";
/// The rules beside it.
const POLICY_FILE: &str = "policy.toml";
/// Holds the first administrator's password.
const PASSWORD_VARIABLE: &str = "STAGEDOOR_ADMIN_PASSWORD";
/// How long a token lives that a command makes for itself while the door is down.
const LOCAL_TOKEN_SECONDS: u64 = 300;

/// The real one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stagedoor;

#[async_trait(?Send)]
impl House for Stagedoor {
    fn serve(&self, args: ServeArgs) -> ExitCode {
        exit(serve(&args))
    }

    fn demo(&self, args: DemoArgs) -> ExitCode {
        exit(run_demo(&args))
    }

    async fn first_token(&self, data_dir: &Path) -> Result<FirstToken, String> {
        let inline = Inline {
            data_dir: Some(data_dir.to_owned()),
            upstream: Some("http://127.0.0.1:1".to_owned()),
        };
        let sources = Sources {
            inline,
            ..Sources::default()
        };
        let opened = app::open(sources, Environment::default())
            .await
            .map_err(|fault| fault.to_string())?;
        let token = first_start::first_token(&opened.door, data_dir)
            .await
            .map_err(|fault| fault.to_string())?;
        let token = token.ok_or_else(|| format!("`{}` holds a store that has tokens already", data_dir.display()))?;
        Ok(FirstToken {
            token,
            file: Some(data_dir.join(first_start::TOKEN_FILE)),
        })
    }

    async fn local_admin(&self, place: &LocalPlace) -> Result<LocalAdmin, String> {
        let sources = match &place.building {
            Some(building) => sources_of(building.clone(), Some(place.data_dir.clone())),
            None => {
                let data_dir = Some(place.data_dir.clone());
                Sources {
                    inline: Inline {
                        data_dir,
                        upstream: Some("http://127.0.0.1:1".to_owned()),
                    },
                    ..Sources::default()
                }
            }
        };
        let opened = open_even_with_faulty_rules(sources, &place.settings).await?;
        let token = local_token(&opened, &place.data_dir).await?;
        let metrics = Arc::new(String::new) as crate::metrics::Render;
        Ok(LocalAdmin {
            router: app::admin_router(&opened, metrics),
            token,
        })
    }
}

/// So that accounts can be mended while policy.toml is not: with the built-in rules, and saying so.
async fn open_even_with_faulty_rules(sources: Sources, environment: &Environment) -> Result<Door, String> {
    match app::open(sources.clone(), environment.clone()).await {
        Err(StartFault::Configuration(faults)) if sources.building.is_some() => {
            eprintln!("{faults}\nthe rules are faulty, so this command goes by the built-in ones");
            let without_rules = Sources {
                policy: None,
                ..sources
            };
            app::open(without_rules, environment.clone())
                .await
                .map_err(|fault| fault.to_string())
        }
        opened => opened.map_err(|fault| fault.to_string()),
    }
}

/// The token that is kept for the commands of this machine; else one for this command, gone in five minutes.
async fn local_token(opened: &Door, data_dir: &Path) -> Result<Secret, String> {
    if let Ok(kept) = std::fs::read_to_string(data_dir.join(first_start::TOKEN_FILE)) {
        let known = opened
            .door
            .token(kept.trim())
            .await
            .map_err(|fault| fault.to_string())?;
        if known.is_some() {
            return Ok(Secret::new(kept.trim()));
        }
    }
    let now = opened.door.now();
    let token = ApiToken {
        name: format!("cli-{}-{}", std::process::id(), now.as_micros()),
        scopes: vec!["*".to_owned()],
        created_at: now,
        expires_at: Some(now.after(std::time::Duration::from_secs(LOCAL_TOKEN_SECONDS))),
    };
    let actor = Actor {
        name: "cli".to_owned(),
        address: None,
        request_id: None,
    };
    opened
        .door
        .create_token(token, &actor)
        .await
        .map_err(|fault| first_start::describe(&fault))
}

fn serve(args: &ServeArgs) -> Result<(), StartFault> {
    let (sources, environment) = (sources(args)?, environment());
    let loaded = stagedoor_config::load(&sources, &environment).map_err(StartFault::Configuration)?;
    logging::start(&loaded.building.log);
    let password = first_password(args)?;
    let runtime = starting_runtime()?;
    let (opened, start) = runtime.block_on(async {
        let opened = app::open(sources, environment).await?;
        let setup = prepare(&opened, args, password).await?;
        let signing_key = app::signing_key(&opened.door).await?;
        Ok::<_, StartFault>((opened, Start { signing_key, setup }))
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
    let data_dir = app::data_dir(&snapshot.building)?;
    if let Some(token) = first_start::first_token(&opened.door, &data_dir).await? {
        println!("admin token: {}", token.expose_text());
        println!(
            "  kept for the commands of this machine in {}",
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

fn sources_of(building: PathBuf, data_dir: Option<PathBuf>) -> Sources {
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

fn starting_runtime() -> Result<tokio::runtime::Runtime, StartFault> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("keeper")
        .enable_all()
        .build();
    runtime.map_err(|error| StartFault::Failed(format!("the keeper's threads cannot be started: {error}")))
}

/// The sample console, the door and three accounts, in a folder of their own that is gone afterwards.
fn run_demo(args: &DemoArgs) -> Result<(), StartFault> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error: std::io::Error| StartFault::Failed(format!("{what}: {error}"))
    };
    let folder = DemoFolder::make().map_err(failed("cannot make a folder for the demo"))?;
    let admin: SocketAddr = free_address().map_err(failed("no free port"))?;
    let runtime = starting_runtime()?;
    let console = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .map_err(failed("no free port"))?;
    let upstream = console.local_addr().map_err(failed("no free port"))?;
    let (building, policy) = (folder.0.join(BUILDING_FILE), folder.0.join(POLICY_FILE));
    let text = demo::building_text(args.listen, admin, upstream, &folder.0.join("data"));
    std::fs::write(&building, text).map_err(failed("cannot write the demo's files"))?;
    std::fs::write(&policy, demo::policy_text()).map_err(failed("cannot write the demo's files"))?;

    let sources = sources_of(building.clone(), None);
    let loaded = stagedoor_config::load(&sources, &Environment::default()).map_err(StartFault::Configuration)?;
    logging::start(&loaded.building.log);
    let passwords: [String; 3] = std::array::from_fn(|_| password());
    let (opened, start) = runtime.block_on(async {
        let opened = app::open(sources, Environment::default()).await?;
        first_start::first_token(&opened.door, &folder.0.join("data")).await?;
        for (account, password) in demo::ACCOUNTS.iter().zip(&passwords) {
            first_start::demo_account(&opened.door, account, password).await?;
        }
        let signing_key = app::signing_key(&opened.door).await?;
        Ok::<_, StartFault>((
            opened,
            Start {
                signing_key,
                setup: None,
            },
        ))
    })?;
    runtime.spawn(async move {
        if let Err(error) = axum::serve(console, demo::console()).await {
            tracing::error!(%error, "the sample console stopped");
        }
    });
    let passwords = passwords.each_ref().map(String::as_str);
    let showing = demo::Showing {
        listen: args.listen,
        building: &building,
        policy: &policy,
        passwords,
    };
    println!("{}", demo::what_to_try(&showing));
    app::run(opened, start, runtime)
}

/// Removed with everything in it when the demo ends.
#[derive(Debug)]
struct DemoFolder(PathBuf);

impl DemoFolder {
    fn make() -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = std::env::temp_dir().join(format!("stagedoor-demo-{}", password()));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for DemoFolder {
    fn drop(&mut self) {
        // Nothing more can be done about it at the end, and the system clears its folder of temporary files.
        let _best_effort = std::fs::remove_dir_all(&self.0);
    }
}

/// 16 characters that are easy to read and to type: 75 bits.
fn password() -> String {
    let mut bytes = [0_u8; 16];
    SystemChance.fill(&mut bytes);
    let letters = b"abcdefghjkmnpqrstuvwxyz23456789";
    let letter = |byte: &u8| {
        letters
            .get(usize::from(*byte) % letters.len())
            .copied()
            .map_or('a', char::from)
    };
    bytes.iter().map(letter).collect()
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

fn exit(outcome: Result<(), StartFault>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            fault.exit_code()
        }
    }
}
