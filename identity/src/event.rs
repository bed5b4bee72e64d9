//! The closed vocabulary of the audit: who, what, from where, decision, rule, revision, request. Never a secret.

mod kind;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use stagedoor_policy::time::Timestamp;

pub use kind::Kind;

use crate::Actor;
use crate::session::SessionId;

/// The longest text of one field that is kept, in characters.
const TEXT_CHARS_MAX: usize = 512;

/// One line of the audit, before it has its number. Begin with [`Event::new`]; what others typed goes in through the methods,
/// which escape control characters and cut what is overlong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, in microseconds since the epoch.
    pub at_micros: i64,
    /// What happened; one of [`Kind`]'s names.
    pub kind: Kind,
    /// Who did it: an account's name, `token:NAME`, `cli`, `system`; empty where nobody is known.
    pub actor: String,
    /// The account it was done to or tried with, by name. A name no account has is written as `unknown:` with a hash prefix,
    /// since people type passwords there.
    pub account: Option<String>,
    /// From where.
    pub address: Option<IpAddr>,
    /// `allowed`, `refused`, `done`, `failed`.
    pub outcome: Outcome,
    /// A stable code: a refusal's code, a reason.
    pub reason: Option<String>,
    /// The rule's key path in the policy.
    pub rule: Option<String>,
    /// Site by name.
    pub site: Option<String>,
    /// Area by name.
    pub area: Option<String>,
    /// Method and canonical path without the query, at most 512 characters.
    pub target: Option<String>,
    /// The policy it was judged by.
    pub policy_revision: Option<u64>,
    /// Which request.
    pub request_id: Option<String>,
    /// What the visitor was shown.
    pub support_code: Option<String>,
    /// Which session, by public name.
    pub session: Option<String>,
    /// What else is to be known: key and value, both short.
    pub details: Vec<(String, String)>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A request or sign-in was let through.
    Allowed,
    /// A request or sign-in was not.
    Refused,
    /// A change was made.
    Done,
    /// Something was tried and did not work.
    Failed,
}

impl Outcome {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// The outcome of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Allowed, Self::Refused, Self::Done, Self::Failed]
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}

impl Event {
    /// An event of nobody known.
    pub fn new(kind: Kind, outcome: Outcome, now: Timestamp) -> Self {
        Self {
            at_micros: now.as_micros(),
            kind,
            actor: String::new(),
            account: None,
            address: None,
            outcome,
            reason: None,
            rule: None,
            site: None,
            area: None,
            target: None,
            policy_revision: None,
            request_id: None,
            support_code: None,
            session: None,
            details: Vec::new(),
        }
    }

    /// Something an administrator or program did.
    pub fn done(kind: Kind, by: &Actor, now: Timestamp) -> Self {
        let mut event = Self::new(kind, Outcome::Done, now).actor(by.name());
        event.address = by.address;
        event.request_id = by.request_id.as_deref().map(printable);
        event
    }

    /// Something the door did by itself.
    pub fn by_itself(kind: Kind, outcome: Outcome, now: Timestamp) -> Self {
        Self::new(kind, outcome, now).actor("system")
    }

    /// See [`Event::actor`].
    #[must_use]
    pub fn actor(mut self, name: &str) -> Self {
        self.actor = printable(name);
        self
    }

    /// See [`Event::account`]. Only names that an account has, or what stands in for an unknown one.
    #[must_use]
    pub fn account(mut self, name: &str) -> Self {
        self.account = Some(printable(name));
        self
    }

    /// See [`Event::address`].
    #[must_use]
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// See [`Event::reason`].
    #[must_use]
    pub fn reason(mut self, code: &str) -> Self {
        self.reason = Some(printable(code));
        self
    }

    /// See [`Event::rule`].
    #[must_use]
    pub fn rule(mut self, key_path: &str) -> Self {
        self.rule = Some(printable(key_path));
        self
    }

    /// See [`Event::site`] and [`Event::area`].
    #[must_use]
    pub fn place(mut self, site: &str, area: Option<&str>) -> Self {
        self.site = Some(printable(site));
        self.area = area.map(printable);
        self
    }

    /// See [`Event::target`].
    #[must_use]
    pub fn target(mut self, method: &str, path: &str) -> Self {
        self.target = Some(printable(&format!("{method} {path}")));
        self
    }

    /// See [`Event::policy_revision`].
    #[must_use]
    pub fn revision(mut self, revision: stagedoor_policy::Revision) -> Self {
        self.policy_revision = Some(revision.0);
        self
    }

    /// See [`Event::request_id`] and [`Event::support_code`].
    #[must_use]
    pub fn request(mut self, request_id: &str, support_code: Option<&str>) -> Self {
        self.request_id = Some(printable(request_id));
        self.support_code = support_code.map(printable);
        self
    }

    /// See [`Event::session`].
    #[must_use]
    pub fn session(mut self, session: SessionId) -> Self {
        self.session = Some(session.0.to_string());
        self
    }

    /// See [`Event::details`].
    #[must_use]
    pub fn detail(mut self, key: &str, value: impl AsRef<str>) -> Self {
        self.details.push((printable(key), printable(value.as_ref())));
        self
    }
}

/// Control characters escaped, so that no line of a log or terminal can be forged; cut to the length that is kept.
fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len().min(TEXT_CHARS_MAX));
    for character in text.chars().take(TEXT_CHARS_MAX) {
        if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}') {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// A line of the audit, as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// Rises by one with each event; no gaps.
    pub number: u64,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

/// A search in the audit, newest first.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Only this account (as actor or as the one it was done to).
    pub account: Option<String>,
    /// Only this kind, by name.
    pub kind: Option<String>,
    /// Only this support code.
    pub support_code: Option<String>,
    /// Only numbers below this one (paging).
    pub before: Option<u64>,
    /// At most this many; 1 to 1,000.
    pub limit: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event::new(Kind::SignInFailed, Outcome::Failed, Timestamp::from_micros(7))
    }

    #[test]
    fn a_line_break_in_a_value_cannot_forge_a_line_of_the_audit() {
        let forged = event()
            .actor("bob\r\nroot signed in")
            .detail("agent", "a\u{1b}[2Jb\u{202e}");
        assert_eq!(forged.actor, "bob\\u{d}\\u{a}root signed in");
        assert_eq!(
            forged.details,
            [("agent".to_owned(), "a\\u{1b}[2Jb\\u{202e}".to_owned())]
        );
    }

    #[test]
    fn an_overlong_target_is_cut_to_512_characters() {
        let long = event().target("GET", &"/ä".repeat(1000));
        assert_eq!(long.target.unwrap().chars().count(), 512);
    }

    #[test]
    fn an_event_survives_being_written_and_read() {
        let stored = StoredEvent {
            number: 3,
            event: event()
                .reason("invalid_credentials")
                .address("192.0.2.7".parse().unwrap()),
        };
        let text = serde_json::to_string(&stored).unwrap();
        assert_eq!(serde_json::from_str::<StoredEvent>(&text).unwrap(), stored);
    }
}
