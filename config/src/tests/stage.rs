//! A house to try changes on.

use std::sync::Arc;

use stagedoor_identity::port::{Keys as _, NotedPolicy};
use stagedoor_identity::testing::{ManualClock, MemoryStore};

use super::{BUILDING, Folder, POLICY};
use crate::live::watch::Polled;
use crate::{Environment, Live, Reloaded};

pub(crate) struct Stage {
    pub(crate) folder: Folder,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) live: Arc<Live>,
}

pub(crate) const OTHER: &str = "[site.console.areas]\nall = { paths = [\"/**\"], open_to = \"everyone\" }\n";

/// The policy that was numbered last.
pub(crate) async fn newest(store: &MemoryStore) -> NotedPolicy {
    store.newest_policy().await.expect("answers").expect("one")
}

impl Stage {
    pub(crate) async fn open() -> Self {
        Self::with(BUILDING).await
    }

    pub(crate) async fn with(building: &str) -> Self {
        let folder = Folder::with(building, POLICY);
        for name in ["cert.pem", "key.pem"] {
            folder.write(name, name);
        }
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(ManualClock::new());
        let live = Live::open(folder.sources(), Environment::default(), store.clone(), clock.clone())
            .await
            .expect("opens");
        Self {
            folder,
            store,
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
            stage.store.clone(),
            stage.clock.clone(),
        )
        .await;
        Self {
            live: live.expect("opens"),
            ..stage
        }
    }
}
