//! Whether a second thread is worth a second core, on a machine that has no third core for the load: one thread may use three
//! tenths of a core, two may use six, so that load and console have room beside them. A lock that threads wait for would
//! leave that time unused, and work that threads do for each other would use it up; both show as fewer requests.

use std::path::{Path, PathBuf};

use super::turns::{Entrant, take};
use crate::Failure;
use crate::candidate::door;
use crate::load::{self, Shape, wrk};
use crate::options::Options;
use crate::report::Section;
use crate::rig::{Rig, Serving};

const PERIOD_MICROS: u64 = 10_000;
const QUOTA_MICROS_EACH: u64 = 3_000;

pub(super) fn run(rig: &Rig, options: &Options) -> Result<Section, Failure> {
    let start = |folder: &Path, threads: usize| {
        let plan = door::Plan {
            threads,
            all_cores: true,
            ..door::Plan::FULL
        };
        plan.start(rig, folder)
    };
    let measure = |serving: &Serving, folder: &Path, threads: u64| {
        let quota = Quota::for_process(serving.process.id(), QUOTA_MICROS_EACH * threads)?;
        let requests = load::requests(rig, serving, Shape::Small, folder)?;
        let way = wrk::Way {
            seconds: options.seconds,
            tls: false,
            refused: false,
        };
        let figures = wrk::load(serving, &requests, way)?;
        drop(quota);
        Ok((figures.per_second, Some(figures)))
    };
    let entrants = [
        Entrant {
            name: "one-thread",
            does: "0.3 of a core",
            start: &|folder| start(folder, 1),
            measure: &|serving, folder| measure(serving, folder, 1),
        },
        Entrant {
            name: "two-threads",
            does: "0.6 of a core",
            start: &|folder| start(folder, 2),
            measure: &|serving, folder| measure(serving, folder, 2),
        },
    ];
    Ok(Section {
        about: "requests per second, each thread with 0.3 of a core; target: at least 1.8".to_owned(),
        rows: take(rig, options, &entrants)?,
        ..Section::default()
    })
}

/// A control group of its own, with so much of a core; gone when dropped.
struct Quota(PathBuf);

impl Quota {
    fn for_process(process: u32, micros: u64) -> Result<Self, Failure> {
        let first = Path::new("/sys/fs/cgroup/cpu");
        let is_first_version = first.is_dir();
        let root = if is_first_version {
            first
        } else {
            Path::new("/sys/fs/cgroup")
        };
        let group = root.join(format!("stagedoor-bench-{process}"));
        std::fs::create_dir(&group)
            .map_err(|error| format!("a control group is needed, which root may make: {error}"))?;
        let quota = Self(group);
        match is_first_version {
            true => {
                std::fs::write(quota.0.join("cpu.cfs_period_us"), PERIOD_MICROS.to_string())?;
                std::fs::write(quota.0.join("cpu.cfs_quota_us"), micros.to_string())?;
            }
            false => std::fs::write(quota.0.join("cpu.max"), format!("{micros} {PERIOD_MICROS}"))?,
        }
        std::fs::write(quota.0.join("cgroup.procs"), process.to_string())?;
        Ok(quota)
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // Whoever is still in it moves up first; an empty group is left behind at worst.
        let members = std::fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default();
        let up = self
            .0
            .parent()
            .map(|parent| parent.join("cgroup.procs"))
            .unwrap_or_default();
        for member in members.lines() {
            let _moved = std::fs::write(&up, member);
        }
        let _removed = std::fs::remove_dir(&self.0);
    }
}
