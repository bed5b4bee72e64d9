//! A compiled site: its areas, and the rule behind each pattern.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::Level;
use crate::fault::KeyPath;
use crate::network::NetworkSet;
use crate::pattern::{Paths, Pattern};
use crate::policy::AreaId;
use crate::request::{Leniencies, PATH_BYTES_MAX};
use crate::rules::{OpenTo, Preflight};
use crate::verb::Verb;

/// How many named actions an area may have: they are bits of a `u64`.
pub(crate) const ACTIONS_MAX: usize = 64;

#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) name: Arc<str>,
    /// `None`: from anywhere.
    pub(crate) networks: Option<NetworkSet>,
    pub(crate) leniencies: Leniencies,
    pub(crate) preflight: Preflight,
    /// By name, in rising order; an [`AreaId`] is a place in here.
    pub(crate) areas: Vec<Area>,
    pub(crate) area_ids: HashMap<Box<str>, AreaId, FixedState>,
    /// What the numbers in `paths` mean.
    pub(crate) rules: Vec<Rule>,
    /// What a judgement needs of each of them.
    pub(crate) grounds: Box<[Ground]>,
    pub(crate) paths: Paths,
    pub(crate) folding: Folding,
}

/// How the rules of a site look to a console that takes letters of either case for the same.
#[derive(Debug)]
pub(crate) enum Folding {
    /// Nobody asks: the site says which kind of console it has.
    Known,
    /// As they are: no pattern has a letter from A to Z.
    Same,
    /// Each pattern folded, leading to the same number.
    Other(Paths),
}

#[derive(Debug)]
pub(crate) struct Area {
    pub(crate) name: Box<str>,
    pub(crate) open_to: OpenTo,
    /// In rising order; an action's bit is its place in here.
    pub(crate) actions: Vec<Box<str>>,
}

/// Where a rule leads and what it asks for: little enough that those of many rules stay in the cache.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground {
    pub(crate) area: AreaId,
    pub(crate) open_to: OpenTo,
    list: List,
}

/// The rule that decides, by its number, and its ground.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) rule: u32,
    pub(crate) ground: Ground,
}

/// A pattern and what a request that it decides about needs.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) area: AreaId,
    pub(crate) pattern: Pattern,
    /// `None`: every method that no other rule at the same pattern is for.
    pub(crate) verb: Option<Verb>,
    pub(crate) list: List,
    /// Which element of the list.
    pub(crate) index: usize,
}

/// The list of an area that a rule stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Paths,
    ManageAlso,
    ViewAlso,
    /// The action's place in its area.
    Action(u8),
}

/// What a request has to be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Level(Level),
    /// The action's place in its area; the level is what its method would have needed.
    Action(usize, Level),
}

impl Site {
    /// The rule that decides about this path and method.
    pub(crate) fn rule_for(&self, decoded_path: &str, verb: Verb) -> Option<Found> {
        self.found(self.paths.find(decoded_path, verb)?)
    }

    /// The rule that a console which folds case would have decide, where that is another one than [`Self::rule_for`] finds.
    ///
    /// Looks nowhere where neither the path nor any pattern has a letter from A to Z. Does not allocate.
    pub(crate) fn rule_when_folded(&self, decoded_path: &str, has_capitals: bool, verb: Verb) -> Folded {
        let paths = match &self.folding {
            Folding::Known => return Folded::NotAsked,
            Folding::Same if !has_capitals => return Folded::NotAsked,
            Folding::Same => &self.paths,
            Folding::Other(paths) => paths,
        };
        let found = if has_capitals {
            let mut place = [0; PATH_BYTES_MAX];
            folded(decoded_path, &mut place).and_then(|path| paths.find(path, verb))
        } else {
            paths.find(decoded_path, verb)
        };
        Folded::Asked(found.and_then(|number| self.found(number)))
    }

    fn found(&self, rule: u32) -> Option<Found> {
        let ground = *self.grounds.get(usize::try_from(rule).ok()?)?;
        Some(Found { rule, ground })
    }

    pub(crate) fn rule(&self, number: u32) -> Option<&Rule> {
        self.rules.get(usize::try_from(number).ok()?)
    }

    pub(crate) fn area(&self, area: AreaId) -> Option<&Area> {
        self.areas.get(usize::from(area.0))
    }

    /// Where a rule stands in policy.toml.
    pub(crate) fn key_path(&self, rule: &Rule) -> KeyPath {
        self.list_path(rule.area, rule.list).index(rule.index)
    }

    /// Where a list of an area stands in policy.toml.
    pub(crate) fn list_path(&self, area: AreaId, list: List) -> KeyPath {
        let area = self.area(area);
        let path = KeyPath::of(["site", &self.name, "areas", area.map_or("", |area| &area.name)]);
        match list {
            List::Paths => path.key("paths"),
            List::ManageAlso => path.key("manage_also"),
            List::ViewAlso => path.key("view_also"),
            List::Action(action) => path
                .key("actions")
                .key(area.map_or("", |area| area.action(usize::from(action)))),
        }
    }
}

/// What [`Site::rule_when_folded`] finds.
pub(crate) enum Folded {
    /// The same rule, or one that does not matter here.
    NotAsked,
    /// This one, or none.
    Asked(Option<Found>),
}

/// The path with its letters from A to Z in lower case, in the place that is given.
fn folded<'b>(path: &str, place: &'b mut [u8]) -> Option<&'b str> {
    let place = place.get_mut(..path.len())?;
    place.copy_from_slice(path.as_bytes());
    place.make_ascii_lowercase();
    std::str::from_utf8(place).ok()
}

impl Area {
    /// The bit of a named action; 0 where the area has none of that name.
    pub(crate) fn action_bit(&self, name: &str) -> u64 {
        self.place_of(name).map_or(0, bit)
    }

    /// The place of a named action.
    pub(crate) fn place_of(&self, name: &str) -> Option<usize> {
        self.actions.iter().position(|action| **action == *name)
    }

    /// An action's name.
    pub(crate) fn action(&self, place: usize) -> &str {
        self.actions.get(place).map_or("", |name| name)
    }
}

impl Ground {
    pub(crate) fn of(rule: &Rule, open_to: OpenTo) -> Self {
        Self {
            area: rule.area,
            open_to,
            list: rule.list,
        }
    }

    pub(crate) fn need(self, verb: Verb) -> Need {
        match self.list {
            List::Paths => Need::Level(verb.level()),
            List::ManageAlso => Need::Level(Level::Manage),
            List::ViewAlso => Need::Level(Level::View),
            List::Action(action) => Need::Action(usize::from(action), verb.level()),
        }
    }
}

impl Rule {
    /// As it was written, in lower case where the site folds letters: `/devices/**` or `GET /devices/*/delete`.
    pub(crate) fn text(&self) -> String {
        match self.verb {
            Some(verb) => format!("{} {}", verb.as_str(), self.pattern),
            None => self.pattern.to_string(),
        }
    }
}

impl Need {
    /// View or manage.
    pub(crate) fn level(self) -> Level {
        match self {
            Self::Level(level) | Self::Action(_, level) => level,
        }
    }
}

/// The bit of the action in this place; places are below [`ACTIONS_MAX`].
pub(crate) fn bit(place: usize) -> u64 {
    u32::try_from(place)
        .ok()
        .and_then(|place| 1_u64.checked_shl(place))
        .unwrap_or(0)
}
