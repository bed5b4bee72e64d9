//! The door's own judgement, asked in this process: which area a target lies in, and what would be forwarded.

use http::Method;
use stagedoor_policy::request::{ClientAddress, Leniencies, Leniency, Target};
use stagedoor_policy::rules::{AreaRules, RoleRules, Rules};
use stagedoor_policy::{Decision, Policy, Question, Revision, SiteId, Visitor, compile, decide};
use stagedoor_tests::server::{AREAS, REST};

/// A policy for the tree that the servers serve.
pub(super) struct Judge {
    policy: Policy,
    site: SiteId,
    allowed: Leniencies,
}

/// What the door makes of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judged {
    /// It goes on to the console in these bytes, as a request for this area.
    Forwarded { area: String, target: Vec<u8> },
    /// It does not, for this reason.
    Refused(&'static str),
}

/// May everything.
const EVERYTHING: &str = "everything";

/// Every leniency but the one that cannot be beside `case-insensitive`.
pub(super) fn everything_at_once() -> Leniencies {
    let all = Leniency::ALL.into_iter();
    all.filter(|one| *one != Leniency::CaseSensitive).collect()
}

/// May everything but what is in this area.
fn everything_but(area: &str) -> String {
    format!("not-{area}")
}

impl Judge {
    /// Areas lie inside `rest`, which makes a wrong reading as bad as it can be: what is not recognised as `/admin`
    /// passes as something lesser.
    pub(super) fn with_areas_inside_rest() -> Self {
        Self::allowing(Leniencies::NONE)
    }

    /// The same for a site that lets these pass.
    pub(super) fn allowing(allowed: Leniencies) -> Self {
        Self::new(AREAS.into_iter(), allowed)
    }

    /// Without `rest`: what is not recognised lies in no area and is refused.
    pub(super) fn with_areas_side_by_side() -> Self {
        Self::new(AREAS.into_iter().filter(|(name, _)| *name != REST), Leniencies::NONE)
    }

    /// With one path alone for the report, as somebody writes it who thinks of one page.
    pub(super) fn with_one_path_for_the_report() -> Self {
        let areas = AREAS.map(|(name, patterns)| match name {
            "report" => (name, &["/report"][..]),
            _ => (name, patterns),
        });
        Self::new(areas.into_iter(), Leniencies::NONE)
    }

    fn new(areas: impl Iterator<Item = (&'static str, &'static [&'static str])>, allowed: Leniencies) -> Self {
        let mut rules = Rules::default();
        let role = |but: Option<&str>| RoleRules {
            may: [("*", "all")]
                .into_iter()
                .chain(but.map(|area| (area, "none")))
                .map(|(area, level)| (area.to_owned(), vec![level.to_owned()]))
                .collect(),
            ..RoleRules::default()
        };
        rules.roles.insert(EVERYTHING.to_owned(), role(None));
        let site = rules.sites.entry("console".to_owned()).or_default();
        site.allow = allowed;
        for (name, patterns) in areas {
            let area = AreaRules {
                paths: patterns.iter().map(|&pattern| pattern.to_owned()).collect(),
                ..AreaRules::default()
            };
            site.areas.insert(name.to_owned(), area);
            rules.roles.insert(everything_but(name), role(Some(name)));
        }
        let policy = compile(&rules, Revision(1)).unwrap_or_else(|faults| panic!("{faults:#?}"));
        let site = policy.site("console").expect("the site was named");
        Self { policy, site, allowed }
    }

    /// What becomes of a target of somebody who may do everything.
    pub(super) fn judge(&self, raw: &[u8]) -> Judged {
        self.judge_for(EVERYTHING, raw)
    }

    /// Whether somebody who may do everything but this area's things is refused. Where a target has several readings it
    /// has to pass in each, so this, and not the one area that is named, is what a server's reading is held to.
    pub(super) fn keeps_out_of(&self, area: &str, raw: &[u8]) -> bool {
        self.policy.has_role(&everything_but(area))
            && matches!(self.judge_for(&everything_but(area), raw), Judged::Refused(_))
    }

    fn judge_for(&self, role: &str, raw: &[u8]) -> Judged {
        let target = match Target::parse_leniently(&Method::GET, raw, self.allowed) {
            Ok(target) => target,
            Err(fault) => return Judged::Refused(fault.as_str()),
        };
        let visitor = Visitor {
            role,
            grants: &[],
            networks: None,
            channel: "browser",
            second_factor: true,
        };
        let question = Question {
            site: self.site,
            target: &target,
            address: ClientAddress::of_peer([127, 0, 0, 1].into()),
            visitor: Some(visitor),
            preflight: false,
        };
        match decide(&self.policy, &question) {
            Decision::Allow(permit) => Judged::Forwarded {
                area: self.policy.area_name(permit.site(), permit.area()).to_owned(),
                target: target.rewritten().map_or_else(|| raw.to_vec(), String::into_bytes),
            },
            Decision::Refuse(refusal) => Judged::Refused(refusal.code()),
        }
    }
}

/// The same as the text of a policy file, but for everybody.
pub(super) fn policy_text(allowed: Leniencies) -> String {
    let allowed: Vec<&str> = allowed.iter().map(Leniency::name).collect();
    let areas = AREAS.map(|(name, patterns)| format!("{name} = {{ paths = {patterns:?}, open_to = \"everyone\" }}\n"));
    format!(
        "[site.console]\nallow = {allowed:?}\n\n[site.console.areas]\n{}",
        areas.concat()
    )
}

/// Where a reader comes to who takes a target as it is written, but for letters that are escaped: the area whose name its
/// first part is.
pub(super) fn area_as_written(target: &str) -> &'static str {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let first = with_plain_letters(first);
    let known = AREAS
        .iter()
        .find(|(name, _)| *name == first || first == format!("{name}.php"));
    known.map_or(REST, |(name, _)| name)
}

fn with_plain_letters(segment: &str) -> String {
    let mut parts = segment.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let letter = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match letter.filter(u8::is_ascii_alphanumeric) {
            Some(letter) => plain.extend([char::from(letter)].into_iter().chain(part.chars().skip(2))),
            None => plain.extend(['%'].into_iter().chain(part.chars())),
        }
    }
    plain
}
