//! A process that a test started: its output kept in a file, its whole group killed at the end.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

const LINES_SHOWN_MAX: usize = 80;

/// Killed, with every process it started, when dropped; its log is shown when the test failed.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    log: PathBuf,
    /// Where the log of the present run begins: a door that is started again goes on in the same file.
    began: u64,
    /// How long it has to end by itself before it is killed.
    patience: Duration,
}

impl Running {
    /// Starts `command` with no input, its output appended to `log`.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Self {
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("a log file can be opened");
        let began = output.metadata().expect("the log has a length").len();
        let errors = output.try_clone().expect("a file can be shared");
        command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started ({command:?}): {error}"));
        Self {
            name: name.to_owned(),
            child,
            log: log.to_path_buf(),
            began,
            patience: Duration::ZERO,
        }
    }

    /// When dropped it is asked to end (SIGTERM), and killed only if it has not ended within so long: for a program that
    /// ends what it has started in process groups of their own, which a kill of its group does not reach.
    pub fn asked_to_end(mut self, within: Duration) -> Self {
        self.patience = within;
        self
    }

    /// What it has printed since it was started.
    pub fn log(&self) -> String {
        let all = std::fs::read(&self.log).unwrap_or_default();
        let from = usize::try_from(self.began)
            .expect("a log fits in memory")
            .min(all.len());
        String::from_utf8_lossy(&all[from..]).into_owned()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, where it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// Waits for its end, and fails the test when it does not come.
    pub fn end_within(&mut self, within: Duration) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(
                started.elapsed() < within,
                "{} is still running after {within:?}:\n{}",
                self.name,
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends it, and it alone, a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.process(), signal).expect("a signal can be sent to a child");
    }

    /// `kill -9` for it and all it started.
    pub fn kill(&mut self) {
        // It may have ended by itself: then there is nobody to send the signal to.
        kill_process_group(self.process(), Signal::KILL).ok();
        self.child.wait().ok();
    }

    fn ask_to_end(&mut self) {
        let asked = Instant::now();
        if self.ended().is_none() {
            self.signal(Signal::TERM);
        }
        while self.ended().is_none() && asked.elapsed() < self.patience {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn process(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.patience.is_zero() {
            self.ask_to_end();
        }
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let shown = &lines[lines.len().saturating_sub(LINES_SHOWN_MAX)..];
            // Not eprintln!: a failing stderr must not panic a second time.
            writeln!(
                std::io::stderr(),
                "---- {}, last lines ----\n{}",
                self.name,
                shown.join("\n")
            )
            .ok();
        }
    }
}
