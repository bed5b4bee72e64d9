//! How the door ends. Pingora sleeps through its whole grace period, whether or not anybody is left inside; so its period is
//! none, and the waiting is done here, before it hears of the signal.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::middleware::{self, Next};
use axum::response::IntoResponse as _;
use axum::{Json, Router};
use http::{Request, StatusCode};
use pingora::server::{ShutdownSignal, ShutdownSignalWatch};
use serde_json::json;
use stagedoor_config::Live;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::keeping::succeeded;
use crate::open::Register;
use crate::systemd;
use crate::upgrade::giving::Sockets;

/// From SIGTERM until WebSockets are told: a second less than the five after which all is over.
const GRACE: Duration = Duration::from_secs(4);
/// For goodbyes, and for what comes to its end at the last moment.
const GOODBYES: Duration = Duration::from_secs(1);

/// How far the door has come in ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It is open.
    Open,
    /// Nobody is let in any more; each connection is closed with its next answer.
    Closing,
    /// What is idle is closed at once.
    Clearing,
}

/// Waits for the signal to end, and then for everybody to leave.
#[derive(Debug)]
pub struct Ending {
    closing: watch::Sender<bool>,
    phase: watch::Sender<Phase>,
    succeeded: watch::Receiver<bool>,
    live: Arc<Live>,
    register: Arc<Register>,
    sockets: Arc<Sockets>,
}

/// What others hear of the ending, and have to do with it.
#[derive(Debug)]
pub struct Words {
    /// Held in a clone by whoever is to be waited for; says that it is time.
    pub closing: watch::Receiver<bool>,
    /// How far it has come.
    pub phase: watch::Receiver<Phase>,
    /// To be told that another process serves instead.
    pub succeeded: watch::Sender<bool>,
}

/// How much time there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// SIGTERM: whoever sent it waits for the end.
    Soon,
    /// SIGQUIT, or another process has taken over: nobody waits.
    InPeace,
}

impl Ending {
    /// And what others hear of it.
    pub fn new(live: Arc<Live>, register: Arc<Register>, sockets: Arc<Sockets>) -> (Self, Words) {
        let (closing, watch) = watch::channel(false);
        let (phase, phases) = watch::channel(Phase::Open);
        let (succeed, succeeded) = watch::channel(false);
        let ending = Self {
            closing,
            phase,
            succeeded,
            live,
            register,
            sockets,
        };
        let words = Words {
            closing: watch,
            phase: phases,
            succeeded: succeed,
        };
        (ending, words)
    }

    /// Tells everybody, and waits until they have left, or their time is over.
    async fn see_out(&self, manner: Manner, terminate: &mut Signal) {
        self.phase.send_replace(Phase::Closing);
        // The listeners' own, which empty their queues, are closed after these.
        self.sockets.close();
        self.closing.send_replace(true);
        let grace = match manner {
            Manner::Soon => {
                systemd::tell("STOPPING=1");
                self.phase.send_replace(Phase::Clearing);
                GRACE
            }
            Manner::InPeace => self.live.current().building.limits.drain_deadline,
        };
        tokio::select! {
            () = self.closing.closed() => return,
            () = tokio::time::sleep(grace) => {}
            _ = terminate.recv(), if manner == Manner::InPeace => {}
        }
        self.phase.send_replace(Phase::Clearing);
        let told = self.register.go_away();
        if told > 0 {
            tracing::info!(told, "WebSockets are closed (1001), since this process ends");
        }
        // Whoever is left after that is cut off.
        let _either = tokio::time::timeout(GOODBYES, self.closing.closed()).await;
    }
}

/// The admin API, which says that it is not ready from when the door lets nobody in any more.
pub fn closing(admin: Router, phase: watch::Receiver<Phase>) -> Router {
    admin.layer(middleware::from_fn(move |request: Request<Body>, next: Next| {
        let leaves = *phase.borrow() > Phase::Open && request.uri().path() == "/readyz";
        async move {
            if leaves {
                return (
                    StatusCode::SERVICE_UNAVAILABLE,
                    Json(json!({ "ready": false, "closing": true })),
                )
                    .into_response();
            }
            next.run(request).await
        }
    }))
}

#[async_trait]
impl ShutdownSignalWatch for Ending {
    async fn recv(&self) -> ShutdownSignal {
        let signals = (
            signal(SignalKind::terminate()),
            signal(SignalKind::quit()),
            signal(SignalKind::interrupt()),
        );
        let (Ok(mut terminate), Ok(mut quit), Ok(mut interrupt)) = signals else {
            tracing::error!("signals cannot be listened for, so that the door could not be told to end: it ends now");
            return ShutdownSignal::FastShutdown;
        };
        let manner = tokio::select! {
            _ = terminate.recv() => Manner::Soon,
            _ = quit.recv() => Manner::InPeace,
            () = succeeded(self.succeeded.clone()) => Manner::InPeace,
            _ = interrupt.recv() => return ShutdownSignal::FastShutdown,
        };
        tokio::select! {
            () = self.see_out(manner, &mut terminate) => ShutdownSignal::GracefulTerminate,
            _ = interrupt.recv() => ShutdownSignal::FastShutdown,
        }
    }
}
