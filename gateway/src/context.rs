//! What has been established about one request so far.

use std::sync::Arc;
use std::time::Instant;

use stagedoor_config::{Site, SiteEntry, Snapshot};
use stagedoor_identity::LiveSession;
use stagedoor_policy::AreaId;
use stagedoor_policy::request::ClientAddress;
use stagedoor_policy::time::Timestamp;

use crate::asks::Asks;
use crate::bound::Group;
use crate::open::{SLOT, Slot};
use crate::request_id::RequestId;
use crate::spelling::Spelling;
use crate::stage::decide::Admitted;
use crate::wire::WireFault;

/// One request's state; each field is filled by the stage that can vouch for it.
#[derive(Debug)]
pub struct RequestContext {
    /// The request's name.
    pub id: RequestId,
    /// When its header had been read.
    pub started: Instant,
    /// The last reading of the clock, for steps that nothing was waited for in between.
    pub seen: Instant,
    /// The wall clock when it was judged.
    pub judged_at: Option<Timestamp>,
    /// The rules it is judged by, from start to end.
    pub snapshot: Arc<Snapshot>,
    /// The place from which it can be ended.
    pub slot: Option<Arc<Slot>>,
    /// Stage `address`.
    pub address: Option<ClientAddress>,
    /// What is to be looked at in its header.
    pub asks: Asks,
    /// Whether it has waited for word from the store.
    pub has_waited: bool,
    /// Stage `session`: whose request it is, let through or not.
    pub session: Option<Arc<LiveSession>>,
    /// Stage `decide`: without it there is no way upstream.
    pub admitted: Option<Arc<Admitted>>,
    /// The area a refusal named.
    pub refused_area: Option<AreaId>,
    /// Method and canonical path, for log and audit; set by stage `target`.
    pub target: Option<(http::Method, Spelling)>,
    /// The site, once the host was understood.
    pub site: Option<Arc<SiteEntry>>,
    /// Bytes of the request's body seen so far, where the site limits them.
    pub body_bytes_seen: u64,
    /// What the visitor was answered: `allowed`, `portal`, or a refusal's code.
    pub outcome: &'static str,
    /// The status answered by us, where we did.
    pub status: u16,
    /// Whether the next piece of the answer's body is its first.
    pub is_first_piece: bool,
    /// When the console was asked.
    pub upstream_started: Option<Instant>,
}

impl RequestContext {
    /// What is wrong with the bytes of this request; what was parsed instead of it is not the visitor's.
    pub fn wire_fault(&self) -> Option<WireFault> {
        self.slot.as_ref().and_then(|slot| slot.turn().fault())
    }

    /// The site's name, for labels and logs; empty while it is not known.
    pub fn site_name(&self) -> &str {
        self.site.as_ref().map_or("", |entry| &entry.site.name)
    }

    /// The site's name, where it is known.
    pub fn known_site_name(&self) -> Option<String> {
        self.site.as_ref().map(|entry| entry.site.name.clone())
    }

    /// Whose request it is, by name.
    pub fn account_name(&self) -> Option<String> {
        self.session
            .as_ref()
            .map(|session| session.account().name.as_str().to_owned())
    }

    /// The area's name, once a permit or a refusal named it.
    pub fn area_name(&self) -> Option<&str> {
        let area = self
            .admitted
            .as_ref()
            .map(|admitted| admitted.permit.area())
            .or(self.refused_area)?;
        Some(self.snapshot.policy.area_name(self.site.as_ref()?.id, area))
    }

    /// The site of a request that holds a permit; nothing else leads to a console.
    pub fn permitted_site(&self) -> Option<&Site> {
        let (admitted, entry) = (self.admitted.as_ref()?, self.site.as_ref()?);
        (admitted.permit.site() == entry.id).then_some(&entry.site)
    }

    /// Where its connections to consoles are kept, if they are shared with nobody.
    pub fn group(&self) -> Option<Arc<Group>> {
        let private = self.slot.as_ref()?.private();
        let admitted = self.admitted.as_deref()?;
        private.is_bound().then(|| private.group(admitted))
    }

    /// For a request whose header has just been read.
    pub fn new(id: RequestId, snapshot: Arc<Snapshot>) -> Self {
        let slot = SLOT.try_with(Arc::clone).ok();
        if let Some(slot) = &slot {
            slot.has_head();
        }
        let started = Instant::now();
        Self {
            id,
            started,
            seen: started,
            judged_at: None,
            snapshot,
            slot,
            address: None,
            asks: Asks::default(),
            has_waited: false,
            session: None,
            admitted: None,
            refused_area: None,
            target: None,
            site: None,
            body_bytes_seen: 0,
            outcome: "unfinished",
            status: 0,
            is_first_piece: false,
            upstream_started: None,
        }
    }
}
