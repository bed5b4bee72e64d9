//! What each process does about upgrades once it lets people in: it runs the former one's errands, and may itself be succeeded.

use stagedoor_identity::Doorkeeper;
use stagedoor_identity::event::{Event, Kind, Outcome};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::errands::{self, Hands};
use super::giving::Giver;
use super::taking::{Heritage, Who};
use crate::systemd;

/// Everything that it takes.
#[derive(Debug)]
pub struct Succeeding {
    /// Of the process that this one takes over from.
    pub heritage: Option<Heritage>,
    /// What runs that one's errands.
    pub hands: Hands,
    /// What it hands over in its turn.
    pub giver: Giver,
    /// Says when connections are accepted.
    pub open: watch::Receiver<bool>,
}

impl Succeeding {
    /// Begins, and goes on beside everything else.
    pub fn begin(self, runtime: &Handle) {
        let _entered = runtime.enter();
        let asked = match signal(SignalKind::user_defined2()) {
            Ok(asked) => asked,
            Err(error) => {
                tracing::error!(%error, "SIGUSR2 cannot be listened for: this process cannot be upgraded");
                return;
            }
        };
        runtime.spawn(async move {
            let mut open = self.open;
            if open.wait_for(|open| *open).await.is_err() {
                return;
            }
            let mut giver = self.giver;
            match self.heritage {
                Some(heritage) => {
                    let who = heritage.former().clone();
                    let (errands, former) = heritage.serves();
                    tokio::spawn(run_errands(errands, self.hands));
                    note_upgrade(&giver.door, &who).await;
                    giver.former = Some(former);
                }
                // One that takes over is announced by the process that systemd knows.
                None => systemd::tell("READY=1"),
            }
            giver.on_signals(asked).await;
        });
    }
}

async fn run_errands(socket: std::os::fd::OwnedFd, hands: Hands) {
    if let Err(error) = errands::run_all(socket, hands).await {
        tracing::debug!(%error, "the former process's errands broke off");
    }
}

async fn note_upgrade(door: &Doorkeeper, former: &Who) {
    let (pid, version) = (std::process::id(), env!("CARGO_PKG_VERSION"));
    tracing::info!(
        pid,
        former_pid = former.pid,
        version,
        former_version = former.version,
        "this process has taken over"
    );
    let event = Event::by_itself(Kind::DoorUpgraded, Outcome::Done, door.now())
        .detail("pid", pid.to_string())
        .detail("former_pid", former.pid.to_string())
        .detail("version", version)
        .detail("former_version", &former.version);
    if let Err(error) = door.record(vec![event]).await {
        tracing::error!(%error, "an upgrade could not be written to the audit");
    }
}
