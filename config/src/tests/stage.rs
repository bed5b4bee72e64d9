//! A house to try changes on. The history is a small one of our own that numbers as a store does and records what it was
//! asked: the real stores prove their numbering in their own suite.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use stagedoor_identity::Clock;
use stagedoor_identity::port::{NotedPolicy, SharedStore, StoreError};
use stagedoor_policy::time::Timestamp;

use super::{BUILDING, Folder, POLICY};
use crate::live::watch::Polled;
use crate::{Environment, Live, PolicyHistory, Reloaded};

#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) taken: Mutex<Vec<NotedPolicy>>,
    pub(crate) fails: AtomicBool,
}

impl History {
    fn asked(&self) -> Result<MutexGuard<'_, Vec<NotedPolicy>>, StoreError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::Engine("the disk is full".to_owned()));
        }
        Ok(self.taken.lock().expect("not poisoned"))
    }
}

#[async_trait]
impl PolicyHistory for &'static History {
    async fn newest_policy(&self) -> Result<Option<NotedPolicy>, StoreError> {
        Ok(self.asked()?.last().cloned())
    }

    async fn revision_of(&self, sha256: &[u8; 32]) -> Result<Option<u64>, StoreError> {
        let taken = self.asked()?;
        let found = taken.iter().rev().find(|noted| noted.sha256 == *sha256);
        Ok(found.map(|noted| noted.revision))
    }

    async fn note_policy(
        &self,
        sha256: &[u8; 32],
        text: &str,
        by: &str,
        now: Timestamp,
        after: Option<u64>,
    ) -> Result<u64, StoreError> {
        let mut taken = self.asked()?;
        let newest = taken.last().map(|last| (last.revision, last.sha256));
        let revision = match newest {
            Some((revision, last)) if last == *sha256 => return Ok(revision),
            Some((revision, _)) if after.is_some_and(|after| after != revision) => {
                return Err(StoreError::VersionMismatch);
            }
            newest => newest.map_or(0, |(revision, _)| revision) + 1,
        };
        taken.push(NotedPolicy {
            revision,
            sha256: *sha256,
            text: text.to_owned(),
            by: by.to_owned(),
            at: now,
        });
        Ok(revision)
    }

    async fn restore_policy(&self, policy: &NotedPolicy) -> Result<(), StoreError> {
        let mut taken = self.asked()?;
        if taken.last().is_none_or(|last| last.revision < policy.revision) {
            taken.push(policy.clone());
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
pub(crate) struct HandClock(pub(crate) AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct Stage {
    pub(crate) folder: Folder,
    pub(crate) history: &'static History,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) live: Arc<Live>,
}

pub(crate) const OTHER: &str = "[site.console.areas]\nall = { paths = [\"/**\"], open_to = \"everyone\" }\n";

impl Stage {
    pub(crate) async fn open() -> Self {
        Self::with(BUILDING).await
    }

    pub(crate) async fn with(building: &str) -> Self {
        let folder = Folder::with(building, POLICY);
        for name in ["cert.pem", "key.pem"] {
            folder.write(name, name);
        }
        let history: &'static History = Box::leak(Box::default());
        let clock = Arc::new(HandClock::default());
        let live = Live::open(folder.sources(), Environment::default(), history, clock.clone())
            .await
            .expect("opens");
        Self {
            folder,
            history,
            clock,
            live,
        }
    }

    pub(crate) fn revision(&self) -> u64 {
        self.live.status().revision.0
    }

    /// Looks until there is nothing new; what came of it.
    pub(crate) async fn settle(&self) -> Vec<Reloaded> {
        let mut settled = Vec::new();
        for _ in 0..10 {
            match self.live.poll_once().await {
                Polled::Quiet => return settled,
                Polled::Settling => {}
                Polled::Settled(reloaded) => settled.push(reloaded),
            }
        }
        panic!("never quiet: {settled:?}");
    }
}

impl Stage {
    /// The files of the certificate must be there before the building that names them.
    pub(crate) async fn with_tls(tls: &str) -> Self {
        let stage = Self::with(BUILDING).await;
        stage.folder.write("stagedoor.toml", format!("{BUILDING}{tls}"));
        let live = Live::open(
            stage.folder.sources(),
            Environment::default(),
            stage.history,
            stage.clock.clone(),
        )
        .await;
        Self {
            live: live.expect("opens"),
            ..stage
        }
    }
}

/// Checked by the compiler: whatever store there is can number policies.
const _: fn(SharedStore) -> Box<dyn PolicyHistory> = |store| Box::new(store);
