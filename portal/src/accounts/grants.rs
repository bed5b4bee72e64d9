//! The table of what an account is granted besides its role: one row an area, none, view or manage, and the named actions.
//!
//! A row is offered as far as whoever looks at it holds what is in it and the role may be granted it; what the account has
//! already is always shown. Grants that nobody touched are left as they are written.

use stagedoor_identity::Account;
use stagedoor_policy::{ExtraGrant, Level, Policy};

use super::Administrator;
use super::page::{Choice, GrantRow};
use crate::fields::Fields;
use crate::halt::Halt;

const LEVELS: [(Level, &str); 3] = [(Level::None, "none"), (Level::View, "view"), (Level::Manage, "manage")];

/// What is granted on one area of one site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    site: String,
    area: String,
    /// Every action of the area.
    known: Vec<String>,
    level: Level,
    actions: Vec<String>,
}

/// Every area that needs a grant, with what these grants give on it.
pub(super) fn rows(policy: &Policy, grants: &[ExtraGrant]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (site_id, site) in policy.sites() {
        for (area_id, area) in policy.areas(site_id).filter(|(id, _)| policy.needs_grant(site_id, *id)) {
            let mut row = Row {
                site: site.to_owned(),
                area: area.to_owned(),
                known: policy.actions(site_id, area_id).map(str::to_owned).collect(),
                level: Level::None,
                actions: Vec::new(),
            };
            let meant: Vec<&ExtraGrant> = grants.iter().filter(|grant| row.is_meant_by(grant)).collect();
            let holds = |action: &&String| meant.iter().any(|grant| grant.actions.contains(action));
            row.actions = row.known.iter().filter(holds).cloned().collect();
            row.level = meant.iter().map(|grant| grant.level).max().unwrap_or_default();
            rows.push(row);
        }
    }
    rows
}

impl Row {
    fn place(&self) -> String {
        format!("{}/{}", self.site, self.area)
    }

    fn is_meant_by(&self, grant: &ExtraGrant) -> bool {
        grant.area == self.area && grant.site.as_ref().is_none_or(|site| *site == self.site)
    }

    fn grants_nothing(&self) -> bool {
        self.level == Level::None && self.actions.is_empty()
    }

    fn grant(&self, level: Level, actions: Vec<String>) -> ExtraGrant {
        ExtraGrant {
            site: Some(self.site.clone()),
            area: self.area.clone(),
            level,
            actions,
        }
    }

    /// As it was sent; a row that was not sent is as it was.
    fn sent(&self, fields: &Fields) -> Result<Self, Halt> {
        let Some(level) = fields.one(&format!("grant:{}", self.place()))? else {
            return Ok(self.clone());
        };
        let level = LEVELS.iter().find(|(_, word)| *word == level).ok_or(Halt::Malformed)?.0;
        let mut actions = Vec::new();
        for action in &self.known {
            if fields.one(&format!("action:{}:{action}", self.place()))?.is_some() {
                actions.push(action.clone());
            }
        }
        Ok(Self {
            level,
            actions,
            ..self.clone()
        })
    }

    /// What there is more here than in another state of the row; `None` where there is less of something.
    fn added_to(&self, before: &Self) -> Option<ExtraGrant> {
        let kept = before.actions.iter().all(|action| self.actions.contains(action));
        if self.level < before.level || !kept {
            return None;
        }
        let level = if self.level > before.level {
            self.level
        } else {
            Level::None
        };
        let new = self.actions.iter().filter(|action| !before.actions.contains(action));
        Some(self.grant(level, new.cloned().collect()))
    }
}

impl Administrator<'_> {
    /// The table for accounts of a role that have `before`, filled in with `rows`.
    pub(super) fn grant_rows(&self, role: &str, before: &[Row], rows: &[Row]) -> Vec<GrantRow> {
        let shown = rows.iter().zip(before).enumerate();
        let drawn = shown.map(|(number, (row, before))| self.drawn(role, number, before, row));
        drawn
            .filter(|row| row.levels.len() > 1 || !row.actions.is_empty())
            .collect()
    }

    fn drawn(&self, role: &str, number: usize, before: &Row, row: &Row) -> GrantRow {
        let may = |level, actions| {
            let grant = row.grant(level, actions);
            self.policy.holds(&self.visitor(), &grant)
                && self
                    .policy
                    .check_extra_grants(role, std::slice::from_ref(&grant))
                    .is_ok()
        };
        let levels = LEVELS.iter().filter(|(level, _)| {
            *level == Level::None || *level == before.level || *level == row.level || may(*level, Vec::new())
        });
        let level = |(level, word): &(Level, &str)| Choice {
            name: (*word).to_owned(),
            chosen: *level == row.level,
        };
        let actions = row.known.iter().filter(|action| {
            before.actions.contains(action) || row.actions.contains(action) || may(Level::None, vec![(*action).clone()])
        });
        let action = |action: &String| Choice {
            name: action.clone(),
            chosen: row.actions.contains(action),
        };
        GrantRow {
            place: row.place(),
            number,
            levels: levels.map(level).collect(),
            actions: actions.map(action).collect(),
        }
    }

    /// What an account is to be granted, or `None` where nothing was touched.
    pub(super) fn grants_sent(&self, held: &[ExtraGrant], before: &[Row], sent: &[Row]) -> Option<Vec<ExtraGrant>> {
        if before == sent {
            return None;
        }
        let mut grants = held.to_vec();
        for (before, wanted) in before.iter().zip(sent).filter(|(before, wanted)| before != wanted) {
            let whole = wanted.grant(wanted.level, wanted.actions.clone());
            match wanted.added_to(before) {
                // What somebody else granted stays as they did; what is new stands beside it.
                Some(more) if !self.policy.holds(&self.visitor(), &whole) => grants.push(more),
                _ => replace(&mut grants, sent, wanted, whole),
            }
        }
        // Of areas that the policy has no more.
        grants.retain(|grant| sent.iter().any(|row| row.is_meant_by(grant)));
        Some(grants)
    }
}

/// Puts one grant in the place of all that mean the row; those that mean other rows too go on meaning these.
fn replace(grants: &mut Vec<ExtraGrant>, rows: &[Row], row: &Row, whole: ExtraGrant) {
    let (meant, mut rest): (Vec<_>, Vec<_>) = grants.drain(..).partition(|grant| row.is_meant_by(grant));
    for grant in meant {
        let others = rows.iter().filter(|other| *other != row && other.is_meant_by(&grant));
        rest.extend(others.map(|other| other.grant(grant.level, grant.actions.clone())));
    }
    if !row.grants_nothing() {
        rest.push(whole);
    }
    *grants = rest;
}

/// What was sent of the table.
pub(super) fn sent(before: &[Row], fields: &Fields) -> Result<Vec<Row>, Halt> {
    before.iter().map(|row| row.sent(fields)).collect()
}

/// The table of an account.
pub(super) fn rows_of(policy: &Policy, account: &Account) -> Vec<Row> {
    rows(policy, &account.grants)
}
