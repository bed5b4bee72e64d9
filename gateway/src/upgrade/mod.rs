//! Upgrading without a gap: SIGUSR2 has this process start a new one, from the same path, and hand the door over to it.
//!
//! The sockets that are listened on are handed over open ([`link`]), so that no connection is refused and none is lost that waits
//! in their queue. Pingora's own way is not used: its listeners are not ours (`crate::listener`), and it hands over by a socket
//! with a name, to whoever opens it, and within five seconds.
//!
//! A store belongs to one process at a time, so it is handed over between two steps:
//!
//! | new process | former process |
//! | --- | --- |
//! | reads the files, binds what is new: `prepared` | serves as ever |
//! | | lets pages of the portal and calls of the admin API wait, writes what it has not written, makes no more steps: `store` |
//! | opens the store, and is ready: `opened` | judges from memory, which nobody can change meanwhile |
//! | | from now on asks the store before it judges; what waits goes to the new process as [`errands`]: `go` |
//! | accepts: `serving` | accepts no more, and ends when what is under way has ended ([`crate::ending`]) |
//!
//! Until `serving` is heard, whatever goes wrong leaves the former process serving as before. Where several doors share a store
//! on Redis, the former process stays one of them until it ends, and needs none of this but the sockets.

pub mod beginning;
pub mod errands;
pub mod following;
pub mod giving;
pub mod link;
pub mod taking;

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use http::header::CONNECTION;
use http::{HeaderValue, Request};
use stagedoor_identity::event::Event;
use stagedoor_identity::port::StoreError;
use stagedoor_identity::{Doorkeeper, SessionToken};
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};

use errands::Errands;
use following::Memory;

/// Where steps are made: here, or at the process that has taken over.
#[derive(Debug, Default)]
pub struct Succession {
    /// Read for as long as a page or a call is answered here; written when that is to change, which waits for them.
    errands: Arc<RwLock<Option<Errands>>>,
    /// Set where requests are judged by what another process writes.
    memory: ArcSwapOption<Memory>,
}

/// Pages and calls wait for as long as this is kept.
#[derive(Debug)]
pub struct Waiting(OwnedRwLockWriteGuard<Option<Errands>>);

impl Waiting {
    /// What waits, and all that comes, is answered by the other process.
    pub fn go_to(mut self, errands: Errands) {
        *self.0 = Some(errands);
    }
}

impl Succession {
    /// Lets no further page or call begin, and waits for those under way.
    pub async fn wait(&self) -> Waiting {
        Waiting(Arc::clone(&self.errands).write_owned().await)
    }

    /// From now on nothing is judged but by what the store says at that moment; `None`: memory is what the store is again.
    pub fn judge_by(&self, memory: Option<Arc<Memory>>) {
        self.memory.store(memory);
    }

    /// Before a request is judged: has memory know what the store knows of its token, where another process writes to that.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn catch_up(&self, token: &SessionToken) -> Result<(), StoreError> {
        match self.memory.load_full() {
            Some(memory) => memory.catch_up_with(token).await,
            None => Ok(()),
        }
    }

    /// Whether another process writes to the store.
    pub fn is_succeeded(&self) -> bool {
        self.memory.load().is_some()
    }

    /// A router whose requests are answered wherever steps are made.
    pub fn in_front_of(self: &Arc<Self>, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(Arc::clone(self), here_or_there))
    }

    /// Before this process ends: tells the other one of uses that it does not know of.
    pub async fn tell_last_uses(&self, door: &Doorkeeper) {
        let errands = self.errands.read().await.clone();
        if let Some(errands) = errands {
            following::tell_of_uses(door, &[], &errands).await;
        }
    }

    /// Writes into the audit, here or there.
    ///
    /// # Errors
    /// Where it could not be written.
    pub async fn record(&self, door: &Doorkeeper, events: Vec<Event>) -> Result<(), String> {
        let here = self.errands.read().await;
        match here.clone() {
            None => door.record(events).await.map_err(|error| error.to_string()),
            Some(errands) => {
                drop(here);
                errands.record(&events).await.map_err(|error| error.to_string())
            }
        }
    }
}

async fn here_or_there(State(succession): State<Arc<Succession>>, request: Request<Body>, next: Next) -> Response {
    let here = succession.errands.read().await;
    match here.clone() {
        None => next.run(request).await,
        Some(errands) => {
            drop(here);
            let of_a_program = request.extensions().get::<ConnectInfo<SocketAddr>>().is_some();
            let mut answer = errands.answer(request).await;
            if of_a_program {
                // The next call finds the other process.
                answer
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            answer
        }
    }
}
