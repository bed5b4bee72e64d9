//! Express from npm, and a server that somebody wrote by hand on what Node brings.

use std::process::Command;

use super::place::{Place, own_files};
use super::{Started, first_line, installed};
use crate::{Running, free_port};

pub(super) fn start(place: &Place) -> [Started; 2] {
    let node = first_line(Command::new("node").arg("--version"));
    let modules = installed("node").join("node_modules");
    let package = std::fs::read_to_string(modules.join("express/package.json")).expect("Express is installed");
    let package: serde_json::Value = serde_json::from_str(&package).expect("a package's file is JSON");
    let express = package["version"].as_str().expect("a package has a version");
    [
        ("Express", "express.js", format!("Express {express}, Node {node}")),
        ("Node by hand", "handmade.js", format!("Node {node}")),
    ]
    .map(|(name, script, version)| {
        let port = free_port();
        let own = place.own(script);
        let mut command = Command::new("node");
        command.arg(own_files().join("node").join(script));
        command
            .arg(port.to_string())
            .arg(place.root())
            .env("NODE_PATH", &modules);
        Started {
            process: Running::start(name, command, &own.join("node.log")),
            version,
            listens: vec![(name, port)],
        }
    })
}
