//! Authelia, asked by nginx for each request. One person is signed in; sessions are in its memory.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use super::template::fill;
use super::{Candidate, Program, nginx};
use crate::rig::{Rig, Serving, free_address, start};
use crate::{Failure, machine};

static AUTHELIA: Program = Program {
    name: "Authelia",
    path: "authelia",
    version: &["--version"],
    installed_by: "benches/peers/install",
};
const PASSWORD: &str = "correct horse battery 9";

pub(super) const BEHIND_NGINX: Candidate = Candidate {
    name: "nginx-authelia",
    does: "nginx asks Authelia 4.37 (auth_request)",
    needs: Some(&AUTHELIA),
    start: |rig, folder| {
        let authoriser = serve(rig, folder)?;
        let known_by = vec![sign_in(authoriser.listen)?];
        let mut serving = nginx::asking(rig, folder, authoriser.listen, "/api/verify")?;
        serving.beside.push(authoriser.process);
        serving.known_by = known_by;
        Ok(serving)
    },
};

fn serve(rig: &Rig, folder: &Path) -> Result<Serving, Failure> {
    let binary = AUTHELIA.place(&rig.peers)?;
    let hashed = Command::new(&binary)
        .args([
            "crypto",
            "hash",
            "generate",
            "argon2",
            "--password",
            PASSWORD,
            "--no-confirm",
        ])
        .output()?;
    let hashed = String::from_utf8(hashed.stdout)?;
    let hash = hashed
        .lines()
        .find_map(|line| line.strip_prefix("Digest: "))
        .ok_or("no hash")?;
    let people = format!(
        "users:\n  ada:\n    displayname: Ada\n    password: '{hash}'\n    email: ada@example.org\n    groups: [admins]\n"
    );
    std::fs::write(folder.join("authelia-users.yml"), people)?;
    let listen = free_address();
    let (port, own) = (listen.port().to_string(), folder.display().to_string());
    let values = [("AUTH_PORT", port.as_str()), ("FOLDER", &own)];
    let template = include_str!("../../../../peers/authelia.yml");
    let file = fill(template, &folder.join("authelia.yml"), &values)?;
    let mut command = machine::on_candidates_core(binary);
    command.arg("--config").arg(file).env("GOMAXPROCS", "1");
    Ok(Serving::new(start("authelia", command, folder, listen)?, listen))
}

/// The line that carries the session's cookie, by the first factor's API.
fn sign_in(listen: SocketAddr) -> Result<String, Failure> {
    let body = serde_json::json!({ "username": "ada", "password": PASSWORD, "keepMeLoggedIn": false }).to_string();
    let mut stream = TcpStream::connect(listen)?;
    write!(
        stream,
        "POST /api/firstfactor HTTP/1.1\r\nHost: {listen}\r\nContent-Type: application/json\r\n\
         X-Forwarded-Proto: https\r\nX-Forwarded-Host: login.bench.example\r\nX-Forwarded-For: 127.0.0.1\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let cookie = answer
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("set-cookie: authelia_session="));
    let value = cookie.and_then(|line| line.split_once(": ")?.1.split(';').next());
    value
        .map(|value| format!("Cookie: {value}"))
        .ok_or_else(|| format!("nobody was signed in: {answer}").into())
}
