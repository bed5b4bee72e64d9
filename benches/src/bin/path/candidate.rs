//! Who is measured. A candidate that is not installed is left out, and the report says what would install it.

mod authelia;
pub(crate) mod bare;
mod caddy;
pub(crate) mod door;
mod envoy;
mod haproxy;
pub(crate) mod nginx;
mod oauth2_proxy;
mod pomerium;
pub(crate) mod template;
mod token_key;

use std::path::{Path, PathBuf};

use crate::Failure;
use crate::rig::{Rig, Serving};

/// One proxy in one configuration.
pub(crate) struct Candidate {
    /// As it is called in tables and on the command line.
    pub(crate) name: &'static str,
    /// What it does besides forwarding.
    pub(crate) does: &'static str,
    /// The program it needs; `None` for our own.
    pub(crate) needs: Option<&'static Program>,
    /// Starts it on the candidate's core, with what it writes below a folder of its own.
    pub(crate) start: fn(&Rig, &Path) -> Result<Serving, Failure>,
}

/// A program of somebody else.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// Where it is, from the folder of the peers, or by name alone if the system's packages bring it.
    pub(crate) path: &'static str,
    pub(crate) version: &'static [&'static str],
    /// The line that installs it.
    pub(crate) installed_by: &'static str,
}

/// The one that all others are compared with.
pub(crate) const REFERENCE: &str = "bare-pingora";

/// Everybody, in the order of the table.
pub(crate) const ALL: &[Candidate] = &[
    bare::PLAIN,
    door::NONE,
    door::SMALL,
    door::FULL,
    nginx::PLAIN,
    nginx::LISTED,
    nginx::AUTH_REQUEST,
    haproxy::PLAIN,
    haproxy::LISTED,
    envoy::RBAC_AND_JWT,
    envoy::EXT_AUTHZ,
    caddy::FORWARD_AUTH,
    oauth2_proxy::ALONE,
    oauth2_proxy::BEHIND_NGINX,
    authelia::BEHIND_NGINX,
    pomerium::ALONE,
];

/// By name.
pub(crate) fn named(name: &str) -> Result<&'static Candidate, Failure> {
    let found = ALL.iter().find(|candidate| candidate.name == name);
    found.ok_or_else(|| format!("there is no candidate {name:?}").into())
}

impl Candidate {
    /// Whether it can be measured here.
    pub(crate) fn is_installed(&self, peers: &Path) -> bool {
        self.needs.is_none_or(|program| program.find(peers).is_some())
    }
}

impl Program {
    /// Where it is, if it is.
    pub(crate) fn find(&self, peers: &Path) -> Option<PathBuf> {
        let own = peers.join(self.path);
        if own.is_file() {
            return Some(own);
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        // Where Debian puts servers, which a user's PATH does not have.
        folders.push(PathBuf::from("/usr/sbin"));
        folders
            .into_iter()
            .map(|folder| folder.join(self.path))
            .find(|file| file.is_file())
    }

    /// Where it is.
    pub(crate) fn place(&self, peers: &Path) -> Result<PathBuf, Failure> {
        self.find(peers)
            .ok_or_else(|| format!("{} is missing: {}", self.name, self.installed_by).into())
    }

    /// What it calls its version.
    pub(crate) fn version(&self, peers: &Path) -> Option<String> {
        let output = std::process::Command::new(self.find(peers)?)
            .args(self.version)
            .output()
            .ok()?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .map(str::to_owned)
    }
}
