//! Membership by search, for IPv6 and for few networks. Above the flips stand shorter and shorter rows of every
//! [`RUNG`]th one, so that a search reads a few neighbours in each row: the upper ones stay in the cache, and what it has
//! to fetch from memory does not grow with the set.

use super::flips::{Number, is_odd};

/// How many keys one search looks through in a row: four cache lines of IPv6.
const RUNG: usize = 16;

/// See the module. The longest row is the last.
#[derive(Debug, Clone)]
pub(super) struct Ladder<N> {
    rows: Box<[Box<[N]>]>,
}

impl<N> Default for Ladder<N> {
    fn default() -> Self {
        Self { rows: Box::default() }
    }
}

impl<N: Number> Ladder<N> {
    pub(super) fn of(flips: Vec<N>) -> Self {
        let mut rows = Vec::new();
        let mut row = flips.into_boxed_slice();
        while row.len() > RUNG {
            let above = row.iter().step_by(RUNG).copied().collect();
            rows.push(std::mem::replace(&mut row, above));
        }
        if !row.is_empty() {
            rows.push(row);
        }
        rows.reverse();
        Self { rows: rows.into() }
    }

    pub(super) fn holds(&self, number: N) -> bool {
        let mut passed = 0_usize;
        for row in &self.rows {
            // Of the row above, `passed` keys are not beyond the number; the last of them stands here, too.
            let from = passed.saturating_sub(1) * RUNG;
            let rung = row.get(from..row.len().min(from + RUNG)).unwrap_or_default();
            passed = from + rung.partition_point(|flip| *flip <= number);
            if passed == 0 {
                return false;
            }
        }
        is_odd(passed)
    }
}
