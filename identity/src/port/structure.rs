//! Rules about who there may be, which have to hold at once with each change: seats, the last of a role, a role held by one.
//!
//! The rules come in as an argument of the step that changes somebody; the store counts, inside that step, and
//! [`Structure::judge`] says whether the change may be. What is worse already than the rules allow (they were tightened) may
//! stay as it is; no change may make it worse still.

use super::StoreError;
use crate::account::{Account, AccountChange, AccountId};

/// The rules that a step has to keep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Structure {
    /// How many accounts there may be, by groups of roles.
    pub seats: Vec<SeatRule>,
    /// How many accounts have to stay, by role.
    pub keep: Vec<KeepRule>,
    /// Roles of which there is one account at most, invited ones counted.
    pub one: Vec<String>,
    /// The account that does it, where one does: it must still be what its rights were judged by.
    pub acting: Option<Acting>,
}

/// `[seats.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatRule {
    /// Of the rule.
    pub name: String,
    /// Every account of one of these roles takes a seat, invited, disabled and banned ones too.
    pub roles: Vec<String>,
    /// So many seats there are.
    pub at_most: u32,
}

/// `[role.NAME] keep_at_least`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepRule {
    /// The role.
    pub role: String,
    /// So many accounts of it stay that are accepted and not disabled.
    pub at_least: u32,
}

/// Who does it, as its rights were judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting {
    /// The account.
    pub id: AccountId,
    /// Its version: any change of it makes the judgement worthless.
    pub version: u64,
}

/// A role handed over.
#[derive(Debug, Clone)]
pub struct HandOver {
    /// Who holds it, and the version that was judged.
    pub holder: (AccountId, u64),
    /// What becomes of the holder.
    pub holder_becomes: AccountChange,
    /// Who gets it, and the version that was judged.
    pub heir: (AccountId, u64),
    /// What becomes of the heir.
    pub heir_becomes: AccountChange,
}

/// What a rule needs to know of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Its role.
    pub role: &'a str,
    /// Accepted and not disabled.
    pub in_use: bool,
}

impl<'a> Place<'a> {
    /// Where an account stands.
    pub fn of(account: &'a Account) -> Self {
        Self {
            role: &account.role,
            in_use: account.accepted_at.is_some() && !account.disabled,
        }
    }
}

/// What a step makes of one account; `None` is no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move<'a> {
    /// Before the step.
    pub before: Option<Place<'a>>,
    /// After it.
    pub after: Option<Place<'a>>,
}

/// What is to be counted among the accounts that the step does not touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Others<'a> {
    /// Of any of these roles.
    pub roles: &'a [String],
    /// Only those accepted and not disabled.
    pub in_use: bool,
    /// Counting may stop here.
    pub enough: u32,
}

impl Structure {
    /// Whether the step may be, given how many others there are.
    /// # Errors
    /// The rule that refuses it; whatever `count` fails with.
    pub fn judge<E: From<StoreError>>(
        &self,
        moves: &[Move<'_>],
        mut count: impl FnMut(Others<'_>) -> Result<u32, E>,
    ) -> Result<(), E> {
        for rule in &self.seats {
            let seated = |place: Place<'_>| rule.roles.iter().any(|role| role == place.role);
            let (before, after) = tally(moves, seated);
            if after <= before {
                continue;
            }
            let others = count(Others {
                roles: &rule.roles,
                in_use: false,
                enough: rule.at_most.saturating_add(1),
            })?;
            if others.saturating_add(after) > rule.at_most {
                let (name, at_most) = (rule.name.clone(), rule.at_most);
                return Err(StoreError::SeatsFull {
                    name,
                    used: others.saturating_add(before),
                    at_most,
                }
                .into());
            }
        }
        for role in &self.one {
            let (before, after) = tally(moves, |place| place.role == role);
            let enters = moves
                .iter()
                .any(|step| holds(step.after, role) && !holds(step.before, role));
            if !enters || (after <= before && after <= 1) {
                continue;
            }
            let others = count(Others {
                roles: std::slice::from_ref(role),
                in_use: false,
                enough: 2,
            })?;
            if others.saturating_add(after) > 1 {
                return Err(StoreError::HeldByOne { role: role.clone() }.into());
            }
        }
        for rule in &self.keep {
            let (before, after) = tally(moves, |place| place.in_use && place.role == rule.role);
            if after >= before {
                continue;
            }
            let roles = std::slice::from_ref(&rule.role);
            let others = count(Others {
                roles,
                in_use: true,
                enough: rule.at_least,
            })?;
            if others.saturating_add(after) < rule.at_least {
                return Err(StoreError::LastOfRole {
                    role: rule.role.clone(),
                }
                .into());
            }
        }
        Ok(())
    }
}

fn holds(place: Option<Place<'_>>, role: &str) -> bool {
    place.is_some_and(|place| place.role == role)
}

/// How many of the touched accounts are meant before and after.
fn tally(moves: &[Move<'_>], meant: impl Fn(Place<'_>) -> bool) -> (u32, u32) {
    let one = |place: Option<Place<'_>>| u32::from(place.is_some_and(&meant));
    let fold = |(before, after): (u32, u32), step: &Move<'_>| (before + one(step.before), after + one(step.after));
    moves.iter().fold((0, 0), fold)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(role: &str) -> Option<Place<'_>> {
        Some(Place { role, in_use: true })
    }

    fn structure() -> Structure {
        let staff = ["admin", "operator"].map(str::to_owned).to_vec();
        Structure {
            seats: vec![SeatRule {
                name: "staff".to_owned(),
                roles: staff,
                at_most: 3,
            }],
            keep: vec![KeepRule {
                role: "head".to_owned(),
                at_least: 1,
            }],
            one: vec!["head".to_owned()],
            acting: None,
        }
    }

    fn judged(moves: &[Move<'_>], others: u32) -> Result<(), StoreError> {
        structure().judge(moves, |asked| Ok(others.min(asked.enough)))
    }

    #[test]
    fn a_seat_is_taken_by_who_enters_the_group_not_by_who_moves_inside_it() {
        let enters = [Move {
            before: None,
            after: place("admin"),
        }];
        assert!(judged(&enters, 2).is_ok());
        let full = judged(&enters, 3).unwrap_err();
        assert!(
            matches!(&full, StoreError::SeatsFull { name, used: 3, at_most: 3 } if name == "staff"),
            "{full}"
        );
        let inside = [Move {
            before: place("operator"),
            after: place("admin"),
        }];
        assert!(
            judged(&inside, 9).is_ok(),
            "more than allowed already, and no more than before"
        );
    }

    #[test]
    fn the_last_one_stays_in_the_role_and_in_use() {
        let disabled = Some(Place {
            role: "head",
            in_use: false,
        });
        for after in [None, disabled, place("viewer")] {
            let leaves = [Move {
                before: place("head"),
                after,
            }];
            assert!(
                matches!(judged(&leaves, 0), Err(StoreError::LastOfRole { .. })),
                "{after:?}"
            );
            assert!(judged(&leaves, 1).is_ok());
        }
        let was_not_counted = [Move {
            before: disabled,
            after: None,
        }];
        assert!(judged(&was_not_counted, 0).is_ok());
    }

    #[test]
    fn a_role_held_by_one_passes_from_hand_to_hand_and_never_to_a_second() {
        let second = [Move {
            before: place("viewer"),
            after: place("head"),
        }];
        assert!(matches!(judged(&second, 1), Err(StoreError::HeldByOne { .. })));
        assert!(judged(&second, 0).is_ok(), "somebody has to be the first");
        let handed = [
            Move {
                before: place("head"),
                after: place("admin"),
            },
            second[0],
        ];
        assert!(judged(&handed, 0).is_ok());
    }
}
