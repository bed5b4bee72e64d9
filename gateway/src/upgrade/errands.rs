//! What the former process has the new one do, once the store is that one's: pages of the portal and calls of the admin API
//! that came in by connections which are still open, lines of the audit, uses of sessions. They go over a socket that nobody
//! else has an end of.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use stagedoor_identity::event::Event;
use stagedoor_identity::{Doorkeeper, Use};
use stagedoor_policy::request::ClientAddress;
use stagedoor_policy::time::Timestamp;
use stagedoor_portal::Caller;
use tokio::net::UnixStream;
use tower::ServiceExt as _;

/// A body of a request or an answer: larger than any that the portal or the admin API takes or gives.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Why an errand was not run.
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// The former process's end.
#[derive(Debug, Clone)]
pub struct Errands(SendRequest<Full<bytes::Bytes>>);

/// A request for one of the routers.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    from: From,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// From whom, and so for which router.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum From {
    /// For the portal.
    Visitor {
        address: std::net::IpAddr,
        secure: bool,
        host: String,
        site: Option<String>,
        request_id: String,
        now_micros: i64,
        picture_bytes_max: usize,
        body_too_large: bool,
    },
    /// For the admin API.
    Program(SocketAddr),
}

#[derive(Debug, Serialize, Deserialize)]
struct Said {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Uses, as they travel: which session, and when.
type Uses = Vec<(stagedoor_identity::SessionId, i64)>;

/// The routers and the door that run the errands.
#[derive(Debug, Clone)]
pub struct Hands {
    /// Pages under the reserved prefix.
    pub portal: Router,
    /// The admin API.
    pub admin: Router,
    /// Accounts and sessions.
    pub door: Arc<Doorkeeper>,
}

impl Errands {
    /// From now on they can be run; until the other process takes them up they wait.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn begin(socket: OwnedFd) -> io::Result<Self> {
        let stream = stream(socket)?;
        let begun = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = begun.map_err(io::Error::other)?;
        tokio::spawn(async move {
            // Whoever asks after its end is told.
            let _over = connection.await;
        });
        Ok(Self(sender))
    }

    /// Has a request answered.
    pub async fn answer(&self, request: Request<Body>) -> Response {
        match self.try_answer(request).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(error, "the process that took over does not answer for this one");
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }

    async fn try_answer(&self, request: Request<Body>) -> Result<Response, Fault> {
        let (parts, body) = request.into_parts();
        let from = match (parts.extensions.get(), parts.extensions.get()) {
            (Some(caller), _) => visitor(caller),
            (None, Some(ConnectInfo(peer))) => From::Program(*peer),
            (None, None) => return Err("it cannot be told from whom the request is".into()),
        };
        let asked = Asked {
            from,
            method: parts.method.to_string(),
            target: parts
                .uri
                .path_and_query()
                .map_or("/", |target| target.as_str())
                .to_owned(),
            headers: packed(&parts.headers),
            body: STANDARD.encode(Limited::new(body, BODY_BYTES_MAX).collect().await?.to_bytes()),
        };
        let said: Said = self.run("/answer", &asked).await?;
        let mut answer = Response::builder().status(said.status);
        if let Some(headers) = answer.headers_mut() {
            *headers = unpacked(&said.headers)?;
        }
        Ok(answer.body(Body::from(STANDARD.decode(said.body)?))?)
    }

    /// Has lines written into the audit.
    ///
    /// # Errors
    /// Where they were not.
    pub async fn record(&self, events: &[Event]) -> Result<(), Fault> {
        self.run("/record", &events).await
    }

    /// Tells of uses, and answers the latest ones that are known there.
    ///
    /// # Errors
    /// Where the other process is gone.
    pub async fn exchange(&self, uses: Vec<Use>) -> Result<Vec<Use>, Fault> {
        let latest: Uses = self.run("/uses", &to_travel(uses)).await?;
        Ok(arrived(latest))
    }

    async fn run<T: DeserializeOwned>(&self, which: &str, what: &impl Serialize) -> Result<T, Fault> {
        let request = Request::post(format!("http://door{which}"))
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Full::from(serde_json::to_vec(what)?))?;
        let answer = self.0.clone().send_request(request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), BODY_BYTES_MAX * 2)
            .collect()
            .await?
            .to_bytes();
        if !status.is_success() {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
        }
        Ok(serde_json::from_slice(&body)?)
    }
}

/// Runs errands until the former process is gone.
///
/// # Errors
/// Those of the system.
pub async fn run_all(socket: OwnedFd, hands: Hands) -> io::Result<()> {
    let router = Router::new()
        .route("/answer", post(answer))
        .route("/record", post(record))
        .route("/uses", post(uses))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX * 2))
        .with_state(hands);
    let stream = stream(socket)?;
    let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    serving.await.map_err(io::Error::other)
}

async fn answer(State(hands): State<Hands>, Json(asked): Json<Asked>) -> Result<Json<Said>, (StatusCode, String)> {
    let readable = |error: &dyn std::fmt::Display| (StatusCode::BAD_REQUEST, format!("it cannot be read: {error}"));
    let body = STANDARD.decode(&asked.body).map_err(|error| readable(&error))?;
    let mut request = Request::builder()
        .method(asked.method.as_str())
        .uri(&asked.target)
        .body(Body::from(body))
        .map_err(|error| readable(&error))?;
    *request.headers_mut() = unpacked(&asked.headers).map_err(|error| readable(&error))?;
    let answered = match caller(asked.from) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            hands.portal.oneshot(request).await
        }
        Err(peer) => hands.admin.layer(Extension(ConnectInfo(peer))).oneshot(request).await,
    };
    let (parts, body) = match answered {
        Ok(answer) => answer.into_parts(),
        Err(impossible) => match impossible {},
    };
    let body = body.collect().await.map_err(|error| readable(&error))?.to_bytes();
    Ok(Json(Said {
        status: parts.status.as_u16(),
        headers: packed(&parts.headers),
        body: STANDARD.encode(body),
    }))
}

async fn record(State(hands): State<Hands>, Json(events): Json<Vec<Event>>) -> Result<Json<()>, (StatusCode, String)> {
    let recorded = hands.door.record(events).await;
    let failed = |error: stagedoor_identity::port::StoreError| (StatusCode::SERVICE_UNAVAILABLE, error.to_string());
    recorded.map(Json).map_err(failed)
}

async fn uses(State(hands): State<Hands>, Json(told): Json<Uses>) -> Json<Uses> {
    Json(to_travel(hands.door.hear_of_uses(&arrived(told))))
}

fn stream(socket: OwnedFd) -> io::Result<UnixStream> {
    let stream = std::os::unix::net::UnixStream::from(socket);
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

fn visitor(caller: &Caller) -> From {
    From::Visitor {
        address: caller.address.ip(),
        secure: caller.secure,
        host: caller.host.clone(),
        site: caller.site.clone(),
        request_id: caller.request_id.clone(),
        now_micros: caller.now.as_micros(),
        picture_bytes_max: caller.picture_bytes_max,
        body_too_large: caller.body_too_large,
    }
}

fn caller(from: From) -> Result<Caller, SocketAddr> {
    match from {
        From::Visitor {
            address,
            secure,
            host,
            site,
            request_id,
            now_micros,
            picture_bytes_max,
            body_too_large,
        } => Ok(Caller {
            address: ClientAddress::of_peer(address),
            secure,
            host,
            site,
            request_id,
            now: Timestamp::from_micros(now_micros),
            picture_bytes_max,
            body_too_large,
        }),
        From::Program(peer) => Err(peer),
    }
}

/// Values of headers need not be text.
fn packed(headers: &HeaderMap) -> Vec<(String, String)> {
    let pack = |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), STANDARD.encode(value.as_bytes()));
    headers.iter().map(pack).collect()
}

fn unpacked(headers: &[(String, String)]) -> Result<HeaderMap, Fault> {
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        all.append(
            HeaderName::try_from(name)?,
            HeaderValue::try_from(STANDARD.decode(value)?)?,
        );
    }
    Ok(all)
}

fn to_travel(uses: Vec<Use>) -> Uses {
    uses.into_iter().map(|(id, used)| (id, used.as_micros())).collect()
}

fn arrived(uses: Uses) -> Vec<Use> {
    uses.into_iter()
        .map(|(id, used)| (id, Timestamp::from_micros(used)))
        .collect()
}
