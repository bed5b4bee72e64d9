//! A real redis-server on a free loopback port, with a folder of its own. Where there is none on this machine the test fails.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use stagedoor_identity::port::SharedStore;
use stagedoor_store::Redis;
use stagedoor_store::conformance::Place;
use stagedoor_store::redis::Settings;
use tempfile::TempDir;

/// Times a port is tried that somebody else was quicker to take.
const TRIES: usize = 20;
/// Where it keeps what it appends, in its folder.
const FILES: &str = "appendonlydir";

pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    running: Option<Child>,
    options: Vec<String>,
}

/// Empty, and syncs each answer to disk.
pub(crate) fn server() -> Server {
    Server::with(&["--appendonly", "yes", "--appendfsync", "always"])
}

impl Server {
    /// With these options of redis-server.
    pub(crate) fn with(options: &[&str]) -> Self {
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let folder = tempfile::tempdir().expect("a folder");
        for _try in 0..TRIES {
            let port = free_port();
            if let Some(running) = start(folder.path(), port, &options) {
                return Self {
                    folder,
                    port,
                    running: Some(running),
                    options,
                };
            }
        }
        panic!("redis-server does not start; is it installed? (`./run setup test`)");
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::plain("127.0.0.1", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) async fn store(&self) -> Redis {
        Redis::open(self.settings()).await.expect("the store opens")
    }

    /// Says something to the server as an operator would; what it answers.
    pub(crate) fn say(&self, words: &[&str]) -> String {
        say(self.port, words)
    }

    /// As a power cut would, but for the disk's own memory.
    pub(crate) fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill().expect("it is ours to kill");
            running.wait().expect("it ends");
        }
    }

    /// What it has on disk at the moment.
    pub(crate) fn copy_of_its_files(&self) -> TempDir {
        let copy = tempfile::tempdir().expect("a folder");
        copy_all(&self.folder.path().join(FILES), copy.path());
        copy
    }

    /// Killed, and on the same port again with the files of an earlier moment: as who took over without the last that was written.
    pub(crate) fn start_again_with(&mut self, files: &TempDir) {
        self.kill();
        let folder = self.folder.path().join(FILES);
        std::fs::remove_dir_all(&folder).expect("removed");
        std::fs::create_dir(&folder).expect("made");
        copy_all(files.path(), &folder);
        self.start_again();
    }

    /// On the same port, with what it finds in its folder.
    pub(crate) fn start_again(&mut self) {
        self.running = start(self.folder.path(), self.port, &self.options);
        assert!(self.running.is_some(), "redis-server does not start again");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Place for Server {
    fn open(&self) -> SharedStore {
        let opening = Redis::open(self.settings());
        let store = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(opening));
        Arc::new(store.expect("the store opens"))
    }
}

/// Says something to whoever listens on that port.
pub(crate) fn say(port: u16, words: &[&str]) -> String {
    let said = Command::new("redis-cli")
        .args(["-h", "127.0.0.1", "-p", &port.to_string()])
        .args(words)
        .output();
    String::from_utf8(said.expect("redis-cli runs").stdout)
        .expect("text")
        .trim()
        .to_owned()
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn copy_all(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

/// Returns when it takes connections; `None` where it ended instead.
fn start(folder: &Path, port: u16, options: &[String]) -> Option<Child> {
    let mut running = Command::new("redis-server")
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
        ])
        .arg(folder)
        .args(options)
        .stdout(Stdio::piped())
        .spawn()
        .expect("redis-server is installed (`./run setup test`)");
    let mut lines = BufReader::new(running.stdout.take().expect("its output")).lines();
    if lines.any(|line| line.is_ok_and(|line| line.contains("Ready to accept connections"))) {
        // What it says later has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        return Some(running);
    }
    running.wait().expect("it ends");
    None
}
