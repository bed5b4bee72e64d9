//! Extra grants, as they lie in a column.

use stagedoor_policy::ExtraGrant;

use super::column::{self, Row};
use super::fault::Fault;
use crate::grants::Stored;

pub(super) fn read(row: &Row<'_>) -> Result<Vec<ExtraGrant>, Fault> {
    let stored: Vec<Stored> = column::json(row, "grants")?;
    Ok(stored.into_iter().map(Stored::read).collect())
}

pub(super) fn to_json(grants: &[ExtraGrant]) -> Result<String, Fault> {
    column::to_json(&Stored::of(grants), "grants")
}
