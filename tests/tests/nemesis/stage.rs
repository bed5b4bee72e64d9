//! Two doors, each with its own wire to one Redis, and whoever breaks and mends them.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use stagedoor_tests::{BadWire, Door, FakeConsole, Redis, Weather};
use tempfile::TempDir;

use crate::faults::{Fault, Planned, Whom};
use crate::history::{CutOff, Micros};

pub(crate) const DOORS: usize = 2;
/// Wrong passwords until a lock, which lasts for longer than a run. A sign-in that is killed in the middle counts as one.
pub(crate) const FAILURES: usize = 10;
/// Between two looks at what is to be broken or mended.
const TICK: Duration = Duration::from_millis(5);
/// A wire that flaps is cut this often.
const FLAP: Duration = Duration::from_millis(100);

/// The policy: odd editions keep everybody from what lies under `/changing`.
pub(crate) fn policy(edition: u64) -> String {
    let changing = if edition.is_multiple_of(2) {
        ", changing = \"all\""
    } else {
        ""
    };
    format!(
        "# edition {edition}\n[site.console.areas]\nall = {{ paths = [\"/**\"] }}\nprivate = {{ paths = [\"/private/**\"] }}\n\
         changing = {{ paths = [\"/changing/**\"] }}\n\n\
         [role.keeper]\nmay = {{ all = \"all\", private = \"all\"{changing} }}\n\n\
         [role.watcher]\nmay = {{ all = \"all\"{changing} }}\n\n\
         [session]\nper_account = 1\nwhen_full = \"displace\"\n\n\
         [lockout]\nfailures = {FAILURES}\nfailures_from_anywhere = {FAILURES}\nwithin = \"2h\"\nfor = \"2h\"\n"
    )
}

pub(crate) struct Stage {
    pub(crate) doors: Vec<Door>,
    wires: Vec<BadWire>,
    pub(crate) redis: Redis,
    _console: FakeConsole,
    _folder: TempDir,
}

/// What became of the plan.
#[derive(Debug, Default)]
pub(crate) struct Broken {
    pub(crate) cut_off: Vec<CutOff>,
    pub(crate) kills: Vec<(usize, Micros)>,
    /// Doors that ended by themselves and were started again.
    pub(crate) ended: Vec<(usize, Micros, String)>,
}

impl Stage {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let redis = Redis::start(folder.path());
        let console = FakeConsole::start().await;
        let (mut doors, mut wires) = (Vec::new(), Vec::new());
        for number in 0..DOORS {
            let wire = BadWire::to(redis.address()).await;
            let plan = Door::plan().site("console", &console.url()).policy(&policy(0));
            let plan = plan.building("[log]\naccess = \"access.log\"\n");
            let plan = plan.node_over(&format!("door-{number}"), wire.address());
            doors.push(plan.open().await);
            wires.push(wire);
        }
        Self {
            doors,
            wires,
            redis,
            _console: console,
            _folder: folder,
        }
    }

    /// Breaks and mends by the plan; at the end nothing is broken.
    pub(crate) async fn live_through(&mut self, plan: &[Planned], began: Instant) -> Broken {
        let mut broken = Broken::default();
        let mut under_way: Vec<(Planned, Duration)> = Vec::new();
        let mut next = plan.iter().peekable();
        let mut flapped = Duration::ZERO;
        loop {
            let now = began.elapsed();
            while let Some(planned) = next.next_if(|planned| planned.from <= now) {
                self.begin(planned, began, &mut broken);
                under_way.push((*planned, began.elapsed()));
            }
            for (planned, since) in under_way.extract_if(.., |(planned, _)| planned.to <= now) {
                self.end(&planned, since, began, &mut broken);
            }
            if now > flapped + FLAP {
                flapped = now;
                for (planned, _) in &under_way {
                    if let (Fault::Flapping, Whom::Door(door)) = (planned.fault, planned.whom) {
                        self.wires[door].cut();
                    }
                }
            }
            self.start_what_ended(&under_way, began, &mut broken);
            if under_way.is_empty() && next.peek().is_none() {
                return broken;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    fn begin(&mut self, planned: &Planned, began: Instant, broken: &mut Broken) {
        match (planned.whom, planned.fault) {
            (Whom::Redis, Fault::Killed) => self.redis.kill(),
            (Whom::Redis, _) => self.redis.pause(),
            (Whom::Door(door), Fault::Killed) => {
                self.doors[door].kill();
                broken.kills.push((door, micros(began)));
            }
            (Whom::Door(door), Fault::Stopped) => self.doors[door].process().signal(Signal::STOP),
            (Whom::Door(door), fault) => {
                let weather = match fault {
                    Fault::Slow(late) => Weather::Slow(late),
                    Fault::NothingThere => Weather::NothingThere,
                    Fault::NothingBack => Weather::NothingBack,
                    Fault::Refusing => Weather::Refusing,
                    Fault::Flapping => Weather::Fair,
                    _ => Weather::Parted,
                };
                self.wires[door].becomes(weather);
                if fault == Fault::Refusing {
                    self.wires[door].cut();
                }
            }
        }
    }

    fn end(&mut self, planned: &Planned, since: Duration, began: Instant, broken: &mut Broken) {
        // Taken before it is mended: until then the door was cut off.
        let (from, to) = (in_micros(since), micros(began));
        let mut cut_off = |door| broken.cut_off.push(CutOff { door, from, to });
        match (planned.whom, planned.fault) {
            (Whom::Redis, fault) => {
                (0..DOORS).for_each(&mut cut_off);
                if fault == Fault::Killed {
                    self.redis.start_again();
                } else {
                    self.redis.go_on();
                }
            }
            (Whom::Door(door), Fault::Killed) => {
                self.doors[door].launch();
            }
            (Whom::Door(door), Fault::Stopped) => self.doors[door].process().signal(Signal::CONT),
            (Whom::Door(door), fault) => {
                if matches!(
                    fault,
                    Fault::NothingThere | Fault::NothingBack | Fault::Parted | Fault::Refusing
                ) {
                    cut_off(door);
                }
                self.wires[door].becomes(Weather::Fair);
            }
        }
    }

    /// As a supervisor would.
    fn start_what_ended(&mut self, under_way: &[(Planned, Duration)], began: Instant, broken: &mut Broken) {
        for (number, door) in self.doors.iter_mut().enumerate() {
            let is_killed = under_way
                .iter()
                .any(|(planned, _)| planned.whom == Whom::Door(number) && planned.fault == Fault::Killed);
            if is_killed || door.process().ended().is_none() {
                continue;
            }
            let last = door.log().lines().last().unwrap_or_default().to_owned();
            broken.ended.push((number, micros(began), last));
            broken.kills.push((number, micros(began)));
            door.launch();
        }
    }

    /// Open descriptors of each door.
    pub(crate) fn descriptors(&mut self) -> Vec<usize> {
        let count = |door: &mut Door| {
            let folder = format!("/proc/{}/fd", door.process().id());
            std::fs::read_dir(folder).map_or(0, Iterator::count)
        };
        self.doors.iter_mut().map(count).collect()
    }
}

pub(crate) fn micros(began: Instant) -> Micros {
    in_micros(began.elapsed())
}

pub(crate) fn in_micros(span: Duration) -> Micros {
    Micros::try_from(span.as_micros()).expect("a run is shorter")
}
