//! Adminer and Adminer Editor, Debian's package, on PHP's own server with an SQLite file: the legacy PHP panel.

use std::process::Command;

use tempfile::TempDir;

use super::{answers, own_files};
use crate::{Running, free_port};

/// `/adminer/` changes the structure of a database, `/editor/` its rows.
#[derive(Debug)]
pub struct Adminer {
    port: u16,
    _process: Running,
    folder: TempDir,
}

impl Adminer {
    /// Starts it with a table `guest` of two rows.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let files = own_files("adminer");
        let mut make = Command::new("php");
        make.arg(files.join("make-database.php"))
            .arg(folder.path().join("guests.sqlite"));
        run_to_its_end(&mut make);
        let mut command = Command::new("php");
        // Its sessions and its brute-force file too: nothing is left behind, nothing is shared with another one.
        for setting in ["session.save_path", "sys_temp_dir"] {
            command.arg("-d").arg(format!("{setting}={}", folder.path().display()));
        }
        command
            .arg("-S")
            .arg(format!("127.0.0.1:{port}"))
            .arg("-t")
            .arg(files.join("htdocs"));
        command
            .env("GUESTS", folder.path().join("guests.sqlite"))
            .env("PHP_CLI_SERVER_WORKERS", "4");
        let mut process = Running::start("adminer", command, &folder.path().join("adminer.log"));
        answers(&mut process, port, "/editor/").await;
        Self {
            port,
            _process: process,
            folder,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The name in the row with this number, read from the file and not through Adminer.
    pub fn guest(&self, number: u32) -> String {
        let script = "echo (new SQLite3($argv[1]))->querySingle('SELECT name FROM guest WHERE id = ' . (int)$argv[2]);";
        let mut command = Command::new("php");
        command
            .args(["-r", script, "--"])
            .arg(self.folder.path().join("guests.sqlite"))
            .arg(number.to_string());
        run_to_its_end(&mut command)
    }
}

fn run_to_its_end(command: &mut Command) -> String {
    let output = command.output().expect("php can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("php prints text")
}
