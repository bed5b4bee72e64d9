//! The invariants, held to a history. Pure: the same history has the same violations.
//!
//! Judged is only what an order of times proves. Where two operations overlap, or one was never answered and may have been
//! made at any later time, whatever order would excuse what was seen is assumed.

mod access;
mod sessions;
mod written;

use crate::history::{History, Micros};

/// What the doors promise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Promises {
    /// How long after an answer a stream that is no longer permitted may still move.
    pub(crate) stream: Micros,
    /// How long after its answer a policy may not be in force yet at another door.
    pub(crate) policy: Micros,
    /// How long a door that is cut off serves.
    pub(crate) lease: Micros,
    /// Within which service is back once nothing is wrong any more.
    pub(crate) back: Micros,
    /// Wrong passwords until a lock.
    pub(crate) failures: usize,
    /// Descriptors by which a quiet door may have more than before.
    pub(crate) spare_descriptors: usize,
    /// The last lines of a door's access log before it is killed may be lost: those of so long.
    pub(crate) lines_lost: Micros,
}

/// See `shared/gauntlet.md`, section 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Invariant {
    /// One live session where one is allowed.
    I1,
    /// What was revoked is not served.
    I2,
    /// Nothing goes back.
    I3,
    /// What was acknowledged is there; what was not is there as a whole or not at all.
    I4,
    /// Who cannot tell says so.
    I5,
    /// One revision decides.
    I6,
    /// What was done is written down.
    I7,
    /// All goes on by itself.
    I8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) of: Invariant,
    pub(crate) why: String,
}

pub(super) type Found = Vec<Violation>;

fn violates(found: &mut Found, of: Invariant, why: impl Into<String>) {
    found.push(Violation { of, why: why.into() });
}

/// Every violation.
pub(crate) fn check(history: &History, promises: &Promises) -> Vec<Violation> {
    let mut found = Vec::new();
    sessions::check(history, promises, &mut found);
    access::check(history, promises, &mut found);
    written::check(history, promises, &mut found);
    found
}
