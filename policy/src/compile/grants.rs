//! `may`: what a role is granted, by keys that are more or less specific.
//!
//! `site/area` goes before `area`, that before `site/*`, that before `*`. Where `area` and `site/*` both speak of one area and
//! do not say the same, neither is nearer to it, and that is a fault.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;

use super::{Faults, table};
use crate::Level;
use crate::fault::KeyPath;
use crate::name::did_you_mean;
use crate::policy::{AreaId, SiteId};
use crate::role::{Grant, Grants};
use crate::site::{Area, Site};

/// Every area of every site, by name.
pub(super) struct Areas<'a> {
    sites: &'a [Site],
    site_ids: HashMap<&'a str, SiteId, FixedState>,
    by_name: HashMap<&'a str, Vec<Place>, FixedState>,
}

pub(super) type Place = (SiteId, AreaId);

/// What a key of `may` speaks of; the order is from the least to the most specific.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Everything,
    WholeSite,
    AreaAnywhere,
    OneArea,
}

/// A key of `may` and what it grants.
struct Entry<'a> {
    key: &'a str,
    reach: Reach,
    places: Vec<Place>,
    level: Level,
    every_action: bool,
    actions: BTreeSet<&'a str>,
}

impl<'a> Areas<'a> {
    pub(super) fn of(sites: &'a [Site]) -> Self {
        let mut site_ids = table();
        let mut by_name: HashMap<_, Vec<Place>, _> = table();
        for (site, id) in sites.iter().zip((0..=u16::MAX).map(SiteId)) {
            site_ids.insert(&*site.name, id);
            for (area, area_id) in site.areas.iter().zip((0..=u16::MAX).map(AreaId)) {
                by_name.entry(&*area.name).or_default().push((id, area_id));
            }
        }
        Self {
            sites,
            site_ids,
            by_name,
        }
    }

    fn site(&self, name: &str) -> Option<(SiteId, &'a Site)> {
        let id = *self.site_ids.get(name)?;
        Some((id, self.sites.get(usize::from(id.0))?))
    }

    pub(super) fn area(&self, (site, area): Place) -> Option<&'a Area> {
        self.sites.get(usize::from(site.0))?.area(area)
    }

    /// The areas that `area` or `site/area` names; a fault where there is none.
    pub(super) fn places(&self, key: &str, at: &KeyPath, faults: &mut Faults) -> Option<Vec<Place>> {
        places(key, self, at, faults).map(|(_, places)| places)
    }

    fn all(&self) -> impl Iterator<Item = Place> {
        self.by_name.values().flatten().copied()
    }
}

pub(super) fn compile(
    may: &BTreeMap<String, Vec<String>>,
    areas: &Areas<'_>,
    at: &KeyPath,
    faults: &mut Faults,
) -> Grants {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for (key, words) in may {
        if let Some(entry) = entry(key, words, areas, &at.key(key), faults) {
            entries.push(entry);
        }
    }
    entries.sort_by_key(|entry| entry.reach);
    let mut grants = Grants {
        keys: entries.iter().map(|entry| entry.key.into()).collect(),
        ..Grants::default()
    };
    let mut reaches: HashMap<Place, Reach, FixedState> = table();
    let mut equal = Vec::new();
    for (key, entry) in entries.iter().enumerate() {
        lay(entry, key, areas, &mut grants);
        for place in entry
            .places
            .iter()
            .copied()
            .filter(|_| entry.reach >= Reach::AreaAnywhere)
        {
            let grant = entry.on(areas.area(place), key);
            if entry.reach == Reach::AreaAnywhere && disagrees(&grants, place, grant, &entries) {
                equal.push((place, key));
            }
            grants.by_area.insert(place, grant);
            reaches.insert(place, entry.reach);
        }
    }
    for (place, key) in equal
        .into_iter()
        .filter(|(place, _)| reaches.get(place) != Some(&Reach::OneArea))
    {
        report_equal(place, key, &entries, areas, at, faults);
    }
    grants
}

/// Lays the grants of `*` and `site/*`. One that names actions means a different bit in each area, so it goes to each area.
fn lay(entry: &Entry<'_>, key: usize, areas: &Areas<'_>, grants: &mut Grants) {
    let plain = entry.on(None, key);
    match entry.reach {
        Reach::Everything => grants.everywhere = Some(plain),
        Reach::WholeSite => {
            for (site, _) in entry.places.iter().take(1) {
                grants.by_site.insert(*site, plain);
            }
        }
        Reach::AreaAnywhere | Reach::OneArea => return,
    }
    if entry.actions.is_empty() && grants.by_area.is_empty() {
        return;
    }
    for place in &entry.places {
        let grant = entry.on(areas.area(*place), key);
        if grant == plain {
            grants.by_area.remove(place); // what `*` laid here before
        } else {
            grants.by_area.insert(*place, grant);
        }
    }
}

/// Whether `site/*` said something else about the place.
fn disagrees(grants: &Grants, place: Place, grant: Grant, entries: &[Entry<'_>]) -> bool {
    let (site, area) = place;
    grants.by_site.contains_key(&site)
        && grants.on(site, area).is_some_and(|before| {
            let from_site = entries
                .get(before.key)
                .is_some_and(|entry| entry.reach == Reach::WholeSite);
            from_site && (before.level, before.actions) != (grant.level, grant.actions)
        })
}

fn report_equal(place: Place, key: usize, entries: &[Entry<'_>], areas: &Areas<'_>, at: &KeyPath, faults: &mut Faults) {
    let Some(entry) = entries.get(key) else { return };
    let site = areas.sites.get(usize::from(place.0.0)).map_or("", |site| &site.name);
    let message = format!(
        "`{}` and `{site}/*` say different things about `{site}/{}`",
        entry.key, entry.key
    );
    faults.add(
        at.key(entry.key),
        message,
        format!("neither is more specific; say what holds for `{site}/{}`", entry.key),
    );
}

fn entry<'a>(
    key: &'a str,
    words: &'a [String],
    areas: &Areas<'_>,
    at: &KeyPath,
    faults: &mut Faults,
) -> Option<Entry<'a>> {
    let (reach, places) = places(key, areas, at, faults)?;
    let mut entry = Entry {
        key,
        reach,
        places,
        level: Level::None,
        every_action: false,
        actions: BTreeSet::new(),
    };
    let mut level_word: Option<&str> = None;
    for (index, word) in words.iter().enumerate() {
        // A single word is written without the list.
        let at = if words.len() == 1 { at.clone() } else { at.index(index) };
        let (level, every_action) = match word.as_str() {
            "view" => (Level::View, false),
            "manage" => (Level::Manage, false),
            "all" => (Level::Manage, true),
            "none" => (Level::None, false),
            action => {
                check_action(action, &entry.places, areas, &at, faults);
                entry.actions.insert(action);
                continue;
            }
        };
        if let Some(before) = level_word.replace(word) {
            faults.add(
                at,
                format!("`{before}` and `{word}` are two levels"),
                "name one level at most".to_owned(),
            );
        }
        entry.level = level;
        entry.every_action = every_action;
    }
    Some(entry)
}

fn places(key: &str, areas: &Areas<'_>, at: &KeyPath, faults: &mut Faults) -> Option<(Reach, Vec<Place>)> {
    if key == "*" {
        return Some((Reach::Everything, areas.all().collect()));
    }
    let Some((site_name, area_name)) = key.split_once('/') else {
        let Some(places) = areas.by_name.get(key) else {
            let known = areas.by_name.keys().copied();
            faults.add(
                at.clone(),
                format!("no site has an area `{key}`"),
                did_you_mean(key, known),
            );
            return None;
        };
        return Some((Reach::AreaAnywhere, places.clone()));
    };
    let Some((id, site)) = areas.site(site_name) else {
        let hint = did_you_mean(site_name, areas.sites.iter().map(|site| &*site.name));
        faults.add(at.clone(), format!("there is no site `{site_name}`"), hint);
        return None;
    };
    if area_name == "*" {
        let ids = (0..=u16::MAX).map(AreaId).zip(&site.areas);
        return Some((Reach::WholeSite, ids.map(|(area, _)| (id, area)).collect()));
    }
    let Some(area) = site.area_ids.get(area_name) else {
        let hint = did_you_mean(area_name, site.areas.iter().map(|area| &*area.name));
        faults.add(
            at.clone(),
            format!("the site `{site_name}` has no area `{area_name}`"),
            hint,
        );
        return None;
    };
    Some((Reach::OneArea, vec![(id, *area)]))
}

fn check_action(action: &str, places: &[Place], areas: &Areas<'_>, at: &KeyPath, faults: &mut Faults) {
    let meant = || places.iter().filter_map(|place| areas.area(*place));
    if meant().any(|area| area.action_bit(action) != 0) {
        return;
    }
    let words = ["view", "manage", "all", "none"].into_iter();
    let known = meant().flat_map(|area| &area.actions).map(|name| &**name).chain(words);
    let help = did_you_mean(action, known);
    let help = help
        .unwrap_or_else(|| "a level is `view`, `manage`, `all` or `none`; actions are named by their area".to_owned());
    faults.add(
        at.clone(),
        format!("`{action}` is neither a level nor an action there"),
        help,
    );
}

impl Entry<'_> {
    /// What it grants on an area; without one, what it grants where no action of its own exists.
    fn on(&self, area: Option<&Area>, key: usize) -> Grant {
        let named = || {
            self.actions
                .iter()
                .map(|action| area.map_or(0, |area| area.action_bit(action)))
        };
        Grant {
            level: self.level,
            actions: if self.every_action {
                u64::MAX
            } else {
                named().fold(0, |bits, bit| bits | bit)
            },
            key,
        }
    }
}
