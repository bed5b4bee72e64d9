//! Which site a host belongs to.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// A host a site answers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// This one, in lower case; an IPv6 address without brackets.
    Exact(String),
    /// Everything below this name, at any depth, the name itself not included: `*.example.com` holds `example.com` here.
    Below(String),
    /// Whatever host the others do not name.
    Any,
}

impl HostPattern {
    /// # Errors
    /// What is wrong with it, to be put after its text.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if let Ok(address) = bare(text).parse::<IpAddr>() {
            return Ok(Self::Exact(address.to_string()));
        }
        if text.contains(':') {
            return Err("must not have a scheme or a port");
        }
        match text.strip_prefix("*.") {
            Some(name) => Ok(Self::Below(host_name(name)?)),
            None => Ok(Self::Exact(host_name(text)?)),
        }
    }
}

impl std::fmt::Display for HostPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Below(name) => write!(f, "*.{name}"),
            Self::Any => f.write_str("*"),
        }
    }
}

/// Hosts to places in a list, as asked for once a request.
#[derive(Debug, Default)]
pub(crate) struct HostTable {
    exact: HashMap<String, usize>,
    below: HashMap<String, usize>,
    any: Option<usize>,
}

impl HostTable {
    pub(crate) fn add(&mut self, pattern: &HostPattern, place: usize) {
        match pattern {
            HostPattern::Exact(name) => drop(self.exact.insert(name.clone(), place)),
            HostPattern::Below(name) => drop(self.below.insert(name.clone(), place)),
            HostPattern::Any => self.any = Some(place),
        }
    }

    /// The place of the pattern that names `host` most exactly.
    pub(crate) fn find(&self, host: &str) -> Option<usize> {
        let host = bare(host);
        if let Some(place) = self.exact.get(host) {
            return Some(*place);
        }
        if !self.exact.is_empty()
            && let Ok(address) = host.parse::<Ipv6Addr>()
            && let Some(place) = self.exact.get(&address.to_string())
        {
            return Some(*place); // another spelling of the same address
        }
        if self.below.is_empty() {
            return self.any;
        }
        let mut rest = host;
        while let Some((_, above)) = rest.split_once('.') {
            if let Some(place) = self.below.get(above) {
                return Some(*place);
            }
            rest = above;
        }
        self.any
    }
}

fn bare(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

/// A name in lower case, without the dot at the end.
pub(crate) fn host_name(text: &str) -> Result<String, &'static str> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(plain);
    if name.len() > 253 || !name.split('.').all(label) {
        return Err("is not a host name: letters, digits and `-`, in parts with dots between");
    }
    if name
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err("ends like an address, and is none");
    }
    Ok(name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(patterns: &[&str]) -> HostTable {
        let mut table = HostTable::default();
        for (place, text) in patterns.iter().enumerate() {
            table.add(&HostPattern::parse(text).expect("a pattern"), place);
        }
        table
    }

    #[test]
    fn the_most_exact_pattern_wins() {
        let table = table(&["*", "*.example.com", "*.b.example.com", "x.b.example.com"]);
        assert_eq!(table.find("x.b.example.com"), Some(3));
        assert_eq!(table.find("y.b.example.com"), Some(2));
        assert_eq!(table.find("deep.a.example.com"), Some(1));
        assert_eq!(table.find("example.com"), Some(0));
        assert_eq!(table.find("notexample.com"), Some(0));
    }

    #[test]
    fn a_host_that_nobody_named_has_no_site() {
        let table = table(&["*.example.com", "203.0.113.7", "[2001:db8::1]"]);
        assert_eq!(table.find("example.com"), None);
        assert_eq!(table.find("203.0.113.8"), None);
        assert_eq!(table.find("203.0.113.7"), Some(1));
        assert_eq!(table.find("[2001:db8:0:0::1]"), Some(2));
        assert_eq!(table.find("2001:db8::1"), Some(2));
    }

    #[test]
    fn patterns_are_names_and_nothing_else() {
        for wrong in [
            "",
            "a..b",
            "http://a",
            "a:80",
            "*.*.a",
            "a/b",
            "a*",
            "*.",
            ".",
            "10.0.0.256",
            "bücher.example",
        ] {
            assert!(HostPattern::parse(wrong).is_err(), "{wrong:?} was taken");
        }
        assert_eq!(
            HostPattern::parse("Console.Example."),
            Ok(HostPattern::Exact("console.example".to_owned()))
        );
    }
}
