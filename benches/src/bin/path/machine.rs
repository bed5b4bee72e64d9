//! The machine, and who runs where on it: one core for the candidate, one for the load and the console.

use std::process::Command;

use serde::Serialize;

use crate::Failure;

const CANDIDATES_CORE: &str = "0";
const LOADS_CORE: &str = "1";
/// Files a candidate or a load may have open: two for each of 10,000 WebSockets, and some.
const OPEN_FILES: &str = "100000";

/// What figures were taken on.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) system: String,
}

impl Machine {
    /// This one.
    pub(crate) fn describe() -> Self {
        Self {
            processor: value("/proc/cpuinfo", "model name", ":"),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease")
                .unwrap_or_default()
                .trim()
                .to_owned(),
            system: value("/etc/os-release", "PRETTY_NAME", "=")
                .trim_matches('"')
                .to_owned(),
        }
    }
}

fn value(file: &str, name: &str, separator: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(separator));
    let found = lines.map(|(left, right)| (left.trim(), right.trim()));
    found
        .into_iter()
        .find_map(|(left, right)| (left == name).then(|| right.to_owned()))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Keeps this program, what it starts as threads and what it starts as load, to the load's core.
pub(crate) fn keep_to_loads_core() -> Result<(), Failure> {
    let process = std::process::id().to_string();
    let kept = Command::new("taskset").args(["-cp", LOADS_CORE, &process]).output()?;
    if !kept.status.success() {
        return Err("two cores are needed: one for the candidate, one for the load".into());
    }
    let files = format!("--nofile={OPEN_FILES}:{OPEN_FILES}");
    // What needs them says so when it runs short.
    let _raised = Command::new("prlimit").args(["--pid", &process, &files]).output()?;
    Ok(())
}

/// A command for a program that is to run on the candidate's core alone.
pub(crate) fn on_candidates_core(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", CANDIDATES_CORE]).arg(program);
    command
}

/// A command for a program that may run on every core.
pub(crate) fn on_all_cores(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0,1"]).arg(program);
    command
}
