//! Whether a second thread is worth a second core. Load and console need a core as well, so two threads cannot be kept busy on
//! two cores; but how much CPU time a request costs with two threads beside one says how many more requests two cores carry.
//! Threads that worked for each other would show; threads that waited for each other would not, since they wait outside CPU time:
//! the only lock on the way of a request is the pool's of connections to the console, held to take one out.

use std::path::Path;

use super::throughput::by_cpu_time;
use super::turns::{Entrant, take};
use crate::Failure;
use crate::candidate::door;
use crate::load::{self, Shape, wrk};
use crate::options::Options;
use crate::report::{Section, fact, median};
use crate::rig::{Rig, Serving};

pub(super) fn run(rig: &Rig, options: &Options) -> Result<Section, Failure> {
    let start = |folder: &Path, threads: usize| {
        let plan = door::Plan {
            threads,
            all_cores: true,
            ..door::Plan::FULL
        };
        plan.start(rig, folder)
    };
    let measure = |serving: &Serving, folder: &Path| {
        let requests = load::requests(rig, serving, Shape::Small, folder)?;
        let way = wrk::Way {
            seconds: options.seconds,
            tls: false,
            refused: false,
        };
        by_cpu_time(wrk::load(serving, &requests, way)?)
    };
    let entrants = [
        Entrant {
            name: "one-thread",
            does: "on whatever core is free",
            start: &|folder| start(folder, 1),
            measure: &measure,
        },
        Entrant {
            name: "two-threads",
            does: "on both cores",
            start: &|folder| start(folder, 2),
            measure: &measure,
        },
    ];
    let rows = take(rig, options, &entrants)?;
    let dearer = rows.last().and_then(|row| median(&row.ratios)).unwrap_or(f64::NAN);
    Ok(Section {
        about: "microseconds of CPU time per request, full policy, both cores free to use".to_owned(),
        rows,
        facts: vec![fact(
            "requests that two threads carry on two cores, by that time",
            2.0 / dearer,
            "of one thread's",
            Some("at least 1.8"),
        )],
        ..Section::default()
    })
}
