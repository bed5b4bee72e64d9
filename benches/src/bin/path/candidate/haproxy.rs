//! haproxy: plain, and with an address list and a map of cookies.

use std::path::Path;

use super::template::{fill, prefixes};
use super::{Candidate, Program};
use crate::rig::{Rig, Serving, free_address, start};
use crate::{Failure, machine};

const NETWORKS: usize = 1_000;

static HAPROXY: Program = Program {
    name: "haproxy",
    path: "haproxy",
    version: &["-v"],
    installed_by: "apt-get install haproxy",
};

pub(super) const PLAIN: Candidate = Candidate {
    name: "haproxy",
    does: "forwards",
    needs: Some(&HAPROXY),
    start: |rig, folder| serve(rig, folder, include_str!("../../../../peers/haproxy.cfg")),
};

pub(super) const LISTED: Candidate = Candidate {
    name: "haproxy-list-map",
    does: "1,000 networks (ACL file), 10,000 tokens (map file)",
    needs: Some(&HAPROXY),
    start: |rig, folder| {
        let networks = prefixes(NETWORKS, |prefix| format!("{prefix}\n")) + "127.0.0.0/8\n";
        std::fs::write(folder.join("networks.lst"), networks)?;
        let tokens = rig.cookies.iter().filter_map(|cookie| cookie.split_once('='));
        let lines: String = tokens.map(|(_, token)| format!("{token} administrator\n")).collect();
        std::fs::write(folder.join("tokens.map"), lines)?;
        serve(rig, folder, include_str!("../../../../peers/haproxy-list-map.cfg"))
    },
};

fn serve(rig: &Rig, folder: &Path, template: &str) -> Result<Serving, Failure> {
    let listen = free_address();
    let (address, upstream, own) = (
        listen.to_string(),
        rig.upstream.to_string(),
        folder.display().to_string(),
    );
    let values = [("LISTEN", address.as_str()), ("UPSTREAM", &upstream), ("FOLDER", &own)];
    let file = fill(template, &folder.join("haproxy.cfg"), &values)?;
    let mut command = machine::on_candidates_core(HAPROXY.place(&rig.peers)?);
    command.arg("-f").arg(file);
    Ok(Serving::new(start("haproxy", command, folder, listen)?, listen))
}
