//! What is wrong with a policy, and where: a path of keys, which the reader of the file turns into a line and a column.

use std::fmt;

/// One step on the way to a value in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A key of a table.
    Name(String),
    /// An element of an array, counted from 0.
    Index(usize),
}

/// The way to a value: `site.console.areas.devices.paths[2]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct KeyPath(pub Vec<Key>);

impl KeyPath {
    /// The path of these table keys.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().map(|name| Key::Name(name.to_owned())).collect())
    }

    /// This path, one table key further.
    #[must_use]
    pub fn key(&self, name: impl Into<String>) -> Self {
        let mut path = self.clone();
        path.0.push(Key::Name(name.into()));
        path
    }

    /// This path, one array element further.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.0.push(Key::Index(index));
        path
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, key) in self.0.iter().enumerate() {
            match key {
                Key::Name(name) if position == 0 => write!(f, "{name}")?,
                Key::Name(name) => write!(f, ".{name}")?,
                Key::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// One thing that is wrong. A policy with a fault is not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands.
    pub at: KeyPath,
    /// What is wrong: lower case, no full stop, user input in backticks.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}
