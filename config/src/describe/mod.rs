//! What may stand in the two files: the one description that everything else is made from.

mod building;
mod leniencies;
mod people;
mod policy;
mod reference;
mod schema;

pub use building::BUILDING;
pub use policy::POLICY;
pub use reference::{policy_reference, settings_reference};
pub use schema::{building_schema, policy_schema};

/// What a value must be.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text; the words say of what, with their article: "a host name".
    Text(&'static str),
    /// `true` or `false`.
    Flag,
    /// A whole number between the two, both included.
    Count(u64, u64),
    /// A length of time above zero: `"90s"`.
    Duration,
    /// An amount of bytes: a number, or a text such as `"100MiB"`.
    Bytes,
    /// An address and a port: `"127.0.0.1:8080"`.
    Address,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any number of one kind.
    List(&'static Kind),
    /// One, or a list of them.
    OneOrMore(&'static Kind),
    /// A table whose keys are names of the operator's own: the word says of what.
    Named(&'static str, &'static Kind),
    /// A table with these keys.
    Table(&'static [Setting]),
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The key.
    pub name: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// One line about it.
    pub doc: &'static str,
    /// The value where the key is absent, as TOML.
    pub default: Option<&'static str>,
    /// What holds where the key is absent and has no default.
    pub absent: &'static str,
    /// Whether the file is at fault without it.
    pub required: bool,
    /// Whether the value may never be shown; its environment name has a `_FILE` form.
    pub secret: bool,
    /// Whether a change needs a restart.
    pub fixed: bool,
}

impl Setting {
    /// A setting that may be absent.
    const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self {
            name,
            kind,
            doc,
            default: None,
            absent: "",
            required: false,
            secret: false,
            fixed: false,
        }
    }
    const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
    const fn absent(mut self, meaning: &'static str) -> Self {
        self.absent = meaning;
        self
    }
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }
    const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
    const fn fixed(mut self) -> Self {
        self.fixed = true;
        self
    }
}

impl Kind {
    /// What it is called in a fault and in the reference.
    pub fn words(&self) -> String {
        match self {
            Self::Text(words) => (*words).to_owned(),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Count(least, most) if *most == u64::from(u32::MAX) => format!("a whole number of at least {least}"),
            Self::Count(least, most) => format!("a whole number from {least} to {most}"),
            Self::Duration => "a length of time such as `\"90s\"`, `\"30m\"`, `\"12h\"` or `\"30d\"`".to_owned(),
            Self::Bytes => "an amount of bytes such as `65536`, `\"64KiB\"` or `\"100MiB\"`".to_owned(),
            Self::Address => "an address and a port such as `\"127.0.0.1:8080\"`".to_owned(),
            Self::Choice(words) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
                format!("one of {}", quoted.join(", "))
            }
            Self::List(of) => format!("a list, each {}", of.words()),
            Self::OneOrMore(of) => format!("{}, or a list of such", of.words()),
            Self::Named(what, _) => format!("a table, one entry a {what}"),
            Self::Table(_) => "a table".to_owned(),
        }
    }
}

/// A setting with the way to it; `NAME` stands for a name of the operator's own.
#[derive(Debug, Clone)]
pub struct Described {
    /// The keys from the top.
    pub path: Vec<&'static str>,
    /// The setting itself.
    pub setting: &'static Setting,
}

/// Every setting below `table` that holds a value itself, in the order of the description.
pub fn leaves(table: &'static [Setting]) -> Vec<Described> {
    let mut found = Vec::new();
    collect(table, &[], &mut found);
    found
}

fn collect(table: &'static [Setting], above: &[&'static str], found: &mut Vec<Described>) {
    for setting in table {
        let mut path = above.to_vec();
        path.push(setting.name);
        match setting.kind {
            Kind::Table(inner) => collect(inner, &path, found),
            Kind::Named(_, Kind::Table(inner)) => {
                path.push("NAME");
                collect(inner, &path, found);
            }
            _ => found.push(Described { path, setting }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_described_and_says_what_holds_without_it() {
        for Described { path, setting } in leaves(BUILDING).into_iter().chain(leaves(POLICY)) {
            assert!(!setting.doc.is_empty(), "{path:?} has no description");
            let known = setting.required || setting.default.is_some() || !setting.absent.is_empty();
            assert!(known, "{path:?} does not say what holds without it");
        }
    }
}
