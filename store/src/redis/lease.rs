//! Whose the store is. A door judges from its memory, so two doors on one store would each know sessions that the other has
//! ended. Taking the store raises its epoch, and every step says under which epoch it is made: a process that was overtaken
//! changes nothing more. It also stops judging ([`Loss`]) before the lease that it could not renew runs out for others.
//!
//! Several doors that share a store take it together, under one name and one epoch: against others it is held as by one. What
//! keeps their memories from disagreeing is [`super::following`], and there an outage is waited out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::link::Link;
use super::script::{Script, leasing};
use super::{OpenError, Settings, args};

static TAKE: Script = leasing!("lease_take");
static RENEW: Script = leasing!("lease_renew");
static RELEASE: Script = leasing!("lease_release");
static JOIN: Script = leasing!("lease_join");
static LEAVE: Script = leasing!("lease_leave", "nodes_lib");
/// What several are called together.
const TOGETHER: &str = "several nodes that share it";

/// Between two looks at a lease that another process holds.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Why the store is no longer this process's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// Another process has taken it, or the data is gone.
    Taken {
        /// How that one names itself; empty where nobody holds it.
        by: String,
    },
    /// Redis could not be reached for half the lease: another process may take it soon.
    OutOfReach,
}

pub(super) struct Lease {
    epoch: String,
    /// What gives it back, and what that is told.
    giving_back: (&'static Script, Vec<Vec<u8>>),
    link: Arc<Link>,
    loss: watch::Receiver<Option<Loss>>,
    renewing: JoinHandle<()>,
}

impl Lease {
    /// Takes the store. A lease that nobody renews is waited for; one that is renewed belongs to somebody who lives.
    pub(super) async fn take(link: Arc<Link>, settings: &Settings, process: Uuid) -> Result<Self, OpenError> {
        let several = settings.several.is_some();
        let (node, take) = if several {
            (TOGETHER.to_owned(), &JOIN)
        } else {
            (format!("{} ({})", settings.node, process.simple()), &TAKE)
        };
        let millis = millis(settings.lease);
        let wanted = args![&node, millis, process];
        let mut left_before: Option<u64> = None;
        let end = Instant::now() + settings.lease + settings.give_up_after;
        let epoch = loop {
            let place = || link.place().to_owned();
            let answer = link.run(take, &wanted, false).await;
            let answer = answer.map_err(|why| OpenError::Unreachable { place: place(), why })?;
            let broken = |why| OpenError::Unfit { place: place(), why };
            if answer.word() == "ok" {
                break answer.text(1).map_err(broken)?.to_owned();
            }
            let left: u64 = answer.number(2).map_err(broken)?;
            let renewed = left_before.is_some_and(|before| left > before);
            if renewed || Instant::now() > end {
                let holder = answer.text(1).map_err(broken)?.to_owned();
                return Err(OpenError::Held { place: place(), holder });
            }
            left_before = Some(left);
            tokio::time::sleep(LOOK_AGAIN).await;
        };
        let (tell, loss) = watch::channel(None);
        let giving_back = if several {
            (&LEAVE, args![&epoch, process])
        } else {
            (&RELEASE, args![&epoch])
        };
        let renewing = Renewing {
            link: Arc::clone(&link),
            node,
            lease: settings.lease,
            epoch: epoch.clone(),
            waits_outages_out: several,
        };
        let renewing = tokio::spawn(renewing.go_on(tell));
        Ok(Self {
            epoch,
            giving_back,
            link,
            loss,
            renewing,
        })
    }

    pub(super) fn epoch(&self) -> &str {
        &self.epoch
    }

    pub(super) async fn lost(&self) -> Loss {
        let mut loss = self.loss.clone();
        let told = loss.wait_for(Option::is_some).await.ok().and_then(|loss| loss.clone());
        match told {
            Some(loss) => loss,
            // Given back: it was not lost.
            None => std::future::pending().await,
        }
    }

    pub(super) async fn give_back(&self) {
        self.renewing.abort();
        let (script, asked) = &self.giving_back;
        release(&self.link, script, asked).await;
    }
}

impl Drop for Lease {
    /// Whoever drops it wants the next one to find it free; the runtime may be gone by now.
    fn drop(&mut self) {
        self.renewing.abort();
        let (link, (script, asked)) = (Arc::clone(&self.link), self.giving_back.clone());
        let told = std::thread::spawn(move || link.run_blocking(script, &asked)).join();
        if !matches!(told, Ok(Ok(()))) {
            tracing::warn!("a store was not given back; it is free when its lease has run out");
        }
    }
}

async fn release(link: &Link, script: &'static Script, asked: &[Vec<u8>]) {
    if let Err(why) = link.run(script, asked, false).await {
        tracing::warn!(
            store = link.place(),
            why,
            "the store could not be given back; it is free when its lease has run out"
        );
    }
}

struct Renewing {
    link: Arc<Link>,
    node: String,
    lease: Duration,
    epoch: String,
    waits_outages_out: bool,
}

impl Renewing {
    async fn go_on(self, tell: watch::Sender<Option<Loss>>) {
        let lease = self.lease;
        let asked = args![&self.node, millis(lease), &self.epoch];
        let mut renewed = Instant::now();
        loop {
            tokio::time::sleep(lease / 8).await;
            let sent = Instant::now();
            let left = if self.waits_outages_out {
                lease / 2
            } else {
                (lease / 2).saturating_sub(renewed.elapsed())
            };
            let loss = match tokio::time::timeout(left, self.link.run(&RENEW, &asked, false)).await {
                Ok(Ok(answer)) if answer.word() == "ok" => {
                    renewed = sent;
                    continue;
                }
                Ok(Ok(answer)) => Loss::Taken {
                    by: answer.text(1).unwrap_or_default().to_owned(),
                },
                Ok(Err(_)) | Err(_) if self.waits_outages_out || renewed.elapsed() < lease / 2 => continue,
                Ok(Err(_)) | Err(_) => Loss::OutOfReach,
            };
            // Nobody may be listening: then there is nobody to stop.
            let _ = tell.send(Some(loss));
            return;
        }
    }
}

pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
