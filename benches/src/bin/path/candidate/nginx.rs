//! nginx: plain, with its own list of networks and map of cookies, and with `auth_request`, the hook that Authelia and
//! oauth2-proxy are asked by.

use std::net::SocketAddr;
use std::path::Path;

use super::template::{fill, prefixes};
use super::{Candidate, Program};
use crate::rig::{Rig, Serving, free_address, start};
use crate::{Failure, machine};

/// `geo` is a radix tree; so many as `shared/performance.md` gave it.
const NETWORKS: usize = 1_000;

pub(super) static NGINX: Program = Program {
    name: "nginx",
    path: "nginx",
    version: &["-v"],
    installed_by: "apt-get install nginx-light",
};

pub(super) const PLAIN: Candidate = Candidate {
    name: "nginx",
    does: "forwards",
    needs: Some(&NGINX),
    start: |rig, folder| serve(rig, folder, include_str!("../../../../peers/nginx.conf"), &[]),
};

pub(super) const LISTED: Candidate = Candidate {
    name: "nginx-list-map",
    does: "1,000 networks (geo), 10,000 tokens (map)",
    needs: Some(&NGINX),
    start: |rig, folder| {
        std::fs::write(
            folder.join("networks.conf"),
            prefixes(NETWORKS, |prefix| format!("{prefix} 1;\n")),
        )?;
        let tokens = rig.cookies.iter().filter_map(|cookie| cookie.split_once('='));
        let lines: String = tokens.map(|(_, token)| format!("{token} 1;\n")).collect();
        std::fs::write(folder.join("tokens.conf"), lines)?;
        serve(rig, folder, include_str!("../../../../peers/nginx-list-map.conf"), &[])
    },
};

pub(super) const AUTH_REQUEST: Candidate = Candidate {
    name: "nginx-auth-request",
    does: "asks a second nginx that answers 200 to everybody: the least that forward authentication can cost",
    needs: Some(&NGINX),
    start: |rig, folder| {
        let authoriser = authoriser(rig, folder)?;
        let mut serving = asking(rig, folder, authoriser.listen, "/")?;
        serving.beside.push(authoriser.process);
        Ok(serving)
    },
};

/// nginx that asks for each request at a path of an authoriser.
pub(super) fn asking(rig: &Rig, folder: &Path, authoriser: SocketAddr, path: &str) -> Result<Serving, Failure> {
    let template = include_str!("../../../../peers/nginx-auth-request.conf");
    serve(
        rig,
        folder,
        template,
        &[("AUTH", &authoriser.to_string()), ("AUTH_PATH", path)],
    )
}

/// nginx that ends TLS and forwards.
pub(crate) fn with_tls(rig: &Rig, folder: &Path) -> Result<Serving, Failure> {
    serve(rig, folder, include_str!("../../../../peers/nginx-tls.conf"), &[])
}

/// An nginx that says 200 to everything.
pub(super) fn authoriser(rig: &Rig, folder: &Path) -> Result<Serving, Failure> {
    let own = folder.join("authoriser");
    std::fs::create_dir_all(&own)?;
    serve(rig, &own, include_str!("../../../../peers/nginx-authoriser.conf"), &[])
}

/// Starts nginx by a template.
fn serve(rig: &Rig, folder: &Path, template: &str, more: &[(&str, &str)]) -> Result<Serving, Failure> {
    let listen = free_address();
    let (address, upstream, own) = (
        listen.to_string(),
        rig.upstream.to_string(),
        folder.display().to_string(),
    );
    let (certificate, key) = (&rig.certificates.certificate, &rig.certificates.key);
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let mut values = vec![
        ("LISTEN", address.as_str()),
        ("UPSTREAM", &upstream),
        ("FOLDER", &own),
        ("CERTIFICATE", &certificate),
        ("KEY", &key),
    ];
    values.extend_from_slice(more);
    let file = fill(template, &folder.join("nginx.conf"), &values)?;
    let mut command = machine::on_candidates_core(NGINX.place(&rig.peers)?);
    command.arg("-p").arg(folder).args(["-e", "stderr", "-c"]).arg(file);
    Ok(Serving::new(start("nginx", command, folder, listen)?, listen))
}
