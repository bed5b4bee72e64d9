//! Extra grants, as they lie in a column.

use rusqlite::Row;
use serde::{Deserialize, Serialize};
use stagedoor_policy::{ExtraGrant, Level};

use super::column;
use super::fault::Fault;

/// A grant as it lies in the file; levels by name, so that the file outlives a reordering of the enum.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantJson {
    site: Option<String>,
    area: String,
    level: LevelJson,
    actions: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LevelJson {
    None,
    View,
    Manage,
}

pub(super) fn read(row: &Row<'_>) -> Result<Vec<ExtraGrant>, Fault> {
    let stored: Vec<GrantJson> = column::json(row, "grants")?;
    let meant = |grant: GrantJson| ExtraGrant {
        site: grant.site,
        area: grant.area,
        level: match grant.level {
            LevelJson::None => Level::None,
            LevelJson::View => Level::View,
            LevelJson::Manage => Level::Manage,
        },
        actions: grant.actions,
    };
    Ok(stored.into_iter().map(meant).collect())
}

pub(super) fn to_json(grants: &[ExtraGrant]) -> Result<String, Fault> {
    let stored = |grant: &ExtraGrant| GrantJson {
        site: grant.site.clone(),
        area: grant.area.clone(),
        level: match grant.level {
            Level::None => LevelJson::None,
            Level::View => LevelJson::View,
            Level::Manage => LevelJson::Manage,
        },
        actions: grant.actions.clone(),
    };
    column::to_json(&grants.iter().map(stored).collect::<Vec<_>>(), "grants")
}
