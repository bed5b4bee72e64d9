//! What some servers are known to read differently although the strict rules let it through, and what it takes to see that
//! nothing else is the cause.

use stagedoor_tests::server::REST;

use super::round::Disagreement;

/// A reading of a server's own.
pub(super) struct Habit {
    /// As docs/threats.md calls it.
    pub(super) name: &'static str,
    /// Who has it.
    pub(super) servers: &'static [&'static str],
    /// Whether it, and nothing else, explains the disagreement.
    explains: fn(&Disagreement) -> bool,
}

/// Every one that is known. A disagreement that none explains fails the test; so does a habit that nobody shows any more.
pub(super) const HABITS: [Habit; 2] = [
    Habit {
        name: "an alias without its slash",
        servers: &["nginx careless"],
        explains: |found| {
            let first = found.path().trim_start_matches('/').split('/').next();
            let glued = first.and_then(|first| first.strip_prefix("static"));
            found.judged == REST && glued.is_some_and(|glued| glued.starts_with('.'))
        },
    },
    Habit {
        name: "a colon and a number in a path",
        servers: &["Apache", "Apache forgiving", "nginx", "lighttpd"],
        explains: |found| {
            let is_port = |digits: &str| digits.split('/').next().is_some_and(|port| port.parse::<u16>().is_ok());
            found.resolved == REST && found.path().split(':').skip(1).any(is_port)
        },
    },
];

/// The habit that explains what was found.
pub(super) fn explained(found: &Disagreement) -> Option<&'static str> {
    HABITS
        .iter()
        .find(|habit| habit.servers.contains(&found.server) && (habit.explains)(found))
        .map(|habit| habit.name)
}
