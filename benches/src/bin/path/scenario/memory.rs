//! Resident memory: of a door that nobody uses, with 10,000 sessions and with 1,000,000.

use crate::Failure;
use crate::candidate::door::Plan;
use crate::load::{self, Shape, wrk};
use crate::report::{Section, fact};
use crate::rig::{PEOPLE, Rig, start};
use crate::sessions::{self, Population};

const SESSIONS_EACH: usize = 100;
const USED: wrk::Way = wrk::Way {
    seconds: 2,
    tls: false,
    refused: false,
};

pub(super) fn run(rig: &Rig) -> Result<Section, Failure> {
    let idle = {
        let folder = rig.fresh("idle")?;
        std::fs::create_dir(folder.join("data"))?;
        let small = Plan {
            networks: 10,
            areas: 10,
            ..Plan::FULL
        };
        let (command, listen) = small.command(rig, &folder, rig.upstream)?;
        let process = start("stagedoor", command, &folder, listen)?;
        crate::process::resident_kib(process.id())?
    };
    let folder = rig.fresh("thousands")?;
    let serving = Plan::FULL.start(rig, &folder)?;
    let of_thousands = load::resident_kib(&serving)?;
    let requests = load::requests(rig, &serving, Shape::Small, &folder)?;
    let used = wrk::load(&serving, &requests, USED)?.resident_kib;
    drop(serving);
    let (million, cookies) = million(rig)?;
    let mib = |kib: u64| kib as f64 / 1024.0;
    let sessions = PEOPLE * (SESSIONS_EACH - 1);
    let each = million.saturating_sub(of_thousands) as f64 * 1024.0 / sessions as f64;
    Ok(Section {
        about: "resident memory".to_owned(),
        facts: vec![
            fact("idle, no accounts, small policy", mib(idle), "MiB", Some("at most 30")),
            fact(
                "10,000 accounts with a session each, full policy",
                mib(of_thousands),
                "MiB",
                None,
            ),
            fact("the same after requests of all of them", mib(used), "MiB", None),
            fact(
                format!("{cookies} accounts with 100 sessions each, full policy"),
                mib(million),
                "MiB",
                None,
            ),
            fact(
                "a further session, as the system counts it",
                each,
                "bytes",
                Some("at most 300"),
            ),
        ],
        ..Section::default()
    })
}

/// With a million sessions, and how many accounts there are.
fn million(rig: &Rig) -> Result<(u64, usize), Failure> {
    let folder = rig.fresh("million")?;
    let population = Population {
        accounts: PEOPLE,
        sessions_each: SESSIONS_EACH,
    };
    eprintln!("  signing {PEOPLE} people in, {SESSIONS_EACH} times each: some minutes");
    let cookies = sessions::fill(&folder.join("data"), population)?;
    let (command, listen) = Plan::FULL.command(rig, &folder, rig.upstream)?;
    let process = start("stagedoor", command, &folder, listen)?;
    let resident = crate::process::resident_kib(process.id())?;
    drop(process);
    std::fs::remove_dir_all(&folder)?;
    Ok((resident, cookies.len()))
}
