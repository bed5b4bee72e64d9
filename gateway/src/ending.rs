//! How the door ends. Pingora sleeps through its whole grace period, whether or not anybody is left inside; so its period is
//! none, and the waiting is done here, before it hears of the signal.

use std::time::Duration;

use async_trait::async_trait;
use pingora::server::{ShutdownSignal, ShutdownSignalWatch};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// From SIGTERM to the end of what is still under way.
const GRACE: Duration = Duration::from_secs(5);

/// Waits for the signal to end, and then for everybody to leave.
#[derive(Debug)]
pub struct Ending {
    closing: watch::Sender<bool>,
}

impl Ending {
    /// And what says that it is time: whoever is to be waited for holds a clone of it.
    pub fn new() -> (Self, watch::Receiver<bool>) {
        let (closing, watch) = watch::channel(false);
        (Self { closing }, watch)
    }
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
        tokio::select! {
            _ = terminate.recv() => {}
            _ = quit.recv() => {}
            _ = interrupt.recv() => return ShutdownSignal::FastShutdown,
        }
        self.closing.send_replace(true);
        tokio::select! {
            () = self.closing.closed() => ShutdownSignal::GracefulTerminate,
            () = tokio::time::sleep(GRACE) => ShutdownSignal::GracefulTerminate,
            _ = interrupt.recv() => ShutdownSignal::FastShutdown,
        }
    }
}
