//! A house made of cardboard: canned answers, a record of what was asked, streams that can be read.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use clap::Parser as _;
use http::{HeaderMap, Method, Response, Uri};
use stagedoor_config::StoreChoice;
use stagedoor_identity::{Clock, Secret};
use stagedoor_policy::time::Timestamp;
use tempfile::TempDir;
use tokio::net::TcpSocket;
use zeroize::Zeroizing;

use crate::cli::arguments::CommandLine;
use crate::cli::shell::{Keyboard, Shell};
use crate::cli::{DemoArgs, FirstToken, House, LocalAdmin, LocalPlace, ServeArgs, execute};

/// 2026-11-22T15:00:00Z.
pub(super) const NOW: Timestamp = Timestamp::from_micros(1_795_359_600_000_000);

/// One request, as it came in.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) line: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// An admin API that says what it was told to.
#[derive(Debug, Clone, Default)]
pub(super) struct Canned {
    answers: BTreeMap<String, (u16, Option<&'static str>, String)>,
    pub(super) asked: Arc<Mutex<Vec<Asked>>>,
}

impl Canned {
    /// Answers `line` (`GET /v1/…`, query included) so.
    pub(super) fn on(mut self, line: &str, status: u16, body: &str) -> Self {
        self.answers.insert(line.to_owned(), (status, None, body.to_owned()));
        self
    }

    /// The same, with a tag.
    pub(super) fn tagged(mut self, line: &str, etag: &'static str, body: &str) -> Self {
        self.answers.insert(line.to_owned(), (200, Some(etag), body.to_owned()));
        self
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }

    pub(super) fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(self.clone())
    }

    /// On a port of its own; answers the URL.
    pub(super) async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, self.router()).into_future());
        url
    }
}

async fn answer(
    State(canned): State<Canned>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let line = format!("{method} {uri}");
    let body = String::from_utf8(body.to_vec()).unwrap();
    let found = canned.answers.get(&line).cloned();
    canned.asked.lock().unwrap().push(Asked { line, headers, body });
    let (status, etag, body) = found.unwrap_or((404, None, r#"{"detail":"there is no such thing"}"#.to_owned()));
    let mut response = Response::builder().status(status);
    if let Some(etag) = etag {
        response = response.header("etag", etag).header("stagedoor-revision", "7");
    }
    response.body(Body::from(body)).unwrap()
}

/// The house behind the commands.
#[derive(Debug, Default)]
struct Cardboard {
    local: Option<Canned>,
}

#[async_trait(?Send)]
impl House for Cardboard {
    fn serve(&self, _args: ServeArgs) -> ExitCode {
        ExitCode::FAILURE
    }

    fn demo(&self, _args: DemoArgs) -> ExitCode {
        ExitCode::FAILURE
    }

    async fn copy_store(&self, from: &StoreChoice, into: &StoreChoice) -> Result<String, String> {
        Ok(format!(
            "{} into {}",
            from.data_dir().display(),
            into.data_dir().display()
        ))
    }

    async fn first_token(&self, data_dir: &Path) -> Result<FirstToken, String> {
        assert!(data_dir.is_dir(), "the data folder is made before the store");
        Ok(FirstToken {
            token: Secret::new("sdt_first"),
            file: Some(data_dir.join("admin.token")),
        })
    }

    async fn local_admin(&self, place: &LocalPlace) -> Result<LocalAdmin, String> {
        let canned = self
            .local
            .as_ref()
            .ok_or_else(|| format!("no store at `{}`", place.data_dir.display()))?;
        Ok(LocalAdmin {
            router: canned.router(),
            token: Secret::new("sdt_local"),
        })
    }
}

/// What a person would type at a prompt.
#[derive(Debug, Default)]
struct Fingers {
    secrets: Mutex<Vec<String>>,
    line: Option<String>,
}

impl Keyboard for Fingers {
    fn secret(&self, _question: &str) -> io::Result<Zeroizing<String>> {
        let secret = self.secrets.lock().unwrap().pop().ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(Zeroizing::new(secret))
    }

    fn line(&self, _question: &str) -> io::Result<Option<String>> {
        Ok(self.line.clone())
    }
}

#[derive(Debug)]
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// A port that is taken, so that no other test gets it, and on which nothing listens.
#[derive(Debug)]
pub(super) struct ClosedPort(TcpSocket);

impl ClosedPort {
    pub(super) fn take() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self(socket)
    }

    pub(super) fn address(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }
}

/// A folder, an environment, somebody at the keyboard.
pub(super) struct Stage {
    pub(super) folder: TempDir,
    house: Box<dyn House>,
    keyboard: Fingers,
    vars: BTreeMap<String, String>,
    input: String,
}

/// What a command left behind.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) exit: u8,
    pub(super) out: String,
    pub(super) err: String,
}

impl Stage {
    pub(super) fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            house: Box::new(Cardboard::default()),
            keyboard: Fingers::default(),
            vars: BTreeMap::new(),
            input: String::new(),
        }
    }

    /// With a door that runs, and a token for it.
    pub(super) async fn before(canned: &Canned) -> Self {
        let url = canned.listen().await;
        Self::empty()
            .var("STAGEDOOR_ADMIN_URL", &url)
            .var("STAGEDOOR_ADMIN_TOKEN", "sdt_test")
    }

    /// With a store, and a door that does not run.
    pub(super) fn closed(canned: &Canned, port: &ClosedPort) -> Self {
        let mut stage = Self::empty().var("STAGEDOOR_ADMIN_LISTEN", &port.address());
        stage.house = Box::new(Cardboard {
            local: Some(canned.clone()),
        });
        std::fs::create_dir(stage.folder.path().join("stagedoor-data")).unwrap();
        stage
    }

    /// With the real house, and a door that does not run.
    pub(super) fn real(port: &ClosedPort) -> Self {
        let mut stage = Self::empty().var("STAGEDOOR_ADMIN_LISTEN", &port.address());
        stage.house = Box::new(crate::house::Stagedoor);
        stage
    }

    pub(super) fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(super) fn input(mut self, text: &str) -> Self {
        text.clone_into(&mut self.input);
        self
    }

    /// Types these, one at each question that hides what is typed.
    pub(super) fn types(self, secrets: &[&str]) -> Self {
        *self.keyboard.secrets.lock().unwrap() = secrets.iter().rev().map(|&secret| secret.to_owned()).collect();
        self
    }

    /// Answers every open question so.
    pub(super) fn answers(mut self, line: &str) -> Self {
        self.keyboard.line = Some(line.to_owned());
        self
    }

    /// Writes a file below the working folder.
    pub(super) fn write(&self, file: &str, text: &str) {
        let file = self.folder.path().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    pub(super) async fn run(&self, line: &str) -> Ran {
        let typed = std::iter::once("stagedoor").chain(line.split_whitespace());
        let parsed = CommandLine::try_parse_from(typed).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut shell = Shell {
            house: self.house.as_ref(),
            clock: &StoppedClock,
            vars: self.vars.clone(),
            folder: self.folder.path().to_owned(),
            input: &mut self.input.as_bytes(),
            out: &mut out,
            err: &mut err,
            keyboard: &self.keyboard,
            output: parsed.output,
            width: None,
        };
        let exit = execute(&mut shell, parsed.command).await;
        let (out, err) = (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap());
        Ran { exit, out, err }
    }
}
