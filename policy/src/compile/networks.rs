//! Named networks, which may name each other.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;
use ipnet::IpNet;

use super::{Faults, table};
use crate::fault::KeyPath;
use crate::name::did_you_mean;
use crate::network::{NetworkSet, Prefix};

/// How deep names may name names.
const DEPTH_MAX: usize = 16;

/// Every name, down to prefixes.
pub(super) struct NamedNetworks<'a> {
    lists: &'a BTreeMap<String, Vec<String>>,
    resolved: BTreeMap<&'a str, Resolved>,
}

struct Resolved {
    depth: usize,
    prefixes: Vec<Prefix>,
}

/// The prefixes of one list, without doubles.
struct Gathered {
    prefixes: Vec<Prefix>,
    allowed: HashMap<IpNet, bool, FixedState>,
}

impl<'a> NamedNetworks<'a> {
    pub(super) fn resolve(lists: &'a BTreeMap<String, Vec<String>>, faults: &mut Faults) -> Self {
        let mut named = Self {
            lists,
            resolved: BTreeMap::new(),
        };
        for name in lists.keys() {
            let at = KeyPath::of(["networks", name]);
            faults.check_name(&at, "a network", name);
            named.resolve_name(name, &mut Vec::new(), faults);
        }
        named
    }

    /// A list of a site or a role: as a set, and element by element with the place and the text of each, names resolved.
    pub(super) fn set(
        &self,
        texts: &[String],
        at: &KeyPath,
        faults: &mut Faults,
    ) -> (NetworkSet, Vec<(usize, String, Prefix)>) {
        let mut gathered = Gathered::new();
        let mut elements = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let at = at.index(index);
            let before = gathered.prefixes.len();
            let item = Item::of(text);
            match item {
                Item::Prefix => gathered.add_text(text, &at, faults),
                Item::Name { name, allow } => match self.resolved.get(name) {
                    Some(resolved) => gathered.add_named(name, allow, &resolved.prefixes, &at, faults),
                    None => self.unknown(name, &at, faults),
                },
            }
            for prefix in gathered.prefixes.iter().skip(before) {
                let text = match item {
                    Item::Prefix => text.clone(),
                    Item::Name { .. } => prefix.to_string(),
                };
                elements.push((index, text, *prefix));
            }
        }
        (NetworkSet::of(gathered.prefixes), elements)
    }

    /// Resolves what `name` names first. `way` is how we came here; it holds no name twice and is [`DEPTH_MAX`] long at most.
    fn resolve_name(&mut self, name: &'a str, way: &mut Vec<&'a str>, faults: &mut Faults) {
        if self.resolved.contains_key(name) {
            return;
        }
        let Some(texts) = self.lists.get(name) else { return };
        way.push(name);
        let mut depth = 1;
        let mut gathered = Gathered::new();
        for (index, text) in texts.iter().enumerate() {
            let at = KeyPath::of(["networks", name]).index(index);
            let Item::Name { name: inner, allow } = Item::of(text) else {
                gathered.add_text(text, &at, faults);
                continue;
            };
            if let Some(begin) = way.iter().position(|seen| *seen == inner) {
                let circle: Vec<_> = way
                    .iter()
                    .skip(begin)
                    .chain([&inner])
                    .map(|name| format!("`{name}`"))
                    .collect();
                let message = format!("the networks name each other in a circle: {}", circle.join(" -> "));
                faults.add(at, message, "take one of the names out".to_owned());
                continue;
            }
            if way.len() < DEPTH_MAX {
                self.resolve_name(inner, way, faults);
            }
            match self.resolved.get(inner) {
                Some(resolved) => {
                    depth = depth.max(resolved.depth + 1);
                    gathered.add_named(inner, allow, &resolved.prefixes, &at, faults);
                }
                None if self.lists.contains_key(inner) => depth = DEPTH_MAX + 1,
                None => self.unknown(inner, &at, faults),
            }
            if depth > DEPTH_MAX {
                let message = format!("networks name each other more than {DEPTH_MAX} deep");
                faults.add(
                    KeyPath::of(["networks", name]).index(index),
                    message,
                    "name the prefixes directly".to_owned(),
                );
                depth = 1; // said once; the policy will not be loaded
            }
        }
        way.pop();
        let prefixes = gathered.prefixes;
        self.resolved.insert(name, Resolved { depth, prefixes });
    }

    fn unknown(&self, name: &str, at: &KeyPath, faults: &mut Faults) {
        let hint = did_you_mean(name, self.lists.keys().map(String::as_str));
        let help = hint.unwrap_or_else(|| {
            "name one of `[networks]`, a prefix such as `198.51.100.0/24`, or an address".to_owned()
        });
        faults.add(at.clone(), format!("there is no network `{name}`"), help);
    }
}

/// What an element of a list is. No name has a dot, a colon or a slash, and no prefix is without.
#[derive(Clone, Copy)]
enum Item<'a> {
    Prefix,
    Name { name: &'a str, allow: bool },
}

impl<'a> Item<'a> {
    fn of(text: &'a str) -> Self {
        if text.contains(['.', ':', '/']) {
            return Self::Prefix;
        }
        match text.strip_prefix('!') {
            Some(name) => Self::Name { name, allow: false },
            None => Self::Name {
                name: text,
                allow: true,
            },
        }
    }
}

impl Gathered {
    fn new() -> Self {
        Self {
            prefixes: Vec::new(),
            allowed: table(),
        }
    }

    fn add_text(&mut self, text: &str, at: &KeyPath, faults: &mut Faults) {
        match Prefix::parse(text) {
            Ok(prefix) => self.add(prefix, at, faults),
            Err(why) => faults.add(at.clone(), why, None),
        }
    }

    /// Excepting a list turns what it allows into exceptions. What it excepts itself cannot be turned into anything: as a
    /// prefix that allows it would let in more than the list without it.
    fn add_named(&mut self, name: &str, allow: bool, prefixes: &[Prefix], at: &KeyPath, faults: &mut Faults) {
        if !allow && prefixes.iter().any(|prefix| !prefix.allow) {
            let message = format!("`!{name}` excepts a list that has exceptions of its own");
            faults.add(
                at.clone(),
                message,
                "except a list without exceptions, or the prefixes themselves".to_owned(),
            );
            return;
        }
        for prefix in prefixes {
            let allow = allow && prefix.allow;
            self.add(Prefix { allow, ..*prefix }, at, faults);
        }
    }

    fn add(&mut self, prefix: Prefix, at: &KeyPath, faults: &mut Faults) {
        match self.allowed.insert(prefix.net, prefix.allow) {
            None => self.prefixes.push(prefix),
            Some(before) if before == prefix.allow => {}
            Some(_) => {
                let message = format!("`{}` is both allowed and excepted", prefix.net);
                faults.add(at.clone(), message, "take one of the two out".to_owned());
            }
        }
    }
}
