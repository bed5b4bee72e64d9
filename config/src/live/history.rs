//! Policies and their numbers, as the store keeps them: this door's, or those of all doors that share it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use stagedoor_identity::port::{Keys, NotedPolicy, StoreError};
use stagedoor_policy::Revision;
use stagedoor_policy::time::Timestamp;

use super::blocking;
use crate::load::Loaded;
use crate::snapshot::{Snapshot, Texts, sha256};

/// Where policies get their numbers. Every store that keeps [`Keys`] can do it.
#[async_trait]
pub trait PolicyHistory: fmt::Debug + Send + Sync {
    /// See [`Keys::newest_policy`].
    async fn newest_policy(&self) -> Result<Option<NotedPolicy>, StoreError>;
    /// See [`Keys::revision_of`].
    async fn revision_of(&self, sha256: &[u8; 32]) -> Result<Option<u64>, StoreError>;
    /// See [`Keys::note_policy`].
    async fn note_policy(
        &self,
        sha256: &[u8; 32],
        text: &str,
        by: &str,
        now: Timestamp,
        after: Option<u64>,
    ) -> Result<u64, StoreError>;
    /// See [`Keys::restore_policy`].
    async fn restore_policy(&self, policy: &NotedPolicy) -> Result<(), StoreError>;
}

#[async_trait]
impl<S: Keys + fmt::Debug + Send + Sync + ?Sized> PolicyHistory for Arc<S> {
    async fn newest_policy(&self) -> Result<Option<NotedPolicy>, StoreError> {
        Keys::newest_policy(&**self).await
    }

    async fn revision_of(&self, sha256: &[u8; 32]) -> Result<Option<u64>, StoreError> {
        Keys::revision_of(&**self, sha256).await
    }

    async fn note_policy(
        &self,
        sha256: &[u8; 32],
        text: &str,
        by: &str,
        now: Timestamp,
        after: Option<u64>,
    ) -> Result<u64, StoreError> {
        Keys::note_policy(&**self, sha256, text, by, now, after).await
    }

    async fn restore_policy(&self, policy: &NotedPolicy) -> Result<(), StoreError> {
        Keys::restore_policy(&**self, policy).await
    }
}

/// Gives a checked policy its number: the next, or the one it has. `after`: see [`Keys::note_policy`].
pub(super) async fn number(
    history: &(impl PolicyHistory + ?Sized),
    loaded: &Loaded,
    by: &str,
    now: Timestamp,
    after: Option<u64>,
) -> Result<Revision, StoreError> {
    let (sum, text) = (sha256(loaded.policy_text.as_bytes()), &loaded.policy_text);
    match history.note_policy(&sum, text, by, now, after).await {
        Ok(revision) => Ok(Revision(revision)),
        // It may have its number already: of another process, where this one makes no steps any more.
        Err(fault) => match history.newest_policy().await {
            Ok(Some(newest)) if newest.sha256 == sum => Ok(Revision(newest.revision)),
            _ => Err(fault),
        },
    }
}

/// Makes the snapshot of what was checked.
pub(super) async fn snapshot(loaded: Loaded, revision: Revision) -> Result<Snapshot, StoreError> {
    let Loaded {
        building,
        rules,
        policy_text,
        building_text,
        ..
    } = loaded;
    let compiled = blocking(move || stagedoor_policy::compile(&rules, revision)).await;
    let policy = compiled.map_err(|_| StoreError::Engine("a policy that was checked does not compile".to_owned()))?;
    let texts = Texts {
        building: building_text.into(),
        policy: policy_text.into(),
    };
    Ok(Snapshot::new(Arc::new(policy), Arc::new(building), texts))
}
