//! As many requests as a candidate can take, by `wrk`: a closed loop on kept connections.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Figures, cpu_time, resident_kib};
use crate::Failure;
use crate::rig::Serving;

/// Kept connections.
pub(crate) const CONNECTIONS: u32 = 32;
const WARM_SECONDS: u32 = 1;
/// What makes the requests of a file.
const SCRIPT: &str = include_str!("requests.lua");

/// What wrk said.
struct Said {
    requests: u64,
    per_second: f64,
    p50: Duration,
    p99: Duration,
    refused: u64,
}

/// How requests are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    pub(crate) seconds: u32,
    pub(crate) tls: bool,
    /// Whether every answer has to be a refusal, in place of none.
    pub(crate) refused: bool,
}

/// Sends the requests of a file for a second, so that everybody has been there once.
pub(crate) fn warm_up(serving: &Serving, requests: &Path) -> Result<(), Failure> {
    let way = Way {
        seconds: WARM_SECONDS,
        tls: false,
        refused: false,
    };
    run(serving, requests, &write_script(requests)?, way).map(drop)
}

/// Sends the requests of a file, first to warm up and then to measure.
pub(crate) fn load(serving: &Serving, requests: &Path, way: Way) -> Result<Figures, Failure> {
    let script = write_script(requests)?;
    run(
        serving,
        requests,
        &script,
        Way {
            seconds: WARM_SECONDS,
            ..way
        },
    )?;
    let before = cpu_time(serving)?;
    let said = run(serving, requests, &script, way)?;
    Ok(Figures {
        requests: said.requests,
        per_second: said.per_second,
        cpu: cpu_time(serving)?.saturating_sub(before),
        p50: said.p50,
        p99: said.p99,
        resident_kib: resident_kib(serving)?,
    })
}

fn write_script(requests: &Path) -> Result<PathBuf, Failure> {
    let script = requests.with_extension("lua");
    std::fs::write(&script, SCRIPT)?;
    Ok(script)
}

fn run(serving: &Serving, requests: &Path, script: &Path, way: Way) -> Result<Said, Failure> {
    let mut wrk = Command::new("wrk");
    wrk.args([
        "-t1",
        "--latency",
        &format!("-c{CONNECTIONS}"),
        &format!("-d{}s", way.seconds),
    ]);
    wrk.arg("-s").arg(script);
    let scheme = if way.tls { "https" } else { "http" };
    wrk.arg(format!("{scheme}://{}", serving.listen))
        .arg("--")
        .arg(requests);
    let output = wrk
        .output()
        .map_err(|error| format!("`wrk` cannot be run (apt-get install wrk): {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = read(&text).ok_or_else(|| format!("wrk said:\n{text}{}", String::from_utf8_lossy(&output.stderr)))?;
    let expected = if way.refused { said.requests } else { 0 };
    match said.refused == expected {
        true => Ok(said),
        false => Err(format!(
            "{} of {} requests were refused, where {expected} had to be:\n{}",
            said.refused,
            said.requests,
            serving.process.log()
        )
        .into()),
    }
}

fn read(text: &str) -> Option<Said> {
    let lines = || text.lines().map(str::trim);
    let percentile = |name: &str| lines().find_map(|line| time(line.strip_prefix(name)?.trim()));
    Some(Said {
        requests: lines().find_map(|line| line.split_once(" requests in ")?.0.parse().ok())?,
        per_second: lines().find_map(|line| line.strip_prefix("Requests/sec:")?.trim().parse().ok())?,
        p50: percentile("50%")?,
        p99: percentile("99%")?,
        refused: lines()
            .find_map(|line| line.strip_prefix("Non-2xx or 3xx responses:")?.trim().parse().ok())
            .unwrap_or(0),
    })
}

/// Such as `612.00us`, `1.02ms` or `2.00s`.
fn time(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.find(char::is_alphabetic)?)?;
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return None,
    };
    Some(Duration::from_secs_f64(number.parse::<f64>().ok()? * seconds))
}
