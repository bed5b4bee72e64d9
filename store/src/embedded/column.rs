//! How values of the domain lie in columns. What cannot be read back is an error that names the column, never a guess.

use std::collections::HashMap;
use std::net::IpAddr;

use rusqlite::types::FromSql;
use rusqlite::{Rows, Statement};
use serde::Serialize;
use serde::de::DeserializeOwned;
use stagedoor_identity::account::AccountName;
use stagedoor_policy::time::Timestamp;
use uuid::Uuid;

use super::fault::Fault;

/// A row of an answer.
pub(super) struct Row<'a> {
    cells: &'a rusqlite::Row<'a>,
    /// Where columns stand; `None`: they are looked for.
    places: Option<&'a Places>,
}

/// The number of each column of an answer: a search among its names, for each value of each row, would take as long as reading
/// them.
struct Places(HashMap<String, usize, foldhash::fast::FixedState>);

impl Places {
    fn of(answer: &Statement<'_>) -> Self {
        let names = answer.column_names();
        Self(
            names
                .enumerate()
                .map(|(place, name)| (name.to_owned(), place))
                .collect(),
        )
    }
}

pub(super) fn get<T: FromSql>(row: &Row<'_>, column: &'static str) -> Result<T, Fault> {
    Ok(match row.places.and_then(|places| places.0.get(column)) {
        Some(place) => row.cells.get(*place)?,
        None => row.cells.get(column)?,
    })
}

pub(super) fn id(row: &Row<'_>, column: &'static str) -> Result<Uuid, Fault> {
    Ok(Uuid::from_bytes(get(row, column)?))
}

pub(super) fn id_if_any(row: &Row<'_>, column: &'static str) -> Result<Option<Uuid>, Fault> {
    let bytes: Option<[u8; 16]> = get(row, column)?;
    Ok(bytes.map(Uuid::from_bytes))
}

/// The bytes of an id, owned by the step that writes them.
pub(super) fn id_bytes(id: Uuid) -> [u8; 16] {
    id.into_bytes()
}

pub(super) fn time(row: &Row<'_>, column: &'static str) -> Result<Timestamp, Fault> {
    Ok(Timestamp::from_micros(get(row, column)?))
}

pub(super) fn time_if_any(row: &Row<'_>, column: &'static str) -> Result<Option<Timestamp>, Fault> {
    let micros: Option<i64> = get(row, column)?;
    Ok(micros.map(Timestamp::from_micros))
}

pub(super) fn micros(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_micros)
}

pub(super) fn count(row: &Row<'_>, column: &'static str) -> Result<u64, Fault> {
    let stored: i64 = get(row, column)?;
    u64::try_from(stored).map_err(|_negative| damaged(column))
}

pub(super) fn count_small(row: &Row<'_>, column: &'static str) -> Result<u32, Fault> {
    u32::try_from(count(row, column)?).map_err(|_too_large| damaged(column))
}

pub(super) fn count_if_any(row: &Row<'_>, column: &'static str) -> Result<Option<u64>, Fault> {
    let stored: Option<i64> = get(row, column)?;
    stored
        .map(|stored| u64::try_from(stored).map_err(|_negative| damaged(column)))
        .transpose()
}

/// A count as SQLite keeps it; what is too large becomes the largest, which nothing is above.
pub(super) fn stored_count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn address(row: &Row<'_>, column: &'static str) -> Result<IpAddr, Fault> {
    let text: String = get(row, column)?;
    text.parse().map_err(|_not_an_address| damaged(column))
}

pub(super) fn name(row: &Row<'_>, column: &'static str) -> Result<AccountName, Fault> {
    let text: String = get(row, column)?;
    AccountName::parse(&text).map_err(|_not_a_name| damaged(column))
}

pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &'static str) -> Result<T, Fault> {
    let text: String = get(row, column)?;
    serde_json::from_str(&text).map_err(|_not_json| damaged(column))
}

pub(super) fn to_json<T: Serialize>(value: &T, column: &'static str) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| Fault::Damaged(format!("column `{column}`: {error}")))
}

pub(super) fn damaged(column: &'static str) -> Fault {
    Fault::Damaged(format!("a value in column `{column}`"))
}

/// Goes through every row of an answer.
pub(super) fn each(mut rows: Rows<'_>, mut visit: impl FnMut(&Row<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
    let mut places = None;
    while let Some(cells) = rows.next()? {
        let places = Some(&*places.get_or_insert_with(|| Places::of(cells.as_ref())));
        visit(&Row { cells, places })?;
    }
    Ok(())
}

/// Reads every row of an answer.
pub(super) fn all<T>(rows: Rows<'_>, read: impl Fn(&Row<'_>) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    let mut found = Vec::new();
    each(rows, |row| {
        found.push(read(row)?);
        Ok(())
    })?;
    Ok(found)
}

/// Reads the one row of an answer, if there is one.
pub(super) fn one<T>(mut rows: Rows<'_>, read: impl Fn(&Row<'_>) -> Result<T, Fault>) -> Result<Option<T>, Fault> {
    let only = |cells| read(&Row { cells, places: None });
    rows.next()?.map(only).transpose()
}
