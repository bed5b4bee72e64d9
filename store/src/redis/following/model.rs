//! The protocol of leases and changes in small, gone through in every order that there is: a door, a store, words that
//! are late or lost. A sign-in that displaces a session is a change; once it has been answered, no door that may judge from
//! memory is without it. Rules that are broken on purpose show that the search would find it.

mod failover;

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

/// Ticks.
const LEASE: u8 = 3;
/// As long as anything can matter: a change, a lease after it, and one more.
const HORIZON: u8 = 2 * LEASE + 2;
const CHANGES_MAX: u8 = 2;
/// Doors share nothing but the store, and whoever waits, waits for all: one more can only make the answer come later. So what
/// holds for one holds for each of many.
const DOORS: usize = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// The lease counts from when the answer came, not from when it was asked for.
    LeaseFromAnswer,
    /// Whoever waits goes by the clock one tick early.
    WaitsTooShort,
    /// Whoever waits takes a door that lives for one that has heard.
    AsksWhoLives,
    /// A door renews its lease before it has taken in what it was told.
    RenewsBehind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Door {
    knows: u8,
    /// Judges from memory before this tick.
    lease: u8,
    /// A beat on its way: when it was sent, and what was known.
    asked: Option<(u8, u8)>,
    /// A beat given up by the door and not yet by the network.
    stale: Option<(u8, u8)>,
    /// An answer on its way: when it was asked for, and the newest change.
    told: Option<(u8, u8)>,
    /// What the store has written down of it: heard, and until when it is waited for.
    noted: (u8, u8),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct State {
    now: u8,
    newest: u8,
    doors: [Door; DOORS],
    /// The change of a sign-in whose visitor has no answer yet, and when Redis answered it.
    waiting: Option<(u8, Option<u8>)>,
    /// The newest change whose visitor has an answer.
    answered: u8,
}

impl State {
    fn is_safe(&self) -> bool {
        let judges = |door: &&Door| self.now < door.lease;
        self.doors.iter().filter(judges).all(|door| door.knows >= self.answered)
    }

    /// Answered while every door judges from memory: nobody had to wait for a lease to run out.
    fn is_answered_promptly(&self) -> bool {
        self.answered > 0 && self.now < LEASE && self.doors.iter().all(|door| self.now < door.lease)
    }

    fn next(&self, broken: Broken) -> Vec<Self> {
        let mut found = Vec::new();
        if self.now < HORIZON {
            found.push(Self {
                now: self.now + 1,
                ..self.clone()
            });
        }
        if self.waiting.is_none() && self.newest < CHANGES_MAX {
            let newest = self.newest + 1;
            found.push(Self {
                newest,
                waiting: Some((newest, None)),
                ..self.clone()
            });
        }
        if let Some((number, since)) = self.waiting {
            if since.is_none() {
                found.push(Self {
                    waiting: Some((number, Some(self.now))),
                    ..self.clone()
                });
            }
            if since.is_some_and(|since| self.may_answer(number, since, broken)) {
                found.push(Self {
                    waiting: None,
                    answered: number,
                    ..self.clone()
                });
            }
        }
        for (which, door) in self.doors.iter().enumerate() {
            for newer in self.steps_of(*door, broken) {
                let mut state = self.clone();
                state.doors[which] = newer;
                found.push(state);
            }
        }
        found
    }

    fn may_answer(&self, number: u8, since: u8, broken: Broken) -> bool {
        let heard = self.doors.iter().all(|door| {
            let (heard, until) = door.noted;
            until <= self.now || heard >= number || broken == Broken::AsksWhoLives
        });
        let patience = if broken == Broken::WaitsTooShort {
            LEASE - 1
        } else {
            LEASE
        };
        heard || self.now >= since + patience
    }

    fn steps_of(&self, door: Door, broken: Broken) -> Vec<Door> {
        let mut found = Vec::new();
        let mut add = |door: Door| found.push(door);
        match (door.asked, door.told) {
            (None, None) => add(Door {
                asked: Some((self.now, door.knows)),
                ..door
            }),
            (Some((at, knew)), _) => {
                // It arrives; it is lost; or the door gives it up and it arrives later.
                let noted = (knew, self.now + LEASE);
                add(Door {
                    asked: None,
                    noted,
                    told: Some((at, self.newest)),
                    ..door
                });
                add(Door { asked: None, ..door });
                add(Door {
                    asked: None,
                    stale: Some((at, knew)),
                    ..door
                });
            }
            (None, Some((at, newest))) => {
                let from = if broken == Broken::LeaseFromAnswer {
                    self.now
                } else {
                    at
                };
                let lease = door.lease.max(from + LEASE);
                if broken == Broken::RenewsBehind {
                    add(Door { lease, ..door });
                }
                add(Door {
                    told: None,
                    knows: newest,
                    lease,
                    ..door
                });
                add(Door { told: None, ..door });
            }
        }
        if let Some((_, knew)) = door.stale {
            add(Door {
                stale: None,
                noted: (knew, self.now + LEASE),
                ..door
            });
            add(Door { stale: None, ..door });
        }
        found
    }
}

/// Goes through every state that can come after `first`. The first one found that is not safe, and how many there are.
fn search<S: Clone + Eq + Hash>(
    first: S,
    next: impl Fn(&S) -> Vec<S>,
    mut is_safe: impl FnMut(&S) -> bool,
) -> (Option<S>, usize) {
    let mut seen = HashSet::from([first.clone()]);
    let mut queue = VecDeque::from([first]);
    while let Some(state) = queue.pop_front() {
        if !is_safe(&state) {
            return (Some(state), seen.len());
        }
        for next in next(&state) {
            if seen.insert(next.clone()) {
                queue.push_back(next);
            }
        }
    }
    (None, seen.len())
}

#[test]
fn once_a_displacing_sign_in_is_answered_no_door_that_judges_from_memory_is_without_it() {
    let mut prompt = false;
    let (unsafe_state, states) = search(
        State::default(),
        |state| state.next(Broken::Nothing),
        |state| {
            prompt |= state.is_answered_promptly();
            state.is_safe()
        },
    );
    assert_eq!(unsafe_state, None);
    assert!(states > 10_000, "{states} states are not every order");
    assert!(prompt, "no sign-in is ever answered before a lease has run out");
}

#[test]
fn a_protocol_that_is_broken_on_purpose_is_found_out() {
    for broken in [
        Broken::LeaseFromAnswer,
        Broken::WaitsTooShort,
        Broken::AsksWhoLives,
        Broken::RenewsBehind,
    ] {
        let (found, _) = search(State::default(), |state| state.next(broken), State::is_safe);
        assert!(found.is_some(), "{broken:?}");
    }
}
