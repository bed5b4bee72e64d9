//! Why a change was not made, as a page tells it.

use http::StatusCode;
use stagedoor_identity::port::StoreError;
use stagedoor_identity::{ChangeFault, RefusedWhy};
use stagedoor_policy::Policy;
use stagedoor_policy::rules::MessageKey;

use super::Administrator;
use crate::halt::Halt;

/// What a page says about a change that was not made.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) status: StatusCode,
    /// Field and sentence; a sentence about no field in particular has an empty name.
    pub(super) faults: Vec<(&'static str, String)>,
    /// Somebody else was faster.
    pub(super) outdated: bool,
}

const OUTDATED: &str = "Somebody else changed this account meanwhile, so nothing was done. Look at what it is now, and do it again if it is still right.";
const BUSY: &str = "Too many passwords are being checked right now. Please try again in a second.";

impl Told {
    /// Something wrong with what was typed.
    pub(super) fn unfit(faults: Vec<(&'static str, String)>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            faults,
            outdated: false,
        }
    }

    /// # Errors
    /// What no page can tell: there is no such account any more, or the store failed.
    pub(super) fn of(by: &Administrator<'_>, fault: ChangeFault) -> Result<Self, Halt> {
        let (status, faults) = match fault {
            ChangeFault::Unfit(faults) => return Ok(Self::unfit(faults)),
            ChangeFault::Refused(refused) => (status_of(refused.why), vec![(field_of(refused.why), refused.sentence)]),
            ChangeFault::Busy => (StatusCode::SERVICE_UNAVAILABLE, vec![("", BUSY.to_owned())]),
            ChangeFault::Store(StoreError::NameTaken) => (StatusCode::CONFLICT, vec![("name", taken(&by.policy))]),
            ChangeFault::Store(StoreError::VersionMismatch) => {
                return Ok(Self {
                    status: StatusCode::PRECONDITION_FAILED,
                    faults: vec![("", OUTDATED.to_owned())],
                    outdated: true,
                });
            }
            other => return Err(of_store(by, other)),
        };
        Ok(Self {
            status,
            faults,
            outdated: false,
        })
    }

    /// Every sentence, whatever it is about.
    pub(super) fn sentences(self) -> Vec<String> {
        self.faults.into_iter().map(|(_, sentence)| sentence).collect()
    }
}

/// For what is asked for and not changed.
pub(crate) fn of_store(by: &Administrator<'_>, fault: ChangeFault) -> Halt {
    match fault {
        ChangeFault::Store(StoreError::NotFound) => Halt::NotFound,
        ChangeFault::Refused(_) => Halt::NoEntry("not_granted"),
        ChangeFault::Unfit(_) => Halt::Malformed,
        ChangeFault::Store(fault) => {
            tracing::error!(request_id = %by.visit.caller.request_id, %fault, "an account could not be read or changed");
            Halt::Unavailable
        }
        ChangeFault::Busy => Halt::Unavailable,
    }
}

pub(super) fn taken(policy: &Policy) -> String {
    policy.message(MessageKey::NameTaken).to_owned()
}

fn status_of(why: RefusedWhy) -> StatusCode {
    match why {
        RefusedWhy::PermissionDenied | RefusedWhy::RoleChange => StatusCode::FORBIDDEN,
        _ => StatusCode::CONFLICT,
    }
}

fn field_of(why: RefusedWhy) -> &'static str {
    match why {
        RefusedWhy::RoleChange | RefusedWhy::HeldByOne | RefusedWhy::SeatsFull { .. } => "role",
        _ => "",
    }
}
