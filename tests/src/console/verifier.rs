//! Consoles that ask who is calling with the samples of `examples/assertion`, one in each language.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{answers, installed, own_files};
use crate::{Running, free_port, repository};

/// The language a sample is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `stagedoor_assertion.py`, on PyJWT.
    Python,
    /// `stagedoor_assertion.mjs`, on jose.
    Node,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Python, Self::Node];
}

/// A console of the site `console` that answers 200 with `caller` and `assertion`, or 401 with why not (`refused`).
#[derive(Debug)]
pub struct Verifier {
    port: u16,
    _process: Running,
    _folder: TempDir,
}

impl Verifier {
    /// Starts it on this port. It fetches keys from this address, and unknown ones no sooner than after so many seconds.
    pub async fn start(language: Language, port: u16, keys_url: &str, fetch_seconds_min: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = match language {
            Language::Python => in_python(),
            Language::Node => in_node(folder.path()),
        };
        let log = folder.path().join("console.log");
        command
            .arg(port.to_string())
            .arg(keys_url)
            .arg(fetch_seconds_min.to_string());
        let mut process = Running::start("verifier", command, &log);
        answers(&mut process, port, "/ready").await;
        Self {
            port,
            _process: process,
            _folder: folder,
        }
    }

    /// [`Self::start`] on a port of its own, never slow to fetch.
    pub async fn fetching(language: Language, keys_url: &str) -> Self {
        Self::start(language, free_port(), keys_url, 0).await
    }

    /// Its port, for somebody who has come past the door.
    pub fn port(&self) -> u16 {
        self.port
    }
}

fn samples() -> std::path::PathBuf {
    repository().join("examples").join("assertion")
}

fn in_python() -> Command {
    let mut command = Command::new(installed("verifier").join("bin").join("python3"));
    command.arg(own_files("verifier").join("console.py"));
    command.env("PYTHONPATH", samples()).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Node looks for packages beside the file that asks for them and nowhere else, so the files go where the packages are.
fn in_node(folder: &Path) -> Command {
    let packages = installed("verifier").join("node_modules");
    std::os::unix::fs::symlink(packages, folder.join("node_modules")).expect("a link can be made");
    for (from, file) in [
        (samples(), "stagedoor_assertion.mjs"),
        (own_files("verifier"), "console.mjs"),
    ] {
        std::fs::copy(from.join(file), folder.join(file)).expect("a file can be copied");
    }
    let mut command = Command::new("node");
    command.arg(folder.join("console.mjs"));
    command
}
