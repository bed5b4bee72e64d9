//! What happened, as clients saw it and as the doors wrote it down. A checker reads nothing else.

use std::collections::BTreeMap;

/// Microseconds since the run began, by the one clock of the test.
pub(crate) type Micros = u64;

/// A client's operation: from before its first byte was sent until its answer was whole, or it was given up.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) door: usize,
    pub(crate) began: Micros,
    pub(crate) ended: Micros,
    pub(crate) account: String,
    pub(crate) deed: Deed,
    pub(crate) answer: Answer,
    /// What the audit or the access log has it under: a support code of a refusal, a request's id of what was served.
    pub(crate) known_as: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// With the right password. Where it succeeds, which session it opened, by the test's count.
    SignIn(Option<usize>),
    SignOut(usize),
    /// An administrator ends every session of the account.
    EndAll,
    Disable,
    Enable,
    /// Whether the account may see what is private from now on.
    MaySeePrivate(bool),
    Ask {
        session: usize,
        page: Page,
        way: Way,
    },
    /// With a wrong password.
    Guess,
    /// With the code of that half minute.
    UseCode(u64),
    /// Which edition, and its revision where that was answered.
    PutPolicy(u64, Option<u64>),
    ReadPolicy(Option<u64>),
    /// An account is made that was not there.
    Create,
    /// Two fields of the account are set to this number at once.
    Edit(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// For whoever is signed in.
    Any,
    /// For one role.
    Private,
    /// For whoever is signed in, where the policy's edition is even.
    Changing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Request,
    /// A message over a WebSocket that was open already, and the console's answer to it.
    Message,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Served, or done.
    Done,
    /// Refused: status and code.
    Refused(u16, String),
    /// The door cannot tell, or cannot do it now; whether it said when to ask again.
    Unavailable { retry_after: bool },
    /// The connection broke, nobody listened, or it took too long.
    Unanswered,
}

impl Answer {
    /// Whether what was asked for may be made later still, or have been made unheard.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Unanswered)
    }
}

/// A door had no way to the store or the other one, from its first moment to its last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CutOff {
    pub(crate) door: usize,
    pub(crate) from: Micros,
    pub(crate) to: Micros,
}

/// A line of a door's access log.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) door: usize,
    pub(crate) revision: u64,
    pub(crate) status: u16,
}

/// An event of the audit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Event {
    pub(crate) number: u64,
    pub(crate) kind: String,
    pub(crate) account: Option<String>,
    pub(crate) support_code: Option<String>,
    pub(crate) revision: Option<u64>,
}

/// What was found when all was quiet again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// By name: role and the two numbers of [`Deed::Edit`].
    pub(crate) accounts: BTreeMap<String, Account>,
    /// Every revision of the policy and its edition.
    pub(crate) policies: BTreeMap<u64, u64>,
    /// The revision in force, by door.
    pub(crate) in_force: Vec<u64>,
    /// How long after the last fault each door served again.
    pub(crate) back_after: Vec<Micros>,
    /// Open descriptors of each door before and after.
    pub(crate) descriptors: Vec<(usize, usize)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) role: String,
    pub(crate) numbers: Vec<u64>,
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) operations: Vec<Operation>,
    pub(crate) cut_off: Vec<CutOff>,
    /// When a door was killed.
    pub(crate) kills: Vec<(usize, Micros)>,
    /// By request.
    pub(crate) lines: BTreeMap<String, Vec<Line>>,
    /// As each door reads it, oldest first.
    pub(crate) audit: Vec<Vec<Event>>,
    pub(crate) found: Found,
}
