//! The same protocol where a server takes over that has not heard the last of its predecessor, and where doors start anew: two
//! doors, two sessions that are ended one after the other, one failover, every order. Beats take no time here: the module above
//! shows that their delay does no harm.

/// Ticks.
const LEASE: u8 = 2;
const HORIZON: u8 = 2 * LEASE + 1;
const DOORS: usize = 2;

/// What is left out, or done otherwise, to see that it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    AllOfThem,
    /// Who need not be waited for is told by the store's clock.
    SilentByTheStoresClock,
    /// A connection that was made a moment ago tells who is silent as well as an old one.
    TrustsAYoungConnection,
    /// Who connects anew says that nobody need wait for it yet.
    NotWaitedForAtFirst,
    /// Nobody is waited for.
    NotWaitedFor,
    /// Another server is followed where the former one was left.
    GoesOnElsewhere,
    /// What is read from another server replaces what was known.
    ForgetsItsOwn,
    /// An end is answered before the replica has it.
    NotReplicated,
    /// A server that was replaced, and whose replica hears it no longer, is believed.
    BelievesTheReplaced,
}

/// Ends of sessions, one bit each.
type Ends = u8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Server {
    ends: Ends,
    number: u8,
    /// By door: up to which change it has heard, and what is written down of its last beat: until when by this clock.
    noted: [Option<(u8, u8)>; DOORS],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
struct Door {
    knows: Ends,
    /// What it ever knew since it started.
    knew: Ends,
    number: u8,
    /// Which server it follows, counted from 1; 0: none yet.
    server: u8,
    /// Judges from memory before this tick.
    lease: u8,
}

/// An end that is made and not answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Kick {
    end: Ends,
    number: u8,
    made: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    now: u8,
    primary: Server,
    replica: Server,
    /// Which one is the primary, counted from 1, and since when the kicker is connected to it.
    server: u8,
    since: u8,
    doors: [Door; DOORS],
    kick: Option<Kick>,
    /// What the kicker saw of the other doors' beats on this connection, and when first.
    seen: [Option<(u8, u8)>; DOORS],
    answered: Ends,
    restarts: u8,
}

impl State {
    fn first() -> Self {
        Self {
            now: LEASE,
            primary: Server::default(),
            replica: Server::default(),
            server: 1,
            since: 0,
            doors: [Door::default(); DOORS],
            kick: None,
            seen: [None; DOORS],
            answered: 0,
            restarts: 1,
        }
    }

    /// No door that judges from memory is without what was answered, or without what it knew.
    fn is_safe(&self) -> bool {
        let judges = |door: &&Door| self.now < door.lease;
        let is_safe = |door: &Door| door.knows & self.answered == self.answered && door.knows & door.knew == door.knew;
        self.doors.iter().filter(judges).all(is_safe)
    }

    /// The same in every respect that matters from now on: what is long over is over, and the doors are alike.
    fn in_short(mut self) -> Self {
        let long_ago = self.now.saturating_sub(LEASE);
        self.since = self.since.max(long_ago);
        for (_, since) in self.seen.iter_mut().flatten() {
            *since = (*since).max(long_ago);
        }
        for door in &mut self.doors {
            if door.lease <= self.now {
                door.lease = 0;
            }
        }
        if self.server == 2 {
            self.replica = Server::default();
        }
        if let Some(kick) = &mut self.kick {
            kick.made = kick.made.max(long_ago);
        }
        let key = |which: usize| {
            (
                self.doors[which],
                self.primary.noted[which],
                self.replica.noted[which],
                self.seen[which],
            )
        };
        if key(0) > key(1) {
            self.doors.swap(0, 1);
            self.primary.noted.swap(0, 1);
            self.replica.noted.swap(0, 1);
            self.seen.swap(0, 1);
        }
        self
    }

    fn next(&self, rules: Rules) -> Vec<Self> {
        let mut found = Vec::new();
        if self.now < HORIZON {
            found.push(Self {
                now: self.now + 1,
                ..*self
            });
        }
        if self.server == 1 {
            found.push(Self {
                replica: self.primary,
                ..*self
            });
            found.push(Self {
                primary: self.replica,
                server: 2,
                since: self.now,
                seen: [None; DOORS],
                // Its step is made again there, or it is told that it is not known what became of it.
                kick: None,
                ..*self
            });
        }
        self.kicks(rules, &mut found);
        for which in 0..DOORS {
            self.door_steps(which, rules, &mut found);
        }
        found
    }

    fn kicks(&self, rules: Rules, found: &mut Vec<Self>) {
        let Some(kick) = self.kick else {
            // The second is ended after the first.
            let end = if self.answered == 0 { 1 } else { 2 };
            if (self.primary.ends | self.answered) & end == 0 {
                let mut state = *self;
                state.primary.ends |= end;
                state.primary.number += 1;
                state.kick = Some(Kick {
                    end,
                    number: state.primary.number,
                    made: self.now,
                });
                found.push(state);
            }
            return;
        };
        let mut looked = *self;
        let need_not_wait = looked.looks(kick, rules);
        let replicated = self.server == 2 || self.replica.ends & kick.end != 0 || rules == Rules::NotReplicated;
        if replicated && (need_not_wait || self.now >= kick.made + LEASE || rules == Rules::NotWaitedFor) {
            looked.kick = None;
            looked.answered |= kick.end;
        }
        found.push(looked);
    }

    /// The kicker looks who has heard, and who was silent for a lease.
    fn looks(&mut self, kick: Kick, rules: Rules) -> bool {
        let young = self.now < self.since + LEASE && rules != Rules::TrustsAYoungConnection;
        let mut nobody = !young || rules == Rules::SilentByTheStoresClock;
        for (noted, seen) in self.primary.noted.iter().zip(&mut self.seen) {
            let Some((heard, beat)) = *noted else { continue };
            let since = match *seen {
                Some((before, since)) if before == beat => since,
                _ => self.now,
            };
            *seen = Some((beat, since));
            let silent = match rules {
                Rules::SilentByTheStoresClock | Rules::NotWaitedForAtFirst => beat <= self.now,
                _ => self.now >= since + LEASE,
            };
            nobody &= heard >= kick.number || silent;
        }
        nobody
    }

    fn door_steps(&self, which: usize, rules: Rules, found: &mut Vec<Self>) {
        let door = self.doors[which];
        let mut with = |primary: Server, door: Door| {
            let mut state = Self { primary, ..*self };
            state.doors[which] = door;
            found.push(state);
        };
        let mut primary = self.primary;
        if door.server == self.server {
            primary.noted[which] = Some((door.number, self.now + LEASE));
            with(primary, self.beaten(door, self.primary));
            // Its connection is lost, and it connects anew.
            if rules == Rules::NotWaitedForAtFirst {
                primary.noted[which] = Some((door.number, self.now));
                with(primary, door);
            }
        } else {
            if door.server != 0 && rules == Rules::BelievesTheReplaced {
                with(
                    self.primary,
                    Door {
                        lease: self.now + LEASE,
                        ..door
                    },
                );
            }
            let before = primary.noted[which].map_or(0, |(heard, _)| heard);
            primary.noted[which] = Some((before.min(primary.number), self.now + LEASE));
            let mut follows = Door {
                server: self.server,
                number: primary.number,
                ..door
            };
            if rules != Rules::GoesOnElsewhere || door.server == 0 {
                let own = if rules == Rules::ForgetsItsOwn { 0 } else { door.knows };
                follows.knows = primary.ends | own;
                follows.knew |= follows.knows;
                // What the store has lost is ended there again.
                if follows.knows != primary.ends {
                    primary.ends = follows.knows;
                    primary.number += 1;
                }
            }
            with(primary, follows);
        }
        if self.restarts > 0 {
            let mut state = *self;
            state.doors[which] = Door::default();
            state.restarts -= 1;
            found.push(state);
        }
    }

    /// It has taken in what there is, and holds a lease from now on.
    fn beaten(&self, door: Door, primary: Server) -> Door {
        let news = if door.number == primary.number { 0 } else { primary.ends };
        Door {
            knows: door.knows | news,
            knew: door.knew | news,
            number: primary.number,
            lease: self.now + LEASE,
            ..door
        }
    }
}

/// The first state found in which something is served that should not be, and how many states there are.
fn search(rules: Rules) -> (Option<State>, usize) {
    let next = |state: &State| state.next(rules).into_iter().map(State::in_short).collect();
    super::search(State::first(), next, State::is_safe)
}

#[test]
fn what_was_answered_is_known_to_every_door_though_a_server_takes_over_that_lacks_the_last() {
    let (unsafe_state, states) = search(Rules::AllOfThem);
    assert_eq!(unsafe_state, None);
    println!("{states} states");
    assert!(states > 10_000, "{states} states are not every order");
}

#[test]
fn each_rule_is_needed() {
    for rules in [
        Rules::SilentByTheStoresClock,
        Rules::TrustsAYoungConnection,
        Rules::NotWaitedForAtFirst,
        Rules::NotWaitedFor,
        Rules::GoesOnElsewhere,
        Rules::ForgetsItsOwn,
        Rules::NotReplicated,
        Rules::BelievesTheReplaced,
    ] {
        let (found, states) = search(rules);
        println!("{rules:?}: {} after {states} states", found.is_some());
        assert!(found.is_some(), "{rules:?} does no harm");
    }
}
