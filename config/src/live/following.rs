//! One policy for all doors that share a store: what one puts in force is in force at every other one, under the same number.
//! Each keeps it in its policy file too, so that file and door agree and a restart changes nothing.

use std::path::Path;
use std::sync::Arc;

use stagedoor_identity::port::{NotedPolicy, SharedStore, StoreError};
use stagedoor_policy::Revision;
use stagedoor_policy::time::Timestamp;

use super::history;
use super::replace::write;
use super::watch::Watched;
use super::{Cause, Live, OpenFault, Reloaded, check};
use crate::building::PolicyAtStart;
use crate::environment::Environment;
use crate::load::{FileTexts, Loaded, Sources};
use crate::snapshot::{Snapshot, sha256};

/// What is in force when the door opens.
pub(super) struct AtStart {
    pub(super) snapshot: Snapshot,
    pub(super) by: String,
    pub(super) warnings: Vec<String>,
    /// What other doors run and this one cannot, and why.
    pub(super) cannot_take: Option<(Revision, String)>,
    /// The policy file's text, where that is not in force and is left as it is.
    pub(super) kept_out: Option<Arc<str>>,
}

impl AtStart {
    /// The files of a door that has its store to itself.
    pub(super) async fn alone(store: &SharedStore, loaded: Loaded, now: Timestamp) -> Result<Self, StoreError> {
        let by = Cause::Start.to_string();
        let revision = history::number(store, &loaded, &by, now, None).await?;
        Ok(Self::with(loaded, revision, by))
    }

    /// What all doors run, rather than this one's file: that may be old, or a new machine's. A text that never was in force
    /// takes over only where the settings say so.
    pub(super) async fn beside_others(
        store: &SharedStore,
        (sources, env): (&Arc<Sources>, &Arc<Environment>),
        files: &FileTexts,
        own: Loaded,
        now: Timestamp,
    ) -> Result<Self, OpenFault> {
        let sum = sha256(own.policy_text.as_bytes());
        let newest = match store.newest_policy().await? {
            Some(newest) if newest.sha256 != sum => newest,
            _ => return Ok(Self::alone(store, own, now).await?),
        };
        let once = store.revision_of(&sum).await?;
        let file_takes_over = own.building.cluster.as_ref().map(|cluster| cluster.policy_at_start);
        if once.is_none() && file_takes_over == Some(PolicyAtStart::File) {
            return Ok(Self::alone(store, own, now).await?);
        }
        let file = files.policy.clone().ok();
        match (check(sources, env, &as_file(files, &newest)).await, once) {
            (Ok(loaded), once) => Ok(Self::as_others(loaded, newest, sources, file.filter(|_| once.is_none())).await),
            (Err(faults), Some(once)) => {
                let mut start = Self::with(own, Revision(once), Cause::Start.to_string());
                start.cannot_take = Some((Revision(newest.revision), faults.render(false)));
                Ok(start)
            }
            (Err(faults), None) => Err(OpenFault::Shared {
                revision: newest.revision,
                faults,
            }),
        }
    }

    /// `unknown` is the file's text, where that never was in force.
    async fn as_others(loaded: Loaded, newest: NotedPolicy, sources: &Sources, unknown: Option<Arc<str>>) -> Self {
        let mut start = Self::with(loaded, Revision(newest.revision), newest.by);
        let Some(path) = &sources.policy else { return start };
        if unknown.is_some() {
            start.warnings.push(format!(
                "`{}` is not what all doors run (revision {}) and was not taken over: `stagedoor policy apply {}` puts it in force \
                 everywhere, `stagedoor policy get` answers what is",
                path.display(),
                newest.revision,
                path.display(),
            ));
            start.kept_out = unknown;
        } else {
            start.kept_out = keep_in_file(path, &Arc::from(newest.text)).await;
        }
        start
    }

    fn with(mut loaded: Loaded, revision: Revision, by: String) -> Self {
        let warnings = std::mem::take(&mut loaded.warnings);
        Self {
            snapshot: history::snapshot(loaded, revision),
            by,
            warnings,
            cannot_take: None,
            kept_out: None,
        }
    }
}

impl Live {
    /// Takes over what other doors have put in force; puts back what the store has lost. Where it cannot be in force here, what
    /// was in force stays, and [`super::Status`] says so.
    ///
    /// # Errors
    /// Where the store failed: to be tried again.
    pub async fn take_newest(&self) -> Result<(), StoreError> {
        if !self.follows {
            return Ok(());
        }
        let mut watched = self.changing.lock().await;
        self.adopt_newest(&mut watched).await
    }

    pub(super) async fn adopt_newest(&self, watched: &mut Watched) -> Result<(), StoreError> {
        let in_force = self.current();
        let revision = in_force.policy.revision().0;
        let newest = match self.store.newest_policy().await? {
            Some(newest) if newest.revision >= revision => newest,
            // A failover may lose what had been acknowledged. What is in force does not go back.
            _ => return self.store.restore_policy(&self.as_noted(&in_force)).await,
        };
        if (newest.revision, newest.text.as_str()) == (revision, &*in_force.texts.policy) {
            return Ok(());
        }
        let files = FileTexts {
            building: Ok(Arc::clone(&in_force.texts.building)),
            policy: Ok(Arc::from(newest.text.as_str())),
        };
        match check(&self.sources, &self.env, &files).await {
            Ok(loaded) => {
                let by = format!("{}, at another door", newest.by);
                self.swap(loaded, Revision(newest.revision), &by);
                self.keep(watched, &Arc::from(newest.text)).await;
            }
            Err(faults) => {
                let told = Some(Revision(newest.revision));
                if self.notes().cannot_take != told {
                    let faults = faults.render(false);
                    self.note_fault(&format!(
                        "revision {}, which another door was given, cannot be in force here:\n{faults}",
                        newest.revision
                    ));
                    self.notes().cannot_take = told;
                }
            }
        }
        Ok(())
    }

    fn as_noted(&self, in_force: &Snapshot) -> NotedPolicy {
        let notes = self.notes();
        NotedPolicy {
            revision: in_force.policy.revision().0,
            sha256: sha256(in_force.texts.policy.as_bytes()),
            text: in_force.texts.policy.as_ref().to_owned(),
            by: notes.loaded_by.clone(),
            at: notes.loaded_at,
        }
    }

    /// After a look at the files: another door may have been faster, or other sites may let in force what could not be.
    pub(super) async fn catch_up(&self, watched: &mut Watched, reloaded: &Reloaded) {
        let unnumbered = matches!(reloaded, Reloaded::Unnumbered(_));
        if self.follows
            && (unnumbered || self.notes().cannot_take.is_some())
            && let Err(error) = self.adopt_newest(watched).await
        {
            tracing::warn!(%error, "what other doors have put in force cannot be read");
        }
    }

    /// Keeps what is in force in the policy file, unless somebody has changed that meanwhile: then it is about to be taken over.
    async fn keep(&self, watched: &mut Watched, text: &Arc<str>) {
        let Some(path) = &self.sources.policy else { return };
        let mut files = self.read_files().await;
        if !watched.has_dealt_with(&files) {
            return;
        }
        watched.kept_out = keep_in_file(path, text).await;
        if watched.kept_out.is_none() {
            files.policy = Ok(Arc::clone(text));
        }
        watched.handled(&files);
    }

    /// A file that is knowingly not in force stands for what is, until it changes.
    pub(super) fn without_what_is_kept_out(&self, watched: &mut Watched, mut files: FileTexts) -> FileTexts {
        match (&watched.kept_out, &files.policy) {
            (Some(kept_out), Ok(text)) if kept_out == text => files.policy = Ok(self.policy_text()),
            _ => watched.kept_out = None,
        }
        files
    }
}

fn as_file(files: &FileTexts, policy: &NotedPolicy) -> FileTexts {
    FileTexts {
        building: files.building.clone(),
        policy: Ok(Arc::from(policy.text.as_str())),
    }
}

/// Answers the text that stays in the file, where it cannot be written: as where it is mounted to be read only.
pub(super) async fn keep_in_file(path: &Path, text: &Arc<str>) -> Option<Arc<str>> {
    let Err(error) = write(path, text).await else {
        return None;
    };
    tracing::warn!(
        %error,
        "`{}` cannot be written and stays older than what is in force; the store has that, and a restart takes it from there",
        path.display()
    );
    std::fs::read_to_string(path).ok().map(Arc::from)
}
