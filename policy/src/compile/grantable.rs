//! `may_be_granted`: what accounts of a role may hold on top of it.

use super::Faults;
use super::grants::Areas;
use crate::fault::KeyPath;
use crate::name::did_you_mean;
use crate::role::Grantable;

/// `None` where the role says nothing: any grant.
pub(super) fn compile(
    items: Option<&[String]>,
    areas: &Areas<'_>,
    at: &KeyPath,
    faults: &mut Faults,
) -> Option<Grantable> {
    let mut grantable = Grantable::default();
    for (index, item) in items?.iter().enumerate() {
        add(&mut grantable, item, areas, &at.index(index), faults);
    }
    Some(grantable)
}

fn add(grantable: &mut Grantable, item: &str, areas: &Areas<'_>, at: &KeyPath, faults: &mut Faults) {
    // No name has a dot.
    let (area, action) = match item.split_once('.') {
        Some((area, action)) => (area, Some(action)),
        None => (item, None),
    };
    if area == "*" || area.ends_with("/*") {
        faults.add(
            at.clone(),
            format!("`{item}` is more than one area"),
            "name each area; without `may_be_granted`, anything may be granted".to_owned(),
        );
        return;
    }
    let Some(places) = areas.places(area, at, faults) else {
        return;
    };
    let mut found = false;
    let mut known: Vec<&str> = Vec::new();
    for place in places {
        known.extend(
            areas
                .area(place)
                .iter()
                .flat_map(|area| &area.actions)
                .map(|name| &**name),
        );
        let allowance = grantable.0.entry(place).or_default();
        match action {
            None => (allowance.levels, allowance.actions, found) = (true, u64::MAX, true),
            Some(action) => {
                let bit = areas.area(place).map_or(0, |area| area.action_bit(action));
                allowance.actions |= bit;
                found |= bit != 0;
            }
        }
    }
    if let (Some(action), false) = (action, found) {
        let hint = did_you_mean(action, known);
        faults.add(at.clone(), format!("the area `{area}` has no action `{action}`"), hint);
    }
}
