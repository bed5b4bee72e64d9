//! What is sent to a candidate, and what came of it.

pub(crate) mod handshakes;
pub(crate) mod http2;
pub(crate) mod paced;
pub(crate) mod wrk;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::rig::{Rig, Serving};
use crate::{Failure, process, upstream};

/// Areas that requests are spread over; [`crate::candidate::door::Plan::FULL`] has as many.
const AREAS: usize = 1_000;
/// Coprime with [`AREAS`] and the people, so that neighbours in time are strangers in memory.
const STRIDE: usize = 7_919;

/// What Chromium sends besides Host and Cookie.
pub(crate) const BROWSERS_HEADERS: [&str; 13] = [
    "sec-ch-ua: \"Chromium\";v=\"156\", \"Not(A:Brand\";v=\"24\"",
    "sec-ch-ua-mobile: ?0",
    "sec-ch-ua-platform: \"Linux\"",
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-User: ?1",
    "Sec-Fetch-Dest: document",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en;q=0.9,nl;q=0.8",
    "Cache-Control: max-age=0",
];

/// What kind of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// 1 KiB answers, no headers but Host and Cookie, another person and another area each time.
    Small,
    /// The same with a browser's headers.
    Browser,
    /// 64 KiB answers.
    Large,
}

/// What a load came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) requests: u64,
    pub(crate) per_second: f64,
    pub(crate) cpu: Duration,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) resident_kib: u64,
}

impl Figures {
    /// CPU time of all processes of the candidate, in microseconds.
    pub(crate) fn micros_per_request(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.requests.max(1) as f64
    }
}

/// CPU time so far of all that a candidate consists of.
pub(crate) fn cpu_time(serving: &Serving) -> Result<Duration, Failure> {
    serving.groups().map(process::cpu_time).sum()
}

/// Resident memory of all that a candidate consists of, in KiB.
pub(crate) fn resident_kib(serving: &Serving) -> Result<u64, Failure> {
    serving.groups().map(process::resident_kib).sum()
}

/// Writes the requests that are to be sent in turn, one a line: path, then header lines, parted by tabs.
pub(crate) fn requests(rig: &Rig, serving: &Serving, shape: Shape, folder: &Path) -> Result<PathBuf, Failure> {
    let mut text = String::new();
    for (number, cookie) in rig.cookies.iter().enumerate() {
        match shape {
            Shape::Large => write!(text, "{}", upstream::LARGE)?,
            Shape::Small | Shape::Browser => write!(text, "/area-{}/item/1", number * STRIDE % AREAS)?,
        }
        match serving.known_by.get(number % serving.known_by.len().max(1)) {
            Some(line) => write!(text, "\t{line}")?,
            None => write!(text, "\tCookie: {cookie}")?,
        }
        if shape == Shape::Browser {
            write!(text, "\t{}", BROWSERS_HEADERS.join("\t"))?;
        }
        text.push('\n');
    }
    let file = folder.join("requests.txt");
    std::fs::write(&file, text)?;
    Ok(file)
}
