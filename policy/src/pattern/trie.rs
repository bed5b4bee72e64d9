//! All patterns of a site in one tree, as it grows: what clashes is found here. Requests are matched by [`super::Paths`],
//! which is made of it.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::{Glob, Pattern, Segment};
use crate::verb::Verb;

/// How many different `before*behind` segments may stand at one place; they are tried one after the other.
pub(crate) const GLOBS_AT_ONE_PLACE_MAX: usize = 64;

/// Where every path begins.
pub(super) const ROOT: u32 = 0;

/// Patterns and what they lead to: numbers that mean something to the owner.
#[derive(Debug)]
pub(crate) struct Trie {
    pub(super) nodes: Vec<Node>,
}

/// Why a pattern cannot stand beside those that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clash {
    /// The same pattern (and method) leads to this number already.
    Same(u32),
    /// A pattern of this number has, after the same beginning, an equally specific segment that can match the same text.
    Tie(u32),
    /// More than [`GLOBS_AT_ONE_PLACE_MAX`] segments with `*` and text at one place, or more nodes than can be numbered.
    TooMany,
}

#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) literals: HashMap<Box<str>, u32, FixedState>,
    /// The longest fixed text first.
    pub(super) globs: Vec<GlobEdge>,
    pub(super) any: Option<u32>,
    /// Where the path ends here.
    pub(super) end: Leaf,
    /// Where the path ends here or goes on: `**`.
    pub(super) rest: Leaf,
}

#[derive(Debug)]
pub(super) struct GlobEdge {
    pub(super) glob: Glob,
    pub(super) node: u32,
    /// The first number that came this way, for messages.
    number: u32,
}

#[derive(Debug, Default)]
pub(super) struct Leaf {
    pub(super) by_method: Vec<(Verb, u32)>,
    pub(super) whatever_method: Option<u32>,
}

impl Default for Trie {
    fn default() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }
}

impl Trie {
    /// Lets `pattern` lead to `number`: for these methods, or where none is given for every method that nothing else at the
    /// same pattern is for.
    pub(crate) fn insert(&mut self, pattern: &Pattern, verbs: &[Verb], number: u32) -> Result<(), Clash> {
        let mut place = ROOT;
        for segment in &pattern.segments {
            place = self.step(place, segment, number)?;
        }
        let node = self.node_mut(place)?;
        let leaf = if pattern.open_ended {
            &mut node.rest
        } else {
            &mut node.end
        };
        leaf.take(verbs, number)
    }

    /// The numbers of all patterns that some path matches together with `pattern`.
    pub(crate) fn overlapping(&self, pattern: &Pattern) -> Vec<u32> {
        let mut found = Vec::new();
        self.overlapping_from(ROOT, &pattern.segments, pattern.open_ended, &mut found);
        found
    }

    fn overlapping_from(&self, place: u32, segments: &[Segment], open_ended: bool, found: &mut Vec<u32>) {
        let Some(node) = self.node(place) else { return };
        found.extend(node.rest.numbers());
        let Some((first, left)) = segments.split_first() else {
            found.extend(node.end.numbers());
            if open_ended {
                for next in node.children() {
                    self.overlapping_from(next, segments, open_ended, found);
                }
            }
            return;
        };
        for next in node.children_matching(first) {
            self.overlapping_from(next, left, open_ended, found);
        }
    }

    /// The node behind `segment`, made where it is missing.
    fn step(&mut self, place: u32, segment: &Segment, number: u32) -> Result<u32, Clash> {
        let fresh = u32::try_from(self.nodes.len()).map_err(|_| Clash::TooMany)?;
        let node = self.node_mut(place)?;
        let next = match segment {
            Segment::Literal(text) => *node.literals.entry(text.clone()).or_insert(fresh),
            Segment::Any => *node.any.get_or_insert(fresh),
            Segment::Glob(glob) => node.glob(glob, fresh, number)?,
        };
        if next == fresh {
            self.nodes.push(Node::default());
        }
        Ok(next)
    }

    fn node(&self, place: u32) -> Option<&Node> {
        self.nodes.get(usize::try_from(place).ok()?)
    }

    fn node_mut(&mut self, place: u32) -> Result<&mut Node, Clash> {
        let index = usize::try_from(place).map_err(|_| Clash::TooMany)?;
        self.nodes.get_mut(index).ok_or(Clash::TooMany)
    }
}

impl Node {
    fn glob(&mut self, glob: &Glob, fresh: u32, number: u32) -> Result<u32, Clash> {
        if let Some(edge) = self.globs.iter().find(|edge| edge.glob == *glob) {
            return Ok(edge.node);
        }
        let bytes = glob.fixed_bytes();
        if let Some(tied) = self
            .globs
            .iter()
            .find(|edge| edge.glob.fixed_bytes() == bytes && edge.glob.overlaps(glob))
        {
            return Err(Clash::Tie(tied.number));
        }
        if self.globs.len() == GLOBS_AT_ONE_PLACE_MAX {
            return Err(Clash::TooMany);
        }
        let position = self.globs.partition_point(|edge| edge.glob.fixed_bytes() >= bytes);
        let edge = GlobEdge {
            glob: glob.clone(),
            node: fresh,
            number,
        };
        self.globs.insert(position, edge);
        Ok(fresh)
    }

    fn children(&self) -> impl Iterator<Item = u32> {
        self.literals
            .values()
            .copied()
            .chain(self.globs.iter().map(|edge| edge.node))
            .chain(self.any)
    }

    fn children_matching(&self, segment: &Segment) -> Vec<u32> {
        match segment {
            Segment::Literal(text) => {
                let globs = self
                    .globs
                    .iter()
                    .filter(|edge| edge.glob.matches(text))
                    .map(|edge| edge.node);
                let any = self.any.filter(|_| !text.is_empty());
                self.literals
                    .get(text)
                    .copied()
                    .into_iter()
                    .chain(globs)
                    .chain(any)
                    .collect()
            }
            Segment::Glob(glob) => {
                let literals = self
                    .literals
                    .iter()
                    .filter(|(text, _)| glob.matches(text))
                    .map(|(_, node)| *node);
                let globs = self
                    .globs
                    .iter()
                    .filter(|edge| edge.glob.overlaps(glob))
                    .map(|edge| edge.node);
                literals.chain(globs).chain(self.any).collect()
            }
            Segment::Any => {
                let literals = self
                    .literals
                    .iter()
                    .filter(|(text, _)| !text.is_empty())
                    .map(|(_, node)| *node);
                literals
                    .chain(self.globs.iter().map(|edge| edge.node))
                    .chain(self.any)
                    .collect()
            }
        }
    }
}

impl Leaf {
    fn take(&mut self, verbs: &[Verb], number: u32) -> Result<(), Clash> {
        if verbs.is_empty() {
            return match self.whatever_method.replace(number) {
                Some(other) => {
                    self.whatever_method = Some(other);
                    Err(Clash::Same(other))
                }
                None => Ok(()),
            };
        }
        if let Some((_, other)) = self.by_method.iter().find(|(verb, _)| verbs.contains(verb)) {
            return Err(Clash::Same(*other));
        }
        self.by_method.extend(verbs.iter().map(|verb| (*verb, number)));
        Ok(())
    }

    fn numbers(&self) -> impl Iterator<Item = u32> {
        self.by_method
            .iter()
            .map(|(_, number)| *number)
            .chain(self.whatever_method)
    }
}
