//! `[cluster]`: several doors on one store; and what a site does while its door hears nothing from it.

use std::ops::RangeInclusive;
use std::time::Duration;

use stagedoor_policy::fault::KeyPath;

use super::Assembly;
use crate::building::{Cluster, OnStoreLoss, PolicyAtStart, StoreChoice};
use crate::fields::Fields;

/// Shorter, the beats of the lease would be most of what Redis does; longer, nobody would call it prompt.
const LEASE: RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_secs(5);
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Longer, a revocation would not be one.
const STORE_LOSS_MAX: Duration = Duration::from_secs(3600);
const NODE_CHARACTERS_MAX: usize = 64;

impl Assembly<'_> {
    pub(super) fn cluster(&mut self, mut fields: Fields, store: Option<&StoreChoice>) -> Option<Cluster> {
        let node = fields.text("node");
        let (lease, wait) = (fields.duration("lease")?, fields.duration("wait")?);
        let policy_at_start = match fields.text("policy_at_start").as_deref() {
            Some("file") => PolicyAtStart::File,
            _ => PolicyAtStart::Store,
        };
        fields.done();
        let node = node?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if node.is_empty() || node.len() > NODE_CHARACTERS_MAX || !node.bytes().all(plain) {
            let help = "write 1 to 64 letters, digits and the characters . _ -";
            self.cluster_fault("node", "the name of this door does not fit", help);
        }
        if !LEASE.contains(&lease) {
            let help = "write a time such as `\"250ms\"`";
            self.cluster_fault("lease", "the lease must be between 50 ms and 5 s", help);
        }
        if wait > WAIT_MAX {
            let help = "write a time such as `\"250ms\"`";
            self.cluster_fault("wait", "a request may wait for 10 s at most", help);
        }
        if matches!(store, Some(StoreChoice::Embedded { .. })) {
            let help = "set `url` in `[store]` to `redis://HOST:PORT`, or leave `node` out";
            self.cluster_fault("node", "several doors can share a store on Redis alone", help);
        }
        Some(Cluster {
            node,
            lease,
            wait,
            policy_at_start,
        })
    }

    pub(super) fn on_store_loss(&mut self, fields: &mut Fields, at: &KeyPath) -> OnStoreLoss {
        let (rule, lasts) = (fields.text("on_store_loss"), fields.duration("on_store_loss_for"));
        let lasts = lasts.unwrap_or_default();
        if lasts > STORE_LOSS_MAX {
            let help = "write a time such as `\"30s\"`; whoever is kicked out meanwhile stays in for as long";
            self.fault(
                at.key("on_store_loss_for"),
                "a loss may be passed over for 1 h at most",
                help,
            );
        }
        match rule.as_deref() {
            Some("view-only") => OnStoreLoss::ViewOnly(lasts),
            Some("last-known") => OnStoreLoss::LastKnown(lasts),
            _ => OnStoreLoss::Refuse,
        }
    }

    fn cluster_fault(&mut self, key: &'static str, message: &str, help: &str) {
        self.fault(KeyPath::of(["cluster", key]), message, help);
    }
}
