//! A program in front of the door: one connection for each request, a cookie jar, an address of its choice.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;

use crate::Reply;

/// What the door calls the cookie of a session, by plain HTTP and by TLS.
const SESSION_COOKIES: [&str; 2] = ["stagedoor", "__Host-stagedoor"];

/// A body that a visitor sends.
pub type Body = BoxBody<Bytes, Infallible>;

/// A body of these bytes.
pub fn body_of(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed()
}

/// Why a request has no answer: nobody listens any more, or the connection broke off.
pub type Unanswered = Box<dyn std::error::Error + Send + Sync>;

/// One visitor. Clones share the cookie jar, as tabs of one browser do.
#[derive(Debug, Clone)]
pub struct Visitor {
    at: SocketAddr,
    host: String,
    from: IpAddr,
    tls: Option<Arc<rustls::ClientConfig>>,
    http2_in_clear: bool,
    ahead: Vec<u8>,
    always: Vec<(HeaderName, HeaderValue)>,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Visitor {
    /// Somebody at 127.0.0.1 with an empty cookie jar, who asks `at` for `host`.
    pub fn new(at: SocketAddr, host: impl Into<String>) -> Self {
        Self {
            at,
            host: host.into(),
            from: Ipv4Addr::LOCALHOST.into(),
            tls: None,
            http2_in_clear: false,
            ahead: Vec::new(),
            always: Vec::new(),
            cookies: Arc::default(),
        }
    }

    /// Comes from this loopback address.
    pub fn from(mut self, address: &str) -> Self {
        self.from = address.parse().expect("an address");
        self
    }

    /// Speaks TLS; whether HTTP/2 is offered is up to the settings' ALPN.
    pub fn over_tls(mut self, settings: Arc<rustls::ClientConfig>) -> Self {
        self.tls = Some(settings);
        self
    }

    /// Speaks HTTP/2 without TLS, and without asking whether the other side does.
    pub fn over_http2_in_clear(mut self) -> Self {
        self.http2_in_clear = true;
        self
    }

    /// Sends these bytes ahead of everything else on each connection, as a proxy does that says for whom it speaks.
    pub fn behind_proxy(mut self, ahead: impl Into<Vec<u8>>) -> Self {
        self.ahead = ahead.into();
        self
    }

    /// Sends this header with every request.
    pub fn always(mut self, name: &'static str, value: &str) -> Self {
        self.always
            .push((HeaderName::from_static(name), value.parse().expect("a header value")));
        self
    }

    /// The same person at another place: the cookie of the session is the same.
    pub fn with_session_of(self, other: &Visitor) -> Self {
        let session = SESSION_COOKIES.map(|name| other.cookie(name).map(|value| (name, value)));
        let (name, value) = session.into_iter().flatten().next().expect("somebody signed in");
        self.put_cookie(name, &value);
        self
    }

    /// Which host they ask for.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Takes the cookie jar of nobody: a second person at the same place.
    pub fn without_cookies(mut self) -> Self {
        self.cookies = Arc::default();
        self
    }

    /// The value of a cookie in the jar.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar().get(name).cloned()
    }

    /// Puts a cookie into the jar.
    pub fn put_cookie(&self, name: &str, value: &str) {
        self.jar().insert(name.to_owned(), value.to_owned());
    }

    /// Signs in as a program does, and keeps the cookie.
    pub async fn sign_in(&self, name: &str, password: &str) -> Reply {
        self.post_json("/.stagedoor/login", &json!({ "username": name, "password": password }))
            .await
    }

    /// Signs out.
    pub async fn sign_out(&self) -> Reply {
        self.post_json("/.stagedoor/logout", &json!({})).await
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(body_of("")).expect("a request"))
            .await
    }

    /// Sends bytes.
    pub async fn post(&self, path: &str, body: impl Into<Bytes>) -> Reply {
        self.send(Request::post(path).body(body_of(body)).expect("a request"))
            .await
    }

    /// Sends JSON.
    pub async fn post_json(&self, path: &str, body: &Value) -> Reply {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(body_of(body.to_string())).expect("a request"))
            .await
    }

    /// Sends a request of any kind and reads the whole answer.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        Reply::read(self.open(request).await).await
    }

    /// Sends a request and leaves the answer's body unread.
    pub async fn open(&self, request: Request<Body>) -> Response<Incoming> {
        self.try_open(request).await.expect("the door answers")
    }

    /// Sends a request; the door may also be gone, or close the connection instead of answering.
    pub async fn try_open(&self, mut request: Request<Body>) -> Result<Response<Incoming>, Unanswered> {
        self.dress(request.headers_mut());
        let answer = match &self.tls {
            None if self.http2_in_clear => over_http2(self.try_connect().await?, request, "http", &self.host).await,
            None => over_http1(self.try_connect().await?, request).await,
            Some(_) => {
                let stream = self.try_connect_tls().await?;
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    over_http2(stream, request, "https", &self.host).await
                } else {
                    over_http1(stream, request).await
                }
            }
        }?;
        self.keep_cookies(&answer);
        Ok(answer)
    }

    /// A bare connection from this visitor's address.
    pub async fn connect(&self) -> TcpStream {
        self.try_connect().await.expect("somebody listens")
    }

    /// A bare TLS connection from this visitor's address; fails the test where the visitor speaks no TLS.
    pub async fn connect_tls(&self) -> TlsStream<TcpStream> {
        self.try_connect_tls().await.expect("TLS comes to be")
    }

    /// [`Self::connect`], where nobody may listen any more.
    ///
    /// # Errors
    /// Nobody listens, or the connection breaks off at once.
    pub async fn try_connect(&self) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .bind(SocketAddr::new(self.from, 0))
            .expect("the address is one of this machine");
        // As browsers do: else every piece of a long body waits for the acknowledgement of the one before.
        socket.set_nodelay(true).expect("a socket can be told to send at once");
        let mut stream = socket.connect(self.at).await?;
        tokio::io::AsyncWriteExt::write_all(&mut stream, &self.ahead).await?;
        Ok(stream)
    }

    /// [`Self::connect_tls`], where the door may break it off.
    ///
    /// # Errors
    /// Nobody listens, or the handshake fails.
    pub async fn try_connect_tls(&self) -> io::Result<TlsStream<TcpStream>> {
        let settings = self.tls.as_ref().expect("a visitor that speaks TLS");
        let name = ServerName::try_from(self.name().to_owned()).expect("a host name");
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(settings));
        connector.connect(name, self.try_connect().await?).await
    }

    /// Opens a WebSocket.
    pub async fn websocket(&self, path: &str) -> Result<WebSocketStream<TcpStream>, tungstenite::Error> {
        use tungstenite::client::IntoClientRequest as _;
        let mut request = format!("ws://{}{path}", self.host).into_client_request()?;
        self.dress(request.headers_mut());
        let (socket, answer) = tokio_tungstenite::client_async(request, self.try_connect().await?).await?;
        self.keep_cookies(&answer);
        Ok(socket)
    }

    /// The `Cookie` header that this visitor would send now, where the jar is not empty.
    pub fn cookie_header(&self) -> Option<String> {
        let pairs: Vec<String> = self
            .jar()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn dress(&self, headers: &mut http::HeaderMap) {
        if !headers.contains_key(header::HOST) {
            headers.insert(header::HOST, self.host.parse().expect("a host"));
        }
        for (name, value) in &self.always {
            headers.append(name, value.clone());
        }
        if let (Some(cookies), false) = (self.cookie_header(), headers.contains_key(header::COOKIE)) {
            headers.insert(header::COOKIE, cookies.parse().expect("cookies"));
        }
    }

    fn keep_cookies<B>(&self, answer: &Response<B>) {
        for line in answer.headers().get_all(header::SET_COOKIE) {
            let line = line.to_str().expect("a readable cookie");
            let pair = line.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie has a name");
            if value.is_empty() || line.to_ascii_lowercase().contains("max-age=0") {
                self.jar().remove(name.trim());
            } else {
                self.put_cookie(name.trim(), value);
            }
        }
    }

    /// The name in [`Self::host`], without a port.
    pub(crate) fn name(&self) -> &str {
        self.host.split(':').next().unwrap_or_default()
    }

    fn jar(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.cookies.lock().expect("no test panics while it holds the jar")
    }
}

async fn over_http1<S>(stream: S, request: Request<Body>) -> Result<Response<Incoming>, hyper::Error>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection.with_upgrades());
    sender.send_request(request).await
}

async fn over_http2<S>(
    stream: S,
    mut request: Request<Body>,
    scheme: &str,
    host: &str,
) -> Result<Response<Incoming>, hyper::Error>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    // HTTP/2 names the host in the target, not in a header.
    request.headers_mut().remove(header::HOST);
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", http::uri::PathAndQuery::as_str)
        .to_owned();
    *request.uri_mut() = format!("{scheme}://{host}{path}").parse().expect("a target");
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    sender.send_request(request).await
}
