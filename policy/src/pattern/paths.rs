//! The patterns of a site, laid flat for requests. The price of a match depends on the depth of the path and not on how many
//! patterns there are; and hardly does what it has to fetch from memory: for each segment one slot of a table that all places
//! share, and the place that it leads to, of one cache line, with its text in it.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::FixedState;

use super::Glob;
use super::trie::{Leaf, ROOT, Trie};
use crate::verb::Verb;

/// Stands for no number and no place.
const NONE: u32 = u32::MAX;

/// How many bytes of its segment's text a place has room for. Longer ones lie apart.
const TEXT_BYTES_HERE_MAX: usize = 30;

/// See the module.
#[derive(Debug)]
pub(crate) struct Paths {
    /// By the hash of a place and the text of a segment; as many as a power of two, a quarter of them empty at least.
    slots: Box<[Slot]>,
    places: Box<[Place]>,
    globs: Box<[(Glob, u32)]>,
    /// Numbers of rules for some methods only.
    by_method: Box<[(Verb, u32)]>,
    long_texts: Box<[u8]>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// What of the hash has not chosen the slot.
    tag: u32,
    place: u32,
}

/// What begins where a path has been followed so far. It takes one cache line.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Place {
    /// Whence its text leads here, where a text does.
    parent: u32,
    /// Where its text lies, if it is a long one.
    long_text: u32,
    /// Where any other segment leads.
    any: u32,
    /// The rule for a path that ends here, whatever the method.
    end: u32,
    /// The same for one that ends here or goes on.
    rest: u32,
    /// Where its rules for some methods begin: those for the end, then those for the rest.
    by_method: u32,
    globs: u32,
    text_bytes: u16,
    globs_count: u8,
    end_methods: u8,
    rest_methods: u8,
    has_literals: bool,
    text: [u8; TEXT_BYTES_HERE_MAX],
}

const _: () = assert!(size_of::<Place>() == 64, "a place is one cache line");

impl Default for Paths {
    fn default() -> Self {
        Self::of(&Trie::default())
    }
}

impl Paths {
    /// The number of the most specific pattern that matches the path and is for the method. Does not allocate.
    pub(crate) fn find(&self, decoded_path: &str, verb: Verb) -> Option<u32> {
        self.find_from(ROOT, Some(decoded_path.strip_prefix('/')?), verb)
    }

    /// Goes as deep as the patterns do, which is [`super::PATTERN_SEGMENTS_MAX`] at most.
    fn find_from(&self, number: u32, left: Option<&str>, verb: Verb) -> Option<u32> {
        let place = self.places.get(index(number))?;
        let Some(left) = left else {
            return self.end(place, verb).or_else(|| self.rest(place, verb));
        };
        if place.is_last() {
            return self.rest(place, verb);
        }
        let (segment, left) = match left.split_once('/') {
            Some((segment, left)) => (segment, Some(left)),
            None => (left, None),
        };
        let literal = self.literal(number, place, segment);
        let literal = literal.and_then(|next| self.find_from(next, left, verb));
        if literal.is_some() {
            return literal;
        }
        for (_, next) in self.globs_of(place).iter().filter(|(glob, _)| glob.matches(segment)) {
            let found = self.find_from(*next, left, verb);
            if found.is_some() {
                return found;
            }
        }
        let any = some(place.any).filter(|_| !segment.is_empty());
        any.and_then(|next| self.find_from(next, left, verb))
            .or_else(|| self.rest(place, verb))
    }

    /// Where just this text leads from a place.
    fn literal(&self, from: u32, place: &Place, segment: &str) -> Option<u32> {
        if !place.has_literals {
            return None;
        }
        let (first, tag) = hashed(from, segment.as_bytes());
        let mask = self.slots.len().checked_sub(1)?;
        for step in 0..self.slots.len() {
            let slot = self.slots.get(first.wrapping_add(step) & mask)?;
            if slot.place == NONE {
                return None;
            }
            if slot.tag == tag && self.is_child(slot.place, from, segment) {
                return Some(slot.place);
            }
        }
        None
    }

    fn is_child(&self, number: u32, parent: u32, segment: &str) -> bool {
        let place = self.places.get(index(number));
        place.is_some_and(|place| place.parent == parent && self.text(place) == Some(segment.as_bytes()))
    }

    fn text<'p>(&'p self, place: &'p Place) -> Option<&'p [u8]> {
        let bytes = usize::from(place.text_bytes);
        if bytes <= TEXT_BYTES_HERE_MAX {
            return place.text.get(..bytes);
        }
        self.long_texts.get(index(place.long_text)..)?.get(..bytes)
    }

    fn globs_of(&self, place: &Place) -> &[(Glob, u32)] {
        let globs = self.globs.get(index(place.globs)..).unwrap_or_default();
        globs.get(..usize::from(place.globs_count)).unwrap_or_default()
    }

    fn end(&self, place: &Place, verb: Verb) -> Option<u32> {
        let for_method = self.for_method(place.by_method, place.end_methods, verb);
        for_method.or_else(|| some(place.end))
    }

    fn rest(&self, place: &Place, verb: Verb) -> Option<u32> {
        let first = place.by_method.wrapping_add(u32::from(place.end_methods));
        let for_method = self.for_method(first, place.rest_methods, verb);
        for_method.or_else(|| some(place.rest))
    }

    fn for_method(&self, first: u32, count: u8, verb: Verb) -> Option<u32> {
        if count == 0 {
            return None;
        }
        let numbers = self.by_method.get(index(first)..)?.get(..usize::from(count))?;
        let own = numbers.iter().find(|(own, _)| *own == verb);
        own.map(|(_, number)| *number)
    }
}

impl Place {
    /// Whether no segment leads any further.
    fn is_last(&self) -> bool {
        !self.has_literals && self.globs_count == 0 && self.any == NONE
    }
}

/// What a tree is laid into.
#[derive(Default)]
struct Draft {
    places: Vec<Place>,
    globs: Vec<(Glob, u32)>,
    by_method: Vec<(Verb, u32)>,
    long_texts: Vec<u8>,
}

impl Paths {
    /// A place has the number that it has in the tree.
    pub(crate) fn of(tree: &Trie) -> Self {
        let mut draft = Draft::default();
        for node in &tree.nodes {
            let place = Place {
                parent: NONE,
                long_text: NONE,
                any: node.any.unwrap_or(NONE),
                end: node.end.whatever_method.unwrap_or(NONE),
                rest: node.rest.whatever_method.unwrap_or(NONE),
                by_method: number_of(draft.by_method.len()),
                globs: number_of(draft.globs.len()),
                text_bytes: 0,
                // GLOBS_AT_ONE_PLACE_MAX at most.
                globs_count: u8::try_from(node.globs.len()).unwrap_or(u8::MAX),
                end_methods: draft.lay_methods(&node.end),
                rest_methods: draft.lay_methods(&node.rest),
                has_literals: !node.literals.is_empty(),
                text: [0; TEXT_BYTES_HERE_MAX],
            };
            draft.places.push(place);
            let globs = node.globs.iter();
            draft.globs.extend(globs.map(|edge| (edge.glob.clone(), edge.node)));
        }
        for (node, parent) in tree.nodes.iter().zip(0..) {
            for (text, number) in &node.literals {
                draft.name(*number, parent, text.as_bytes());
            }
        }
        let literals = || {
            let nodes = tree.nodes.iter().zip(0..);
            nodes.flat_map(|(node, parent)| node.literals.iter().map(move |(text, place)| (parent, text, *place)))
        };
        Self {
            slots: slots(literals().count(), literals()),
            places: draft.places.into(),
            globs: draft.globs.into(),
            by_method: draft.by_method.into(),
            long_texts: draft.long_texts.into(),
        }
    }
}

impl Draft {
    /// Answers how many there are: no more than there are methods.
    fn lay_methods(&mut self, leaf: &Leaf) -> u8 {
        self.by_method.extend(&leaf.by_method);
        u8::try_from(leaf.by_method.len()).unwrap_or(u8::MAX)
    }

    fn name(&mut self, number: u32, parent: u32, text: &[u8]) {
        let long_text = number_of(self.long_texts.len());
        let Some(place) = self.places.get_mut(index(number)) else {
            return;
        };
        place.parent = parent;
        // A pattern is shorter; a text too long for its length would be found by nobody.
        place.text_bytes = u16::try_from(text.len()).unwrap_or(u16::MAX);
        match place.text.get_mut(..text.len()) {
            Some(here) => here.copy_from_slice(text),
            None => {
                place.long_text = long_text;
                self.long_texts.extend(text);
            }
        }
    }
}

fn slots<'t>(count: usize, literals: impl Iterator<Item = (u32, &'t Box<str>, u32)>) -> Box<[Slot]> {
    let empty = Slot { tag: 0, place: NONE };
    let size = (count + count / 3 + 1).next_power_of_two();
    let mut slots = vec![empty; size];
    for (parent, text, place) in literals {
        let (first, tag) = hashed(parent, text.as_bytes());
        let mut steps = (0..size).map(|step| first.wrapping_add(step) & (size - 1));
        let free = steps.find(|at| slots.get(*at).is_some_and(|slot| slot.place == NONE));
        if let Some(slot) = free.and_then(|at| slots.get_mut(at)) {
            *slot = Slot { tag, place };
        }
    }
    slots.into()
}

/// Where to begin looking, and what else to compare.
fn hashed(parent: u32, text: &[u8]) -> (usize, u32) {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write_u32(parent);
    hasher.write(text);
    let hash = hasher.finish();
    let [a, b, c, d, e, f, g, h] = hash.to_be_bytes();
    (
        index(u32::from_be_bytes([e, f, g, h])),
        u32::from_be_bytes([a, b, c, d]),
    )
}

fn some(number: u32) -> Option<u32> {
    (number != NONE).then_some(number)
}

/// More than can be numbered are refused when the tree grows.
fn number_of(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(NONE)
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
