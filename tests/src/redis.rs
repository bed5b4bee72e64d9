//! A Redis for the door, where the suites are run on that store: `STORE_UNDER_TEST=redis`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::{Running, free_port};

const UP_WITHIN: Duration = Duration::from_secs(20);

/// A real redis-server on loopback, that syncs each answer to disk. Dropped, it is killed.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    folder: PathBuf,
    options: Vec<String>,
    running: Running,
}

impl Redis {
    /// One with its files in that folder, where this run is on Redis; `None` on the embedded store.
    pub(crate) fn if_under_test(folder: &Path) -> Option<Self> {
        let store = std::env::var("STORE_UNDER_TEST").unwrap_or_else(|_unset| "embedded".to_owned());
        match store.as_str() {
            "embedded" => None,
            "redis" => Some(Self::start(folder)),
            other => panic!("STORE_UNDER_TEST is `embedded` or `redis`, not `{other}`"),
        }
    }

    /// One with its files in that folder.
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    /// The same, with further options of redis-server.
    pub(crate) fn start_with(folder: &Path, options: &[&str]) -> Self {
        std::fs::create_dir(folder.join("redis")).expect("a folder can be made");
        let port = free_port();
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        Self {
            port,
            folder: folder.to_owned(),
            running: launch(folder, port, &options),
            options,
        }
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Stops it in mid-word: it stays connected and answers nothing.
    pub fn pause(&self) {
        self.running.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.running.signal(Signal::CONT);
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.running.kill();
    }

    /// Starts it again on what it has written.
    pub fn start_again(&mut self) {
        self.running = launch(&self.folder, self.port, &self.options);
    }

    /// What it answers to a command, as `redis-cli` prints it.
    pub fn say(&self, words: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port.to_string()]).args(words);
        let said = command.output().expect("redis-cli can be started");
        String::from_utf8_lossy(&said.stdout).trim().to_owned()
    }

    /// What it has written: the append-only files.
    pub(crate) fn files(&self) -> PathBuf {
        self.folder.join("redis").join("appendonlydir")
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// What `[store] url` is to say.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

fn launch(folder: &Path, port: u16, options: &[String]) -> Running {
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
        .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
        .arg(folder.join("redis"))
        .args(options);
    let mut running = Running::start("redis-server", command, &folder.join("redis.log"));
    let began = Instant::now();
    while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(running.ended().is_none(), "redis-server ended:\n{}", running.log());
        assert!(
            began.elapsed() < UP_WITHIN,
            "redis-server does not come up:\n{}",
            running.log()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    running
}
