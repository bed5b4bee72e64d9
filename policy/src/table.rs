//! Role by area, as a table a person can read.

use crate::Level;
use crate::policy::{AreaId, SiteId};
use crate::role::Role;
use crate::rules::OpenTo;
use crate::site::{Area, bit};

/// What `stagedoor policy show` prints: one row an area, one column a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleTable {
    /// Role names.
    pub columns: Vec<String>,
    /// (site, area, what each role may do there: `-`, `view`, `manage`, with action names after a `+`). An area that needs no
    /// grant says `manage` for every role.
    pub rows: Vec<(String, String, Vec<String>)>,
}

impl RoleTable {
    /// The table of a policy.
    pub fn of(policy: &crate::Policy) -> Self {
        let mut rows = Vec::new();
        for (site_id, site) in (0..=u16::MAX).map(SiteId).zip(&policy.sites) {
            for (area_id, area) in (0..=u16::MAX).map(AreaId).zip(&site.areas) {
                let cells = policy.roles.iter().map(|role| cell(role, site_id, area_id, area));
                rows.push((site.name.to_string(), area.name.to_string(), cells.collect()));
            }
        }
        Self {
            columns: policy.roles().map(str::to_owned).collect(),
            rows,
        }
    }
}

/// `manage +delete,wipe`
fn cell(role: &Role, site: SiteId, area_id: AreaId, area: &Area) -> String {
    if area.open_to != OpenTo::Granted {
        return "manage".to_owned();
    }
    let Some(grant) = role.grants.on(site, area_id) else {
        return "-".to_owned();
    };
    let level = match grant.level {
        Level::None => "-",
        Level::View => "view",
        Level::Manage => "manage",
    };
    let actions = area
        .actions
        .iter()
        .enumerate()
        .filter(|(place, _)| grant.actions & bit(*place) != 0);
    let actions: Vec<&str> = actions.map(|(_, name)| &**name).collect();
    if actions.is_empty() {
        level.to_owned()
    } else {
        format!("{level} +{}", actions.join(","))
    }
}
