//! Typed values on their way to the types of the building and the policy.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// A value of the kind that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Flag(bool),
    Count(u64),
    Duration(Duration),
    Bytes(u64),
    Address(SocketAddr),
    List(Vec<Value>),
    Named(Vec<(String, Value)>),
    Table(Fields),
}

/// The values of a table. Each is taken out once; [`Fields::done`] makes sure that none was forgotten.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Fields(BTreeMap<&'static str, Value>);

macro_rules! take {
    ($name:ident, $variant:ident, $type:ty) => {
        pub(crate) fn $name(&mut self, key: &str) -> Option<$type> {
            match self.0.remove(key) {
                Some(Value::$variant(value)) => Some(value),
                _ => None,
            }
        }
    };
}

impl Fields {
    pub(crate) fn of(entries: impl Iterator<Item = (&'static str, Value)>) -> Self {
        Self(entries.collect())
    }

    take!(text, Text, String);
    take!(flag, Flag, bool);
    take!(count, Count, u64);
    take!(duration, Duration, Duration);
    take!(bytes, Bytes, u64);
    take!(address, Address, SocketAddr);
    take!(list, List, Vec<Value>);

    pub(crate) fn table(&mut self, key: &str) -> Self {
        match self.0.remove(key) {
            Some(Value::Table(fields)) => fields,
            _ => Self::default(),
        }
    }

    /// The entries of a table of the operator's own names.
    pub(crate) fn named(&mut self, key: &str) -> Vec<(String, Value)> {
        match self.0.remove(key) {
            Some(Value::Named(entries)) => entries,
            _ => Vec::new(),
        }
    }

    /// The same, where every entry is a table.
    pub(crate) fn tables(&mut self, key: &str) -> Vec<(String, Self)> {
        let table = |(name, value)| match value {
            Value::Table(fields) => Some((name, fields)),
            _ => None,
        };
        self.named(key).into_iter().filter_map(table).collect()
    }

    pub(crate) fn texts(&mut self, key: &str) -> Option<Vec<String>> {
        Some(texts(self.list(key)?))
    }

    pub(crate) fn addresses(&mut self, key: &str) -> Vec<SocketAddr> {
        let address = |value| match value {
            Value::Address(address) => Some(address),
            _ => None,
        };
        self.list(key)
            .unwrap_or_default()
            .into_iter()
            .filter_map(address)
            .collect()
    }

    /// To be called when everything was taken: a setting that is described but never read is a bug.
    pub(crate) fn done(self) {
        debug_assert!(self.0.is_empty(), "described, but not read: {:?}", self.0);
    }
}

/// The texts of a list.
pub(crate) fn texts(list: Vec<Value>) -> Vec<String> {
    let text = |value| match value {
        Value::Text(text) => Some(text),
        _ => None,
    };
    list.into_iter().filter_map(text).collect()
}
