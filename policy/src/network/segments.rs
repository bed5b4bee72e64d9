//! Nested ranges flattened into disjoint ones, each labelled with the innermost range that holds it.

/// A number that addresses are.
pub(super) trait Number: Copy + Ord {
    const ZERO: Self;
    /// `None` after the last one.
    fn next(self) -> Option<Self>;
}

impl Number for u32 {
    const ZERO: Self = 0;
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Number for u128 {
    const ZERO: Self = 0;
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

/// Where each segment begins, in rising order, the first at zero; it ends where the next begins.
#[derive(Debug, Clone)]
pub(super) struct Segments<N> {
    starts: Vec<N>,
    labels: Vec<Option<u32>>,
    /// How many segments begin before each block of 2^16 addresses; empty where a plain search does.
    blocks: Vec<u32>,
}

impl<N> Default for Segments<N> {
    fn default() -> Self {
        Self {
            starts: Vec::new(),
            labels: Vec::new(),
            blocks: Vec::new(),
        }
    }
}

impl<N: Number> Segments<N> {
    /// From (first, last, label); any two ranges are nested or disjoint, as prefixes are.
    pub(super) fn flatten(mut ranges: Vec<(N, N, u32)>) -> Self {
        let mut flat = Self::default();
        if ranges.is_empty() {
            return flat;
        }
        ranges.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
        flat.begin(N::ZERO, None);
        let mut open: Vec<(N, u32)> = Vec::new();
        for (first, last, label) in ranges {
            flat.close(&mut open, Some(first));
            flat.begin(first, Some(label));
            open.push((last, label));
        }
        flat.close(&mut open, None);
        flat
    }

    /// The label of the innermost range that holds `number`.
    pub(super) fn label(&self, number: N) -> Option<u32> {
        self.label_within(number, 0, self.starts.len())
    }

    fn label_within(&self, number: N, from: usize, to: usize) -> Option<u32> {
        let begun = from + self.starts.get(from..to)?.partition_point(|start| *start <= number);
        self.labels.get(begun.checked_sub(1)?).copied().flatten()
    }

    /// Ends the ranges that end before `until` (all of them for `None`): behind each, the one around it goes on.
    fn close(&mut self, open: &mut Vec<(N, u32)>, until: Option<N>) {
        while let Some((last, _)) = open.last().copied()
            && until.is_none_or(|until| last < until)
        {
            open.pop();
            if let Some(behind) = last.next() {
                self.begin(behind, open.last().map(|(_, label)| *label));
            }
        }
    }

    fn begin(&mut self, start: N, label: Option<u32>) {
        if self.starts.last() == Some(&start) {
            self.starts.pop();
            self.labels.pop();
        }
        self.starts.push(start);
        self.labels.push(label);
    }
}

impl Segments<u32> {
    /// Lays the index, where there are at least `segments` of them.
    pub(super) fn index_from(&mut self, segments: usize) {
        if self.starts.len() < segments {
            return;
        }
        let before = |block: u32| self.starts.partition_point(|start| *start < block << 16);
        let count = |begun: usize| u32::try_from(begun).unwrap_or(u32::MAX);
        self.blocks = (0..=0xffff_u32).map(|block| count(before(block))).collect();
        self.blocks.push(count(self.starts.len()));
    }

    /// As [`Segments::label`], by way of the index where there is one.
    pub(super) fn label_indexed(&self, number: u32) -> Option<u32> {
        if self.blocks.is_empty() {
            return self.label(number);
        }
        let block = usize::try_from(number >> 16).ok()?;
        let from = usize::try_from(*self.blocks.get(block)?).ok()?;
        let to = usize::try_from(*self.blocks.get(block + 1)?).ok()?;
        self.label_within(number, from, to)
    }
}
