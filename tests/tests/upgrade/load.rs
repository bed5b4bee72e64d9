//! Visitors who go on asking while the door is handed over, and count whatever is not answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, header};
use http_body_util::BodyExt as _;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use stagedoor_tests::{Body, Visitor, Way, Ways, Wire, body_of, eventually};
use tokio::task::JoinHandle;

/// Between two requests of one visitor: a load, and no race for the processor.
const BETWEEN: Duration = Duration::from_millis(3);
/// A bound on each visitor.
const REQUESTS_MAX: usize = 20_000;
/// For so many requests to be made by a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// By one connection for as long as it is kept.
    KeepsAlive,
    /// By a new one each time.
    ConnectsAnew,
}

/// One visitor at work.
pub(crate) struct Asking {
    answered: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    work: JoinHandle<Vec<String>>,
}

impl Asking {
    /// Begins.
    pub(crate) fn begin(ways: &Arc<Ways>, way: Way, habit: Habit, visitor: &Visitor) -> Self {
        let (answered, stop) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (counts, stops) = (Arc::clone(&answered), Arc::clone(&stop));
        let (ways, visitor) = (Arc::clone(ways), visitor.clone());
        let work = tokio::spawn(async move {
            let (mut failures, mut kept) = (Vec::new(), None);
            for number in 0..REQUESTS_MAX {
                if stops.load(Ordering::Acquire) {
                    break;
                }
                match ask(&ways, way, &visitor, &mut kept).await {
                    Ok(()) => {
                        counts.fetch_add(1, Ordering::AcqRel);
                    }
                    Err(why) => failures.push(format!("{way:?} {habit:?}, request {number}: {why}")),
                }
                if habit == Habit::ConnectsAnew {
                    kept = None;
                }
                tokio::time::sleep(BETWEEN).await;
            }
            failures
        });
        Self { answered, stop, work }
    }

    /// Waits until so many more are answered.
    pub(crate) async fn go_on_for(&self, more: usize) {
        let wanted = self.answered.load(Ordering::Acquire) + more;
        eventually("requests are answered", PATIENCE, async || {
            (self.answered.load(Ordering::Acquire) >= wanted || self.work.is_finished()).then_some(())
        })
        .await;
    }

    /// Ends; answers how many were answered, and what went wrong.
    pub(crate) async fn end(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::Release);
        let failures = self.work.await.expect("a visitor does not fail by itself");
        (self.answered.load(Ordering::Acquire), failures)
    }
}

/// A connection that is kept.
pub(crate) enum Kept {
    One(http1::SendRequest<Body>),
    Two(http2::SendRequest<Body>),
}

impl Kept {
    pub(crate) async fn open(ways: &Ways, way: Way, visitor: &Visitor) -> Result<Self, String> {
        let wire: Box<dyn Wire> = ways.try_wire(way, visitor).await.map_err(|error| error.to_string())?;
        if matches!(way, Way::Http2 | Way::Http2InClear) {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(wire))
                .await
                .map_err(|error| error.to_string())?;
            tokio::spawn(connection);
            return Ok(Self::Two(sender));
        }
        let (sender, connection) = http1::handshake(TokioIo::new(wire))
            .await
            .map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        Ok(Self::One(sender))
    }

    /// Asks; answers the status and whether the connection is to be kept. `None`: it was closed before anything was sent.
    pub(crate) async fn ask(&mut self, request: Request<Body>) -> Result<Option<(u16, bool, String)>, String> {
        let sent = match self {
            Self::One(sender) => match sender.ready().await {
                Ok(()) => sender.send_request(request).await,
                Err(_closed) => return Ok(None),
            },
            Self::Two(sender) => match sender.ready().await {
                Ok(()) => sender.send_request(request).await,
                Err(_closed) => return Ok(None),
            },
        };
        let answer = match sent {
            Ok(answer) => answer,
            // By its word nothing of it was sent; or the door said goodbye first, and whatever that does not count was not
            // looked at and is to be asked again (RFC 9113, section 6.8), as browsers do by themselves.
            Err(error) if error.is_canceled() || said_goodbye(&error) => return Ok(None),
            Err(error) => return Err(format!("{error:?}")),
        };
        let close = answer
            .headers()
            .get(header::CONNECTION)
            .is_some_and(|value| value == "close");
        let status = answer.status().as_u16();
        let body = answer
            .into_body()
            .collect()
            .await
            .map_err(|error| format!("{error:?}"))?;
        let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        Ok(Some((status, !close, text)))
    }
}

fn said_goodbye(error: &hyper::Error) -> bool {
    format!("{error:?}").contains("GoAway(b\"\", NO_ERROR, Remote)")
}

/// A request as that visitor makes it, for a connection that he keeps.
pub(crate) fn request(way: Way, visitor: &Visitor, path: &str) -> Request<Body> {
    let host = visitor.host().to_owned();
    let mut request = if matches!(way, Way::Http2 | Way::Http2InClear) {
        let scheme = if way.is_secure() { "https" } else { "http" };
        Request::get(format!("{scheme}://{host}{path}"))
    } else {
        Request::get(path).header(header::HOST, host)
    };
    if let Some(cookies) = visitor.cookie_header() {
        request = request.header(header::COOKIE, cookies);
    }
    request.body(body_of("")).expect("a request")
}

async fn ask(ways: &Ways, way: Way, visitor: &Visitor, kept: &mut Option<Kept>) -> Result<(), String> {
    // A connection that was closed before anything was sent costs another one, and no answer.
    for _ in 0..3 {
        let connection = match kept {
            Some(connection) => connection,
            None => kept.insert(Kept::open(ways, way, visitor).await?),
        };
        match connection.ask(request(way, visitor, "/page")).await? {
            Some((200, keep, _)) => {
                if !keep {
                    *kept = None;
                }
                return Ok(());
            }
            Some((status, _, text)) => return Err(format!("answered {status}: {text}")),
            None => *kept = None,
        }
    }
    Err("three connections in a row were closed unused".to_owned())
}

/// A call of the admin API, for a connection that is kept.
pub(crate) fn admin_request(admin: &stagedoor_tests::Admin, path: &str) -> Request<Body> {
    Request::get(path)
        .header(header::HOST, "localhost")
        .header(header::AUTHORIZATION, format!("Bearer {}", admin.token()))
        .body(body_of(""))
        .expect("a request")
}
