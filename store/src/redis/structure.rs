//! Rules about who there may be, as `structure_lib.lua` takes them and refuses by them. Roles go as hashes, since what people
//! name is never part of a key.

use serde::Serialize;
use stagedoor_identity::port::{StoreError, Structure};
use stagedoor_identity::secret::TokenHash;

use super::Redis;
use super::answer::{Answer, Damage};
use super::record::json;
use super::script::{Script, hex};

/// The hash that a text is found by.
pub(super) fn text_hash(text: &str) -> String {
    hex(&TokenHash::of(text.as_bytes()).0)
}

#[derive(Serialize)]
struct Rules {
    seats: Vec<Seats>,
    keep: Vec<Keep>,
    one: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acting: Option<Actor>,
}

#[derive(Serialize)]
struct Seats {
    roles: Vec<String>,
    at_most: u32,
}

#[derive(Serialize)]
struct Keep {
    role: String,
    at_least: u32,
}

#[derive(Serialize)]
struct Actor {
    id: String,
    version: String,
}

/// The rules as a script takes them.
pub(super) fn rules(structure: &Structure) -> Result<String, StoreError> {
    let rules = Rules {
        seats: structure
            .seats
            .iter()
            .map(|rule| Seats {
                roles: rule.roles.iter().map(|role| text_hash(role)).collect(),
                at_most: rule.at_most,
            })
            .collect(),
        keep: structure
            .keep
            .iter()
            .map(|rule| Keep {
                role: text_hash(&rule.role),
                at_least: rule.at_least,
            })
            .collect(),
        one: structure.one.iter().map(|role| text_hash(role)).collect(),
        acting: structure.acting.as_ref().map(|acting| Actor {
            id: acting.id.0.simple().to_string(),
            version: acting.version.to_string(),
        }),
    };
    json(&rules).map_err(StoreError::Engine)
}

impl Redis {
    /// Makes a step that the rules may refuse.
    pub(super) async fn write_judged(
        &self,
        operation: &'static str,
        script: &'static Script,
        args: Vec<Vec<u8>>,
        structure: &Structure,
    ) -> Result<Answer, StoreError> {
        let answer = self.write(operation, script, args).await?;
        match refused(&answer, structure).map_err(self.damaged(operation))? {
            Some(refused) => Err(refused),
            None => Ok(answer),
        }
    }
}

/// The rule that refused a step, if one did.
fn refused(answer: &Answer, structure: &Structure) -> Result<Option<StoreError>, Damage> {
    let unknown = || "the number of a rule".to_owned();
    let refused = match answer.word() {
        "seats_full" => {
            let rule = structure.seats.get(answer.number::<usize>(1)?).ok_or_else(unknown)?;
            StoreError::SeatsFull {
                name: rule.name.clone(),
                used: answer.number(2)?,
                at_most: rule.at_most,
            }
        }
        "held_by_one" => {
            let role = structure.one.get(answer.number::<usize>(1)?).ok_or_else(unknown)?;
            StoreError::HeldByOne { role: role.clone() }
        }
        "last_of_role" => {
            let rule = structure.keep.get(answer.number::<usize>(1)?).ok_or_else(unknown)?;
            StoreError::LastOfRole {
                role: rule.role.clone(),
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(refused))
}
