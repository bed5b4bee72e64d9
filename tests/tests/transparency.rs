//! The console keeps working as if the door were not there: what a proxy can spoil, looked at byte by byte.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Method, Request, StatusCode, Version, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use stagedoor_tests::{
    Body, Certificates, Door, FakeConsole, Visitor, Way, Ways, Wire, body_of, eventually, raw, sha256,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

#[path = "transparency/uploads.rs"]
mod uploads;
#[path = "transparency/websockets.rs"]
mod websockets;

const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\n\n[role.keeper]\nmay = { \"*\" = \"all\" }\n";
/// What the issue promises to carry.
const UPLOAD_BYTES: usize = 100 * 1024 * 1024;
const UPLOAD_PIECE_BYTES: usize = 64 * 1024;
const PIECES: usize = UPLOAD_BYTES / UPLOAD_PIECE_BYTES;
/// A door that gathered uploads instead of passing them on would grow by more than this.
const GROWTH_BYTES_MAX: usize = UPLOAD_BYTES / 2;
const HANDSHAKES: usize = 300;
const SOON: Duration = Duration::from_secs(30);

/// The door in front of a console, with `ada`, who may do everything.
struct Stage {
    ways: Ways,
    console: Option<FakeConsole>,
}

impl Stage {
    async fn open() -> Self {
        let console = FakeConsole::start().await;
        let mut stage = Self::before(&console.url()).await;
        stage.console = Some(console);
        stage
    }

    async fn before(upstream: &str) -> Self {
        // Three hundred at once are more than one account, and one address, may have unasked.
        let limits = "[limits]\nwebsockets_per_account_max = 300\nconnections_per_address_max = 1000\n";
        let plan = Door::plan().site("console", upstream).policy(POLICY).building(limits);
        let ways = Ways::open(plan, &["console"]).await;
        ways.door.admin().add_account("ada", "keeper").await;
        Self { ways, console: None }
    }

    async fn ada(&self, way: Way) -> Visitor {
        self.ways.signed_in(way, "console", "ada").await
    }

    /// A connection for bytes written by hand, and the lines that make them a request of `ada`'s.
    async fn by_hand(&self, way: Way) -> (Box<dyn Wire>, String) {
        let ada = self.ada(way).await;
        let cookies = ada.cookie_header().expect("ada is signed in");
        let wire = self.ways.wire(way, &ada).await;
        (wire, format!("Host: console.localhost\r\nCookie: {cookies}\r\n"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn downloads_come_whole_and_in_ranges_by_every_way() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        let whole = ada.get("/file").await.expect(200);
        assert_eq!(sha256(&whole.body), sha256(&FakeConsole::file(1024 * 1024)), "{way:?}");
        assert_eq!(whole.header("accept-ranges"), Some("bytes"));
        for (first, last) in [(0, 0), (1000, 1999), (1_048_000, 1_048_575)] {
            let request = Request::get("/file").header(header::RANGE, format!("bytes={first}-{last}"));
            let part = ada
                .send(request.body(body_of("")).expect("a request"))
                .await
                .expect(206);
            let described = format!("bytes {first}-{last}/1048576");
            assert_eq!(part.header("content-range"), Some(described.as_str()));
            assert_eq!(part.body, whole.body.slice(first..=last), "{way:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_page_and_a_chunked_one_come_as_the_console_sent_them() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        let page = ada.get("/gzip").await.expect(200);
        assert_eq!(page.header("content-encoding"), Some("gzip"), "{way:?}");
        assert_eq!(page.body.as_ref(), include_bytes!("../src/fake-page.txt.gz"), "{way:?}");
        let page = ada.get("/chunked").await.expect(200);
        assert_eq!(page.text(), "one, two, three", "{way:?}");
        assert_eq!(page.header("content-length"), None, "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_and_the_consoles_own_cookies_pass_both_ways() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        let redirect = ada.get("/redirect").await.expect(302);
        assert_eq!(redirect.header("location"), Some("/landed?by=redirect"), "{way:?}");
        let page = ada.get("/cookie").await.expect(200);
        let set: Vec<_> = page.headers.get_all(header::SET_COOKIE).iter().collect();
        assert_eq!(set, ["console=its-own; Path=/; HttpOnly", "b=2"], "{way:?}");
        let seen = ada.get("/described?x=%20y&x=1").await.expect(200).json();
        assert_eq!(seen["target"], "/described?x=%20y&x=1");
        assert_eq!(values(&seen, "cookie"), ["b=2; console=its-own"], "{way:?}");
    }
}

/// The values of a header that the console saw.
fn values(seen: &Value, name: &str) -> Vec<String> {
    let headers = seen["headers"].as_array().expect("a list of headers");
    let named = headers.iter().filter(|header| header[0] == name);
    named
        .map(|header| header[1].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_has_not_changed_is_answered_304_and_head_has_no_body() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        let first = ada.get("/cached").await.expect(200);
        let tag = first.header("etag").expect("the console tags its page").to_owned();
        let request = Request::get("/cached").header(header::IF_NONE_MATCH, &tag);
        let again = ada
            .send(request.body(body_of("")).expect("a request"))
            .await
            .expect(304);
        assert!(
            again.body.is_empty() && again.header("etag") == Some(tag.as_str()),
            "{way:?}"
        );
        let request = Request::head("/file").body(body_of("")).expect("a request");
        let head = ada.send(request).await.expect(200);
        assert_eq!(head.header("content-length"), Some("1048576"), "{way:?}");
        assert!(head.body.is_empty(), "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_usual_method_arrives_with_its_body_and_kind() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        for method in [
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
            Method::OPTIONS,
            Method::POST,
        ] {
            let request = Request::builder().method(&method).uri("/thing?id=7");
            let request = request.header(header::CONTENT_TYPE, "application/merge-patch+json");
            let seen = ada
                .send(request.body(body_of("{}")).expect("a request"))
                .await
                .expect(200)
                .json();
            assert_eq!(seen["method"], method.as_str(), "{way:?}");
            assert_eq!(seen["target"], "/thing?id=7", "{way:?}");
            assert_eq!(
                values(&seen, "content-type"),
                ["application/merge-patch+json"],
                "{way:?}"
            );
            assert_eq!(values(&seen, "content-length"), ["2"], "{way:?} {method}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_requests_go_by_one_connection_whatever_their_answers_are_like() {
    let stage = Stage::open().await;
    for way in Way::BY_HAND {
        let (mut wire, lines) = stage.by_hand(way).await;
        for round in 0..3 {
            for (line, status) in [
                ("HEAD /file", 200),
                ("GET /redirect", 302),
                ("GET /cached", 200),
                ("HEAD /gzip", 200),
            ] {
                wire.write_all(format!("{line} HTTP/1.1\r\n{lines}\r\n").as_bytes())
                    .await
                    .expect("it is open");
                let head = raw::read_head(&mut wire).await;
                assert_eq!(raw::status(&head), status, "{way:?}, round {round}, {line}: {head}");
                skip_body(&mut wire, line, &head).await;
            }
            let post =
                format!("POST /upload HTTP/1.1\r\n{lines}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
            wire.write_all(post.as_bytes()).await.expect("it is open");
            let head = raw::read_head(&mut wire).await;
            assert_eq!(raw::status(&head), 200, "{way:?}, round {round}: {head}");
            let body = skip_body(&mut wire, "POST", &head).await;
            assert!(
                String::from_utf8_lossy(&body).contains(&sha256(b"hello")),
                "{way:?}, round {round}"
            );
        }
    }
}

/// Reads as many bytes as the head announces.
async fn skip_body(wire: &mut Box<dyn Wire>, line: &str, head: &str) -> Vec<u8> {
    let length = head.lines().find_map(|each| {
        let (name, value) = each.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = vec![
        0;
        if line.starts_with("HEAD") {
            0
        } else {
            length.unwrap_or(0)
        }
    ];
    wire.read_exact(&mut body).await.expect("the body comes");
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_before_sending_is_told_to_go_on_by_the_console() {
    let stage = Stage::open().await;
    for way in Way::BY_HAND {
        let (mut wire, lines) = stage.by_hand(way).await;
        let head = format!("POST /upload HTTP/1.1\r\n{lines}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
        wire.write_all(head.as_bytes()).await.expect("it is open");
        let interim = raw::read_head(&mut wire).await;
        assert_eq!(raw::status(&interim), 100, "{way:?}: {interim}");
        wire.write_all(b"hello").await.expect("it is open");
        let head = raw::read_head(&mut wire).await;
        assert_eq!(raw::status(&head), 200, "{way:?}: {head}");
        let body = skip_body(&mut wire, "POST", &head).await;
        assert!(String::from_utf8_lossy(&body).contains(&sha256(b"hello")), "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_of_http_1_0_is_answered_and_let_go() {
    let stage = Stage::open().await;
    let (wire, lines) = stage.by_hand(Way::Http1).await;
    let answer = raw::exchange_over(wire, format!("GET /cached HTTP/1.0\r\n{lines}\r\n")).await;
    assert_eq!(raw::status(&answer), 200, "{answer}");
    assert!(answer.ends_with("the seventh edition"), "{answer}");
}

/// A console that a test plays by hand: it says the next thing when the test says so.
async fn played_console() -> (String, TcpListener) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    (url, listener)
}

#[tokio::test(flavor = "multi_thread")]
async fn events_arrive_one_by_one_and_not_when_the_next_one_pushes_them_out() {
    let (url, listener) = played_console().await;
    let stage = Stage::before(&url).await;
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        let request = Request::get("/events").body(body_of("")).expect("a request");
        let opening = tokio::spawn(async move { ada.open(request).await });
        let (mut console, _) = listener.accept().await.expect("the door comes");
        raw::read_head(&mut console).await;
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        console.write_all(head).await.expect("it is open");
        let mut body = tokio::time::timeout(SOON, opening)
            .await
            .expect("the head comes")
            .expect("no panic")
            .into_body();
        for number in 0..20 {
            // The next event is not written before this one has arrived.
            let event = format!("data: {number}\n\n");
            let chunk = format!("{:x}\r\n{event}\r\n", event.len());
            console.write_all(chunk.as_bytes()).await.expect("it is open");
            let frame = tokio::time::timeout(SOON, body.frame()).await;
            let frame = frame.unwrap_or_else(|_| panic!("{way:?}: event {number} is held back"));
            let data = frame
                .expect("the stream goes on")
                .expect("no fault")
                .into_data()
                .expect("data");
            assert_eq!(data, event, "{way:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_is_spoken_as_offered_and_both_versions_of_tls_are() {
    let stage = Stage::open().await;
    for (way, version) in [
        (Way::Http1, Version::HTTP_11),
        (Way::Http1InTls, Version::HTTP_11),
        (Way::Http2, Version::HTTP_2),
    ] {
        let page = stage.ada(way).await.get("/cached").await.expect(200);
        assert_eq!(page.version, version, "{way:?}");
    }
    for (version, name) in [
        (&rustls::version::TLS12, rustls::ProtocolVersion::TLSv1_2),
        (&rustls::version::TLS13, rustls::ProtocolVersion::TLSv1_3),
    ] {
        let settings = client_of(&stage.ways.certificates, version);
        let https = stage.ways.door.https.expect("TLS");
        let visitor = Visitor::new(([127, 0, 0, 1], https).into(), format!("console.localhost:{https}"));
        let wire = visitor.over_tls(settings).connect_tls().await;
        assert_eq!(wire.get_ref().1.protocol_version(), Some(name));
    }
}

/// A client of one version of TLS.
fn client_of(
    certificates: &Certificates,
    version: &'static rustls::SupportedProtocolVersion,
) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(&certificates.certificate).expect("the certificate is there");
    roots.add(certificate).expect("a certificate to trust");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let settings = rustls::ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]);
    let settings = settings.expect("a known version").with_root_certificates(roots);
    Arc::new(settings.with_no_client_auth())
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_of_one_http2_connection_are_answered_each_with_its_own() {
    let stage = Stage::open().await;
    let ada = stage.ada(Way::Http2).await;
    let cookies = ada.cookie_header().expect("ada is signed in");
    let wire = hyper_util::rt::TokioIo::new(ada.connect_tls().await);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (sender, connection) = hyper::client::conn::http2::handshake::<_, _, Body>(executor, wire)
        .await
        .expect("HTTP/2");
    tokio::spawn(connection);
    let mut answers = tokio::task::JoinSet::new();
    for number in 0..100 {
        let (mut sender, cookies) = (sender.clone(), cookies.clone());
        answers.spawn(async move {
            let request = Request::get(format!("https://console.localhost/number/{number}"));
            let request = request
                .header(header::COOKIE, cookies)
                .body(body_of(""))
                .expect("a request");
            let answer = sender.send_request(request).await.expect("an answer");
            let seen: Value = serde_json::from_slice(&answer.into_body().collect().await.expect("a body").to_bytes())
                .expect("the console describes the request");
            assert_eq!(seen["target"], format!("/number/{number}"));
        });
    }
    assert_eq!(answers.join_all().await.len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_leaves_in_the_middle_takes_the_consoles_connection_with_him() {
    let (url, listener) = played_console().await;
    let stage = Stage::before(&url).await;
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        let request = Request::get("/events").body(body_of("")).expect("a request");
        let opening = tokio::spawn(async move { ada.open(request).await });
        let (mut console, _) = listener.accept().await.expect("the door comes");
        raw::read_head(&mut console).await;
        console
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            .await
            .expect("it is open");
        drop(opening.await.expect("no panic"));
        eventually("the console's connection closes", SOON, async || {
            gone(&mut console).await.then_some(())
        })
        .await;
    }
}

/// Whether the other side has closed; says something, since a closed door is noticed only by who speaks.
async fn gone(console: &mut TcpStream) -> bool {
    if console.write_all(b"data: still there?\n\n").await.is_err() {
        return true;
    }
    let mut byte = [0];
    let read = tokio::time::timeout(Duration::from_millis(50), console.read(&mut byte)).await;
    matches!(read, Ok(Ok(0) | Err(_)))
}
