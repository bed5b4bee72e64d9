//! What the command line needs of the rest of the house, and does not do itself.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use async_trait::async_trait;
use stagedoor_config::{Environment, StoreChoice};
use stagedoor_identity::Secret;

pub use super::arguments::{DemoArgs, ServeArgs};

/// The house, as the command line sees it.
#[async_trait(?Send)]
pub trait House {
    /// `stagedoor serve`: opens the door and stays until it is told to stop.
    fn serve(&self, args: ServeArgs) -> ExitCode;

    /// `stagedoor demo`: the same with a sample console.
    fn demo(&self, args: DemoArgs) -> ExitCode;

    /// Makes the store in `data_dir`, which is there and empty or holds a store already, and a token that may do everything.
    ///
    /// # Errors
    /// A sentence that says what is wrong and where.
    async fn first_token(&self, data_dir: &Path) -> Result<FirstToken, String>;

    /// Copies everything from one store into an empty one. Answers how much it was, for people.
    ///
    /// # Errors
    /// A sentence that says what is wrong and where.
    async fn copy_store(&self, from: &StoreChoice, into: &StoreChoice) -> Result<String, String>;

    /// The admin API on the store itself, for when the door does not run.
    ///
    /// # Errors
    /// A sentence that says what is wrong and where.
    async fn local_admin(&self, place: &LocalPlace) -> Result<LocalAdmin, String>;
}

/// Where the store and the files are when the door does not run.
#[derive(Debug, Clone)]
pub struct LocalPlace {
    /// The building file, where there is one.
    pub building: Option<PathBuf>,
    /// The data folder; it exists.
    pub data_dir: PathBuf,
    /// What the settings may be taken from besides, over the file.
    pub settings: Environment,
}

/// The admin API in this process.
#[derive(Debug)]
pub struct LocalAdmin {
    /// What the listener would serve.
    pub router: axum::Router,
    /// A token the router takes for everything, gone with this process.
    pub token: Secret,
}

/// The first token of a new store.
#[derive(Debug)]
pub struct FirstToken {
    /// `sdt_…`, printed once.
    pub token: Secret,
    /// The file it was written to as well, readable by the owner alone, so that commands on this machine need no token.
    pub file: Option<PathBuf>,
}
