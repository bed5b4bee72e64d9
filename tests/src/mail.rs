//! A real mail server, aiosmtpd, and the letters it has taken over, as Python's own parser reads them.

mod scripted;
mod slipping;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

pub use scripted::{Line, Scripted};
pub use slipping::Slipping;

use crate::server::installed;
use crate::{Certificates, Running, eventually, free_port, repository};

/// For letters that are tried again: the door waits a few seconds between tries.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who may sign in where a server asks for it, and with what.
pub const USER: &str = "door@mail.example";
/// See [`USER`].
pub const MAIL_PASSWORD: &str = "an open secret, between two";

/// How a server speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Not at all.
    None,
    /// After STARTTLS, and nothing goes before it.
    StartTls,
    /// From the first byte.
    Wrapped,
}

/// A mail server on a port of its own; what it took over outlives it. What it does with a letter is said by the recipient's
/// local part: see `tests/servers/mail/server.py`.
#[derive(Debug)]
pub struct MailServer {
    /// Its port of 127.0.0.1.
    pub port: u16,
    tls: Tls,
    sign_in: Vec<&'static str>,
    folder: TempDir,
    process: Option<Running>,
}

impl MailServer {
    /// One that asks for no sign-in. Not started.
    pub fn new(tls: Tls) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("letters")).expect("a folder can be made");
        Certificates::write(folder.path(), &["127.0.0.1"]);
        Self {
            port: free_port(),
            tls,
            sign_in: Vec::new(),
            folder,
            process: None,
        }
    }

    /// Asks for [`USER`] and [`MAIL_PASSWORD`].
    #[must_use]
    pub fn with_sign_in(mut self) -> Self {
        self.sign_in = vec!["--user", USER, "--password", MAIL_PASSWORD];
        self
    }

    /// Knows no other way to sign in than LOGIN.
    #[must_use]
    pub fn by_login_only(mut self) -> Self {
        self.sign_in.push("--login-only");
        self
    }

    /// The same, started.
    pub async fn started(tls: Tls) -> Self {
        let mut server = Self::new(tls);
        server.start().await;
        server
    }

    /// Starts the process and waits until it takes connections.
    pub async fn start(&mut self) {
        let mut command = Command::new(installed("mail").join("bin/python"));
        command
            .arg(repository().join("tests/servers/mail/server.py"))
            .args(["--port", &self.port.to_string(), "--letters"])
            .arg(self.letters_folder())
            .args(&self.sign_in);
        let tls = match self.tls {
            Tls::None => None,
            Tls::StartTls => Some("starttls"),
            Tls::Wrapped => Some("wrapped"),
        };
        if let Some(tls) = tls {
            command.args(["--tls", tls, "--certificate"]);
            command.arg(self.certificate());
            command.arg("--key").arg(self.folder.path().join("door.key"));
        }
        self.process = Some(Running::start("mail", command, &self.folder.path().join("mail.log")));
        eventually("the mail server listens", PATIENCE, async || {
            let running = self.process.as_mut().expect("started above");
            if let Some(status) = running.ended() {
                panic!("the mail server ended ({status}):\n{}", running.log());
            }
            running.log().contains("listening").then_some(())
        })
        .await;
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.as_mut().expect("the server was started").kill();
    }

    /// The certificate, which is its own authority.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("door.crt")
    }

    /// Whether it has seen a letter to this address whose first try it refuses.
    pub fn has_refused(&self, local: &str) -> bool {
        self.letters_folder().join(format!(".{local}")).exists()
    }

    /// Every letter it has taken over, in their order.
    pub fn letters(&self) -> Vec<Received> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.letters_folder())
            .expect("the folder is there")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        files.sort();
        files.iter().map(|file| Received::read(file)).collect()
    }

    /// Waits until it has taken over so many.
    pub async fn took_over(&self, count: usize) -> Vec<Received> {
        eventually(&format!("{count} letters arrive"), PATIENCE, async || {
            let letters = self.letters();
            (letters.len() >= count).then_some(letters)
        })
        .await
    }

    fn letters_folder(&self) -> PathBuf {
        self.folder.path().join("letters")
    }
}

/// A letter that arrived.
#[derive(Debug, Clone)]
pub struct Received(Value);

impl Received {
    fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).expect("a letter can be read");
        Self(serde_json::from_str(&text).expect("a letter is JSON"))
    }

    /// Who it was for.
    pub fn to(&self) -> &str {
        self.0["recipients"][0].as_str().expect("a recipient")
    }

    /// Who it was from, by the envelope.
    pub fn sender(&self) -> &str {
        self.0["sender"].as_str().expect("a sender")
    }

    /// A header, decoded, where it is there exactly once.
    #[track_caller]
    pub fn header(&self, name: &str) -> String {
        let headers = self.0["headers"].as_array().expect("headers");
        let found: Vec<&str> = headers
            .iter()
            .filter(|header| header[0].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name)))
            .filter_map(|header| header[1].as_str())
            .collect();
        assert_eq!(found.len(), 1, "header `{name}`: {headers:?}");
        found[0].to_owned()
    }

    /// The names of its headers.
    pub fn header_names(&self) -> Vec<&str> {
        let headers = self.0["headers"].as_array().expect("headers");
        headers.iter().filter_map(|header| header[0].as_str()).collect()
    }

    /// Its plain text.
    pub fn text(&self) -> &str {
        self.0["text"].as_str().expect("plain text")
    }

    /// Its HTML.
    pub fn html(&self) -> &str {
        self.0["html"].as_str().expect("HTML")
    }

    /// As it came over the wire.
    pub fn raw(&self) -> &str {
        self.0["raw"].as_str().expect("the bytes")
    }

    /// Whatever the parser found wrong with it.
    pub fn defects(&self) -> Vec<Value> {
        self.0["defects"].as_array().expect("a list").clone()
    }

    /// Whether it came over TLS.
    pub fn over_tls(&self) -> bool {
        self.0["tls"].as_bool().expect("a flag")
    }

    /// Who had signed in.
    pub fn user(&self) -> Option<&str> {
        self.0["user"].as_str()
    }

    /// The port at the other end: the same for letters of one connection.
    pub fn peer_port(&self) -> u64 {
        self.0["peer"].as_u64().expect("a port")
    }

    /// The one link in it: alone on a line of the text, and the same in the HTML.
    #[track_caller]
    pub fn link(&self) -> String {
        let links: Vec<&str> = self
            .text()
            .lines()
            .filter(|line| line.starts_with("http://") || line.starts_with("https://"))
            .collect();
        assert_eq!(links.len(), 1, "one link alone on a line:\n{}", self.text());
        let link = links[0].trim_end().to_owned();
        let escaped = link.replace('&', "&amp;");
        assert!(self.html().contains(&format!("href=\"{escaped}\"")), "{}", self.html());
        link
    }
}
