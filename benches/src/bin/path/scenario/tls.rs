//! What TLS costs: on a kept connection, over HTTP/2, and for a handshake.

use std::path::Path;

use super::throughput::by_cpu_time;
use super::turns::{Entrant, take};
use crate::Failure;
use crate::candidate::{door, nginx};
use crate::load::{self, Shape, handshakes, http2, wrk};
use crate::options::Options;
use crate::report::Section;
use crate::rig::{Rig, Serving};

const DOOR: door::Plan = door::Plan {
    tls: true,
    ..door::Plan::FULL
};

/// The same requests in plain HTTP and in TLS 1.3, and HTTP/2 beside nginx.
pub(super) fn kept(rig: &Rig, options: &Options) -> Result<Section, Failure> {
    let measure = |serving: &Serving, folder: &Path, tls: bool| {
        let requests = load::requests(rig, serving, Shape::Small, folder)?;
        let way = wrk::Way {
            seconds: options.seconds,
            tls,
            refused: false,
        };
        by_cpu_time(wrk::load(serving, &requests, way)?)
    };
    let over_http2 = |serving: &Serving, _folder: &Path| by_cpu_time(http2::load(serving, options.seconds)?);
    let entrants = [
        Entrant {
            name: "stagedoor-plain",
            does: "full policy, HTTP/1.1",
            start: &|folder| door::Plan::FULL.start(rig, folder),
            measure: &|serving, folder| measure(serving, folder, false),
        },
        Entrant {
            name: "stagedoor-tls",
            does: "full policy, HTTP/1.1 in TLS 1.3",
            start: &|folder| DOOR.start(rig, folder),
            measure: &|serving, folder| measure(serving, folder, true),
        },
        Entrant {
            name: "stagedoor-http2",
            does: "full policy, HTTP/2 in TLS 1.3, one session",
            start: &|folder| DOOR.start(rig, folder),
            measure: &over_http2,
        },
        Entrant {
            name: "nginx-tls",
            does: "forwards, HTTP/1.1 in TLS 1.3",
            start: &|folder| nginx::with_tls(rig, folder),
            measure: &|serving, folder| measure(serving, folder, true),
        },
        Entrant {
            name: "nginx-http2",
            does: "forwards, HTTP/2 in TLS 1.3",
            start: &|folder| nginx::with_tls(rig, folder),
            measure: &over_http2,
        },
    ];
    Ok(Section {
        about: "microseconds of CPU time per request on kept connections; target: in TLS at most 1.05 of plain"
            .to_owned(),
        rows: take(rig, options, &entrants)?,
        ..Section::default()
    })
}

/// New connections, each with one request.
pub(super) fn handshakes(rig: &Rig, options: &Options) -> Result<Section, Failure> {
    let measure = |serving: &Serving, resume: bool| {
        let shaken = handshakes::load(rig, serving, options.seconds, resume)?;
        match resume == (shaken.resumed > shaken.full) {
            true => Ok((shaken.micros_per_connection(), None)),
            false => Err(format!("{} full and {} resumed handshakes", shaken.full, shaken.resumed).into()),
        }
    };
    let entrants = [
        Entrant {
            name: "nginx-full",
            does: "forwards, full handshakes",
            start: &|folder| nginx::with_tls(rig, folder),
            measure: &|serving, _folder| measure(serving, false),
        },
        Entrant {
            name: "stagedoor-full",
            does: "full policy, full handshakes",
            start: &|folder| DOOR.start(rig, folder),
            measure: &|serving, _folder| measure(serving, false),
        },
        Entrant {
            name: "nginx-resumed",
            does: "forwards, resumed",
            start: &|folder| nginx::with_tls(rig, folder),
            measure: &|serving, _folder| measure(serving, true),
        },
        Entrant {
            name: "stagedoor-resumed",
            does: "full policy, resumed",
            start: &|folder| DOOR.start(rig, folder),
            measure: &|serving, _folder| measure(serving, true),
        },
    ];
    Ok(Section {
        about: "microseconds of CPU time for a TCP connection, a TLS 1.3 handshake (P-256) and one request; target: at most 0.7 \
                of nginx"
            .to_owned(),
        rows: take(rig, options, &entrants)?,
        ..Section::default()
    })
}
