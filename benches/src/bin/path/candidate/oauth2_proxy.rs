//! oauth2-proxy: in front of the console itself, and asked by nginx for each request. One person is signed in: its session
//! is in the cookie, so that more people would cost it nothing.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use super::template::fill;
use super::{Candidate, Program, nginx};
use crate::rig::{Rig, Serving, free_address, start};
use crate::{Failure, machine};

static OAUTH2_PROXY: Program = Program {
    name: "oauth2-proxy",
    path: "oauth2-proxy",
    version: &["--version"],
    installed_by: "benches/peers/install",
};
/// SHA-1 of `bench`, as `htpasswd -s` writes it.
const PASSWORDS: &str = "bench:{SHA}5cicUp3MubQnFvTZEY1hB5yIPZ4=\n";

pub(super) const ALONE: Candidate = Candidate {
    name: "oauth2-proxy",
    does: "a session in an encrypted cookie",
    needs: Some(&OAUTH2_PROXY),
    start: |rig, folder| {
        let mut serving = serve(rig, folder, &format!("http://{}", rig.upstream), false)?;
        serving.known_by = vec![sign_in(serving.listen)?];
        Ok(serving)
    },
};

pub(super) const BEHIND_NGINX: Candidate = Candidate {
    name: "nginx-oauth2-proxy",
    does: "nginx asks oauth2-proxy (auth_request)",
    needs: Some(&OAUTH2_PROXY),
    start: |rig, folder| {
        let own = folder.join("oauth2-proxy");
        std::fs::create_dir_all(&own)?;
        let authoriser = serve(rig, &own, "static://202", true)?;
        let known_by = vec![sign_in(authoriser.listen)?];
        let mut serving = nginx::asking(rig, folder, authoriser.listen, "/oauth2/auth")?;
        serving.beside.push(authoriser.process);
        serving.known_by = known_by;
        Ok(serving)
    },
};

fn serve(rig: &Rig, folder: &Path, upstreams: &str, behind_proxy: bool) -> Result<Serving, Failure> {
    std::fs::write(folder.join("htpasswd"), PASSWORDS)?;
    let listen = free_address();
    let (address, own) = (listen.to_string(), folder.display().to_string());
    let values = [
        ("LISTEN", address.as_str()),
        ("UPSTREAMS", upstreams),
        ("BEHIND_PROXY", if behind_proxy { "true" } else { "false" }),
        ("FOLDER", &own),
    ];
    let template = include_str!("../../../../peers/oauth2-proxy.cfg");
    let file = fill(template, &folder.join("oauth2-proxy.cfg"), &values)?;
    let mut command = machine::on_candidates_core(OAUTH2_PROXY.place(&rig.peers)?);
    command.arg("--config").arg(file).env("GOMAXPROCS", "1");
    Ok(Serving::new(start("oauth2-proxy", command, folder, listen)?, listen))
}

/// The line that carries the session's cookie.
fn sign_in(listen: SocketAddr) -> Result<String, Failure> {
    let body = "username=bench&password=bench&rd=/";
    let mut stream = TcpStream::connect(listen)?;
    write!(
        stream,
        "POST /oauth2/sign_in HTTP/1.1\r\nHost: {listen}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let cookie = answer
        .lines()
        .find_map(|line| line.strip_prefix("Set-Cookie: _oauth2_proxy="));
    let value = cookie.and_then(|cookie| cookie.split(';').next());
    value
        .map(|value| format!("Cookie: _oauth2_proxy={value}"))
        .ok_or_else(|| format!("nobody was signed in: {answer}").into())
}
