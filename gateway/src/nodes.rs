//! This door as one of several: what it tells the others of itself, and what it hears of them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stagedoor_admin_api::{Node, Nodes, Word};
use stagedoor_config::{Live, OnStoreLoss};
use stagedoor_identity::Doorkeeper;
use stagedoor_identity::port::{Changes, Follower, StoreError};
use stagedoor_store::Redis;
use tokio::sync::Notify;

/// Between two tries to read the newest policy.
const TRY_AGAIN: Duration = Duration::from_millis(250);

/// What a door says of itself at each beat. A version that says more is understood by one that knows less.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Says {
    name: String,
    version: String,
    revision: u64,
    cannot_take: Option<u64>,
}

/// What this door says of itself at the moment.
pub fn says(name: String, live: Arc<Live>) -> impl Fn() -> String + Send + Sync + 'static {
    move || {
        let (revision, cannot_take) = live.runs();
        let says = Says {
            name: name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: revision.0,
            cannot_take: cannot_take.map(|newest| newest.0),
        };
        serde_json::to_string(&says).unwrap_or_default()
    }
}

/// The doors on a Redis.
#[derive(Debug)]
pub struct Company {
    /// Where they meet.
    pub store: Arc<Redis>,
    /// This one.
    pub door: Arc<Doorkeeper>,
    /// What is in force here.
    pub live: Arc<Live>,
}

#[async_trait]
impl Nodes for Company {
    async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let this = self.store.node_id();
        let mut nodes: Vec<Node> = self
            .store
            .nodes()
            .await?
            .into_iter()
            .map(|node| {
                let says: Says = serde_json::from_str(&node.says).unwrap_or_default();
                Node {
                    name: says.name,
                    this: node.id == this,
                    present: node.lives,
                    version: says.version,
                    revision: says.revision,
                    cannot_take: says.cannot_take,
                }
            })
            .collect();
        nodes.sort_by(|one, two| one.name.cmp(&two.name));
        // Started again it is the same door to whoever asks.
        let present: HashSet<String> = nodes
            .iter()
            .filter(|node| node.present)
            .map(|node| node.name.clone())
            .collect();
        nodes.retain(|node| node.present || !present.contains(&node.name));
        Ok(nodes)
    }

    fn word(&self) -> Option<Word> {
        let freshness = self.door.freshness();
        let age = freshness.age(Instant::now());
        let snapshot = self.live.current();
        let is_passed_over = snapshot.sites().any(|entry| match entry.site.on_store_loss {
            OnStoreLoss::Refuse => false,
            OnStoreLoss::ViewOnly(lasts) | OnStoreLoss::LastKnown(lasts) => age < lasts,
        });
        Some(Word {
            is_fresh: freshness.holds(self.door.now()),
            age,
            is_passed_over,
        })
    }
}

/// Hears of sessions and accounts for the doorkeeper, and of policies for who keeps those.
#[derive(Debug)]
pub struct Hearing {
    door: Arc<dyn Follower>,
    other_policy: Arc<Notify>,
}

impl Hearing {
    /// And what tells of another policy.
    pub fn new(door: Arc<dyn Follower>) -> (Self, Arc<Notify>) {
        let other_policy = Arc::new(Notify::new());
        let heard = Arc::clone(&other_policy);
        (Self { door, other_policy }, heard)
    }
}

#[async_trait]
impl Follower for Hearing {
    async fn take_in(&self, changes: &Changes) -> Result<(), StoreError> {
        if changes.policy {
            // Not waited for: a large policy takes longer to compile than a lease lasts.
            self.other_policy.notify_one();
        }
        self.door.take_in(changes).await
    }

    async fn take_in_everything(&self) -> Result<(), StoreError> {
        self.other_policy.notify_one();
        self.door.take_in_everything().await
    }
}

/// Takes each policy over that another door has put in force.
pub async fn follow_policies(live: Arc<Live>, other_policy: Arc<Notify>) {
    loop {
        other_policy.notified().await;
        while let Err(error) = live.take_newest().await {
            tracing::warn!(%error, "the newest policy cannot be read; it is tried again");
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }
}
