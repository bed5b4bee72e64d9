//! Several doors on one Redis, past what one machine can show: how long a revocation takes until every door has heard of it, and
//! how busy Redis is, simulated event by event from unit costs that were measured (docs/scaling.md names how).
//!
//! Redis answers one thing at a time, in the order in which it was asked. Each door asks for news five times in a lease, and at once
//! when the stream grows; whoever made the change looks ever less often whether all have heard.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What Redis works for each, in microseconds (`INFO commandstats` of two doors at work, docs/scaling.md).
const STEP_MICROS: u64 = 200;
const BEAT_MICROS: u64 = 65;
const GROWTH_MICROS: u64 = 15;
const LOOK_MICROS: u64 = 53;
/// From a door to Redis and back, on one network.
const ROUND_TRIP_MICROS: u64 = 300;
/// Until a door that was told asks.
const DOOR_MICROS: u64 = 80;
const BEAT_EVERY_MICROS: u64 = 50_000;
/// `LOOK_FIRST` and `LOOK_MAX` of store/src/redis/following.rs.
const LOOK_FIRST_MICROS: u64 = 300;
const LOOK_MAX_MICROS: u64 = 10_000;

const SIMULATED_MICROS: u64 = 20_000_000;
/// Above this, answers come later and later.
const BUSY: f64 = 0.8;

fn main() {
    println!("doors  changes/s  Redis busy  all have heard, ms: p50   p99   max");
    for doors in [2, 10, 50, 100, 200] {
        for changes_a_second in [1, 10, 100] {
            let seen = simulate(doors, changes_a_second);
            let share = seen.busy_micros as f64 / SIMULATED_MICROS as f64;
            let told = if share > BUSY { "  too much" } else { "" };
            println!(
                "{doors:>5}  {changes_a_second:>9}  {share:>9.0}%  {:>24.1} {:>5.1} {:>5.1}{told}",
                seen.quantile(0.5),
                seen.quantile(0.99),
                seen.quantile(1.0),
                share = share * 100.0,
            );
        }
    }
}

#[derive(Debug, Default)]
struct Seen {
    busy_micros: u64,
    heard_after_micros: Vec<u64>,
}

impl Seen {
    /// In milliseconds.
    fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.heard_after_micros.clone();
        sorted.sort_unstable();
        let at = (sorted.len().saturating_sub(1) as f64 * part) as usize;
        sorted.get(at).map_or(f64::NAN, |micros| *micros as f64 / 1000.0)
    }
}

/// What arrives at Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    /// A change is made.
    Step,
    /// A door asks for news; `true`: by its clock, and again after a while.
    Beat(usize, bool),
    /// Whoever made a change looks whether all have heard it: which, and after how long it looks again.
    Look(u64, u64),
}

#[derive(Debug, Default)]
struct Redis {
    arriving: BinaryHeap<Reverse<(u64, Asked)>>,
    free_at: u64,
    /// The number of the newest change, and when each was made.
    made_at: Vec<u64>,
    /// Up to which change each door has said that it has heard.
    said: Vec<u64>,
    /// Up to which change each door has been told.
    told: Vec<u64>,
}

fn simulate(doors: usize, changes_a_second: u64) -> Seen {
    let mut redis = Redis {
        said: vec![0; doors],
        told: vec![0; doors],
        ..Redis::default()
    };
    for door in 0..doors {
        // Spread as if by chance.
        let first = (door as u64).wrapping_mul(7919) % BEAT_EVERY_MICROS;
        redis.arriving.push(Reverse((first, Asked::Beat(door, true))));
    }
    let apart = 1_000_000 / changes_a_second;
    for number in 0..SIMULATED_MICROS / apart {
        let shifted = number * apart + number.wrapping_mul(104_729) % apart;
        redis.arriving.push(Reverse((shifted, Asked::Step)));
    }
    let mut seen = Seen::default();
    while let Some(Reverse((at, asked))) = redis.arriving.pop() {
        if at > SIMULATED_MICROS {
            break;
        }
        redis.serve(at, asked, &mut seen);
    }
    seen
}

impl Redis {
    fn serve(&mut self, at: u64, asked: Asked, seen: &mut Seen) {
        let begins = at.max(self.free_at);
        let works = match asked {
            Asked::Step => STEP_MICROS + GROWTH_MICROS * self.said.len() as u64,
            Asked::Beat(..) => BEAT_MICROS,
            Asked::Look(..) => LOOK_MICROS,
        };
        let done = begins + works;
        self.free_at = done;
        seen.busy_micros += works;
        match asked {
            Asked::Step => self.make_change(done),
            Asked::Beat(door, by_clock) => self.tell(door, by_clock, done),
            Asked::Look(number, pause) => self.look(number, pause, done, seen),
        }
    }

    fn ask(&mut self, at: u64, asked: Asked) {
        self.arriving.push(Reverse((at, asked)));
    }

    fn make_change(&mut self, done: u64) {
        self.made_at.push(done);
        let number = self.made_at.len() as u64;
        for door in 0..self.said.len() {
            self.ask(done + ROUND_TRIP_MICROS + DOOR_MICROS, Asked::Beat(door, false));
        }
        self.ask(done + ROUND_TRIP_MICROS, Asked::Look(number, LOOK_FIRST_MICROS));
    }

    /// A beat says what the door has heard, and is answered with what came since. Who was told something says so at once.
    fn tell(&mut self, door: usize, by_clock: bool, done: u64) {
        let newest = self.made_at.len() as u64;
        let (Some(said), Some(told)) = (self.said.get_mut(door), self.told.get_mut(door)) else {
            return;
        };
        *said = *told;
        let is_new = *told < newest;
        *told = newest;
        if is_new {
            self.ask(done + ROUND_TRIP_MICROS + DOOR_MICROS, Asked::Beat(door, false));
        }
        if by_clock {
            self.ask(done + BEAT_EVERY_MICROS, Asked::Beat(door, true));
        }
    }

    fn look(&mut self, number: u64, pause: u64, done: u64, seen: &mut Seen) {
        if self.said.iter().all(|said| *said >= number) {
            let made = usize::try_from(number - 1).ok().and_then(|at| self.made_at.get(at));
            seen.heard_after_micros
                .extend(made.map(|made| done + ROUND_TRIP_MICROS / 2 - made));
            return;
        }
        let next = (pause * 2).min(LOOK_MAX_MICROS);
        self.ask(done + ROUND_TRIP_MICROS + pause, Asked::Look(number, next));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_heard_and_more_doors_take_longer() {
        let (few, many) = (simulate(2, 10), simulate(100, 10));
        assert!(few.heard_after_micros.len() >= 195, "{}", few.heard_after_micros.len());
        assert!(many.quantile(0.5) > few.quantile(0.5));
        assert!(many.busy_micros > few.busy_micros);
    }
}
