//! A policy of 100,000 networks that is taken over again and again while requests are served.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use super::turns::{Entrant, take};
use crate::Failure;
use crate::candidate::door::Plan;
use crate::load::{self, Shape, paced, wrk};
use crate::options::Options;
use crate::report::{Section, fact};
use crate::rig::{Rig, Serving};

const PER_SECOND: f64 = 2_000.0;
const BETWEEN_RELOADS: Duration = Duration::from_millis(1_500);
const NETWORKS: usize = 100_000;
const DOOR: Plan = Plan {
    networks: NETWORKS,
    ..Plan::FULL
};

pub(super) fn run(rig: &Rig, options: &Options) -> Result<Section, Failure> {
    let (failed, taken_over) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let measure = |serving: &Serving, folder: &Path, reloads: bool| {
        let requests = load::requests(rig, serving, Shape::Small, folder)?;
        wrk::warm_up(serving, &requests)?;
        let during = Duration::from_secs(options.seconds.into()) * 2;
        let over = AtomicBool::new(false);
        let before = revision(folder)?;
        let answered = std::thread::scope(|scope| {
            if reloads {
                scope.spawn(|| write_again_and_again(folder, &over));
            }
            let answered = paced::load(serving, &requests, PER_SECOND, during);
            over.store(true, Ordering::Relaxed);
            answered
        })?;
        failed.fetch_add(answered.failed, Ordering::Relaxed);
        let reloaded = revision(folder)? - before;
        match (reloads, reloaded) {
            (true, 0) => return Err(format!("no policy was taken over:\n{}", serving.process.log()).into()),
            (true, times) => taken_over.fetch_add(times, Ordering::Relaxed),
            (false, _) => 0,
        };
        Ok((answered.within(0.99).as_secs_f64() * 1e6, None))
    };
    let entrants = [
        Entrant {
            name: "undisturbed",
            does: "100,000 networks",
            start: &|folder| DOOR.start(rig, folder),
            measure: &|serving, folder| measure(serving, folder, false),
        },
        Entrant {
            name: "reloading",
            does: "another 100,000 networks every 1.5 s",
            start: &|folder| DOOR.start(rig, folder),
            measure: &|serving, folder| measure(serving, folder, true),
        },
    ];
    let rows = take(rig, options, &entrants)?;
    Ok(Section {
        about: "p99 in microseconds at 2,000 requests a second, the door on one core; target: 1.2".to_owned(),
        rows,
        facts: vec![
            fact("policies taken over", taken_over.into_inner() as f64, "times", None),
            fact(
                "requests that failed",
                failed.into_inner() as f64,
                "requests",
                Some("none"),
            ),
        ],
        ..Section::default()
    })
}

fn write_again_and_again(folder: &Path, over: &AtomicBool) {
    let policies = [NETWORKS - 1, NETWORKS].map(|networks| Plan { networks, ..DOOR }.policy());
    for policy in policies.iter().cycle() {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let fresh = folder.join("policy.fresh");
        let written = std::fs::write(&fresh, policy).and_then(|()| std::fs::rename(&fresh, folder.join("policy.toml")));
        if let Err(error) = written {
            eprintln!("the policy cannot be written: {error}");
        }
        std::thread::sleep(BETWEEN_RELOADS);
    }
}

/// Of the policy in force, by `/metrics`.
fn revision(folder: &Path) -> Result<usize, Failure> {
    let text = super::metrics(folder)?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("stagedoor_policy_revision "));
    line.and_then(|number| number.parse().ok())
        .ok_or_else(|| "the door tells no revision".into())
}
