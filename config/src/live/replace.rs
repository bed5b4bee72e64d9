//! A policy that comes through the admin API: checked, written to the file, put in force.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use stagedoor_identity::port::StoreError;

use super::following::keep_in_file;
use super::watch::Watched;
use super::{Live, Status, blocking};
use crate::fault::Faults;
use crate::load::FileTexts;
use crate::snapshot::etag;

/// Why a policy was not replaced. What was in force stays, and so does the file.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceFault {
    /// The new text is at fault.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// Somebody else changed the policy first.
    #[error("the policy has changed meanwhile: it is {current_etag} now")]
    Mismatch {
        /// Of the policy in force.
        current_etag: String,
    },
    /// There is no file: the built-in policy is in force.
    #[error("the policy is built in: start with a policy file to change it")]
    ReadOnly,
    /// The file could not be written.
    #[error("the policy file could not be written: {0}")]
    Io(#[from] io::Error),
    /// The policy could not be numbered.
    #[error("the policy could not be numbered: {0}")]
    Store(#[from] StoreError),
}

impl Live {
    /// Replaces the policy, in the file and in force. `if_match` is the entity tag the change was made from.
    ///
    /// # Errors
    /// See [`ReplaceFault`].
    pub async fn replace_policy(&self, text: &str, if_match: Option<&str>, by: &str) -> Result<Status, ReplaceFault> {
        let mut watched = self.changing.lock().await;
        let Some(path) = self.sources.policy.clone() else {
            return Err(ReplaceFault::ReadOnly);
        };
        let current_etag = self.policy_etag();
        if if_match.is_some_and(|wanted| wanted != current_etag) {
            return Err(ReplaceFault::Mismatch { current_etag });
        }
        if let Some(current_etag) = self.waiting_edit(&watched).await {
            return Err(ReplaceFault::Mismatch { current_etag });
        }
        let loaded = self.check_policy(text).await?;
        let before = self.read_files().await.policy.unwrap_or_else(|_| self.policy_text());
        let new: Arc<str> = Arc::from(text);
        // Alone, a door goes by its file when it starts, and with others by the store: what it goes by is written first, so that
        // a kill in between leaves nothing that is not mended at the next start.
        if !self.follows {
            write(&path, &new).await?;
        }
        if let Err(error) = self.put_in_force(loaded, by).await {
            if !self.follows {
                // Not numbered is not in force: the file must not say otherwise.
                write(&path, &before).await?;
            }
            if matches!(error, StoreError::VersionMismatch) {
                self.adopt_newest(&mut watched).await?;
                let current_etag = self.policy_etag();
                return Err(ReplaceFault::Mismatch { current_etag });
            }
            return Err(error.into());
        }
        watched.kept_out = if self.follows {
            keep_in_file(&path, &new).await
        } else {
            None
        };
        let in_file = watched.kept_out.clone().unwrap_or(new);
        watched.handled(&FileTexts {
            building: Ok(Arc::clone(&self.load().texts.building)),
            policy: Ok(in_file),
        });
        Ok(self.status())
    }
}

impl Live {
    /// The entity tag of a good policy that stands in the file and is about to be taken over: it must not be lost. One at
    /// fault may be written over, since that mends it.
    async fn waiting_edit(&self, watched: &Watched) -> Option<String> {
        let text = self.read_files().await.policy.ok()?;
        if watched.kept_out.as_ref() == Some(&text) {
            return None;
        }
        let waits = text != self.policy_text() && self.check_policy(&text).await.is_ok();
        waits.then(|| etag(&text))
    }
}

pub(super) async fn write(path: &Path, text: &Arc<str>) -> io::Result<()> {
    let (path, text) = (path.to_owned(), Arc::clone(text));
    blocking(move || write_atomically(&path, text.as_bytes())).await
}

/// Whoever reads the file finds the old text or the new one, whole, also after a crash. A symlink stays one: its target is
/// replaced.
fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = path.canonicalize()?;
    let folder = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut fresh = tempfile::Builder::new()
        .prefix(".policy-")
        .suffix(".new")
        .tempfile_in(folder)?;
    fresh.write_all(bytes)?;
    fresh
        .as_file()
        .set_permissions(std::fs::metadata(&target)?.permissions())?;
    fresh.as_file().sync_all()?;
    fresh.persist(&target).map_err(|error| error.error)?;
    std::fs::File::open(folder)?.sync_all()
}
