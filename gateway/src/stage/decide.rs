//! Fourth: may they. A pure question to the policy, and the only place a permit comes from.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use stagedoor_config::{OnStoreLoss, Snapshot};
use stagedoor_identity::{Doorkeeper, LiveSession};
use stagedoor_policy::request::{ClientAddress, Target};
use stagedoor_policy::time::Timestamp;
use stagedoor_policy::{Decision, Permit, Question, Refusal, SiteId, decide, explain};

use crate::due::Due;
use crate::spelling::Spelling;
use crate::stage::outage;
use crate::stage::session::Subject;

/// A request that was let through, with all that is needed to judge it again.
#[derive(Debug)]
pub struct Admitted {
    /// The way upstream.
    pub permit: Permit,
    /// The site, by the name that outlives a policy.
    pub site: Arc<str>,
    /// Whose request it is; nobody's where the area is open to everyone.
    pub session: Option<Arc<LiveSession>>,
    /// From where.
    pub address: ClientAddress,
    /// As judged.
    pub method: http::Method,
    /// Canonical path and query, as judged and as forwarded.
    pub path_and_query: Spelling,
    /// Whether it is a preflight, as browsers send before a request from another origin.
    pub preflight: bool,
    /// By when the console has to have answered.
    pub due: Due,
    /// Whether [`Admitted::path_and_query`] differs from what the visitor sent.
    pub rewritten: bool,
    tunnelled: AtomicBool,
}

impl Admitted {
    /// Whether it has become a tunnel, which ends itself.
    pub fn tunnelled(&self) -> bool {
        self.tunnelled.load(Ordering::Relaxed)
    }

    /// From now on it is a tunnel.
    pub fn becomes_tunnel(&self) {
        self.tunnelled.store(true, Ordering::Relaxed);
    }

    /// Whether the console has taken longer than it may. A tunnel has limits of its own.
    pub fn is_overdue(&self, now: Instant) -> bool {
        !self.tunnelled() && self.due.is_over(now)
    }

    /// Whether the rules and sessions of this moment would let it through as well.
    pub fn still_permitted(&self, snapshot: &Snapshot, door: &Doorkeeper, now: Timestamp) -> bool {
        if self.session.as_ref().is_some_and(|session| !door.is_live(session, now)) {
            return false;
        }
        let Some(site) = snapshot.policy.site(&self.site) else {
            return false;
        };
        if self.session.is_some() && !door.freshness().holds(now) {
            let entry = snapshot.sites().find(|entry| entry.id == site);
            let rule = entry.map_or(OnStoreLoss::Refuse, |entry| entry.site.on_store_loss);
            if !outage::is_passed_over(rule, door, self.permit.level(), outage::Of::Stream) {
                return false;
            }
        }
        let (allowed, raw) = (
            snapshot.policy.leniencies(site),
            self.path_and_query.as_str().as_bytes(),
        );
        let Ok(target) = Target::parse_leniently(&self.method, raw, allowed) else {
            return false;
        };
        matches!(
            judge(snapshot, &self.asked(site, &target), self.session.as_deref()),
            Decision::Allow(_)
        )
    }

    /// Whether another piece may pass through a tunnel: nobody has ended its session, as far as is known, and it is known, or
    /// the site lets it pass all the same. The rest of [`Self::still_permitted`] is asked by and by.
    pub fn may_pass(&self, door: &Doorkeeper, rule: OnStoreLoss) -> bool {
        let Some(session) = &self.session else { return true };
        let is_passed_over = || outage::is_passed_over(rule, door, self.permit.level(), outage::Of::Request);
        session.end().is_none() && (door.freshness().holds(door.now()) || is_passed_over())
    }

    fn asked<'a>(&self, site: SiteId, target: &'a Target<'a>) -> Asked<'a> {
        Asked {
            site,
            target,
            address: self.address,
            preflight: self.preflight,
        }
    }
}

/// What is judged, whoever asks.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The site.
    pub site: SiteId,
    /// What for.
    pub target: &'a Target<'a>,
    /// From where.
    pub address: ClientAddress,
    /// Whether it is a preflight: a browser asks whether a page of another origin may ask.
    pub preflight: bool,
}

/// Judges a request, whose target is spelt like this.
///
/// # Errors
/// The policy's refusal.
pub fn establish(
    snapshot: &Snapshot,
    asked: &Asked<'_>,
    subject: &Subject,
    due: Due,
    spelling: Spelling,
) -> Result<Admitted, Refusal> {
    let mut session = known(subject);
    // What is let through without anybody's session carries nobody's identity.
    if asked.preflight && matches!(judge(snapshot, asked, None), Decision::Allow(_)) {
        session = None;
    }
    let permit = match judge(snapshot, asked, session.map(Arc::as_ref)) {
        Decision::Allow(permit) => permit,
        Decision::Refuse(refusal) => return Err(refusal),
    };
    Ok(Admitted {
        permit,
        site: snapshot.policy.shared_site_name(asked.site),
        session: session.cloned(),
        address: asked.address,
        method: asked.target.method().clone(),
        rewritten: asked.target.is_rewritten(),
        path_and_query: spelling,
        preflight: asked.preflight,
        due,
        tunnelled: AtomicBool::new(false),
    })
}

/// The rule that refused, as a key path of the policy, for the audit.
pub fn deciding_rule(snapshot: &Snapshot, asked: &Asked<'_>, subject: &Subject) -> Option<String> {
    let session = known(subject).map(Arc::as_ref);
    with_question(asked, session, |question| explain(&snapshot.policy, question))
        .steps
        .pop()
        .and_then(|step| step.rule)
}

fn known(subject: &Subject) -> Option<&Arc<LiveSession>> {
    match subject {
        Subject::Known(session) => Some(session),
        Subject::Stranger | Subject::Former(_) | Subject::Untold => None,
    }
}

fn judge(snapshot: &Snapshot, asked: &Asked<'_>, session: Option<&LiveSession>) -> Decision {
    with_question(asked, session, |question| decide(&snapshot.policy, question))
}

fn with_question<T>(asked: &Asked<'_>, session: Option<&LiveSession>, ask: impl FnOnce(&Question<'_>) -> T) -> T {
    let question = |visitor| Question {
        site: asked.site,
        target: asked.target,
        address: asked.address,
        visitor,
        preflight: asked.preflight,
    };
    match session {
        Some(session) => {
            let facts = session.facts();
            ask(&question(Some(facts.visitor())))
        }
        None => ask(&question(None)),
    }
}
