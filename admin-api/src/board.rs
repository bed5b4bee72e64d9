//! What this crate needs of the policy in force: a narrow port, so that tests can stand a board of their own.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use stagedoor_policy::request::Host;
use stagedoor_policy::{Policy, SiteId};
use utoipa::ToSchema;

pub use crate::problem::FaultView;

/// Where the rules of the house hang.
#[async_trait]
pub trait PolicyBoard: std::fmt::Debug + Send + Sync {
    /// The policy in force.
    fn policy(&self) -> Arc<Policy>;
    /// The policy in force and the site a host names in it, both of one snapshot.
    fn site_of(&self, host: &Host<'_>) -> (Arc<Policy>, Option<SiteId>);
    /// The policy in force as it was written.
    fn posted(&self) -> Posted;
    /// How the last reload went.
    fn status(&self) -> BoardStatus;
    /// The faults of a text, all at once; none where it could be put in force.
    async fn check(&self, text: &str) -> Vec<FaultView>;
    /// Puts a text in force, durably, if the text in force is still the one tagged `if_match` (`None`: whatever it is).
    /// # Errors
    /// Where it was not put in force; what was in force still is.
    async fn replace(&self, text: &str, if_match: Option<&str>, by: &str) -> Result<(), ReplaceRefusal>;
    /// Where the admin API listens: the addresses it answers to.
    fn admin_listens_on(&self) -> SocketAddr;
    /// Whether the admin API may be called by this name, which is in lower case.
    fn admin_is_called(&self, name: &str) -> bool;
}

/// A policy as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The source text.
    pub text: Arc<str>,
    /// Its entity tag, quotes included.
    pub etag: String,
    /// Its revision.
    pub revision: u64,
}

/// How the policy in force came to be.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BoardStatus {
    /// The revision in force.
    pub revision: u64,
    /// What `If-Match` compares, quotes included.
    pub etag: String,
    /// When it was put in force.
    #[schema(format = DateTime)]
    pub loaded_at: String,
    /// The last reload, where it was not taken over; gone again after one that was.
    #[schema(required)]
    pub last_fault: Option<BoardFault>,
    /// Reloads that were taken over since start.
    pub reloads_ok: u64,
    /// Reloads that were not.
    pub reloads_failed: u64,
    /// Settings that were changed in the file and need a restart to hold.
    pub restart_needed: Vec<String>,
    /// What is allowed in the files and probably not meant.
    pub warnings: Vec<String>,
}

/// A reload that was not taken over.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BoardFault {
    /// When it was tried.
    #[schema(format = DateTime)]
    pub at: String,
    /// Every fault, with line and caret.
    pub text: String,
}

/// Why a text was not put in force.
#[derive(Debug)]
pub enum ReplaceRefusal {
    /// It has faults.
    Faults(Vec<FaultView>),
    /// Another text is in force than the caller thought; its tag.
    Mismatch(String),
    /// The policy does not come from a file.
    ReadOnly,
    /// It could not be written or numbered; why, for the log.
    Failed(String),
}
