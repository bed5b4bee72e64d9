//! Pingora that does nothing but forward, built with the flags that the door is built with: `benches/src/bin/bare.rs`.

use std::net::SocketAddr;
use std::process::Command;

use super::{Candidate, REFERENCE};
use crate::machine;
use crate::rig::{Rig, Serving, free_address, start};

pub(super) const PLAIN: Candidate = Candidate {
    name: REFERENCE,
    does: "forwards",
    needs: None,
    start: |rig, folder| {
        let listen = free_address();
        Ok(Serving::new(
            start("bare-proxy", command(rig, listen), folder, listen)?,
            listen,
        ))
    },
};

/// The command that serves there.
pub(crate) fn command(rig: &Rig, listen: SocketAddr) -> Command {
    let mut command = machine::on_candidates_core(rig.binaries.join("bare-proxy"));
    command.args([listen.to_string(), rig.upstream.to_string(), "1".to_owned()]);
    command
}
