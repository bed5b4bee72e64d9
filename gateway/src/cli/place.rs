//! Where things are: the files, the data folder, the admin API, the token.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use stagedoor_config::{Environment, Inline, Sources, StoreChoice};
use stagedoor_identity::Secret;

use super::api::{Api, Token};
use super::arguments::Reach;
use super::failure::Failure;
use super::house::LocalPlace;
use super::shell::Shell;
use super::transport::{AdminUrl, Transport};

/// What the building file is called where it is not named.
pub(crate) const BUILDING_FILE: &str = "stagedoor.toml";
/// What the policy file beside it is called.
pub(crate) const POLICY_FILE: &str = "policy.toml";

const TOKEN_FILE: &str = "admin.token";

/// The longest token file that is read, in bytes.
const TOKEN_FILE_BYTES_MAX: u64 = 4096;

/// The building file: the one that was named, else STAGEDOOR_CONFIG, else the one in the working folder, if there is one.
pub(crate) fn building_file(shell: &Shell<'_>, named: Option<&Path>) -> Option<PathBuf> {
    match named.or_else(|| shell.var("STAGEDOOR_CONFIG").map(Path::new)) {
        Some(named) => Some(shell.path(named)),
        None => Some(shell.path(Path::new(BUILDING_FILE))).filter(|file| file.exists()),
    }
}

/// Both files: the policy is STAGEDOOR_POLICY, else it stands beside the building.
pub(crate) fn sources(shell: &Shell<'_>, building: PathBuf) -> Sources {
    let policy = match shell.var("STAGEDOOR_POLICY") {
        Some(policy) => shell.path(Path::new(policy)),
        None => building.with_file_name(POLICY_FILE),
    };
    Sources {
        building: Some(building),
        policy: Some(policy),
        inline: Inline::default(),
    }
}

/// The settings among the variables of the environment.
pub(crate) fn settings(shell: &Shell<'_>) -> Environment {
    Environment::new(shell.vars.clone())
}

/// Opens the way to the admin API: to the listener, or where nothing listens, to the store in this process.
pub(crate) async fn open(shell: &mut Shell<'_>, reach: &Reach) -> Result<Api, Failure> {
    let named_url = reach
        .admin_url
        .as_deref()
        .or_else(|| shell.var("STAGEDOOR_ADMIN_URL"))
        .map(AdminUrl::parse);
    let named_url = named_url.transpose()?;
    let named_token = named_token(shell, reach)?;
    if let (Some(url), Some(token)) = (&named_url, &named_token) {
        return remote(shell, url.clone(), token.clone());
    }
    let found = Whereabouts::find(shell, reach)?;
    let url = match &named_url {
        Some(url) => url.clone(),
        None => AdminUrl::of_listener(found.admin_listen)?,
    };
    if named_url.is_none() && url.nothing_listens().await {
        return local(shell, found, &url).await;
    }
    let token = match named_token {
        Some(token) => token,
        None => kept_token(&found.data_dir.join(TOKEN_FILE))?,
    };
    remote(shell, url, token)
}

/// What the files and the environment say about where things are.
#[derive(Debug)]
struct Whereabouts {
    building: Option<PathBuf>,
    data_dir: PathBuf,
    /// Where the store is, for people.
    store: String,
    admin_listen: SocketAddr,
}

impl Whereabouts {
    /// The house rules are not looked at: a command must find the door to mend them.
    fn find(shell: &Shell<'_>, reach: &Reach) -> Result<Self, Failure> {
        let mut sources = match building_file(shell, reach.config.as_deref()) {
            Some(building) => sources(shell, building),
            None => without_files(),
        };
        sources.inline.data_dir = reach.data_dir.as_deref().map(|data_dir| shell.path(data_dir));
        let building = stagedoor_config::load_building(&sources, &settings(shell))
            .map_err(|faults| Failure::configuration(faults.to_string()))?;
        let data_dir = shell.path(building.store.data_dir());
        let store = match &building.store {
            StoreChoice::Redis { redis, .. } => redis.to_string(),
            _ => data_dir.display().to_string(),
        };
        Ok(Self {
            building: sources.building,
            data_dir,
            store,
            admin_listen: building.admin.listen,
        })
    }
}

/// As `serve --upstream` has it. Which console it was is of no matter here: none is asked.
fn without_files() -> Sources {
    let inline = Inline {
        upstream: Some("http://127.0.0.1:9".to_owned()),
        data_dir: None,
    };
    Sources {
        building: None,
        policy: None,
        inline,
    }
}

fn remote(shell: &mut Shell<'_>, url: AdminUrl, token: Token) -> Result<Api, Failure> {
    if !url.is_loopback() {
        shell.note(&format!(
            "warning: the token goes to `{url}` unencrypted, for everybody on the way to read"
        ))?;
    }
    Ok(Api::new(Transport::remote(url), token))
}

async fn local(shell: &mut Shell<'_>, found: Whereabouts, url: &AdminUrl) -> Result<Api, Failure> {
    if !found.data_dir.is_dir() {
        let said = format!(
            "the door is not running (nothing listens at `{url}`), and there is no store at `{}`",
            found.data_dir.display()
        );
        return Err(Failure::failed(said).help(
            "run this in the folder that holds stagedoor.toml, name that file with `--config`, or name the admin API with \
             `--admin-url`",
        ));
    }
    let place = LocalPlace {
        building: found.building,
        data_dir: found.data_dir,
        settings: settings(shell),
    };
    let admin = shell.house.local_admin(&place).await.map_err(Failure::failed)?;
    shell.note(&format!(
        "note: the door is not running (nothing listens at `{url}`); working in the store at `{}` directly",
        found.store
    ))?;
    let token = Token {
        secret: admin.token,
        origin: "the token made for this command".to_owned(),
    };
    Ok(Api::new(Transport::Local(admin.router), token))
}

/// The token that was named: by `--token-file`, or by the environment.
fn named_token(shell: &Shell<'_>, reach: &Reach) -> Result<Option<Token>, Failure> {
    if let Some(file) = &reach.token_file {
        return read_token(&shell.path(file)).map(Some);
    }
    if let Some(token) = shell.var("STAGEDOOR_ADMIN_TOKEN") {
        return Ok(Some(Token {
            secret: Secret::new(token.trim()),
            origin: "the token in STAGEDOOR_ADMIN_TOKEN".to_owned(),
        }));
    }
    match shell.var("STAGEDOOR_ADMIN_TOKEN_FILE") {
        Some(file) => read_token(&shell.path(Path::new(file))).map(Some),
        None => Ok(None),
    }
}

/// The token that the door left for commands on its own machine.
fn kept_token(file: &Path) -> Result<Token, Failure> {
    if file.exists() {
        return read_token(file);
    }
    Err(
        Failure::failed(format!("no token: there is none at `{}`", file.display()))
            .help("give one with `--token-file FILE` or STAGEDOOR_ADMIN_TOKEN"),
    )
}

fn read_token(file: &Path) -> Result<Token, Failure> {
    let wrong = |why: String| Failure::failed(format!("the token file `{}` {why}", file.display()));
    let opened = std::fs::File::open(file).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let mut text = zeroize::Zeroizing::new(String::new());
    let mut limited = std::io::Read::take(opened, TOKEN_FILE_BYTES_MAX);
    std::io::Read::read_to_string(&mut limited, &mut text)
        .map_err(|error| wrong(format!("cannot be read: {error}")))?;
    match text.trim() {
        "" => Err(wrong("is empty".to_owned())),
        token => Ok(Token {
            secret: Secret::new(token),
            origin: format!("the token from `{}`", file.display()),
        }),
    }
}
