//! The store that the settings name, opened.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use stagedoor_admin_api::{Alone, Nodes};
use stagedoor_config::{Cluster, Live, RedisPlace, StoreChoice};
use stagedoor_identity::port::SharedStore;
use stagedoor_identity::{Clock, Doorkeeper};
use stagedoor_store::redis::{Loss, Sentinels, Settings, Several, Trust};
use stagedoor_store::transfer::Movable;
use stagedoor_store::{Closed, Embedded, Observer, Redis};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::fault::StartFault;
use crate::nodes::{self, Company, Hearing};

/// How long a door that starts may take to read what there is, and to hear of what changes meanwhile.
const HEARD_WITHIN: Duration = Duration::from_secs(60);

/// The store by what it is, for what no port has a word for: that it can be lost, shared or handed over.
#[derive(Debug, Clone)]
pub enum Held {
    /// A file of this machine.
    File(Arc<Embedded>),
    /// On Redis.
    Redis(Arc<Redis>),
}

/// A store that is about to be another process's: no step is made. Dropped, this process makes steps again.
#[derive(Debug)]
#[must_use = "dropped, the store stays this process's"]
pub struct Passing(Closed);

impl Passing {
    /// The other process has it.
    pub fn pass_on(self) {
        self.0.pass_on();
    }
}

/// Opens it.
///
/// # Errors
/// Where it cannot be opened, says why and what to do.
pub async fn open(
    choice: &StoreChoice,
    cluster: Option<&Cluster>,
    observe: Observer,
) -> Result<(SharedStore, Held), StartFault> {
    match choice {
        StoreChoice::Embedded { data_dir } => {
            let store = Embedded::open_observed(data_dir, observe).map_err(failed)?;
            let store = Arc::new(store);
            Ok((Arc::clone(&store) as SharedStore, Held::File(store)))
        }
        StoreChoice::Redis { data_dir, redis } => {
            make_folder(data_dir)?;
            let mut settings = settings(redis)?;
            settings.several = cluster.map(|cluster| Several {
                name: cluster.node.clone(),
                lease: cluster.lease,
            });
            let store = Redis::open_observed(settings, observe).await.map_err(failed)?;
            let store = Arc::new(store);
            Ok((Arc::clone(&store) as SharedStore, Held::Redis(store)))
        }
        other => Err(StartFault::Failed(format!("this binary has no store for {other:?}"))),
    }
}

/// Copies everything from one store into an empty one, and answers how much it was.
///
/// # Errors
/// Where one of them cannot be opened, read out or filled.
pub async fn copy(from: &StoreChoice, into: &StoreChoice) -> Result<String, StartFault> {
    let (from, into) = (movable(from, true).await?, movable(into, false).await?);
    let moved = stagedoor_store::transfer::copy(from.as_ref(), into.as_ref()).await;
    moved.map(|moved| moved.to_string()).map_err(failed)
}

async fn movable(choice: &StoreChoice, is_there: bool) -> Result<Box<dyn Movable>, StartFault> {
    match choice {
        StoreChoice::Embedded { data_dir } => {
            if is_there && !data_dir.is_dir() {
                return Err(StartFault::Failed(format!(
                    "there is no store at `{}`",
                    data_dir.display()
                )));
            }
            Ok(Box::new(Embedded::open(data_dir).map_err(failed)?))
        }
        StoreChoice::Redis { redis, .. } => Ok(Box::new(Redis::open(settings(redis)?).await.map_err(failed)?)),
        other => Err(StartFault::Failed(format!("this binary has no store for {other:?}"))),
    }
}

/// How the store speaks to that Redis.
///
/// # Errors
/// Where the file of certificates cannot be read.
pub fn settings(place: &RedisPlace) -> Result<Settings, StartFault> {
    let trust = match (&place.ca_file, place.tls) {
        (_, false) => Trust::Plain,
        (None, true) => Trust::System,
        (Some(file), true) => Trust::Only(std::fs::read(file).map_err(|error| {
            StartFault::Failed(format!(
                "cannot read `{}`, named by `store.ca_file`: {error}",
                file.display()
            ))
        })?),
    };
    let sentinels = place.sentinels.as_ref().map(|sentinels| Sentinels {
        at: sentinels.at.clone(),
        master: sentinels.master.clone(),
        user: sentinels.user.clone(),
        password: sentinels.password.as_ref().map(|password| password.0.clone()),
    });
    let at = if sentinels.is_some() {
        Vec::new()
    } else {
        place.at.clone()
    };
    let mut settings = Settings {
        sentinels,
        trust,
        database: place.database,
        user: place.user.clone(),
        password: place.password.as_ref().map(|password| password.0.clone()),
        shared: place.key_prefix.is_some(),
        wait_replicas: place.wait_replicas,
        wait: place.wait,
        node: format!("{}, process {}", host_name(), std::process::id()),
        at,
        ..Settings::plain("", 0)
    };
    if let Some(prefix) = &place.key_prefix {
        settings.prefix.clone_from(prefix);
    }
    Ok(settings)
}

impl Held {
    /// Judging from memory is wrong once another process may change the store: this one says so and ends as by SIGTERM.
    pub fn end_this_process_when_lost(&self, runtime: &Handle) {
        let Self::Redis(store) = self.clone() else { return };
        runtime.spawn(async move {
            match store.lost().await {
                Loss::Taken { by } => {
                    tracing::error!(by, "another process has taken the store, or its data is gone: closing");
                }
                Loss::OutOfReach => {
                    tracing::error!("Redis is out of reach, and another door may take the store: closing");
                }
            }
            if let Err(error) = kill_process(getpid(), Signal::TERM) {
                tracing::error!(%error, "cannot close");
                std::process::abort();
            }
        });
    }

    /// As one of several doors: hears from now on what the others change, for as long as what is answered is kept.
    ///
    /// # Errors
    /// Where nothing is heard in time.
    pub async fn follow_others(
        &self,
        door: &Arc<Doorkeeper>,
        live: &Arc<Live>,
        clock: Arc<dyn Clock>,
    ) -> Result<JoinSet<()>, StartFault> {
        let building = Arc::clone(&live.current().building);
        let (Self::Redis(store), Some(cluster)) = (self, &building.cluster) else {
            return Ok(JoinSet::new());
        };
        let (hearing, other_policy) = Hearing::new(door.follower());
        let mut following = store.follow(
            Arc::new(hearing),
            Arc::clone(door.freshness()),
            Arc::clone(&clock),
            nodes::says(cluster.node.clone(), Arc::clone(live)),
        );
        following.spawn(nodes::follow_policies(Arc::clone(live), other_policy));
        if !door.freshness().wait(clock.as_ref(), HEARD_WITHIN).await {
            let why = "this door hears nothing of what others change: see whether Redis can be reached, and whether others \
                       answer its steps";
            return Err(StartFault::Failed(why.to_owned()));
        }
        Ok(following)
    }

    /// The doors at the store, for the admin API.
    pub fn nodes(&self, door: &Arc<Doorkeeper>, live: &Arc<Live>) -> Arc<dyn Nodes> {
        match (self, &live.current().building.cluster) {
            (Self::Redis(store), Some(_)) => Arc::new(Company {
                store: Arc::clone(store),
                door: Arc::clone(door),
                live: Arc::clone(live),
            }),
            _ => Arc::new(Alone(Arc::clone(live) as Arc<_>)),
        }
    }

    /// Whether other doors share the store, and so another process of this one.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Redis(store) if store.is_shared())
    }

    /// Makes no more steps, once those under way are made, and gives the store back.
    pub async fn begin_to_pass(&self) -> Passing {
        Passing(match self {
            Self::File(file) => file.close_gate().await,
            Self::Redis(redis) => {
                let closed = redis.close_gate().await;
                redis.close().await;
                closed
            }
        })
    }

    /// The other process does not want it after all, and is gone.
    ///
    /// # Errors
    /// Where it is not what it was any more.
    pub async fn take_back(&self, passing: Passing) -> Result<(), StartFault> {
        let taken = match self {
            Self::File(file) => file.still_fits().await.map_err(failed),
            Self::Redis(redis) => redis.take_again().await.map_err(failed),
        };
        match taken {
            Ok(()) => drop(passing),
            Err(_) => passing.pass_on(),
        }
        taken
    }

    /// So that the next one need not wait for the lease to run out.
    pub async fn give_back(self) {
        if let Self::Redis(store) = self {
            store.close().await;
        }
    }
}

/// What a store is called where two processes have to agree that it is the same.
pub fn name(choice: &StoreChoice) -> String {
    match choice {
        StoreChoice::Embedded { data_dir } => {
            let folder = std::fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.clone());
            format!("the store in `{}`", folder.display())
        }
        StoreChoice::Redis { redis, .. } => {
            let master = redis
                .sentinels
                .as_ref()
                .map(|sentinels| (&sentinels.at, &sentinels.master));
            let prefix = redis.key_prefix.as_deref().unwrap_or_default();
            format!(
                "the store on Redis at {:?} {master:?}, database {}, prefix `{prefix}`",
                redis.at, redis.database
            )
        }
        other => format!("{other:?}"),
    }
}

fn failed(error: impl std::fmt::Display) -> StartFault {
    StartFault::Failed(error.to_string())
}

/// This machine's own folder: the embedded store would make it.
fn make_folder(data_dir: &Path) -> Result<(), StartFault> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(data_dir).map_err(|error| {
        StartFault::Failed(format!(
            "cannot make `{}`, named by `store.data_dir`: {error}",
            data_dir.display()
        ))
    })
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
