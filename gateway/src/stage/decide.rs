//! Fourth: may they. A pure question to the policy, and the only place a permit comes from.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stagedoor_config::Snapshot;
use stagedoor_identity::{Doorkeeper, LiveSession};
use stagedoor_policy::request::{ClientAddress, Target};
use stagedoor_policy::time::Timestamp;
use stagedoor_policy::{Decision, Permit, Question, Refusal, SiteId, decide, explain};

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
    pub path_and_query: String,
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

    /// Whether the rules and sessions of this moment would let it through as well.
    pub fn still_permitted(&self, snapshot: &Snapshot, door: &Doorkeeper, now: Timestamp) -> bool {
        if self.session.as_ref().is_some_and(|session| !door.is_live(session, now)) {
            return false;
        }
        let Some(site) = snapshot.policy.site(&self.site) else {
            return false;
        };
        let (allowed, raw) = (snapshot.policy.leniencies(site), self.path_and_query.as_bytes());
        let Ok(target) = Target::parse_leniently(&self.method, raw, allowed) else {
            return false;
        };
        matches!(
            judge(snapshot, site, &target, self.address, self.session.as_deref()),
            Decision::Allow(_)
        )
    }
}

/// Judges a request.
///
/// # Errors
/// The policy's refusal.
pub fn establish(
    snapshot: &Snapshot,
    site: SiteId,
    target: &Target<'_>,
    address: ClientAddress,
    subject: &Subject,
) -> Result<Admitted, Refusal> {
    let session = match subject {
        Subject::Known(session) => Some(session),
        Subject::Stranger | Subject::Former(_) => None,
    };
    let permit = match judge(snapshot, site, target, address, session.map(Arc::as_ref)) {
        Decision::Allow(permit) => permit,
        Decision::Refuse(refusal) => return Err(refusal),
    };
    let rewritten = target.rewritten();
    Ok(Admitted {
        permit,
        site: snapshot.policy.site_name(site).into(),
        session: session.cloned(),
        address,
        method: target.method().clone(),
        rewritten: rewritten.is_some(),
        path_and_query: rewritten.unwrap_or_else(|| path_and_query(target)),
        tunnelled: AtomicBool::new(false),
    })
}

/// The rule that refused, as a key path of the policy, for the audit.
pub fn deciding_rule(
    snapshot: &Snapshot,
    site: SiteId,
    target: &Target<'_>,
    address: ClientAddress,
    subject: &Subject,
) -> Option<String> {
    let session = match subject {
        Subject::Known(session) => Some(session.as_ref()),
        Subject::Stranger | Subject::Former(_) => None,
    };
    with_question(site, target, address, session, |question| {
        explain(&snapshot.policy, question)
    })
    .steps
    .pop()
    .and_then(|step| step.rule)
}

fn judge(
    snapshot: &Snapshot,
    site: SiteId,
    target: &Target<'_>,
    address: ClientAddress,
    session: Option<&LiveSession>,
) -> Decision {
    with_question(site, target, address, session, |question| {
        decide(&snapshot.policy, question)
    })
}

fn with_question<T>(
    site: SiteId,
    target: &Target<'_>,
    address: ClientAddress,
    session: Option<&LiveSession>,
    ask: impl FnOnce(&Question<'_>) -> T,
) -> T {
    match session {
        Some(session) => {
            let facts = session.facts();
            ask(&Question {
                site,
                target,
                address,
                visitor: Some(facts.visitor()),
                preflight: false,
            })
        }
        None => ask(&Question {
            site,
            target,
            address,
            visitor: None,
            preflight: false,
        }),
    }
}

fn path_and_query(target: &Target<'_>) -> String {
    match target.query() {
        Some(query) => [target.path(), "?", query].concat(),
        None => target.path().to_owned(),
    }
}
