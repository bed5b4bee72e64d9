//! The closed vocabulary of the audit: who, what, from where, decision, rule, revision, request. Never a secret.

use std::net::IpAddr;

use serde::Serialize;
use stagedoor_policy::time::Timestamp;

/// One line of the audit, before it has its number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// When, in microseconds since the epoch.
    pub at_micros: i64,
    /// What happened; one of [`Kind`]'s names.
    pub kind: Kind,
    /// Who did it: an account's name, `token:NAME`, `cli`, `system`; empty where nobody is known.
    pub actor: String,
    /// The account it was done to or tried with, by name. A name no account has is written as `unknown` with a hash prefix,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

/// What happened. `name()` is the stable dotted name: `sign_in.succeeded`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Kind {
    /// A request was refused.
    #[serde(rename = "request.refused")]
    RequestRefused,
    /// A sign-in went all the way.
    #[serde(rename = "sign_in.succeeded")]
    SignInSucceeded,
    // sign_in.failed sign_in.refused account.locked account.unlocked session.displaced session.ended session.signed_out
    // password.changed password.reset second_factor.enrolled second_factor.reset second_factor.failed recovery_code.used
    // account.created account.changed account.removed account.banned account.reinstated policy.changed policy.rejected
    // sites.reloaded token.created token.revoked door.started door.stopped upstream.failed: one variant each
}

/// A line of the audit, as stored.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
