//! Node-RED from npm: an editor that lives on a WebSocket and deploys by its own HTTP API.

use std::process::Command;

use tempfile::TempDir;

use super::{answers, installed, own_files};
use crate::{Running, free_port};

/// The editor under `/red`, what its flows serve under `/served`.
#[derive(Debug)]
pub struct NodeRed {
    port: u16,
    _process: Running,
    _folder: TempDir,
}

impl NodeRed {
    /// Starts it with no flow and no log-in of its own.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let mut command = Command::new("node");
        command.arg(installed("node-red").join("node_modules/node-red/red.js"));
        command.arg("--settings").arg(own_files("node-red").join("settings.js"));
        command
            .arg("--userDir")
            .arg(folder.path())
            .env("PORT", port.to_string());
        let mut process = Running::start("node-red", command, &folder.path().join("node-red.log"));
        answers(&mut process, port, "/red/").await;
        Self {
            port,
            _process: process,
            _folder: folder,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its port, for a look behind the door.
    pub fn port(&self) -> u16 {
        self.port
    }
}
