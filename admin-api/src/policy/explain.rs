//! `/v1/policy/explain`: what the door would say to a request, and why. The judgement is the gateway's own.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json as Answer;
use http::Method;
use serde::{Deserialize, Serialize};
use stagedoor_identity::Account;
use stagedoor_policy::network::NetworkSet;
use stagedoor_policy::request::{ClientAddress, Host, Leniencies, READINGS_MAX, Target, TargetFault};
use stagedoor_policy::{AreaId, Decision, Policy, Question, Refusal, SiteId, Step, Visitor, explain};
use utoipa::ToSchema;

use crate::accounts::find_if_any;
use crate::auth::Allowed;
use crate::input::{Json, given};
use crate::problem::{BodyRefusals, FieldFault, Problem, Refusals};
use crate::scope::PolicyRead;

/// How most come in.
const CHANNEL: &str = "browser";

/// A request that might be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Supposed {
    /// The account, by id or name; absent: nobody is signed in.
    #[serde(default, rename = "as")]
    account: Option<String>,
    /// The address it comes from.
    #[schema(min_length = 2)]
    from: String,
    #[schema(pattern = "^[A-Za-z]+$")]
    method: String,
    /// `http://host/path`; a path alone where there is but one site.
    #[schema(pattern = "^(https?://.+|/.*)$")]
    url: String,
    /// The channel the session came in by.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, default = "browser")]
    channel: Option<String>,
}

/// What the door would say.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Explained {
    decision: DecisionName,
    /// Why not, as in metrics and audit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    site: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    area: Option<String>,
    /// What was looked at; the last one decided.
    steps: Vec<StepView>,
    /// The policy it was judged by.
    revision: u64,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum DecisionName {
    Allow,
    Refuse,
}

/// One step of a judgement.
#[derive(Debug, Serialize, ToSchema)]
struct StepView {
    check: &'static str,
    passed: bool,
    /// What was found, for people.
    detail: String,
    /// The rule's key path in the policy, where one decided.
    #[schema(required)]
    rule: Option<String>,
}

impl From<Step> for StepView {
    fn from(step: Step) -> Self {
        Self {
            check: step.check,
            passed: step.passed,
            detail: step.detail,
            rule: step.rule,
        }
    }
}

/// What the door would say to a request, and every step of the judgement. A second factor is taken as shown by who has
/// one, and an `OPTIONS` by nobody as a browser's preflight.
#[utoipa::path(post, path = "/v1/policy/explain", tag = "policy", request_body = Supposed,
    responses((status = 200, body = Explained), Refusals, BodyRefusals), security(("bearer" = ["policy:read"])))]
pub(super) async fn explain_request(
    by: Allowed<PolicyRead>,
    Json(supposed): Json<Supposed>,
) -> Result<Answer<Explained>, Problem> {
    let asked = Parsed::read(&supposed)?;
    let account = match &supposed.account {
        Some(named) => Some(known(&by, named).await?),
        None => None,
    };
    let (policy, site) = match &asked.host {
        Some(host) => by.board().site_of(host),
        None => only_site(by.board().policy())?,
    };
    let channel = supposed.channel.as_deref().unwrap_or(CHANNEL);
    if !policy.has_channel(channel) {
        return Err(Problem::field(
            "channel",
            format!("the policy has no channel `{channel}`"),
        ));
    }
    let Some(site) = site else {
        let detail = format!("no site has the host `{}`", asked.host.as_ref().map_or("", Host::name));
        return Ok(Answer(Explained::stopped(
            &policy,
            "host",
            "unknown_host",
            None,
            detail,
        )));
    };
    let allowed = policy.leniencies(site);
    let target = match Target::parse_leniently(&asked.method, asked.target.as_bytes(), allowed) {
        Ok(target) => target,
        Err(fault) => {
            let detail = refused_target(fault, allowed);
            let site = policy.site_name(site).to_owned();
            return Ok(Answer(Explained::stopped(
                &policy,
                "target",
                fault.as_str(),
                Some(site),
                detail,
            )));
        }
    };
    let kept_out = account.as_ref().and_then(|account| kept_out(&by, account));
    let account = account.filter(|_| kept_out.is_none());
    let networks = account.as_ref().and_then(own_networks);
    let visitor = account.as_ref().map(|account| Visitor {
        role: &account.role,
        grants: &account.grants,
        networks: networks.as_ref(),
        channel,
        second_factor: account.second_factor,
    });
    let question = Question {
        site,
        target: &target,
        address: asked.address,
        visitor,
        preflight: asked.method == Method::OPTIONS && supposed.account.is_none(),
    };
    Ok(Answer(Explained::judged(&policy, &question, kept_out)))
}

/// What is said of a target that is refused before it is judged.
fn refused_target(fault: TargetFault, allowed: Leniencies) -> String {
    if fault == TargetFault::TooManyReadings {
        return format!(
            "servers could read this path in more than {READINGS_MAX} ways, too many to judge for one request, so it is \
             refused; fewer kinds of escapes in one path leave fewer readings"
        );
    }
    let why = "two servers could read this target differently, so it is refused";
    match fault.leniency().filter(|leniency| !allowed.contains(*leniency)) {
        Some(leniency) => format!(
            "{why}; a site lets it pass that has `{}` in its `allow`",
            leniency.name()
        ),
        None => why.to_owned(),
    }
}

async fn known(by: &Allowed<PolicyRead>, named: &str) -> Result<Account, Problem> {
    let unknown = || Problem::field("as", format!("no account has the id or name `{named}`"));
    find_if_any(by, named).await?.ok_or_else(unknown)
}

/// The supposed request, as far as it can be read without a policy.
struct Parsed<'a> {
    address: ClientAddress,
    method: Method,
    host: Option<Host<'a>>,
    target: &'a str,
}

impl<'a> Parsed<'a> {
    fn read(supposed: &'a Supposed) -> Result<Self, Problem> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, message: String| {
            faults.push(FieldFault {
                field: field.to_owned(),
                message,
            });
        };
        let address = supposed.from.parse::<IpAddr>().map(ClientAddress::of_peer);
        if address.is_err() {
            fault("from", format!("`{}` is no address", supposed.from));
        }
        let method = Method::from_bytes(supposed.method.as_bytes());
        if method.is_err() {
            fault("method", format!("`{}` is no method", supposed.method));
        }
        let split = split_url(&supposed.url);
        if let Err(why) = &split {
            fault("url", why.clone());
        }
        match (address, method, split) {
            (Ok(address), Ok(method), Ok((host, target))) => Ok(Self {
                address,
                method,
                host,
                target,
            }),
            _ => Err(Problem::fields(faults)),
        }
    }
}

/// The host and the target of a URL. The target stays as it was typed: judging it is the policy's business, not a URL
/// parser's.
fn split_url(url: &str) -> Result<(Option<Host<'_>>, &str), String> {
    if url.starts_with('/') {
        return Ok((None, url));
    }
    let unreadable = || format!("`{url}` is neither `http://host/path` nor `/path`");
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))
        .ok_or_else(unreadable)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at_checked(end).ok_or_else(unreadable)?;
    let host = Host::parse(authority.as_bytes()).map_err(|_| format!("`{authority}` is no host"))?;
    Ok((Some(host), if target.is_empty() { "/" } else { target }))
}

fn only_site(policy: Arc<Policy>) -> Result<(Arc<Policy>, Option<SiteId>), Problem> {
    let sites: Vec<_> = policy.sites().map(|(id, _)| id).take(2).collect();
    match sites.as_slice() {
        [only] => {
            let only = *only;
            Ok((policy, Some(only)))
        }
        _ => Err(Problem::field(
            "url",
            "there is more than one site: write `http://host/path`",
        )),
    }
}

/// Why an account cannot be signed in at all, so that the judgement sees nobody.
fn kept_out(by: &Allowed<PolicyRead>, account: &Account) -> Option<StepView> {
    let name = account.name.as_str();
    let (why, rule) = if account.disabled {
        (format!("`{name}` is switched off, so it has no session"), None)
    } else if by.door().is_banned(account, by.door().now()) {
        let rule = Some("inactivity.block_after".to_owned());
        (format!("`{name}` is banned for disuse, so it has no session"), rule)
    } else {
        return None;
    };
    Some(StepView {
        check: "account",
        passed: false,
        detail: why,
        rule,
    })
}

/// Networks that cannot be read hold nobody.
fn own_networks(account: &Account) -> Option<NetworkSet> {
    let written = account.networks.iter().map(String::as_str);
    (!account.networks.is_empty()).then(|| NetworkSet::parse(written).unwrap_or_default())
}

impl Explained {
    fn stopped(policy: &Policy, check: &'static str, code: &str, site: Option<String>, detail: String) -> Self {
        Self {
            decision: DecisionName::Refuse,
            code: Some(code.to_owned()),
            site,
            area: None,
            steps: vec![StepView {
                check,
                passed: false,
                detail,
                rule: None,
            }],
            revision: policy.revision().0,
        }
    }

    fn judged(policy: &Policy, question: &Question<'_>, first: Option<StepView>) -> Self {
        let explanation = explain(policy, question);
        let area_name = |area: AreaId| policy.area_name(question.site, area).to_owned();
        let (decision, code, area) = match explanation.decision {
            Decision::Allow(permit) => (DecisionName::Allow, None, Some(area_name(permit.area()))),
            Decision::Refuse(refusal) => {
                let area = match refusal {
                    Refusal::NotGranted { area } => Some(area_name(area)),
                    _ => None,
                };
                (DecisionName::Refuse, Some(refusal.code().to_owned()), area)
            }
        };
        Self {
            decision,
            code,
            site: Some(policy.site_name(question.site).to_owned()),
            area,
            steps: first
                .into_iter()
                .chain(explanation.steps.into_iter().map(StepView::from))
                .collect(),
            revision: policy.revision().0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_of_a_url_stays_as_it_was_typed() {
        let (host, target) = split_url("https://Console.example:8443/a/../b%2f?x=1").unwrap();
        assert_eq!(host.unwrap().name(), "console.example");
        assert_eq!(target, "/a/../b%2f?x=1");
        assert_eq!(split_url("http://console.example").unwrap().1, "/");
        assert_eq!(split_url("/settings").unwrap(), (None, "/settings"));
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for url in [
            "",
            "console.example/x",
            "ftp://console.example/",
            "http://",
            "http://a b/",
        ] {
            assert!(split_url(url).is_err(), "{url}");
        }
    }
}
