//! What goes wrong inside a step, and the sentence it becomes.

use std::path::Path;

use rusqlite::ErrorCode;
use stagedoor_identity::port::StoreError;

/// Why a step did not do it. What the domain knows passes through; the rest becomes [`StoreError::Engine`].
#[derive(Debug)]
pub(super) enum Fault {
    NotFound,
    NameTaken,
    VersionMismatch,
    /// A rule that came in with the step, or anything else that the domain has a word for.
    Refused(StoreError),
    OutboxFull {
        letters_max: u32,
    },
    Engine(rusqlite::Error),
    /// A stored value that cannot be read back; says which.
    Damaged(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<StoreError> for Fault {
    fn from(refused: StoreError) -> Self {
        Self::Refused(refused)
    }
}

impl Fault {
    /// For the log and the operator.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Engine(error) => describe(error),
            Self::Damaged(what) => format!("{what} cannot be read back: the file is damaged, restore a backup"),
            Self::NotFound => StoreError::NotFound.to_string(),
            Self::NameTaken => StoreError::NameTaken.to_string(),
            Self::VersionMismatch => StoreError::VersionMismatch.to_string(),
            Self::Refused(refused) => refused.to_string(),
            Self::OutboxFull { letters_max } => StoreError::OutboxFull {
                letters_max: *letters_max,
            }
            .to_string(),
        }
    }

    pub(super) fn into_store_error(self, operation: &'static str, file: &Path) -> StoreError {
        match self {
            Self::NotFound => StoreError::NotFound,
            Self::NameTaken => StoreError::NameTaken,
            Self::VersionMismatch => StoreError::VersionMismatch,
            Self::Refused(refused) => refused,
            Self::OutboxFull { letters_max } => StoreError::OutboxFull { letters_max },
            Self::Engine(_) | Self::Damaged(_) => engine(operation, file, &self.describe()),
        }
    }
}

/// An engine error that says what was tried, where, and what became of it.
pub(super) fn engine(operation: &'static str, file: &Path, what: &str) -> StoreError {
    StoreError::Engine(format!("{operation} in `{}`: {what}", file.display()))
}

/// What SQLite says, and what to do. Statements carry no values, so nothing secret can be in it.
pub(super) fn describe(error: &rusqlite::Error) -> String {
    let advice = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "make room on the disk",
        Some(ErrorCode::SystemIoFailure) => "check the disk, its room and its quotas",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another process has held the file for too long",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => "the file is damaged, restore a backup",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "check who owns the data folder and whether it is mounted read-only"
        }
        _ => return error.to_string(),
    };
    format!("{error}: {advice}")
}
