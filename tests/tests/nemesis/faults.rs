//! What goes wrong, and when: drawn from the seed before the run begins.

use std::fmt;
use std::time::Duration;

/// Numbers from a seed: SplitMix64.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The same seed and name always throw the same.
    pub(crate) fn of(seed: u64, name: &str) -> Self {
        // FNV-1a.
        let mixed = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(seed ^ mixed)
    }

    pub(crate) fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.throw() % end
    }

    pub(crate) fn between(&mut self, least_millis: u64, most_millis: u64) -> Duration {
        Duration::from_millis(least_millis + self.below(most_millis - least_millis))
    }

    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).expect("an index")]
    }
}

/// Whom it befalls: one thing at a time goes wrong with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// The wire between that door and Redis, or the door itself.
    Door(usize),
    Redis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Slow(Duration),
    NothingThere,
    NothingBack,
    Parted,
    /// Every connection is reset, and for the time so is every new one.
    Refusing,
    /// Every connection is reset, again and again.
    Flapping,
    /// SIGSTOP; SIGCONT when it is over.
    Stopped,
    /// SIGKILL; started again when it is over.
    Killed,
}

/// One thing that goes wrong, for a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planned {
    pub(crate) whom: Whom,
    pub(crate) fault: Fault,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

impl fmt::Display for Planned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whom = match self.whom {
            Whom::Door(door) => format!("door {door}"),
            Whom::Redis => "redis".to_owned(),
        };
        let (from, to) = (self.from.as_secs_f64(), self.to.as_secs_f64());
        write!(out, "{from:7.3} s to {to:7.3} s  {whom}: {:?}", self.fault)
    }
}

/// All that goes wrong within `span`, in the order in which it begins.
pub(crate) fn draw(seed: u64, span: Duration) -> Vec<Planned> {
    let mut all = Vec::new();
    for (name, whom) in [
        ("door 0", Whom::Door(0)),
        ("door 1", Whom::Door(1)),
        ("redis", Whom::Redis),
    ] {
        let mut dice = Dice::of(seed, name);
        let mut from = dice.between(500, 3_000);
        loop {
            let fault = fault_of(&mut dice, whom);
            let lasts = match fault {
                Fault::Slow(_) => dice.between(300, 3_000),
                Fault::Stopped | Fault::Killed if whom == Whom::Redis => dice.between(20, 1_000),
                _ => dice.between(20, 2_500),
            };
            let to = from + lasts;
            if to >= span {
                break;
            }
            all.push(Planned { whom, fault, from, to });
            // Whoever is hit seldom is well most of the time: Redis is everybody's.
            from = to
                + if whom == Whom::Redis {
                    dice.between(2_000, 6_000)
                } else {
                    dice.between(300, 3_500)
                };
        }
    }
    all.sort_by_key(|planned| planned.from);
    all
}

fn fault_of(dice: &mut Dice, whom: Whom) -> Fault {
    if whom == Whom::Redis {
        return dice.one_of(&[Fault::Stopped, Fault::Killed]);
    }
    match dice.below(10) {
        0 | 1 => Fault::Slow(dice.between(5, 120)),
        2 => Fault::NothingThere,
        3 => Fault::NothingBack,
        4 | 5 => Fault::Parted,
        6 => Fault::Refusing,
        7 => Fault::Flapping,
        8 => Fault::Stopped,
        _ => Fault::Killed,
    }
}

#[test]
fn the_same_seed_draws_the_same_faults_and_another_one_others() {
    let drawn = |seed| {
        draw(seed, Duration::from_secs(60))
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(drawn(7), drawn(7));
    assert_ne!(drawn(7), drawn(8));
    let all = draw(7, Duration::from_secs(600));
    assert!(all.len() > 100, "{}", all.len());
    for (number, one) in all.iter().enumerate() {
        let overlapping = all[number + 1..]
            .iter()
            .find(|other| other.whom == one.whom && other.from < one.to);
        assert!(overlapping.is_none(), "{one} and {overlapping:?}");
    }
}
