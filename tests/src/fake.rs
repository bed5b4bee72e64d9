//! A fake console of many ways: what a proxy must carry, each under a path of its own. It says of itself that it is a
//! fake, in the header `Server`.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};

use aws_lc_rs::digest::{Context, SHA256, digest};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::encoding::hex;

type Body = BoxBody<Bytes, Infallible>;

/// One kibibyte that is no other's neighbour: a wrong offset shows.
const PIECE: usize = 1024;
/// "compressed by the console\n", by gzip.
const COMPRESSED: &[u8] = include_bytes!("fake-page.txt.gz");

/// The SHA-256 of some bytes, in hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// Listens on a port of 127.0.0.1 until it is dropped.
#[derive(Debug)]
pub struct FakeConsole {
    at: SocketAddr,
    serving: JoinHandle<()>,
}

impl FakeConsole {
    /// Starts it.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let at = listener.local_addr().expect("an address");
        let serving = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).ok();
                let http = hyper::server::conn::http1::Builder::new();
                connections.spawn(
                    http.serve_connection(TokioIo::new(stream), service_fn(answer))
                        .with_upgrades(),
                );
            }
        });
        Self { at, serving }
    }

    /// Where it listens, as a site's upstream.
    pub fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    /// The bytes of `/file`: as many as asked for, the same every time.
    pub fn file(length: usize) -> Vec<u8> {
        (0..length)
            .map(|index| u8::try_from((index / PIECE * 31 + index) % 251).unwrap_or(0))
            .collect()
    }
}

impl Drop for FakeConsole {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    let mut response = match path.as_str() {
        "/upload" => hash_upload(request.into_body()).await,
        "/file" => file(request.headers()),
        "/gzip" => plain_with(
            &[("content-encoding", "gzip"), ("content-type", "text/plain")],
            COMPRESSED,
        ),
        "/chunked" => streamed(vec!["one, ", "two, ", "three"], "text/plain"),
        "/events" => streamed_forever(),
        "/cached" => cached(request.headers()),
        "/redirect" => redirect(),
        "/cookie" => plain_with(
            &[
                ("set-cookie", "console=its-own; Path=/; HttpOnly"),
                ("set-cookie", "b=2"),
            ],
            b"ok",
        ),
        "/socket" => accept_socket(&mut request),
        _ => describe(&request),
    };
    response
        .headers_mut()
        .insert(header::SERVER, header::HeaderValue::from_static("fake-console"));
    Ok(response)
}

async fn hash_upload(mut body: Incoming) -> Response<Body> {
    let (mut hash, mut length) = (Context::new(&SHA256), 0);
    while let Some(Ok(frame)) = body.frame().await {
        if let Some(data) = frame.data_ref() {
            hash.update(data);
            length += data.len();
        }
    }
    let found = json!({ "sha256": hex(hash.finish().as_ref()), "length": length });
    plain_with(&[("content-type", "application/json")], found.to_string().as_bytes())
}

/// `Range: bytes=FIRST-LAST`, and no other kind of range, of a file of one mebibyte.
fn file(headers: &HeaderMap) -> Response<Body> {
    let all = FakeConsole::file(1024 * PIECE);
    let range = headers
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok())
        .and_then(|range| {
            let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
            Some((first.parse::<usize>().ok()?, last.parse::<usize>().ok()?))
        });
    let Some((first, last)) = range else {
        return plain_with(
            &[("accept-ranges", "bytes"), ("content-type", "application/octet-stream")],
            &all,
        );
    };
    let described = format!("bytes {first}-{last}/{}", all.len());
    let mut response = plain_with(&[("content-range", &described)], &all[first..=last]);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    response
}

fn cached(headers: &HeaderMap) -> Response<Body> {
    let mut response = plain_with(&[("etag", "\"edition-7\"")], b"the seventh edition");
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|tag| tag == "\"edition-7\"")
    {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Full::default().boxed();
    }
    response
}

fn redirect() -> Response<Body> {
    let mut response = plain_with(&[("location", "/landed?by=redirect")], b"");
    *response.status_mut() = StatusCode::FOUND;
    response
}

/// The request as it arrived: method, target and every header, in order.
fn describe(request: &Request<Incoming>) -> Response<Body> {
    let headers: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect();
    let seen = json!({ "method": request.method().as_str(), "target": request.uri().to_string(), "headers": headers });
    plain_with(&[("content-type", "application/json")], seen.to_string().as_bytes())
}

fn accept_socket(request: &mut Request<Incoming>) -> Response<Body> {
    let Some(key) = request.headers().get(header::SEC_WEBSOCKET_KEY) else {
        let mut response = plain_with(&[], b"a WebSocket is wanted here");
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    let accept = derive_accept_key(key.as_bytes());
    tokio::spawn(echo(hyper::upgrade::on(request)));
    let headers = [
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-accept", accept.as_str()),
    ];
    let mut response = plain_with(&headers, b"");
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response
}

/// Says every message back, until the other side goes.
async fn echo(upgrade: hyper::upgrade::OnUpgrade) {
    let Ok(stream) = upgrade.await else { return };
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Server, None).await;
    while let Some(Ok(message)) = socket.next().await {
        if message.is_close() || socket.send(message).await.is_err() {
            return;
        }
    }
}

fn streamed(pieces: Vec<&'static str>, kind: &'static str) -> Response<Body> {
    let frames = pieces
        .into_iter()
        .map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
    let body = StreamBody::new(futures_util::stream::iter(frames));
    Response::builder()
        .header(header::CONTENT_TYPE, kind)
        .body(BodyExt::boxed(body))
        .expect("a response")
}

/// One event at once, then silence: only whoever closes it ends it.
fn streamed_forever() -> Response<Body> {
    let first = futures_util::stream::iter([Ok(Frame::data(Bytes::from_static(b"data: hello\n\n")))]);
    let body = StreamBody::new(first.chain(futures_util::stream::pending()));
    Response::builder()
        .header(header::CONTENT_TYPE, "text/event-stream")
        .body(BodyExt::boxed(body))
        .expect("a response")
}

fn plain_with(headers: &[(&str, &str)], body: &[u8]) -> Response<Body> {
    let mut response = Response::builder();
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response
        .body(Full::new(Bytes::copy_from_slice(body)).boxed())
        .expect("a response")
}
