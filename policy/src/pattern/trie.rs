//! All patterns of a site in one tree, so that the price of a match depends on the depth of the path and not on how many
//! patterns there are.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::{Glob, Pattern, Segment};
use crate::verb::Verb;

/// How many different `before*behind` segments may stand at one place; they are tried one after the other.
pub(crate) const GLOBS_AT_ONE_PLACE_MAX: usize = 64;

const ROOT: u32 = 0;

/// Patterns and what they lead to: numbers that mean something to the owner.
#[derive(Debug)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
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
struct Node {
    literals: HashMap<Box<str>, u32, FixedState>,
    /// The longest fixed text first.
    globs: Vec<GlobEdge>,
    any: Option<u32>,
    /// Where the path ends here.
    end: Leaf,
    /// Where the path ends here or goes on: `**`.
    rest: Leaf,
}

#[derive(Debug)]
struct GlobEdge {
    glob: Glob,
    node: u32,
    /// The first number that came this way, for messages.
    number: u32,
}

#[derive(Debug, Default)]
struct Leaf {
    by_method: Vec<(Verb, u32)>,
    whatever_method: Option<u32>,
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

    /// The number of the most specific pattern that matches the path and is for the method. Does not allocate.
    pub(crate) fn find(&self, decoded_path: &str, verb: Verb) -> Option<u32> {
        self.find_from(ROOT, Some(decoded_path.strip_prefix('/')?), verb)
    }

    /// The numbers of all patterns that some path matches together with `pattern`.
    pub(crate) fn overlapping(&self, pattern: &Pattern) -> Vec<u32> {
        let mut found = Vec::new();
        self.overlapping_from(ROOT, &pattern.segments, pattern.open_ended, &mut found);
        found
    }

    /// Goes as deep as the patterns do, which is [`super::PATTERN_SEGMENTS_MAX`] at most.
    fn find_from(&self, place: u32, left: Option<&str>, verb: Verb) -> Option<u32> {
        let node = self.node(place)?;
        let Some(left) = left else {
            return node.end.number(verb).or_else(|| node.rest.number(verb));
        };
        let (segment, left) = match left.split_once('/') {
            Some((segment, left)) => (segment, Some(left)),
            None => (left, None),
        };
        let literal = node
            .literals
            .get(segment)
            .and_then(|next| self.find_from(*next, left, verb));
        if literal.is_some() {
            return literal;
        }
        for edge in node.globs.iter().filter(|edge| edge.glob.matches(segment)) {
            let found = self.find_from(edge.node, left, verb);
            if found.is_some() {
                return found;
            }
        }
        let any = node.any.filter(|_| !segment.is_empty());
        any.and_then(|next| self.find_from(next, left, verb))
            .or_else(|| node.rest.number(verb))
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

    fn number(&self, verb: Verb) -> Option<u32> {
        let for_method = self
            .by_method
            .iter()
            .find(|(own, _)| *own == verb)
            .map(|(_, number)| *number);
        for_method.or(self.whatever_method)
    }

    fn numbers(&self) -> impl Iterator<Item = u32> {
        self.by_method
            .iter()
            .map(|(_, number)| *number)
            .chain(self.whatever_method)
    }
}
