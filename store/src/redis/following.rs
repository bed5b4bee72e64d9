//! Several doors on one store: how each hears what the others change, and how long it may go without.
//!
//! Every step that changes what doors judge from memory gives that change the next number and writes it to a stream, in the same
//! script: neither is there without the other. A door asks for what came after the last number it took in, on one
//! connection of its own, several times in each lease. The answer is the news and the proof in one: once everything up to the
//! newest number is taken in, memory is as the store was when it was asked, and the door holds a lease from the moment at which
//! it asked. Nothing can be lost between the news and the proof. A number that is missing, or one that went backwards,
//! or another server, means that something was missed: then everything is read anew before anything is judged.
//!
//! Who changes something answers only when every door has said that it took the change in, or can hold no lease any more
//! that it got without it: one lease after the change, measured from the answer of Redis, or one lease of silence ([`silent`]),
//! both by the clock of whoever waits. So no clock is compared with another one's.
//!
//! A second connection waits for the stream to grow and only says "ask now". Without it a change is heard at the next beat.

mod beat;
#[cfg(test)]
mod model;
pub(super) mod silent;

use std::sync::Arc;
use std::time::{Duration, Instant};

use stagedoor_identity::port::{Changes, Follower, StoreError};
use stagedoor_identity::{Clock, Freshness};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::lease::millis;
use super::script::{Script, leasing, reading};
use super::{Redis, Several};
use beat::{Ear, Heard};

static BEAT: Script = leasing!("beat", "nodes_lib");
static HEARD: Script = reading!("heard", "nodes_lib");
static NODES: Script = reading!("nodes", "nodes_lib");

/// Beats in each lease: one may be late or lost without the lease lapsing.
const BEATS_PER_LEASE: u32 = 5;
/// Part of the lease that a door does not use itself, so that no clock has to run as fast as another.
const UNUSED_PART: u32 = 10;
/// Between two tries to hear again.
const PAUSE_FIRST: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_millis(200);
/// Between two looks at whether the others have heard.
const LOOK_FIRST: Duration = Duration::from_micros(300);
const LOOK_MAX: Duration = Duration::from_millis(10);

/// A door of several, as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Of its process.
    pub id: String,
    /// Up to which change it has heard.
    pub heard: u64,
    /// Whether others wait for it: it was heard of within its lease.
    pub lives: bool,
    /// What it says of itself.
    pub says: String,
}

impl Redis {
    /// Follows what other doors change, for as long as what is answered is kept. `says` is what this door tells others of
    /// itself, asked at each beat.
    pub fn follow(
        self: &Arc<Self>,
        follower: Arc<dyn Follower>,
        freshness: Arc<Freshness>,
        clock: Arc<dyn Clock>,
        says: impl Fn() -> String + Send + Sync + 'static,
    ) -> JoinSet<()> {
        let mut at_work = JoinSet::new();
        let Some(several) = self.several.clone() else {
            return at_work;
        };
        let (proved, until) = watch::channel(Instant::now());
        let grown = Arc::new(Notify::new());
        at_work.spawn(lapse_in_time(Arc::clone(&freshness), until));
        at_work.spawn(Arc::clone(self).wait_for_growth(Arc::clone(&grown)));
        let following = Following {
            redis: Arc::clone(self),
            several,
            follower,
            freshness,
            clock,
            says: Box::new(says),
            proved,
            grown,
        };
        at_work.spawn(following.go_on());
        at_work
    }

    /// What this door is among them.
    pub fn node_id(&self) -> String {
        self.process.simple().to_string()
    }

    /// Every door that shares the store, by its id.
    /// # Errors
    /// Where the store failed.
    pub async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let damaged = self.damaged("nodes");
        let Some(answer) = self.read("nodes", &NODES, Vec::new()).await? else {
            return Ok(Vec::new());
        };
        let node = |fields: super::answer::Fields| {
            let ends_in: i64 = fields.number("ends_in")?;
            Ok(Node {
                id: fields.text("id")?,
                heard: fields.number("heard")?,
                lives: ends_in > 0,
                says: fields.text("says")?,
            })
        };
        let nodes: Result<Vec<Node>, String> = answer.records().map_err(&damaged)?.into_iter().map(node).collect();
        let mut nodes = nodes.map_err(&damaged)?;
        nodes.sort_by(|one, two| one.id.cmp(&two.id));
        Ok(nodes)
    }

    /// Waits until every door has taken that change in, or can hold no lease any more that it got without it.
    pub(super) async fn wait_until_heard(&self, number: u64) {
        let Some(several) = self.several.as_ref().filter(|_| number > 0) else {
            return;
        };
        let heard = async {
            let mut pause = LOOK_FIRST;
            loop {
                if let Ok(said) = self.link.run(&HEARD, &[], false).await {
                    let (made, now) = (self.link.made(), Instant::now());
                    let silent = self.silent.need_not_wait(&said, number, made, now, several.lease);
                    if silent == Ok(true) {
                        return;
                    }
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LOOK_MAX);
            }
        };
        if tokio::time::timeout(several.lease, heard).await.is_err() {
            tracing::debug!(number, "a change was answered when every lease without it had run out");
        }
    }
}

/// The lease ends by the clock that is never set back, too.
async fn lapse_in_time(freshness: Arc<Freshness>, mut until: watch::Receiver<Instant>) {
    loop {
        let end = *until.borrow_and_update();
        tokio::select! {
            () = tokio::time::sleep_until(end.into()) => {
                if *until.borrow() == end {
                    freshness.lapse();
                    if until.changed().await.is_err() {
                        return;
                    }
                }
            }
            renewed = until.changed() => if renewed.is_err() {
                freshness.lapse();
                return;
            },
        }
    }
}

struct Following {
    redis: Arc<Redis>,
    several: Several,
    follower: Arc<dyn Follower>,
    freshness: Arc<Freshness>,
    clock: Arc<dyn Clock>,
    says: Box<dyn Fn() -> String + Send + Sync>,
    /// Until when memory may be judged from.
    proved: watch::Sender<Instant>,
    grown: Arc<Notify>,
}

/// What memory is known to hold: everything up to this change, as that server counted them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Position {
    server: String,
    number: u64,
}

impl Following {
    async fn go_on(self) {
        let mut position = None;
        let mut pause = PAUSE_FIRST;
        loop {
            let began = Instant::now();
            let Err(why) = self.follow(&mut position).await;
            if began.elapsed() > PAUSE_MAX {
                pause = PAUSE_FIRST;
            }
            tracing::warn!(why, "what other doors change cannot be heard; it is tried again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Follows on one connection until that fails.
    async fn follow(&self, position: &mut Option<Position>) -> Result<std::convert::Infallible, String> {
        let mut ear = Ear::open(&self.redis, self.several.lease).await?;
        let newest = ear.begin(self.number(position), &(self.says)()).await?;
        let goes_on = position
            .as_ref()
            .is_some_and(|known| known.server == ear.server && known.number <= newest);
        if !goes_on {
            *position = None;
            self.take_in_everything(&ear).await?;
            *position = Some(Position {
                server: ear.server.clone(),
                number: newest,
            });
        }
        loop {
            let (asked, wall) = (Instant::now(), self.clock.now());
            let known = self.number(position);
            let heard = ear.beat(known, &(self.says)()).await?;
            let Some(Heard { newest, changes, up_to }) = heard else {
                // Nothing that is known can be built upon.
                *position = None;
                return Err("a change was missed; everything is read anew".to_owned());
            };
            if up_to > known {
                self.take_in(&changes).await?;
                if let Some(position) = position {
                    position.number = up_to;
                }
            }
            if up_to == newest {
                let span = self.several.lease - self.several.lease / UNUSED_PART;
                self.freshness.renew(asked, wall.after(span));
                self.proved.send_replace(asked + span);
            }
            if up_to > known {
                // Others wait to be told.
                continue;
            }
            let next = asked + self.several.lease / BEATS_PER_LEASE;
            tokio::select! {
                () = tokio::time::sleep_until(next.into()) => {}
                () = self.grown.notified() => {}
            }
        }
    }

    fn number(&self, position: &Option<Position>) -> u64 {
        position.as_ref().map_or(0, |known| known.number)
    }

    async fn take_in(&self, changes: &Changes) -> Result<(), String> {
        self.follower.take_in(changes).await.map_err(|fault| fault.to_string())
    }

    /// Reads all from the server that is followed: the connection of the steps may still lead to a former one.
    async fn take_in_everything(&self, ear: &Ear) -> Result<(), String> {
        ear.is_where_steps_are_made(&self.redis).await?;
        let taken_in = self.follower.take_in_everything().await;
        taken_in.map_err(|fault| fault.to_string())?;
        ear.is_where_steps_are_made(&self.redis).await
    }
}
