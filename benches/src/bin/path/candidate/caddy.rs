//! Caddy with `forward_auth`.

use super::template::fill;
use super::{Candidate, Program, nginx};
use crate::machine;
use crate::rig::{Serving, free_address, start};

static CADDY: Program = Program {
    name: "Caddy",
    path: "caddy",
    version: &["version"],
    installed_by: "benches/peers/install",
};

pub(super) const FORWARD_AUTH: Candidate = Candidate {
    name: "caddy-forward-auth",
    does: "asks an nginx that answers 200 to everybody",
    needs: Some(&CADDY),
    start: |rig, folder| {
        let authoriser = nginx::authoriser(rig, folder)?;
        let listen = free_address();
        let (address, upstream, own) = (
            listen.to_string(),
            rig.upstream.to_string(),
            folder.display().to_string(),
        );
        let asked = authoriser.listen.to_string();
        let values = [
            ("LISTEN", address.as_str()),
            ("UPSTREAM", &upstream),
            ("AUTH", &asked),
            ("FOLDER", &own),
        ];
        let template = include_str!("../../../../peers/caddy-forward-auth.caddyfile");
        let file = fill(template, &folder.join("Caddyfile"), &values)?;
        let mut command = machine::on_candidates_core(CADDY.place(&rig.peers)?);
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
        command.env("GOMAXPROCS", "1").env("HOME", folder);
        let mut serving = Serving::new(start("caddy", command, folder, listen)?, listen);
        serving.beside.push(authoriser.process);
        Ok(serving)
    },
};
