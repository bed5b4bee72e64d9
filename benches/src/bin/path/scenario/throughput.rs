//! CPU time per request, under as much load as a candidate can take.

use std::path::Path;

use super::turns::{Entrant, Measured, take};
use crate::Failure;
use crate::candidate::{self, Candidate, REFERENCE, door};
use crate::load::{self, Figures, Shape, wrk};
use crate::options::Options;
use crate::report::Section;
use crate::rig::{Rig, Serving};

const OF_BROWSERS: [&str; 5] = [
    REFERENCE,
    "stagedoor-full",
    "nginx",
    "nginx-list-map",
    "haproxy-list-map",
];
const OF_LARGE: [&str; 4] = [REFERENCE, "stagedoor-full", "nginx", "haproxy"];

/// All candidates that are installed.
pub(super) fn path(rig: &Rig, options: &Options) -> Result<Section, Failure> {
    let wanted = |candidate: &&Candidate| {
        let named = options.only.is_empty() || options.only.iter().any(|name| name == candidate.name);
        (named || candidate.name == REFERENCE) && candidate.is_installed(&rig.peers)
    };
    let candidates: Vec<&Candidate> = candidate::ALL.iter().filter(wanted).collect();
    let about =
        "microseconds of CPU time per request; 1 KiB answers, 32 kept connections, another session and area each time";
    compare(rig, options, &candidates, Shape::Small, about)
}

/// With 15 headers a request.
pub(super) fn browser(rig: &Rig, options: &Options) -> Result<Section, Failure> {
    let about = "microseconds of CPU time per request with the 15 headers of Chromium";
    compare(rig, options, &installed(rig, &OF_BROWSERS)?, Shape::Browser, about)
}

/// With 64 KiB an answer.
pub(super) fn large(rig: &Rig, options: &Options) -> Result<Section, Failure> {
    let about = "microseconds of CPU time per request with 64 KiB answers";
    compare(rig, options, &installed(rig, &OF_LARGE)?, Shape::Large, about)
}

/// Somebody whose address is on no list.
pub(super) fn refused(rig: &Rig, options: &Options) -> Result<Section, Failure> {
    let measure = |serving: &Serving, folder: &Path, refused: bool| {
        let requests = load::requests(rig, serving, Shape::Small, folder)?;
        let way = wrk::Way {
            seconds: options.seconds,
            tls: false,
            refused,
        };
        by_cpu_time(wrk::load(serving, &requests, way)?)
    };
    let entrants = [
        Entrant {
            name: "let-through",
            does: "",
            start: &|folder| door::Plan::FULL.start(rig, folder),
            measure: &|serving, folder| measure(serving, folder, false),
        },
        Entrant {
            name: "refused-at-the-address",
            does: "",
            start: &|folder| door::Plan::STRANGER.start(rig, folder),
            measure: &|serving, folder| measure(serving, folder, true),
        },
    ];
    Ok(Section {
        about: "microseconds of CPU time per request, Stagedoor with full policy; target: half of one let through"
            .to_owned(),
        rows: take(rig, options, &entrants)?,
        ..Section::default()
    })
}

fn installed(rig: &Rig, names: &[&str]) -> Result<Vec<&'static Candidate>, Failure> {
    let candidates: Result<Vec<_>, _> = names.iter().map(|name| candidate::named(name)).collect();
    Ok(candidates?
        .into_iter()
        .filter(|candidate| candidate.is_installed(&rig.peers))
        .collect())
}

fn compare(
    rig: &Rig,
    options: &Options,
    candidates: &[&Candidate],
    shape: Shape,
    about: &str,
) -> Result<Section, Failure> {
    let measure = |serving: &Serving, folder: &Path| {
        let requests = load::requests(rig, serving, shape, folder)?;
        let way = wrk::Way {
            seconds: options.seconds,
            tls: false,
            refused: false,
        };
        by_cpu_time(wrk::load(serving, &requests, way)?)
    };
    let starts: Vec<_> = candidates
        .iter()
        .map(|candidate| |folder: &Path| (candidate.start)(rig, folder))
        .collect();
    let entrants: Vec<Entrant<'_>> = candidates
        .iter()
        .zip(&starts)
        .map(|(candidate, start)| Entrant {
            name: candidate.name,
            does: candidate.does,
            start,
            measure: &measure,
        })
        .collect();
    Ok(Section {
        about: about.to_owned(),
        rows: take(rig, options, &entrants)?,
        ..Section::default()
    })
}

/// Compared by CPU time per request.
pub(super) fn by_cpu_time(figures: Figures) -> Measured {
    Ok((figures.micros_per_request(), Some(figures)))
}
