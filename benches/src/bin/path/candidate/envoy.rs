//! Envoy: with its own list of networks and JWTs whose checks it remembers, and with `ext_authz`.

use std::path::Path;

use serde_json::json;

use super::template::fill;
use super::token_key::TokenKey;
use super::{Candidate, Program, nginx};
use crate::rig::{PEOPLE, Rig, Serving, free_address, start};
use crate::{Failure, machine};

static ENVOY: Program = Program {
    name: "Envoy",
    path: "envoy",
    version: &["--version"],
    installed_by: "benches/peers/install",
};
/// 2100: nobody's clock is there yet.
const EXPIRES_AT: u64 = 4_102_444_800;

pub(super) const RBAC_AND_JWT: Candidate = Candidate {
    name: "envoy-rbac-jwt",
    does: "10 networks (RBAC), 10,000 tokens (ES256, each checked once and remembered)",
    needs: Some(&ENVOY),
    start: |rig, folder| {
        let tokens = tokens(folder)?;
        let mut serving = serve(
            rig,
            folder,
            include_str!("../../../../peers/envoy-rbac-jwt.yaml"),
            "127.0.0.1:9",
        )?;
        serving.known_by = tokens
            .into_iter()
            .map(|token| format!("Cookie: session={token}"))
            .collect();
        Ok(serving)
    },
};

pub(super) const EXT_AUTHZ: Candidate = Candidate {
    name: "envoy-ext-authz",
    does: "asks an nginx that answers 200 to everybody",
    needs: Some(&ENVOY),
    start: |rig, folder| {
        let authoriser = nginx::authoriser(rig, folder)?;
        let address = authoriser.listen.to_string();
        let mut serving = serve(
            rig,
            folder,
            include_str!("../../../../peers/envoy-ext-authz.yaml"),
            &address,
        )?;
        serving.beside.push(authoriser.process);
        Ok(serving)
    },
};

fn serve(rig: &Rig, folder: &Path, template: &str, authoriser: &str) -> Result<Serving, Failure> {
    let listen = free_address();
    let (listen_port, upstream_port) = (listen.port().to_string(), rig.upstream.port().to_string());
    let own = folder.display().to_string();
    let authoriser_port = authoriser.rsplit(':').next().unwrap_or_default();
    let values = [
        ("LISTEN_PORT", listen_port.as_str()),
        ("UPSTREAM_PORT", &upstream_port),
        ("AUTH_PORT", authoriser_port),
        ("AUTH", authoriser),
        ("FOLDER", &own),
    ];
    let file = fill(template, &folder.join("envoy.yaml"), &values)?;
    let mut command = machine::on_candidates_core(ENVOY.place(&rig.peers)?);
    command
        .args([
            "--concurrency",
            "1",
            "--log-level",
            "warn",
            "--disable-hot-restart",
            "-c",
        ])
        .arg(file);
    Ok(Serving::new(start("envoy", command, folder, listen)?, listen))
}

/// One for each of the people, and the key set that they are checked by.
fn tokens(folder: &Path) -> Result<Vec<String>, Failure> {
    let key = TokenKey::generate()?;
    std::fs::write(folder.join("jwks.json"), key.set.to_string())?;
    let token = |number: usize| {
        let claims =
            json!({ "iss": "bench", "aud": "console", "sub": format!("operator-{number}"), "exp": EXPIRES_AT });
        Ok(key.sign(&claims)?)
    };
    (0..PEOPLE).map(token).collect()
}
