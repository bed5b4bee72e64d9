//! How long a request takes when there is room: at 30 % of what bare Pingora can take.

use std::path::Path;
use std::time::Duration;

use super::turns::{Entrant, take};
use crate::Failure;
use crate::candidate::{self, REFERENCE};
use crate::load::{self, Figures, Shape, paced, wrk};
use crate::options::Options;
use crate::report::{Section, fact};
use crate::rig::{Rig, Serving};

const SHARE: f64 = 0.3;

pub(super) fn run(rig: &Rig, options: &Options) -> Result<Section, Failure> {
    let most = most_of_bare(rig)?;
    let per_second = most * SHARE;
    let measure = |serving: &Serving, folder: &Path| {
        let requests = load::requests(rig, serving, Shape::Small, folder)?;
        wrk::warm_up(serving, &requests)?;
        let before = load::cpu_time(serving)?;
        let answered = paced::load(
            serving,
            &requests,
            per_second,
            Duration::from_secs(options.seconds.into()),
        )?;
        if answered.failed > 0 {
            return Err(format!("{} requests failed", answered.failed).into());
        }
        let figures = Figures {
            requests: answered.count() as u64,
            per_second,
            cpu: load::cpu_time(serving)?.saturating_sub(before),
            p50: answered.within(0.5),
            p99: answered.within(0.99),
            resident_kib: load::resident_kib(serving)?,
        };
        Ok((figures.p99.as_secs_f64() * 1e6, Some(figures)))
    };
    let [bare, door] = [candidate::named(REFERENCE)?, candidate::named("stagedoor-full")?];
    let entrants = [
        Entrant {
            name: bare.name,
            does: bare.does,
            start: &|folder| (bare.start)(rig, folder),
            measure: &measure,
        },
        Entrant {
            name: door.name,
            does: door.does,
            start: &|folder| (door.start)(rig, folder),
            measure: &measure,
        },
    ];
    Ok(Section {
        about: "p99 in microseconds from the moment at which a request was due; target: 1.2".to_owned(),
        rows: take(rig, options, &entrants)?,
        facts: vec![fact("load", per_second, "requests a second", None)],
        ..Section::default()
    })
}

fn most_of_bare(rig: &Rig) -> Result<f64, Failure> {
    let folder = rig.fresh("most")?;
    let serving = (candidate::named(REFERENCE)?.start)(rig, &folder)?;
    let requests = load::requests(rig, &serving, Shape::Small, &folder)?;
    let way = wrk::Way {
        seconds: 2,
        tls: false,
        refused: false,
    };
    Ok(wrk::load(&serving, &requests, way)?.per_second)
}
