//! From the tree to typed values, by the description: unknown keys, wrong types, defaults.

use stagedoor_policy::fault::{Fault, Key, KeyPath};

use crate::describe::{Kind, Setting};
use crate::fault::quoted;
use crate::fields::{Fields, Value};
use crate::nearest::nearest;
use crate::quantity;
use crate::tree::{Entries, Node, Raw, Spot};

/// Something wrong, and which half of the entry to point at.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) fault: Fault,
    pub(crate) spot: Spot,
    pub(crate) secret: bool,
}

/// Reads a whole file.
pub(crate) fn read(root: &Node, table: &'static [Setting]) -> (Fields, Findings) {
    let mut findings = Findings::default();
    let fields = match &root.value {
        Raw::Table(entries) => findings.table(entries, table, &KeyPath::default()),
        _ => Fields::default(),
    };
    (fields, findings)
}

/// What was found on the way.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) list: Vec<Finding>,
    /// Values that were no good or are missing: what later checks say of them would be an echo.
    maimed: Vec<KeyPath>,
    /// Values that may never be shown.
    secrets: Vec<KeyPath>,
}

impl Findings {
    /// Adds what a later check found, unless it only echoes a value that was no good.
    pub(crate) fn add(&mut self, fault: Fault) {
        let keys = fault.at.0.as_slice();
        let above = |maimed: &KeyPath| maimed.0.split_last().is_some_and(|(_, above)| keys == above);
        let echo = self
            .maimed
            .iter()
            .any(|maimed| keys.starts_with(&maimed.0) || above(maimed));
        if echo {
            return;
        }
        // A fault that names the key is about the key: `no site has an area `setings``.
        let about_key = match keys.last() {
            Some(Key::Name(name)) => fault.message.contains(&quoted(name)),
            _ => false,
        };
        self.push(fault, if about_key { Spot::Key } else { Spot::Value });
    }

    fn table(&mut self, entries: &Entries, settings: &'static [Setting], at: &KeyPath) -> Fields {
        for name in entries.keys() {
            if !settings.iter().any(|setting| setting.name == name) {
                self.unknown(name, settings, at);
            }
        }
        let read = |setting: &'static Setting| Some((setting.name, self.setting(entries, setting, at)?));
        Fields::of(settings.iter().filter_map(read))
    }

    fn setting(&mut self, entries: &Entries, setting: &'static Setting, at: &KeyPath) -> Option<Value> {
        let here = at.key(setting.name);
        let Some((_, node)) = entries.get(setting.name) else {
            return self.absent(setting, at);
        };
        if setting.secret {
            self.secrets.push(here.clone());
        }
        let value = self.value(node, &setting.kind, &here);
        if value.is_none() {
            self.maimed.push(here);
            return default(setting);
        }
        value
    }

    fn absent(&mut self, setting: &'static Setting, at: &KeyPath) -> Option<Value> {
        if setting.required {
            let message = format!("`{}` is missing", setting.name);
            self.fault(
                at,
                Spot::Key,
                message,
                Some(format!("add it: {}", setting.kind.words())),
            );
            self.maimed.push(at.key(setting.name));
        }
        default(setting)
    }

    fn value(&mut self, node: &Node, kind: &'static Kind, at: &KeyPath) -> Option<Value> {
        match (kind, &node.value) {
            (Kind::Text(_), Raw::Text(text)) => Some(Value::Text(text.clone())),
            (Kind::Flag, Raw::Flag(flag)) => Some(Value::Flag(*flag)),
            (Kind::Count(least, most), Raw::Number(number)) => self.count(*number, *least, *most, at),
            (Kind::Duration, Raw::Text(text)) => {
                self.quantity(text, quantity::duration(text).map(Value::Duration), kind, at)
            }
            (Kind::Bytes, Raw::Text(text)) => self.quantity(text, quantity::bytes(text).map(Value::Bytes), kind, at),
            (Kind::Bytes, Raw::Number(number)) => {
                let bytes = number.and_then(|number| u64::try_from(number).ok()).map(Value::Bytes);
                bytes.or_else(|| self.wrong(node, kind, at))
            }
            (Kind::Address, Raw::Text(text)) => {
                let address = text
                    .parse()
                    .map(Value::Address)
                    .map_err(|_| "is not an address and a port");
                self.quantity(text, address, kind, at)
            }
            (Kind::Choice(words), Raw::Text(text)) => self.choice(text, words, at),
            (Kind::List(of) | Kind::OneOrMore(of), Raw::List(items)) => Some(self.list_of(items, of, at)),
            (Kind::OneOrMore(of), _) => Some(Value::List(vec![self.value(node, of, at)?])),
            (Kind::Named(_, of), Raw::Table(entries)) => Some(self.named(entries, of, at)),
            (Kind::Table(settings), Raw::Table(entries)) => Some(Value::Table(self.table(entries, settings, at))),
            _ => self.wrong(node, kind, at),
        }
    }

    fn list_of(&mut self, items: &[Node], of: &'static Kind, at: &KeyPath) -> Value {
        let mut good = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match self.value(item, of, &at.index(index)) {
                Some(value) => good.push(value),
                None => self.maimed.push(at.clone()),
            }
        }
        Value::List(good)
    }

    fn named(&mut self, entries: &Entries, of: &'static Kind, at: &KeyPath) -> Value {
        let mut good = Vec::with_capacity(entries.len());
        for (name, (_, node)) in entries {
            match self.value(node, of, &at.key(name)) {
                Some(value) => good.push((name.clone(), value)),
                None => self.maimed.push(at.key(name)),
            }
        }
        Value::Named(good)
    }

    fn count(&mut self, number: Option<i64>, least: u64, most: u64, at: &KeyPath) -> Option<Value> {
        let count = number.and_then(|number| u64::try_from(number).ok());
        if let Some(count) = count.filter(|count| (least..=most).contains(count)) {
            return Some(Value::Count(count));
        }
        let message = format!("the number must lie between {least} and {most}");
        self.fault(at, Spot::Value, message, None);
        None
    }

    fn quantity(
        &mut self,
        text: &str,
        parsed: Result<Value, &'static str>,
        kind: &'static Kind,
        at: &KeyPath,
    ) -> Option<Value> {
        if let Err(why) = parsed {
            self.fault(
                at,
                Spot::Value,
                format!("{} {why}", quoted(text)),
                Some(format!("write {}", kind.words())),
            );
        }
        parsed.ok()
    }

    fn choice(&mut self, text: &str, words: &'static [&'static str], at: &KeyPath) -> Option<Value> {
        if words.contains(&text) {
            return Some(Value::Text(text.to_owned()));
        }
        let help = match nearest(text, words.iter().copied()) {
            Some(word) => format!("did you mean `\"{word}\"`?"),
            None => format!("write {}", Kind::Choice(words).words()),
        };
        self.fault(
            at,
            Spot::Value,
            format!("{} is not known here", quoted(text)),
            Some(help),
        );
        None
    }

    fn wrong(&mut self, node: &Node, kind: &'static Kind, at: &KeyPath) -> Option<Value> {
        let message = format!("expected {}, found {}", kind.words(), node.value.words());
        self.fault(at, Spot::Value, message, None);
        None
    }

    fn unknown(&mut self, name: &str, settings: &'static [Setting], at: &KeyPath) {
        let help = match nearest(name, settings.iter().map(|setting| setting.name)) {
            Some(key) => format!("did you mean `{key}`?"),
            None => {
                let keys: Vec<String> = settings.iter().map(|setting| format!("`{}`", setting.name)).collect();
                format!("there are {}", keys.join(", "))
            }
        };
        self.fault(
            &at.key(name),
            Spot::Key,
            format!("unknown key {}", quoted(name)),
            Some(help),
        );
    }

    fn fault(&mut self, at: &KeyPath, spot: Spot, message: String, help: Option<String>) {
        let at = at.clone();
        self.push(Fault { at, message, help }, spot);
    }

    fn push(&mut self, fault: Fault, spot: Spot) {
        let secret = self.secrets.iter().any(|secret| fault.at.0.starts_with(&secret.0));
        self.list.push(Finding { fault, spot, secret });
    }
}

/// The value where nobody gave one; a table always has the defaults of its keys.
fn default(setting: &'static Setting) -> Option<Value> {
    let mut unheard = Findings::default();
    if let Kind::Table(settings) = setting.kind {
        return Some(Value::Table(unheard.table(
            &Entries::new(),
            settings,
            &KeyPath::default(),
        )));
    }
    let (root, _) = Node::parse(&format!("value = {}", setting.default?));
    let Raw::Table(entries) = root.value else { return None };
    unheard.value(&entries.get("value")?.1, &setting.kind, &KeyPath::default())
}
