//! What can be typed: the whole command line, as types.

mod access;
mod policy;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

pub(crate) use access::{
    AccountCommand, AddAccount, AuditArgs, CreateToken, DeviceCommand, EditAccount, EndSession, Invite, LockoutCommand,
    NewPassword, RegisterDevice, RemoveAccount, ResetPassword, SessionCommand, TokenCommand,
};

pub(crate) use policy::{ApplyArgs, ExplainArgs, PolicyCommand};

const LONG_ABOUT: &str = "\
Stagedoor stands in front of an admin console and says who may enter, from which addresses, what they may touch and for \
how long. The console stays as it is.";

const FIRST_STEPS: &str = "\
First steps:
  stagedoor demo                                     a sample console, nothing to set up
  stagedoor serve --upstream http://127.0.0.1:8000   a console of yours, without any file
  stagedoor init                                     both files, with comments

Exit codes: 0 fine, 1 it failed, 2 wrong usage, 64 bad configuration.";

/// The command line of `stagedoor`.
#[derive(Debug, Parser)]
#[command(
    name = "stagedoor",
    version,
    about = "A door with a doorkeeper for admin consoles",
    long_about = LONG_ABOUT,
    after_help = FIRST_STEPS,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct CommandLine {
    /// How answers are printed: for people, or as the JSON of the admin API
    #[arg(long, global = true, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    pub(crate) output: Output,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Text,
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Try it: a sample console behind the door, three accounts, nothing to set up
    Demo(DemoArgs),
    /// Open the door
    Serve(ServeArgs),
    /// Write both files, with comments, and make the data folder
    Init(InitArgs),
    /// Read both files and say everything that is wrong with them
    Check(CheckArgs),
    /// Show, explain and change the house rules
    Policy {
        #[command(flatten)]
        reach: Reach,
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Accounts: who may sign in
    Account {
        #[command(flatten)]
        reach: Reach,
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Sessions: who is signed in
    Session {
        #[command(flatten)]
        reach: Reach,
        #[command(subcommand)]
        command: SessionCommand,
    },
    /// Lockouts: names locked after too many failures
    Lockout {
        #[command(flatten)]
        reach: Reach,
        #[command(subcommand)]
        command: LockoutCommand,
    },
    /// Devices: what a channel that demands them is used from
    Device {
        #[command(flatten)]
        reach: Reach,
        #[command(subcommand)]
        command: DeviceCommand,
    },
    /// Read what happened
    Audit {
        #[command(flatten)]
        reach: Reach,
        #[command(flatten)]
        search: AuditArgs,
    },
    /// Tokens for the admin API
    Token {
        #[command(flatten)]
        reach: Reach,
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Move what is kept from one store into another
    Store {
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Letters: which wait, and whether they arrive
    Mail {
        #[command(flatten)]
        reach: Reach,
        #[command(subcommand)]
        command: MailCommand,
    },
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  stagedoor completions bash > ~/.local/share/bash-completion/completions/stagedoor"
    )]
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// `stagedoor store`.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Copy everything from one store into an empty one: accounts, sessions, failures, locks, tokens, audit, keys, policies
    #[command(after_help = COPY_HELP)]
    Copy(CopyArgs),
}

const COPY_HELP: &str = "\
Stop the door first: what it does meanwhile would not be copied. Afterwards name the new store in `[store] url`.

Examples:
  stagedoor store copy file:/var/lib/stagedoor redis://door@127.0.0.1:6379 --password-file /etc/stagedoor/redis-password
  stagedoor store copy redis://127.0.0.1:6379 file:/var/lib/stagedoor-back";

/// `stagedoor store copy`.
#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// The store to copy from: `file:FOLDER`, or any URL that `[store] url` may be
    #[arg(value_name = "FROM")]
    pub(crate) from: String,
    /// The empty store to copy into
    #[arg(value_name = "TO")]
    pub(crate) to: String,
    /// Holds the password of the Redis user, on one line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) password_file: Option<PathBuf>,
    /// Holds the password of the Sentinels, on one line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) sentinel_password_file: Option<PathBuf>,
    /// The ACL user of the Sentinels, where it is not their default one
    #[arg(long, value_name = "USER")]
    pub(crate) sentinel_user: Option<String>,
    /// The only certificates that Redis's own may come from (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca_file: Option<PathBuf>,
    /// What all keys of Redis begin with, as `store.key_prefix`
    #[arg(long, value_name = "PREFIX")]
    pub(crate) key_prefix: Option<String>,
}

/// `stagedoor mail …`.
#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// List the letters that wait to be sent, and why
    Waiting,
    /// Send one letter as the door would, and say how far it came
    #[command(
        after_help = "The files and the environment are read as `serve` reads them; the door need not run. With `--queue` \
                      the running door sends it, like any other letter.\n\nExamples:\n  \
                      stagedoor mail test --to ada@example.com\n  stagedoor mail test --to ada@example.com --queue"
    )]
    Test {
        /// Where the letter goes
        #[arg(long, value_name = "ADDRESS")]
        to: String,
        /// Have the running door send it
        #[arg(long)]
        queue: bool,
    },
}

/// `stagedoor demo`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Everything is made afresh in a temporary folder, and the passwords are new with every run.")]
pub struct DemoArgs {
    /// Where the door listens
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}

const SERVE_HELP: &str = "\
Examples:
  stagedoor serve                                    with ./stagedoor.toml
  stagedoor serve --config /etc/stagedoor/stagedoor.toml
  stagedoor serve --upstream http://127.0.0.1:8000   no file: a starter policy, state in ./stagedoor-data
  STAGEDOOR_ADMIN_PASSWORD=… stagedoor serve --upstream http://127.0.0.1:8000 --admin ada

Every setting can come from the environment, by its path: STAGEDOOR_LISTEN_HTTP=127.0.0.1:8080 is `[listen] http`.";

/// `stagedoor serve`.
#[derive(Debug, Clone, Args)]
#[command(after_help = SERVE_HELP)]
pub struct ServeArgs {
    /// The building file; policy.toml is read from the same folder [default: ./stagedoor.toml]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "upstream")]
    pub config: Option<PathBuf>,
    /// The console to stand in front of, with no file at all
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub upstream: Option<String>,
    /// Where accounts, sessions and the audit are kept [default: as the file says, else ./stagedoor-data]
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
    /// Make this administrator's account if it is not there; its password is read from STAGEDOOR_ADMIN_PASSWORD
    #[arg(long, value_name = "NAME")]
    pub admin: Option<String>,
    /// Take over from the door that started this process
    #[arg(long, hide = true)]
    pub take_over: bool,
}

/// `stagedoor init`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  stagedoor init\n  stagedoor init --preset filingbox /etc/stagedoor\n\n\
                  Presets: starter, bstage, stager, filingbox."
)]
pub(crate) struct InitArgs {
    /// Which set of house rules to begin with
    #[arg(long, value_name = "NAME", default_value = "starter")]
    pub(crate) preset: String,
    /// Where the files go; made if it is not there
    #[arg(value_name = "FOLDER", default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
}

/// `stagedoor check`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Nothing is opened, bound or written. Exit code 64 where something is wrong.\n\nExamples:\n  \
                  stagedoor check\n  stagedoor check --config /etc/stagedoor/stagedoor.toml --output json"
)]
pub(crate) struct CheckArgs {
    /// The building file; policy.toml is read from the same folder [default: ./stagedoor.toml]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
}

/// How the running door is reached. All of it can be left out in the folder that holds stagedoor.toml.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reaching the door")]
pub(crate) struct Reach {
    /// The building file, which says where the admin API and the data folder are [default: ./stagedoor.toml]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// The data folder, where `serve` was given one
    #[arg(long, global = true, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) data_dir: Option<PathBuf>,
    /// The admin API [env: STAGEDOOR_ADMIN_URL] [default: as the file says, else http://127.0.0.1:9080]
    #[arg(long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) admin_url: Option<String>,
    /// A file with the token [env: STAGEDOOR_ADMIN_TOKEN, STAGEDOOR_ADMIN_TOKEN_FILE] [default: admin.token in the data folder]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) token_file: Option<PathBuf>,
}
