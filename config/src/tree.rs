//! A file as a tree in which every key and value knows where it stands.

use std::collections::BTreeMap;
use std::ops::Range;

use stagedoor_policy::fault::{Key, KeyPath};
use toml::de::{DeTable, DeValue};

/// Where something was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// In the file, at these bytes.
    File(Range<usize>),
    /// Elsewhere: the name of the environment variable or of the argument.
    Outside(String),
}

/// A value, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) value: Raw,
}

/// A value as TOML knows it.
#[derive(Debug, Clone)]
pub(crate) enum Raw {
    Text(String),
    /// `None` where it does not fit.
    Number(Option<i64>),
    Flag(bool),
    List(Vec<Node>),
    Table(Entries),
    /// A float or a date: nothing of ours is one. Carries TOML's word for it.
    Other(&'static str),
}

/// The keys of a table, each with where the key itself stands.
pub(crate) type Entries = BTreeMap<String, (Origin, Node)>;

impl Raw {
    /// What it is, with its article.
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Flag(_) => "`true` or `false`",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(words) => words,
        }
    }
}

impl Node {
    /// An empty table that nobody wrote.
    pub(crate) fn empty() -> Self {
        Self {
            origin: Origin::File(0..0),
            value: Raw::Table(Entries::new()),
        }
    }

    /// Parses a file: the tree as far as it can be told, and every fault of syntax.
    pub(crate) fn parse(text: &str) -> (Self, Vec<(Range<usize>, String)>) {
        let (table, errors) = DeTable::parse_recoverable(text);
        let errors = errors.iter().map(|error| {
            (
                error.span().unwrap_or(text.len()..text.len()),
                error.message().to_owned(),
            )
        });
        let root = Self {
            origin: Origin::File(0..0),
            value: Raw::Table(entries(table.get_ref())),
        };
        let mut errors: Vec<_> = errors.collect();
        errors.sort_by_key(|(span, _)| span.start);
        (root, errors)
    }

    /// Where the value at `path` stands, or the nearest thing above it that exists. A table is pointed at by its key.
    pub(crate) fn locate(&self, path: &KeyPath, spot: Spot) -> &Origin {
        let mut node = self;
        let mut key_origin = &self.origin;
        for key in &path.0 {
            let next = match (&node.value, key) {
                (Raw::Table(entries), Key::Name(name)) => entries.get(name).map(|(key, node)| (key, node)),
                (Raw::List(items), Key::Index(index)) => items.get(*index).map(|node| (&node.origin, node)),
                _ => None,
            };
            let Some((key, below)) = next else {
                return if matches!(node.value, Raw::Table(_)) {
                    key_origin
                } else {
                    &node.origin
                };
            };
            (key_origin, node) = (key, below);
        }
        match (spot, &node.value) {
            (Spot::Key, _) | (Spot::Value, Raw::Table(_)) => key_origin,
            (Spot::Value, _) => &node.origin,
        }
    }

    /// Puts `value` at `path`, over what is there, as said by `outside`.
    pub(crate) fn put(&mut self, path: &[String], value: Raw, outside: &str) {
        let origin = Origin::Outside(outside.to_owned());
        let Some((key, below)) = path.split_first() else {
            *self = Self { origin, value };
            return;
        };
        if !matches!(self.value, Raw::Table(_)) {
            self.value = Raw::Table(Entries::new());
        }
        if let Raw::Table(entries) = &mut self.value {
            let fresh = || {
                (
                    origin.clone(),
                    Self {
                        origin: origin.clone(),
                        value: Raw::Table(Entries::new()),
                    },
                )
            };
            let (_, node) = entries.entry(key.clone()).or_insert_with(fresh);
            node.put(below, value, outside);
        }
    }

    /// The names in the table at the top-level key `key`.
    pub(crate) fn names_in(&self, key: &str) -> Vec<String> {
        let Raw::Table(entries) = &self.value else {
            return Vec::new();
        };
        match entries.get(key).map(|(_, node)| &node.value) {
            Some(Raw::Table(inner)) => inner.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }
}

/// Which half of `key = value` a fault points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spot {
    Key,
    Value,
}

fn entries(table: &DeTable<'_>) -> Entries {
    let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        (name.clone().into_owned(), (Origin::File(key.span()), node(value)))
    };
    table.iter().map(entry).collect()
}

fn node(value: &toml::Spanned<DeValue<'_>>) -> Node {
    let raw = match value.get_ref() {
        DeValue::String(text) => Raw::Text(text.clone().into_owned()),
        DeValue::Integer(number) => Raw::Number(i64::from_str_radix(number.as_str(), number.radix()).ok()),
        DeValue::Float(_) => Raw::Other("a fraction"),
        DeValue::Boolean(flag) => Raw::Flag(*flag),
        DeValue::Datetime(_) => Raw::Other("a date or time"),
        DeValue::Array(items) => Raw::List(items.iter().map(node).collect()),
        DeValue::Table(table) => Raw::Table(entries(table)),
    };
    Node {
        origin: Origin::File(value.span()),
        value: raw,
    }
}
