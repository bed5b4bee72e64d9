//! A Redis for the door, where the suites are run on that store: `STORE_UNDER_TEST=redis`.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::{Running, free_port};

const UP_WITHIN: Duration = Duration::from_secs(20);

/// A real redis-server on loopback, that syncs each answer to disk. Dropped, it is killed.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    files: PathBuf,
    _running: Running,
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
        let (port, files) = (free_port(), folder.join("redis"));
        std::fs::create_dir(&files).expect("a folder can be made");
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
            .arg(&files);
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
        Self {
            port,
            files,
            _running: running,
        }
    }

    /// What it has written: the append-only files.
    pub(crate) fn files(&self) -> PathBuf {
        self.files.join("appendonlydir")
    }

    /// What `[store] url` is to say.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}
