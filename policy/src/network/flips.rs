//! Nested prefixes flattened to the addresses at which membership changes: the first of those who are in, the first who
//! are not any more, and so on in turn. How many of them lie at or before an address says whether it is a member.

/// A number that addresses are.
pub(super) trait Number: Copy + Ord {
    /// `None` after the last one.
    fn next(self) -> Option<Self>;
}

impl Number for u32 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Number for u128 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

/// From (first, last, whether it allows); any two ranges are nested or disjoint, as prefixes are, and the inner one
/// decides.
pub(super) fn flatten<N: Number>(mut ranges: Vec<(N, N, bool)>) -> Vec<N> {
    ranges.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    let mut flips = Flips(Vec::new());
    let mut open: Vec<(N, bool)> = Vec::new();
    for (first, last, allow) in ranges {
        flips.close(&mut open, Some(first));
        flips.begin(first, allow);
        open.push((last, allow));
    }
    flips.close(&mut open, None);
    flips.0
}

struct Flips<N>(Vec<N>);

impl<N: Number> Flips<N> {
    /// Ends the ranges that end before `until` (all of them for `None`): behind each, the one around it goes on.
    fn close(&mut self, open: &mut Vec<(N, bool)>, until: Option<N>) {
        while let Some((last, _)) = open.last().copied()
            && until.is_none_or(|until| last < until)
        {
            open.pop();
            if let Some(behind) = last.next() {
                self.begin(behind, open.last().is_some_and(|(_, allow)| *allow));
            }
        }
    }

    fn begin(&mut self, start: N, member: bool) {
        if self.0.last() == Some(&start) {
            self.0.pop();
        }
        if is_odd(self.0.len()) != member {
            self.0.push(start);
        }
    }
}

/// Whether so many flips end inside.
pub(super) fn is_odd(flips: usize) -> bool {
    flips % 2 == 1
}
