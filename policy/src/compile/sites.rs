//! Sites, their areas, and the tree of their patterns.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::networks::NamedNetworks;
use super::{AREAS_PER_SITE_MAX, Faults, SITES_MAX, limits, table};
use crate::fault::KeyPath;
use crate::pattern::{Clash, Paths, Pattern, Trie};
use crate::policy::{AreaId, SiteId};
use crate::request::{Leniency, is_look_alike};
use crate::rules::{AreaRules, OpenTo, Rules, SiteRules};
use crate::site::{ACTIONS_MAX, Area, Folding, Ground, List, Rule, Site};
use crate::verb::Verb;

/// Words that stand beside actions in a role's `may`.
const LEVEL_WORDS: [&str; 4] = ["view", "manage", "all", "none"];

/// All sites, as far as they can be compiled.
pub(super) fn compile(rules: &Rules, named: &NamedNetworks<'_>, faults: &mut Faults) -> Vec<Site> {
    if rules.sites.len() > SITES_MAX {
        faults.add(
            KeyPath::of(["site"]),
            format!("there are more than {SITES_MAX} sites"),
            None,
        );
    }
    let sites = rules.sites.iter().take(SITES_MAX);
    sites
        .map(|(name, site)| compile_site(name, site, named, faults))
        .collect()
}

/// The id of each site.
pub(super) fn ids(sites: &[Site]) -> HashMap<Box<str>, SiteId, FixedState> {
    let numbered = sites.iter().zip((0..=u16::MAX).map(SiteId));
    numbered.map(|(site, id)| (Box::from(&*site.name), id)).collect()
}

fn compile_site(name: &str, rules: &SiteRules, named: &NamedNetworks<'_>, faults: &mut Faults) -> Site {
    let at = KeyPath::of(["site", name]);
    faults.check_name(&at, "a site", name);
    if rules.areas.len() > AREAS_PER_SITE_MAX {
        faults.add(
            at.key("areas"),
            format!("the site has more than {AREAS_PER_SITE_MAX} areas"),
            None,
        );
    }
    let mut site = Site {
        name: name.into(),
        networks: limits::compile(rules.networks.as_deref(), &rules.network_rules, &at, named, faults),
        leniencies: rules.allow,
        preflight: rules.preflight,
        areas: Vec::new(),
        area_ids: table(),
        rules: Vec::new(),
        grounds: Box::default(),
        paths: Paths::default(),
        folding: Folding::Known,
    };
    let says = |leniency| rules.allow.contains(leniency);
    if says(Leniency::CaseInsensitive) && says(Leniency::CaseSensitive) {
        faults.add(
            at.key("allow"),
            "a console cannot be `case-insensitive` and `case-sensitive`",
            "keep the one that is true of it".to_owned(),
        );
    }
    let areas = || (0..=u16::MAX).map(AreaId).zip(&rules.areas).take(AREAS_PER_SITE_MAX);
    for (id, (name, area)) in areas() {
        site.areas.push(compile_area(&at, name, area, faults));
        site.area_ids.insert(name.as_str().into(), id);
    }
    let mut tree = Trie::default();
    for (id, (_, area)) in areas() {
        insert_paths(&mut site, &mut tree, id, area, faults);
    }
    // Only now, since an entry may not reach into another area, whichever comes first.
    let mut entries = Vec::new();
    for (id, (_, area)) in areas() {
        entries.extend(parse_entries(&site, id, area, faults));
    }
    let fitting: Vec<Rule> = entries
        .into_iter()
        .filter(|entry| is_inside(&site, &tree, entry, faults))
        .collect();
    for entry in fitting {
        insert(&mut site, &mut tree, entry, faults);
    }
    site.paths = Paths::of(&tree);
    site.grounds = grounds(&site);
    if !says(Leniency::CaseInsensitive) && !says(Leniency::CaseSensitive) {
        site.folding = folding(&site, faults);
    }
    site
}

fn grounds(site: &Site) -> Box<[Ground]> {
    let open_to = |rule: &Rule| site.area(rule.area).map_or(OpenTo::Granted, |area| area.open_to);
    let rules = site.rules.iter();
    rules.map(|rule| Ground::of(rule, open_to(rule))).collect()
}

/// The rules as a console has them that takes letters of either case for the same. Two that it cannot tell apart and that
/// ask for different things are a fault: no request for either could be let through.
fn folding(site: &Site, faults: &mut Faults) -> Folding {
    if site.rules.iter().all(|rule| rule.pattern.folded().is_none()) {
        return Folding::Same;
    }
    let mut trie = Trie::default();
    for (rule, number) in site.rules.iter().zip(0..) {
        let folded = rule.pattern.folded();
        let pattern = folded.as_ref().unwrap_or(&rule.pattern);
        let verbs = rule.verb.map_or(&[][..], Verb::covers);
        let other = match trie.insert(pattern, verbs, number) {
            Ok(()) | Err(Clash::TooMany) => continue,
            Err(Clash::Same(other) | Clash::Tie(other)) => other,
        };
        let Some(other) = site.rule(other) else { continue };
        let alike =
            pattern_alike(rule, other) && (rule.area, rule.verb, rule.list) == (other.area, other.verb, other.list);
        // What clashes as it is written has been told already.
        if alike || rule.pattern == other.pattern {
            continue;
        }
        let (text, other_text, other_at) = (rule.text(), other.text(), site.key_path(other));
        faults.add(
            site.key_path(rule),
            format!("`{text}` and `{other_text}` at `{other_at}` are alike but for the case of letters"),
            "if the console tells case apart, add `case-sensitive` to the site's `allow`; else take one of the two out"
                .to_owned(),
        );
    }
    Folding::Other(Paths::of(&trie))
}

fn pattern_alike(one: &Rule, other: &Rule) -> bool {
    let folded = |rule: &Rule| rule.pattern.folded().unwrap_or_else(|| rule.pattern.clone());
    folded(one) == folded(other)
}

fn compile_area(site: &KeyPath, name: &str, rules: &AreaRules, faults: &mut Faults) -> Area {
    let at = site.key("areas").key(name);
    faults.check_name(&at, "an area", name);
    if rules.paths.is_empty() {
        faults.add(
            at.clone(),
            format!("the area `{name}` has no paths"),
            "give it `paths`, such as `[\"/devices/**\"]`".to_owned(),
        );
    }
    if rules.actions.len() > ACTIONS_MAX {
        faults.add(
            at.key("actions"),
            format!("the area `{name}` has more than {ACTIONS_MAX} actions"),
            None,
        );
    }
    for (action, entries) in &rules.actions {
        let at = at.key("actions").key(action);
        faults.check_name(&at, "an action", action);
        if LEVEL_WORDS.contains(&action.as_str()) {
            faults.add(
                at,
                format!("an action cannot be called `{action}`"),
                "it is a level in a role's `may`".to_owned(),
            );
        } else if entries.is_empty() {
            faults.add(
                at,
                format!("the action `{action}` has no entries"),
                "give it some, such as `[\"POST /devices/*/wipe\"]`".to_owned(),
            );
        }
    }
    let entries = [
        ("manage_also", !rules.manage_also.is_empty()),
        ("view_also", !rules.view_also.is_empty()),
        ("actions", !rules.actions.is_empty()),
    ];
    if rules.open_to != OpenTo::Granted {
        for (key, _) in entries.iter().filter(|(_, given)| *given) {
            let message = format!("the area `{name}` needs no grant, so its `{key}` would never be asked for");
            faults.add(
                at.key(*key),
                message,
                "take it out, or move what is open into an area of its own".to_owned(),
            );
        }
    }
    Area {
        name: name.into(),
        open_to: rules.open_to,
        actions: rules
            .actions
            .keys()
            .take(ACTIONS_MAX)
            .map(|action| action.as_str().into())
            .collect(),
    }
}

fn insert_paths(site: &mut Site, tree: &mut Trie, area: AreaId, rules: &AreaRules, faults: &mut Faults) {
    for (index, text) in rules.paths.iter().enumerate() {
        let list = List::Paths;
        match parse_pattern(site, text) {
            Ok(pattern) => insert(
                site,
                tree,
                Rule {
                    area,
                    pattern,
                    verb: None,
                    list,
                    index,
                },
                faults,
            ),
            Err((message, help)) => {
                let at = site.list_path(area, list).index(index);
                faults.add(at, message, help);
            }
        }
    }
}

/// The entries of `manage_also`, `view_also` and `actions`, as far as they can be read.
fn parse_entries(site: &Site, area: AreaId, rules: &AreaRules, faults: &mut Faults) -> Vec<Rule> {
    let actions = (0_u8..).zip(rules.actions.values().take(ACTIONS_MAX));
    let lists = [
        (List::ManageAlso, &rules.manage_also),
        (List::ViewAlso, &rules.view_also),
    ];
    let lists = lists
        .into_iter()
        .chain(actions.map(|(action, entries)| (List::Action(action), entries)));
    let mut parsed = Vec::new();
    for (list, entries) in lists {
        for (index, text) in entries.iter().enumerate() {
            match parse_entry(site, text) {
                Ok((verb, pattern)) => parsed.push(Rule {
                    area,
                    pattern,
                    verb: Some(verb),
                    list,
                    index,
                }),
                Err((message, help)) => faults.add(site.list_path(area, list).index(index), message, help),
            }
        }
    }
    parsed
}

fn parse_entry(site: &Site, text: &str) -> Result<(Verb, Pattern), (String, Option<String>)> {
    let methods = || Verb::ALL.map(Verb::as_str).join(", ");
    let Some((method, pattern)) = text.split_once(' ') else {
        let help = "write a method, one space and a pattern, such as `GET /devices/*/delete`";
        return Err((format!("`{text}` has no method"), Some(help.to_owned())));
    };
    let Some(verb) = Verb::parse(method) else {
        return Err((
            format!("`{method}` is not a method that passes the door"),
            Some(format!("these do: {}", methods())),
        ));
    };
    Ok((verb, parse_pattern(site, pattern)?))
}

fn parse_pattern(site: &Site, text: &str) -> Result<Pattern, (String, Option<String>)> {
    if !site.leniencies.contains(Leniency::LookAlikes)
        && let Some(letter) = text.chars().find(|letter| is_look_alike(*letter))
    {
        let message = format!("the pattern `{text}` has the character `{letter}`, which no path of this site has");
        let help = "add `look-alikes` to the site's `allow`, or use `*` in its place";
        return Err((message, Some(help.to_owned())));
    }
    if site.leniencies.contains(Leniency::CaseInsensitive) {
        Pattern::parse_folded(text)
    } else {
        Pattern::parse(text)
    }
}

/// Whether all that an entry is about lies in its own area, as the paths alone divide the site.
fn is_inside(site: &Site, tree: &Trie, entry: &Rule, faults: &mut Faults) -> bool {
    let overlapping: Vec<&Rule> = tree
        .overlapping(&entry.pattern)
        .into_iter()
        .filter_map(|number| site.rule(number))
        .collect();
    let own = overlapping
        .iter()
        .filter(|rule| rule.area == entry.area && rule.pattern.contains(&entry.pattern));
    let own = own.max_by(|a, b| a.pattern.compare(&b.pattern));
    let area = site.area(entry.area).map_or("", |area| &area.name);
    let Some(own) = own else {
        let message = format!("`{}` is not inside the paths of the area `{area}`", entry.text());
        faults.add(
            site.key_path(entry),
            message,
            format!("add its path to the `paths` of `{area}`, or move the entry"),
        );
        return false;
    };
    let between = |rule: &&&Rule| {
        rule.area != entry.area
            && rule.pattern.compare(&own.pattern).is_gt()
            && entry.pattern.compare(&rule.pattern).is_ge()
    };
    if let Some(other) = overlapping
        .iter()
        .filter(between)
        .min_by_key(|rule| (rule.area.0, rule.index))
    {
        let name = site.area(other.area).map_or("", |area| &area.name);
        let message = format!(
            "`{}` reaches into `{}`, which is a path of the area `{name}`",
            entry.text(),
            other.text()
        );
        faults.add(
            site.key_path(entry),
            message,
            format!("move the entry to the area `{name}` (at `{}`)", site.key_path(other)),
        );
        return false;
    }
    true
}

/// Puts a rule into the tree, or says what is in its way.
fn insert(site: &mut Site, tree: &mut Trie, rule: Rule, faults: &mut Faults) {
    let Ok(number) = u32::try_from(site.rules.len()) else {
        return faults.add(
            site.key_path(&rule),
            "the site has more rules than can be numbered",
            None,
        );
    };
    let verbs = rule.verb.map_or(&[][..], Verb::covers);
    let clash = tree.insert(&rule.pattern, verbs, number).err();
    let at = site.key_path(&rule);
    let text = rule.text();
    // Kept even where it clashes, so that numbers and places stay in step.
    site.rules.push(rule);
    match clash {
        None => {}
        Some(Clash::Same(other)) => {
            let (other_text, other_at) = described(site, other);
            let folded = match site.leniencies.contains(Leniency::CaseInsensitive) {
                true => ", upper and lower case taken as one",
                false => "",
            };
            let message = format!("`{text}` stands twice{folded}: here and at `{other_at}` (`{other_text}`)");
            faults.add(
                at,
                message,
                "a path belongs to one area; take one of the two out".to_owned(),
            );
        }
        Some(Clash::Tie(other)) => {
            let (other_text, other_at) = described(site, other);
            let message = format!(
                "`{text}` and `{other_text}` at `{other_at}` are equally specific, and some path may match both"
            );
            faults.add(
                at,
                message,
                "make the fixed text beside the `*` longer in one of them".to_owned(),
            );
        }
        Some(Clash::TooMany) => {
            let message = format!("`{text}` is one pattern too many with a `*` beside text at this place");
            faults.add(
                at,
                message,
                "put what they have in common into fewer patterns".to_owned(),
            );
        }
    }
}

fn described(site: &Site, number: u32) -> (String, String) {
    let rule = site.rule(number);
    (
        rule.map(Rule::text).unwrap_or_default(),
        rule.map(|rule| site.key_path(rule).to_string()).unwrap_or_default(),
    )
}
