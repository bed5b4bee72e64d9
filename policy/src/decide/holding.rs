//! Who holds what: the grants of a role, those of an account on top of it, and whether somebody may pass a grant on.

use super::Visitor;
use crate::policy::{AreaId, Policy, SiteId};
use crate::role::Role;
use crate::rules::OpenTo;
use crate::site::{Area, Need, Site};
use crate::{ExtraGrant, Level};

/// An area and its names, as grants know it.
#[derive(Clone, Copy)]
pub(super) struct Spot<'p> {
    pub(super) site_id: SiteId,
    pub(super) site: &'p Site,
    pub(super) area_id: AreaId,
    pub(super) area: &'p Area,
}

/// See [`Policy::holds`].
pub(crate) fn holds(policy: &Policy, visitor: &Visitor<'_>, grant: &ExtraGrant) -> bool {
    let Some(role) = policy.role(visitor.role) else {
        return false;
    };
    let spots: Vec<Spot<'_>> = policy
        .places_of(grant)
        .filter_map(|place| spot(policy, place))
        .collect();
    let held = |spot: Spot<'_>, need| {
        spot.area.open_to != OpenTo::Granted || by_role(role, spot, need) || by_account(role, visitor, spot, need)
    };
    let level = |spot: &Spot<'_>| grant.level == Level::None || held(*spot, Need::Level(grant.level));
    // An action that no area of the name has is nobody's.
    let action = |name: &String| {
        let with_it = spots.iter().filter_map(|spot| Some((*spot, spot.area.place_of(name)?)));
        let mut with_it = with_it.peekable();
        with_it.peek().is_some() && with_it.all(|(spot, place)| held(spot, Need::Action(place, Level::Manage)))
    };
    !spots.is_empty() && spots.iter().all(level) && grant.actions.iter().all(action)
}

fn spot(policy: &Policy, (site_id, area_id): (SiteId, AreaId)) -> Option<Spot<'_>> {
    let site = policy.site_at(site_id)?;
    let area = site.area(area_id)?;
    Some(Spot {
        site_id,
        site,
        area_id,
        area,
    })
}

/// Whether the role itself is granted this.
fn by_role(role: &Role, spot: Spot<'_>, need: Need) -> bool {
    role.grants
        .on(spot.site_id, spot.area_id)
        .is_some_and(|grant| grant.covers(need))
}

/// Whether a grant of the account covers this, and the role may be granted it.
pub(super) fn by_account(role: &Role, visitor: &Visitor<'_>, spot: Spot<'_>, need: Need) -> bool {
    visitor.grants.iter().any(|extra| covers(extra, spot, need)) && role.may_hold(spot.site_id, spot.area_id, need)
}

fn covers(extra: &ExtraGrant, spot: Spot<'_>, need: Need) -> bool {
    let meant = extra.area == *spot.area.name && extra.site.as_deref().is_none_or(|site| site == &*spot.site.name);
    meant
        && match need {
            Need::Level(level) => extra.level >= level,
            Need::Action(action, _) => extra.actions.iter().any(|name| name == spot.area.action(action)),
        }
}
