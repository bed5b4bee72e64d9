//! The one walk that every judgement is: each check in its turn, the first that fails refuses.
//!
//! A stranger learns nothing of which paths exist, and neither does somebody whose role, channel, second factor or address
//! does not pass: that no area holds the path is found early and said late.

use super::holding::{self, Spot};
use super::notes::{Finding, Notes, Silent};
use super::{Decision, Permit, Question, Refusal, Scope, Visitor};
use crate::Level;
use crate::fault::KeyPath;
use crate::network::NetworkSet;
use crate::policy::Policy;
use crate::request::{ClientAddress, Target};
use crate::role::Role;
use crate::rules::{OpenTo, Preflight, SecondFactor};
use crate::site::{Area, Folded, Found, Ground, Need, Rule, Site};
use crate::verb::Verb;

pub(super) fn judge(policy: &Policy, question: &Question<'_>, notes: &mut impl Notes) -> Decision {
    match walk(policy, question, notes) {
        Ok(permit) => Decision::Allow(permit),
        Err(refusal) => Decision::Refuse(refusal),
    }
}

/// See [`Policy::admits_address`].
pub(crate) fn admits_address(policy: &Policy, visitor: &Visitor<'_>, address: ClientAddress) -> Result<(), Refusal> {
    let role = known_role(policy, visitor, &mut Silent)?;
    role_networks(role, address, &mut Silent)?;
    account_networks(role, visitor, address, &mut Silent)
}

/// What passes has to pass in every reading of its path: nobody here knows which one the console takes.
fn walk(policy: &Policy, question: &Question<'_>, notes: &mut impl Notes) -> Result<Permit, Refusal> {
    let target = question.target;
    let permit = walk_one(policy, question, target.decoded_path(), notes)?;
    for reading in target.other_readings() {
        notes.step("reading", true, || {
            let detail = format!("a console may also read the path as `{reading}`, which has to pass as well");
            (detail, None)
        });
        walk_one(policy, question, reading, notes)?;
    }
    Ok(permit)
}

fn walk_one(policy: &Policy, question: &Question<'_>, path: &str, notes: &mut impl Notes) -> Result<Permit, Refusal> {
    let site = policy.site_at(question.site);
    site_networks(site, question.address, notes)?;
    let place = find_area(site, path, question.target.verb(), notes);
    let twin = other_case(site, place.as_ref(), path, question.target, notes);
    if let Some(twin) = &twin {
        return Err(refuse_either_case(policy, place.as_ref(), twin, question, notes));
    }
    if let Some(place) = place.filter(|place| is_forwarded_preflight(place, question, notes)) {
        return Ok(place.permit(question));
    }
    if let Some(place) = place.filter(|place| place.ground.open_to == OpenTo::Everyone) {
        notes.step("grant", true, || place.open("everyone"));
        return Ok(place.permit(question));
    }
    let (visitor, role) = somebody(policy, question, notes)?;
    let Some(place) = place else {
        notes.step("grant", false, || {
            ("what no area holds cannot be granted".to_owned(), None)
        });
        return Err(Refusal::NoArea);
    };
    if place.ground.open_to == OpenTo::SignedIn {
        notes.step("grant", true, || place.open("whoever is signed in"));
        return Ok(place.permit(question));
    }
    granted(&place, role, &visitor, question, notes)?;
    Ok(place.permit(question))
}

/// Who asks and in which role, as far as they may ask anything.
fn somebody<'p, 'q>(
    policy: &'p Policy,
    question: &Question<'q>,
    notes: &mut impl Notes,
) -> Result<(Visitor<'q>, &'p Role), Refusal> {
    let visitor = signed_in(question, notes)?;
    let role = known_role(policy, &visitor, notes)?;
    channel(role, &visitor, notes)?;
    second_factor(role, &visitor, notes)?;
    role_networks(role, question.address, notes)?;
    account_networks(role, &visitor, question.address, notes)?;
    Ok((visitor, role))
}

/// Where in a site a request leads.
#[derive(Clone, Copy)]
struct Place<'p> {
    site: &'p Site,
    /// The number of the rule that led here.
    rule: u32,
    ground: Ground,
    need: Need,
}

impl<'p> Place<'p> {
    /// For messages: a judgement needs nothing of it.
    fn rule(&self) -> Option<&'p Rule> {
        self.site.rule(self.rule)
    }

    fn area(&self) -> Option<&'p Area> {
        self.site.area(self.ground.area)
    }

    fn area_name(&self) -> &'p str {
        self.area().map_or("", |area| &area.name)
    }

    fn permit(&self, question: &Question<'_>) -> Permit {
        Permit {
            site: question.site,
            area: self.ground.area,
            level: self.need.level(),
        }
    }

    fn open(&self, whom: &str) -> Finding {
        let area = self.area_name();
        let at = KeyPath::of(["site", &self.site.name, "areas", area, "open_to"]);
        (format!("the area `{area}` is open to {whom}"), Some(at))
    }
}

fn site_networks(site: Option<&Site>, address: ClientAddress, notes: &mut impl Notes) -> Result<(), Refusal> {
    // Without a site there is no area either, so that the walk ends in a refusal all the same.
    let Some(site) = site else { return Ok(()) };
    let at = || KeyPath::of(["site", &site.name, "networks"]);
    within(site.networks.as_ref(), address, "site networks", at, notes, Scope::Site)
}

fn find_area<'p>(site: Option<&'p Site>, path: &str, verb: Verb, notes: &mut impl Notes) -> Option<Place<'p>> {
    let place = site.and_then(|site| {
        let Found { rule, ground } = site.rule_for(path, verb)?;
        let need = ground.need(verb);
        Some(Place {
            site,
            rule,
            ground,
            need,
        })
    });
    notes.step("area", place.is_some(), || match (&place, site) {
        (Some(place), _) => {
            let (rule, area) = (place.rule(), place.area_name());
            let pattern = rule.map(Rule::text).unwrap_or_default();
            let detail = format!("`{pattern}` of area `{area}` is the most specific pattern for this path");
            (detail, rule.map(|rule| place.site.key_path(rule)))
        }
        (None, Some(site)) => (format!("no area of the site `{}` holds `{path}`", site.name), None),
        (None, None) => ("the policy has no such site".to_owned(), None),
    });
    place
}

/// Where a console that folds case would find the path, if that is not where it was found. `None` also where the site says
/// which kind of console it has.
fn other_case<'p>(
    site: Option<&'p Site>,
    place: Option<&Place<'p>>,
    path: &str,
    target: &Target<'_>,
    notes: &mut impl Notes,
) -> Option<OtherCase<'p>> {
    let verb = target.verb();
    let Folded::Asked(twin) = site?.rule_when_folded(path, target.has_capitals(), verb) else {
        return None;
    };
    let twin = OtherCase {
        site: site?,
        found: twin,
    };
    let found = place.map(|place| (place.ground.area, place.need));
    if found == twin.found.map(|found| (found.ground.area, found.ground.need(verb))) {
        return None;
    }
    notes.step("case", false, || twin.finding());
    Some(twin)
}

/// What a console finds that takes letters of either case for the same: nothing, or by this rule.
struct OtherCase<'p> {
    site: &'p Site,
    found: Option<Found>,
}

impl OtherCase<'_> {
    fn is_open_to_everyone(&self) -> bool {
        self.found.is_some_and(|found| found.ground.open_to == OpenTo::Everyone)
    }

    fn finding(&self) -> Finding {
        let rule = self.found.and_then(|found| self.site.rule(found.rule));
        let elsewhere = match rule {
            Some(rule) => {
                let area = self.site.area(rule.area).map_or("", |area| &area.name);
                format!("leads to `{}` of area `{area}`", rule.text())
            }
            None => "leads nowhere".to_owned(),
        };
        let detail = format!(
            "upper and lower case taken as one, this path {elsewhere}, which asks for something else: say which kind of \
             console it is by `case-insensitive` or `case-sensitive` in the site's `allow`"
        );
        (detail, rule.map(|rule| self.site.key_path(rule)))
    }
}

/// Refuses what a console may find in either of two places. Nobody learns from it that there is an area whom the area itself
/// would not have told.
fn refuse_either_case(
    policy: &Policy,
    place: Option<&Place<'_>>,
    twin: &OtherCase<'_>,
    question: &Question<'_>,
    notes: &mut impl Notes,
) -> Refusal {
    let is_open = place.is_some_and(|place| place.ground.open_to == OpenTo::Everyone) && twin.is_open_to_everyone();
    if !is_open && let Err(refusal) = somebody(policy, question, notes) {
        return refusal;
    }
    notes.step("grant", false, || {
        let (_, rule) = twin.finding();
        ("what may be meant in either case cannot be granted".to_owned(), rule)
    });
    Refusal::CaseAmbiguous
}

/// Whether it is a preflight and the site has the console answer those: browsers send them without a session.
fn is_forwarded_preflight(place: &Place<'_>, question: &Question<'_>, notes: &mut impl Notes) -> bool {
    if !question.preflight || question.target.verb() != Verb::Options {
        return false;
    }
    let forwarded = place.site.preflight == Preflight::Forward;
    notes.step("preflight", true, || {
        let site = &place.site.name;
        let detail = if forwarded {
            format!("the site `{site}` has the console answer preflights, whoever asks")
        } else {
            format!("the site `{site}` judges preflights like any other request")
        };
        (detail, Some(KeyPath::of(["site", site, "preflight"])))
    });
    forwarded
}

fn signed_in<'q>(question: &Question<'q>, notes: &mut impl Notes) -> Result<Visitor<'q>, Refusal> {
    notes.step("session", question.visitor.is_some(), || match question.visitor {
        Some(visitor) => (format!("signed in, by channel `{}`", visitor.channel), None),
        None => ("nobody is signed in".to_owned(), None),
    });
    question.visitor.ok_or(Refusal::SignInRequired)
}

fn known_role<'p>(policy: &'p Policy, visitor: &Visitor<'_>, notes: &mut impl Notes) -> Result<&'p Role, Refusal> {
    let role = policy.role(visitor.role);
    notes.step("role", role.is_some(), || match role {
        Some(role) => (
            format!("the role is `{}`", role.name),
            Some(KeyPath::of(["role", &role.name])),
        ),
        None => (format!("the policy has no role `{}`", visitor.role), None),
    });
    role.ok_or(Refusal::RoleUnknown)
}

fn channel(role: &Role, visitor: &Visitor<'_>, notes: &mut impl Notes) -> Result<(), Refusal> {
    let passed = role.may_use_channel(visitor.channel);
    notes.step("channel", passed, || {
        let names: Vec<_> = role.channels.iter().map(|name| format!("`{name}`")).collect();
        let names = if names.is_empty() {
            "no channel".to_owned()
        } else {
            names.join(", ")
        };
        let detail = format!(
            "came in by `{}`; the role `{}` may use {names}",
            visitor.channel, role.name
        );
        (detail, Some(KeyPath::of(["role", &role.name, "channels"])))
    });
    check(passed, Refusal::ChannelNotAllowed)
}

fn second_factor(role: &Role, visitor: &Visitor<'_>, notes: &mut impl Notes) -> Result<(), Refusal> {
    let required = role.second_factor == SecondFactor::Required;
    let passed = visitor.second_factor || !required;
    notes.step("second factor", passed, || {
        let asked = if required { "has to" } else { "need not" };
        let shown = if visitor.second_factor { "did" } else { "did not" };
        let detail = format!(
            "the role `{}` {asked} show a second factor; this session {shown}",
            role.name
        );
        (detail, Some(KeyPath::of(["role", &role.name, "second_factor"])))
    });
    check(passed, Refusal::SecondFactorRequired)
}

fn role_networks(role: &Role, address: ClientAddress, notes: &mut impl Notes) -> Result<(), Refusal> {
    let at = || KeyPath::of(["role", &role.name, "networks"]);
    within(role.networks.as_ref(), address, "role networks", at, notes, Scope::Role)
}

fn account_networks(
    role: &Role,
    visitor: &Visitor<'_>,
    address: ClientAddress,
    notes: &mut impl Notes,
) -> Result<(), Refusal> {
    let at = || KeyPath::of(["role", &role.name, "account_networks"]);
    if visitor.networks.is_none() && role.account_networks.required {
        notes.step("account networks", false, || {
            let detail = format!(
                "the role `{}` needs an account with networks of its own, and it has none",
                role.name
            );
            (detail, Some(at().key("required")))
        });
        return Err(Refusal::AccountHasNoNetworks);
    }
    within(visitor.networks, address, "account networks", at, notes, Scope::Account)
}

/// Whether the networks, where there are any, hold the address.
fn within(
    networks: Option<&NetworkSet>,
    address: ClientAddress,
    check_name: &'static str,
    at: impl Fn() -> KeyPath,
    notes: &mut impl Notes,
    scope: Scope,
) -> Result<(), Refusal> {
    let passed = networks.is_none_or(|networks| networks.contains(address.ip()));
    notes.step(check_name, passed, || {
        let ip = address.ip();
        let Some(networks) = networks else {
            return ("none are set, so any address will do".to_owned(), None);
        };
        let detail = match networks.longest_match(ip) {
            Some((net, true)) => format!("`{ip}` is in `{net}`"),
            Some((net, false)) => format!("`{ip}` is in `{net}`, which is excepted"),
            None => format!("`{ip}` is in none of them"),
        };
        (detail, Some(at()))
    });
    check(passed, Refusal::AddressNotAllowed(scope))
}

fn granted(
    place: &Place<'_>,
    role: &Role,
    visitor: &Visitor<'_>,
    question: &Question<'_>,
    notes: &mut impl Notes,
) -> Result<(), Refusal> {
    let by_role = role.grants.on(question.site, place.ground.area);
    let from_role = by_role.is_some_and(|grant| grant.covers(place.need));
    let passed = from_role || by_account(place, role, visitor, question);
    notes.step("grant", passed, || {
        let needed = match place.need {
            Need::Level(Level::Manage) => "`manage`".to_owned(),
            Need::Level(_) => "`view`".to_owned(),
            Need::Action(action, _) => {
                let name = place.area().map_or("", |area| area.action(action));
                format!("the action `{name}`")
            }
        };
        let area = place.area_name();
        let may = KeyPath::of(["role", &role.name, "may"]);
        match by_role {
            Some(grant) if from_role => (
                format!("the role `{}` is granted {needed} on `{area}`", role.name),
                Some(may.key(role.grants.key(grant))),
            ),
            _ if passed => (format!("the account itself is granted {needed} on `{area}`"), None),
            Some(grant) => {
                let detail = format!(
                    "{needed} on `{area}` is needed, and the role `{}` is granted less",
                    role.name
                );
                (detail, Some(may.key(role.grants.key(grant))))
            }
            None => (
                format!(
                    "{needed} on `{area}` is needed, and the role `{}` has no grant there",
                    role.name
                ),
                None,
            ),
        }
    });
    check(
        passed,
        Refusal::NotGranted {
            area: place.ground.area,
        },
    )
}

/// Whether a grant of the account itself opens the place.
fn by_account(place: &Place<'_>, role: &Role, visitor: &Visitor<'_>, question: &Question<'_>) -> bool {
    let spot = place.area().map(|area| Spot {
        site_id: question.site,
        site: place.site,
        area_id: place.ground.area,
        area,
    });
    spot.is_some_and(|spot| holding::by_account(role, visitor, spot, place.need))
}

fn check(passed: bool, refusal: Refusal) -> Result<(), Refusal> {
    if passed { Ok(()) } else { Err(refusal) }
}
