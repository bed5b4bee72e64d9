//! Policies and their numbers, as the store keeps them: this door's, or those of all doors that share it.

use std::sync::Arc;

use stagedoor_identity::port::{FreshPolicy, SharedStore, StoreError};
use stagedoor_policy::Revision;
use stagedoor_policy::time::Timestamp;

use crate::load::Loaded;
use crate::snapshot::{Snapshot, Texts, sha256};

/// Gives a checked policy its number: the next, or the one it has. `after`: see [`stagedoor_identity::port::Keys::note_policy`].
pub(super) async fn number(
    store: &SharedStore,
    loaded: &Loaded,
    by: &str,
    now: Timestamp,
    after: Option<u64>,
) -> Result<Revision, StoreError> {
    let fresh = FreshPolicy {
        sha256: sha256(loaded.policy_text.as_bytes()),
        text: loaded.policy_text.clone(),
        by: by.to_owned(),
        at: now,
    };
    match store.note_policy(&fresh, after).await {
        Ok(revision) => Ok(Revision(revision)),
        // It may have its number already: of another process, where this one makes no steps any more.
        Err(fault) => match store.newest_policy().await {
            Ok(Some(newest)) if newest.sha256 == fresh.sha256 => Ok(Revision(newest.revision)),
            _ => Err(fault),
        },
    }
}

/// Makes the snapshot of what was checked.
pub(super) fn snapshot(loaded: Loaded, revision: Revision) -> Snapshot {
    let texts = Texts {
        building: loaded.building_text.into(),
        policy: loaded.policy_text.into(),
    };
    let policy = Arc::new(loaded.policy.numbered(revision));
    Snapshot::new(policy, Arc::new(loaded.building), texts)
}
