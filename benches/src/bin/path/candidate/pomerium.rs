//! Pomerium, all of it in one process, and its Envoy. One person is signed in; sessions are in its memory.

mod provider;
mod sign_in;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use rcgen::KeyPair;
use tokio::runtime::Builder;

use super::template::fill;
use super::{Candidate, Program};
use crate::rig::{Rig, Serving, free_address, start};
use crate::{Failure, machine};

static POMERIUM: Program = Program {
    name: "Pomerium",
    path: "pomerium",
    version: &["-version"],
    installed_by: "benches/peers/install",
};
/// It takes some 50 ms; Envoy, which has a process group of its own, ends with it.
const ENDED_WITHIN: Duration = Duration::from_secs(20);

pub(super) const ALONE: Candidate = Candidate {
    name: "pomerium",
    does: "e-mail, path and 10 networks (0.32 on stock Envoy 1.36, one type name changed)",
    needs: Some(&POMERIUM),
    start: |rig, folder| {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let provider = runtime.block_on(provider::serve())?;
        let mut serving = serve(rig, folder, provider)?;
        let cookie = runtime.block_on(sign_in::sign_in(serving.listen, provider))?;
        serving.known_by = vec![format!("Host: {}\tCookie: {cookie}", sign_in::CONSOLE)];
        serving.needs = Some(runtime);
        Ok(serving)
    },
};

fn serve(rig: &Rig, folder: &Path, provider: SocketAddr) -> Result<Serving, Failure> {
    std::fs::write(folder.join("signing-key.pem"), KeyPair::generate()?.serialize_pem())?;
    let temporary = folder.join("tmp");
    std::fs::create_dir_all(&temporary)?;
    let listen = free_address();
    let (address, health, upstream) = (listen.to_string(), free_address().to_string(), rig.upstream.to_string());
    let (issuer, own) = (provider::issuer(provider), folder.display().to_string());
    let values = [
        ("LISTEN", address.as_str()),
        ("HEALTH", &health),
        ("UPSTREAM", &upstream),
        ("ISSUER", &issuer),
        ("FOLDER", &own),
    ];
    let template = include_str!("../../../../peers/pomerium.yaml");
    let file = fill(template, &folder.join("pomerium.yaml"), &values)?;
    let mut command = machine::on_candidates_core(POMERIUM.place(&rig.peers)?);
    command.arg("-config").arg(file);
    // One thread for it, and one for its Envoy, which takes its number from there.
    command
        .env("GOMAXPROCS", "1")
        .env("HOME", folder)
        .env("TMPDIR", &temporary);
    let process = start("pomerium", command, folder, listen)?.asked_to_end(ENDED_WITHIN);
    forget_shared_memory(&temporary)?;
    Ok(Serving::new(process, listen))
}

/// Takes the name from the memory that Envoy shares with a successor, which there is none of: Envoy leaves it behind.
fn forget_shared_memory(temporary: &Path) -> Result<(), Failure> {
    let base = std::fs::read_to_string(temporary.join("pomerium-envoy-base-id"))?;
    std::fs::remove_file(format!("/dev/shm/envoy_shared_memory_{}0", base.trim()))?;
    Ok(())
}
