//! Grants as they lie in a store; levels by name, so that a store outlives a reordering of the enum.

use serde::{Deserialize, Serialize};
use stagedoor_policy::{ExtraGrant, Level};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stored {
    site: Option<String>,
    area: String,
    level: StoredLevel,
    actions: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredLevel {
    None,
    View,
    Manage,
}

impl Stored {
    pub(crate) fn of(grants: &[ExtraGrant]) -> Vec<Self> {
        let stored = |grant: &ExtraGrant| Self {
            site: grant.site.clone(),
            area: grant.area.clone(),
            level: match grant.level {
                Level::None => StoredLevel::None,
                Level::View => StoredLevel::View,
                Level::Manage => StoredLevel::Manage,
            },
            actions: grant.actions.clone(),
        };
        grants.iter().map(stored).collect()
    }

    pub(crate) fn read(self) -> ExtraGrant {
        ExtraGrant {
            site: self.site,
            area: self.area,
            level: match self.level {
                StoredLevel::None => Level::None,
                StoredLevel::View => Level::View,
                StoredLevel::Manage => Level::Manage,
            },
            actions: self.actions,
        }
    }
}
