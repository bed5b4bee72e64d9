//! Why a change was not made, as a page tells it.

use http::StatusCode;
use stagedoor_identity::port::StoreError;
use stagedoor_identity::{ChangeFault, RefusedWhy};
use stagedoor_policy::Policy;
use stagedoor_policy::rules::MessageKey;

use crate::halt::Halt;
use crate::visit::Visit;

/// What a page says about a change that was not made.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    /// Field and sentence; a sentence about no field in particular has an empty name.
    pub(crate) faults: Vec<(&'static str, String)>,
    /// Somebody else was faster.
    pub(crate) outdated: bool,
}

const OUTDATED: &str = "Somebody else changed this account meanwhile, so nothing was done. Look at what it is now, and do it again if it is still right.";
const BUSY: &str = "Too many passwords are being checked right now. Please try again in a second.";

impl Told {
    /// Something wrong with what was typed.
    pub(crate) fn unfit(faults: Vec<(&'static str, String)>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            faults,
            outdated: false,
        }
    }

    /// # Errors
    /// What no page can tell: there is no such account any more, or the store failed.
    pub(crate) fn of(visit: &Visit, fault: ChangeFault) -> Result<Self, Halt> {
        let (status, faults) = match fault {
            ChangeFault::Unfit(faults) => return Ok(Self::unfit(faults)),
            ChangeFault::Refused(refused) => (status_of(refused.why), vec![(field_of(refused.why), refused.sentence)]),
            ChangeFault::Busy => (StatusCode::SERVICE_UNAVAILABLE, vec![("", BUSY.to_owned())]),
            ChangeFault::Store(StoreError::NameTaken) => {
                (StatusCode::CONFLICT, vec![("name", taken(&visit.portal.door.policy()))])
            }
            ChangeFault::Store(StoreError::VersionMismatch) => {
                return Ok(Self {
                    status: StatusCode::PRECONDITION_FAILED,
                    faults: vec![("", OUTDATED.to_owned())],
                    outdated: true,
                });
            }
            other => return Err(of_store(visit, other)),
        };
        Ok(Self {
            status,
            faults,
            outdated: false,
        })
    }

    /// Takes the sentences about a field out, each once.
    pub(crate) fn take(&mut self, name: &str) -> Vec<String> {
        let mut sentences = Vec::new();
        for (_, sentence) in self.faults.extract_if(.., |(field, _)| *field == name) {
            if !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
        sentences
    }

    /// Every sentence, whatever it is about.
    pub(crate) fn sentences(self) -> Vec<String> {
        self.faults.into_iter().map(|(_, sentence)| sentence).collect()
    }
}

/// For what is asked for and not changed.
pub(crate) fn of_store(visit: &Visit, fault: ChangeFault) -> Halt {
    match fault {
        ChangeFault::Store(StoreError::NotFound) => Halt::NotFound,
        ChangeFault::Refused(_) => Halt::NoEntry("not_granted"),
        ChangeFault::Unfit(_) => Halt::Malformed,
        ChangeFault::Store(fault) => {
            tracing::error!(request_id = %visit.caller.request_id, %fault, "an account could not be read or changed");
            Halt::Unavailable
        }
        ChangeFault::Busy => Halt::Unavailable,
    }
}

pub(crate) fn taken(policy: &Policy) -> String {
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
