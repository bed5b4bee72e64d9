use std::sync::Arc;

use arc_swap::ArcSwap;
use stagedoor_policy::Policy;

use crate::CurrentPolicy;

/// A policy that a test can swap while the door is open.
#[derive(Debug)]
pub struct SwappablePolicy(ArcSwap<Policy>);

impl SwappablePolicy {
    /// In force from now on.
    pub fn new(policy: Policy) -> Self {
        Self(ArcSwap::from_pointee(policy))
    }

    /// In force from now on, in place of the former.
    pub fn swap(&self, policy: Policy) {
        self.0.store(Arc::new(policy));
    }
}

impl CurrentPolicy for SwappablePolicy {
    fn policy(&self) -> Arc<Policy> {
        self.0.load_full()
    }
}
