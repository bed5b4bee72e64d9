//! What is in force: the policy, the building and which host is which site. A request uses one from start to end.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use stagedoor_policy::request::Host;
use stagedoor_policy::{Policy, SiteId};

use crate::building::{Building, Site};
use crate::host::HostTable;

/// Immutable.
#[derive(Debug)]
pub struct Snapshot {
    /// The rules.
    pub policy: Arc<Policy>,
    /// The building.
    pub building: Arc<Building>,
    pub(crate) texts: Texts,
    /// Of the policy's text: hashed once, asked for several times a second.
    etag: String,
    sites: Vec<Arc<SiteEntry>>,
    hosts: HostTable,
}

/// A site as a request needs it.
#[derive(Debug, Clone)]
pub struct SiteEntry {
    /// Its place in [`Snapshot::policy`], and in no other.
    pub id: SiteId,
    /// Itself.
    pub site: Site,
}

/// What the two files said.
#[derive(Debug, Clone)]
pub(crate) struct Texts {
    pub(crate) building: Arc<str>,
    pub(crate) policy: Arc<str>,
}

impl Snapshot {
    pub(crate) fn new(policy: Arc<Policy>, building: Arc<Building>, texts: Texts) -> Self {
        let mut hosts = HostTable::default();
        let mut sites: Vec<Arc<SiteEntry>> = Vec::new();
        for site in &building.sites {
            // Sites without rules were given empty ones, so the policy knows them all. If it did not, the host would have
            // no site and be refused.
            let Some(id) = policy.site(&site.name) else { continue };
            for host in &site.hosts {
                hosts.add(host, sites.len());
            }
            sites.push(Arc::new(SiteEntry { id, site: site.clone() }));
        }
        Self {
            policy,
            building,
            etag: etag(&texts.policy),
            texts,
            sites,
            hosts,
        }
    }

    /// The site that answers to this host, if one does.
    pub fn site_for(&self, host: &Host<'_>) -> Option<&Arc<SiteEntry>> {
        self.sites.get(self.hosts.find(host.name())?)
    }

    /// The text of the policy.
    pub fn policy_text(&self) -> Arc<str> {
        Arc::clone(&self.texts.policy)
    }

    /// The entity tag of the policy, quotes included: `"<first 16 hex digits of SHA-256>"`.
    pub fn policy_etag(&self) -> String {
        self.etag.clone()
    }

    /// Every site, in the order of names.
    pub fn sites(&self) -> impl Iterator<Item = &Arc<SiteEntry>> {
        self.sites.iter()
    }
}

/// The entity tag of a policy's text.
pub(crate) fn etag(text: &str) -> String {
    let hex: String = sha256(text.as_bytes())
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut sum = [0; 32];
    for (to, from) in sum.iter_mut().zip(digest(&SHA256, bytes).as_ref()) {
        *to = *from;
    }
    sum
}
