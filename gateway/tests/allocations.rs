//! What a request takes from the heap: no more than `benches/budget.toml` allows beyond what Pingora itself takes.
//!
//! The door and a bare Pingora proxy are driven alike, each on this test's own thread, where allocations are counted;
//! visitor and console are threads of their own and are not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of a test: a broken fixture should stop it here"
)]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, mpsc};

use async_trait::async_trait;
use pingora::prelude::{HttpPeer, ProxyHttp, Session};
use pingora::proxy::HttpProxy;
use pingora::server::configuration::ServerConf;
use serde::Deserialize;
use stagedoor::access_log::AccessLog;
use stagedoor::assertion::{self, Assertions};
use stagedoor::audit;
use stagedoor::first_start::first_administrator;
use stagedoor::listener::{Entry, EntryParts};
use stagedoor::metrics::Metrics;
use stagedoor::proxy::Gate;
use stagedoor::request_id::RequestIds;
use stagedoor::upstream::Upstreams;
use stagedoor_identity::{Password, Secret, SystemChance, SystemClock};
use stagedoor_portal::PortalParts;
use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};

use common::{open_door, serve};

const BUDGET: &str = include_str!("../../benches/budget.toml");
const POLICY: &str = "[networks]\nhere = [\"127.0.0.0/8\"]\n[site.console]\nnetworks = [\"here\"]\n[site.console.areas]\n\
    all = { paths = [\"/**\"] }\narea = { paths = [\"/area/**\"] }\n[role.administrator]\n\
    may = { \"*\" = \"all\" }\nnetworks = [\"here\"]\n";
const PASSWORD: &str = "correct horse battery 9";
/// Enough that whatever grows for a while has grown.
const WARM_REQUESTS: u32 = 300;
const COUNTED_REQUESTS: u32 = 1000;
/// What a browser sends beside.
const BROWSERS_HEADERS: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
     Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.5\r\n\
     Accept-Encoding: gzip, deflate, br, zstd\r\nReferer: http://console.test/\r\nUpgrade-Insecure-Requests: 1\r\n\
     Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-User: ?1\r\n\
     Priority: u=0, i\r\nDNT: 1\r\nCache-Control: no-cache\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nhere";

/// See the file.
#[derive(Debug, Deserialize)]
struct Budget {
    allocations_per_request: f64,
    allocations_per_browsers_request: f64,
}

#[test]
fn a_request_takes_no_more_from_the_heap_than_the_budget_allows() {
    let budget: Budget = toml::from_str(BUDGET).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let console = serve_console();
    let bare = runtime.block_on(serve(HttpProxy::new(Bare(console), Arc::new(ServerConf::default()))));
    let door = runtime.block_on(serve_door(console, folder.path()));
    let cookie = running(&runtime, move || sign_in(door));
    for (headers, allowed) in [
        ("", budget.allocations_per_request),
        (BROWSERS_HEADERS, budget.allocations_per_browsers_request),
    ] {
        let pingoras = per_request(
            &runtime,
            bare,
            format!("GET /area/1 HTTP/1.1\r\nHost: a.test\r\n{headers}\r\n"),
        );
        let all = per_request(
            &runtime,
            door,
            format!("GET /area/1 HTTP/1.1\r\nHost: a.test\r\nCookie: {cookie}\r\n{headers}\r\n"),
        );
        let ours = all - pingoras;
        println!("allocations of a request: {all:.2}, of a bare proxy's {pingoras:.2}, so ours {ours:.2}");
        assert!(
            ours <= allowed,
            "{ours:.2} allocations of ours, {allowed} allowed by benches/budget.toml"
        );
        assert!(
            ours > allowed - 2.0,
            "only {ours:.2} allocations of ours: write that down in benches/budget.toml, which allows {allowed}"
        );
    }
}

/// Allocations on this thread for each of many like requests on one connection.
fn per_request(runtime: &Runtime, at: SocketAddr, request: String) -> f64 {
    let (warm, is_warm) = oneshot::channel();
    let (done, is_done) = oneshot::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let visitor = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(at).unwrap();
        stream.set_nodelay(true).unwrap();
        (0..WARM_REQUESTS).for_each(|_| ask(&mut stream, &request));
        warm.send(()).unwrap();
        may_go_on.recv().unwrap();
        (0..COUNTED_REQUESTS).for_each(|_| ask(&mut stream, &request));
        done.send(()).unwrap();
    });
    runtime.block_on(is_warm).unwrap();
    let counted = allocation_counter::measure(|| {
        go_on.send(()).unwrap();
        runtime.block_on(is_done).unwrap();
    });
    visitor.join().unwrap();
    counted.count_total as f64 / f64::from(COUNTED_REQUESTS)
}

/// What `work` comes to on another thread, while this one serves.
fn running<T: Send + 'static>(runtime: &Runtime, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, outcome) = oneshot::channel();
    std::thread::spawn(move || send.send(work()).ok());
    runtime.block_on(outcome).unwrap()
}

fn ask(stream: &mut TcpStream, request: &str) {
    stream.write_all(request.as_bytes()).unwrap();
    let (mut answer, mut read) = ([0; 4096], 0);
    while !answer.get(..read).unwrap().ends_with(b"\r\n\r\nhere") {
        match stream.read(answer.get_mut(read..).unwrap()).unwrap() {
            0 => panic!("{}", String::from_utf8_lossy(&answer)),
            more => read += more,
        }
    }
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

fn sign_in(door: SocketAddr) -> String {
    let body = format!("{{\"username\":\"admin\",\"password\":\"{PASSWORD}\"}}");
    let mut stream = TcpStream::connect(door).unwrap();
    let request = format!(
        "POST /.stagedoor/login HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nAccept: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let cookie = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("set-cookie")
            .then(|| value.split(';').next())?
    });
    cookie.unwrap_or_else(|| panic!("no session in {answer}")).to_owned()
}

/// Answers every request with the same bytes.
fn serve_console() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            stream.set_nodelay(true).unwrap();
            std::thread::spawn(move || {
                let (mut buffer, mut pending) = ([0; 4096], Vec::new());
                while let Ok(read @ 1..) = stream.read(&mut buffer) {
                    pending.extend_from_slice(buffer.get(..read).unwrap());
                    if pending.ends_with(b"\r\n\r\n") {
                        pending.clear();
                        stream.write_all(ANSWER).unwrap();
                    }
                }
            });
        }
    });
    at
}

/// Pingora without us.
struct Bare(SocketAddr);

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _session: &mut Session, _ctx: &mut ()) -> pingora::Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.0, false, String::new())))
    }
}

/// The whole door: identity headers, assertion, metrics and access log are on.
async fn serve_door(console: SocketAddr, folder: &Path) -> SocketAddr {
    let building = format!(
        "[listen]\nhttp = [\"127.0.0.1:1\"]\n[log]\naccess = \"{}\"\n[site.console]\nupstream = \"http://{console}\"\n\
         assertion = true\n",
        folder.join("access.log").display()
    );
    let (live, door) = open_door(folder, &building, POLICY, Arc::new(SystemClock)).await;
    let snapshot = live.current();
    let password = Password::new(PASSWORD).unwrap();
    let made = first_administrator(&door, &snapshot.policy, "admin", password).await;
    assert!(made.unwrap_or_else(|fault| panic!("{fault}")));
    let upstreams = Arc::new(Upstreams::default());
    upstreams.resolve_all(&snapshot).await;
    let (audit, _writer) = audit::queue(Arc::new(SystemChance));
    let metrics = Arc::new(Metrics::new().unwrap());
    let key = assertion::generate_key().unwrap();
    let portal = PortalParts {
        door: Arc::clone(&door),
        prefix: snapshot.building.portal.prefix.clone(),
        title: "x".to_owned(),
        jwks: Arc::new(String::new),
        setup: None,
    };
    let log = snapshot.building.log.access.as_ref().unwrap();
    let gate = Gate {
        live: Arc::clone(&live),
        succession: Arc::default(),
        door: Arc::clone(&door),
        portal: stagedoor_portal::router(portal),
        assertions: Arc::new(Assertions::new(&key, "x", Arc::new(SystemClock)).unwrap()),
        mark: stagedoor::loops::Mark::new(&Secret::new([7; 8])).unwrap(),
        upstreams,
        seats: Arc::default(),
        metrics: Arc::clone(&metrics),
        audit: audit.clone(),
        access_log: Some(AccessLog::open(log).unwrap()),
        ids: RequestIds::new(1),
    };
    let entry = Arc::new(Entry::new(EntryParts {
        proxy: HttpProxy::new(gate, Arc::new(ServerConf::default())),
        live,
        door,
        metrics,
        audit,
        register: Arc::default(),
    }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (never, shutdown) = watch::channel(false);
    tokio::spawn(async move {
        let _never = never;
        while let Ok((stream, peer)) = listener.accept().await {
            tokio::spawn(Arc::clone(&entry).attend(stream, peer, None, shutdown.clone()));
        }
    });
    at
}
