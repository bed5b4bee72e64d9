//! How a request reaches the admin API: over its listener, or, where the door does not run, by the same router in this
//! process. The request is the same in both.

use std::fmt;
use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tower::ServiceExt as _;

use super::failure::Failure;

/// How long to wait for a listener to take the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long to wait for a whole answer; a new password is hashed on purpose slowly, and in a queue.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// The largest answer that is taken, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Where the admin API listens: plain HTTP, host and port, nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AdminUrl {
    authority: http::uri::Authority,
}

/// The way to the admin API.
#[derive(Debug)]
pub(crate) enum Transport {
    /// Over the listener.
    Remote(AdminUrl, Box<Client<HttpConnector, Full<Bytes>>>),
    /// In this process, on the local store.
    Local(axum::Router),
}

impl AdminUrl {
    /// # Errors
    /// A sentence that names what was typed.
    pub(crate) fn parse(typed: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::usage(format!("`{typed}` is no address of an admin API: {why}"));
        let uri: Uri = typed.parse().map_err(|_| wrong("it is no URL"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                let tunnel = "tunnel to it, such as with `ssh -L 9080:127.0.0.1:9080 HOST`";
                return Err(wrong("the admin API speaks plain HTTP on its own machine").help(tunnel));
            }
            _ => return Err(wrong("it does not begin with `http://`")),
        }
        let authority = uri.authority().filter(|authority| !authority.host().is_empty());
        let authority = authority.ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("it takes a host and a port, nothing else"));
        }
        Ok(Self {
            authority: authority.clone(),
        })
    }

    /// From a listener's address, `127.0.0.1:9080`. A listener on every address is reached on loopback.
    pub(crate) fn of_listener(address: std::net::SocketAddr) -> Result<Self, Failure> {
        let host = match address.ip() {
            std::net::IpAddr::V4(ip) if ip.is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::IpAddr::V6(ip) if ip.is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        Self::parse(&format!("http://{}", std::net::SocketAddr::new(host, address.port())))
    }

    /// Whether what is sent there stays on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// Whether nothing at all listens there. Any other trouble is told by the request itself.
    pub(crate) async fn nothing_listens(&self) -> bool {
        let port = self.authority.port_u16().unwrap_or(80);
        let attempt = tokio::net::TcpStream::connect((self.host(), port));
        match tokio::time::timeout(CONNECT_TIMEOUT, attempt).await {
            Ok(Err(error)) => error.kind() == io::ErrorKind::ConnectionRefused,
            _ => false,
        }
    }

    fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }
}

impl fmt::Display for AdminUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

impl Transport {
    /// Over the listener.
    pub(crate) fn remote(url: AdminUrl) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        Self::Remote(url, Box::new(Client::builder(TokioExecutor::new()).build(connector)))
    }

    /// Sends a request whose target is a path, and takes the whole answer.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let answered = async {
            match self {
                Self::Remote(url, client) => over_the_wire(url, client, request).await,
                Self::Local(router) => in_process(router, request).await,
            }
        };
        let late = || {
            Failure::failed(format!(
                "the admin API gave no answer within {} s",
                ANSWER_TIMEOUT.as_secs()
            ))
        };
        tokio::time::timeout(ANSWER_TIMEOUT, answered)
            .await
            .map_err(|_| late())?
    }
}

async fn over_the_wire(
    url: &AdminUrl,
    client: &Client<HttpConnector, Full<Bytes>>,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Failure> {
    let (mut parts, body) = request.into_parts();
    let target = format!("{url}{}", parts.uri);
    parts.uri = target
        .parse()
        .map_err(|_| Failure::usage(format!("`{target}` is no address")))?;
    let request = Request::from_parts(parts, Full::new(body));
    let response = client
        .request(request)
        .await
        .map_err(|error| out_of_reach(url, &error))?;
    let (parts, body) = response.into_parts();
    Ok(Response::from_parts(parts, whole(body).await?))
}

async fn in_process(router: &axum::Router, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
    let mut request = request.map(Body::from);
    let host = http::HeaderValue::from_static("localhost");
    request.headers_mut().insert(http::header::HOST, host);
    let Ok(response) = router.clone().oneshot(request).await;
    let (parts, body) = response.into_parts();
    Ok(Response::from_parts(parts, whole(body).await?))
}

async fn whole<B>(body: B) -> Result<Bytes, Failure>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let whole = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let broken = |error| Failure::failed(format!("the admin API's answer could not be read whole: {error}"));
    Ok(whole.map_err(broken)?.to_bytes())
}

fn out_of_reach(url: &AdminUrl, error: &hyper_util::client::legacy::Error) -> Failure {
    let mut why = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(deeper) = cause {
        why = deeper.to_string();
        cause = deeper.source();
    }
    let said = if error.is_connect() {
        format!("the admin API at `{url}` cannot be reached: {why}")
    } else {
        format!("the admin API at `{url}` did not answer as it should: {why}")
    };
    Failure::failed(said).help("see that the door runs, and that `--admin-url` or `[admin] listen` names its address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admin_url_is_a_host_and_a_port() {
        assert_eq!(
            AdminUrl::parse("http://127.0.0.1:9080").unwrap().to_string(),
            "http://127.0.0.1:9080"
        );
        assert_eq!(AdminUrl::parse("http://[::1]:9080/").unwrap().host(), "::1");
        for typed in [
            "",
            "127.0.0.1:9080",
            "ftp://x",
            "http://",
            "http://a/b",
            "http://a?b",
            "http://a@b",
            "https://a",
        ] {
            assert!(AdminUrl::parse(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn a_listener_on_every_address_is_reached_on_loopback() {
        let url = |text: &str| AdminUrl::of_listener(text.parse().unwrap()).unwrap().to_string();
        assert_eq!(url("0.0.0.0:9080"), "http://127.0.0.1:9080");
        assert_eq!(url("[::]:9080"), "http://[::1]:9080");
        assert_eq!(url("10.0.0.5:9080"), "http://10.0.0.5:9080");
    }

    #[test]
    fn loopback_is_known_by_name_and_by_address() {
        let loopback = |text: &str| AdminUrl::parse(text).unwrap().is_loopback();
        assert!(loopback("http://localhost:1") && loopback("http://127.8.9.1") && loopback("http://[::1]:1"));
        assert!(!loopback("http://localhost.example.com") && !loopback("http://10.0.0.5:9080"));
    }
}
