//! Requests over HTTP/2, by `h2load` of nghttp2: one person on one path, since it sends one request again and again.

use std::process::Command;
use std::time::Duration;

use super::{Figures, cpu_time, resident_kib};
use crate::Failure;
use crate::rig::Serving;

const CONNECTIONS: &str = "-c4";
const STREAMS: &str = "-m8";
const WARM_SECONDS: u32 = 1;

/// First to warm up, then to measure.
pub(crate) fn load(serving: &Serving, seconds: u32) -> Result<Figures, Failure> {
    run(serving, WARM_SECONDS)?;
    let before = cpu_time(serving)?;
    let requests = run(serving, seconds)?;
    Ok(Figures {
        requests,
        per_second: requests as f64 / f64::from(seconds),
        cpu: cpu_time(serving)?.saturating_sub(before),
        p50: Duration::ZERO,
        p99: Duration::ZERO,
        resident_kib: resident_kib(serving)?,
    })
}

fn run(serving: &Serving, seconds: u32) -> Result<u64, Failure> {
    let mut h2load = Command::new("h2load");
    if let Some(line) = serving.known_by.first() {
        h2load.args(["-H", line]);
    }
    let output = h2load
        .args(["-t1", CONNECTIONS, STREAMS, "-D", &seconds.to_string()])
        .arg(format!("https://{}/area-7/item/1", serving.listen))
        .output()
        .map_err(|error| format!("`h2load` cannot be run (apt-get install nghttp2-client): {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let codes = text.lines().find_map(|line| line.strip_prefix("status codes: "));
    let counts: Option<Vec<u64>> = codes.map(|line| {
        let counts = line
            .split(", ")
            .filter_map(|count| count.split(' ').next()?.parse().ok());
        counts.collect()
    });
    match counts.as_deref() {
        Some(&[served, 0, 0, 0]) if served > 0 => Ok(served),
        _ => Err(format!("h2load said:\n{text}").into()),
    }
}
