//! Counting for the rules about who there may be, inside the step that changes somebody.

use rusqlite::{Connection, params};
use stagedoor_identity::port::{Move, Others, Place, StoreError, Structure};
use stagedoor_identity::{Account, AccountId};

use super::column;
use super::fault::Fault;

/// Holds a step to the rules: each account it touches, before and after.
pub(super) fn judge(
    step: &Connection,
    structure: &Structure,
    steps: &[(AccountId, Option<&Account>, Option<&Account>)],
) -> Result<(), Fault> {
    if let Some(acting) = &structure.acting {
        let unchanged: bool = step
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM account WHERE id = ?1 AND version = ?2 AND NOT disabled \
                 AND accepted_at IS NOT NULL)",
            )?
            .query_row(
                params![column::id_bytes(acting.id.0), column::stored_count(acting.version)],
                |row| row.get(0),
            )?;
        if !unchanged {
            return Err(StoreError::ActorChanged.into());
        }
    }
    let moves: Vec<Move<'_>> = steps
        .iter()
        .map(|(_, before, after)| Move {
            before: before.map(Place::of),
            after: after.map(Place::of),
        })
        .collect();
    structure.judge(&moves, |asked| {
        let mut others = 0_u32;
        for role in asked.roles {
            others = others.saturating_add(count(step, role, asked, steps)?);
        }
        Ok(others)
    })
}

/// Counts no further than is asked for: a role may have very many accounts.
fn count(
    step: &Connection,
    role: &str,
    asked: Others<'_>,
    steps: &[(AccountId, Option<&Account>, Option<&Account>)],
) -> Result<u32, Fault> {
    let touched: Vec<AccountId> = steps.iter().map(|(id, ..)| *id).collect();
    let sql = if asked.in_use {
        "SELECT id FROM account WHERE role = ?1 AND disabled = 0 AND accepted_at IS NOT NULL LIMIT ?2"
    } else {
        "SELECT id FROM account WHERE role = ?1 LIMIT ?2"
    };
    let limit = asked
        .enough
        .saturating_add(u32::try_from(touched.len()).unwrap_or(u32::MAX));
    let mut statement = step.prepare_cached(sql)?;
    let found = column::all(statement.query(params![role, limit])?, |row| {
        Ok(AccountId(column::id(row, "id")?))
    })?;
    let others = found.into_iter().filter(|id| !touched.contains(id)).count();
    Ok(u32::try_from(others).unwrap_or(u32::MAX))
}

/// Those that disuse passes over: the last in use of a role that has to keep some.
pub(super) fn last_used_of(connection: &Connection, role: &str, count: u32) -> Result<Vec<AccountId>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM account WHERE role = ?1 AND disabled = 0 AND accepted_at IS NOT NULL \
         ORDER BY max(created_at, coalesce(last_used_at, created_at), coalesce(last_sign_in_at, created_at), \
         coalesce(reinstated_at, created_at)) DESC, id DESC LIMIT ?2",
    )?;
    column::all(statement.query(params![role, count])?, |row| {
        Ok(AccountId(column::id(row, "id")?))
    })
}
