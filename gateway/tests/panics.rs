//! A panic in a stage is one visitor's 500. What panics here are the ports that a stage asks, so that the door itself needs
//! no switch for it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of a test, one of which panics for a living"
)]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pingora::proxy::http_proxy;
use pingora::server::configuration::ServerConf;
use stagedoor::assertion::{self, Assertions};
use stagedoor::audit::{self, AuditWriter};
use stagedoor::metrics::Metrics;
use stagedoor::proxy::Gate;
use stagedoor::request_id::RequestIds;
use stagedoor::upstream::Upstreams;
use stagedoor_identity::event::{AuditQuery, StoredEvent};
use stagedoor_identity::{Chance, Clock, Doorkeeper, SystemChance, SystemClock};
use stagedoor_policy::time::Timestamp;

use common::{open_door, serve};

const BUILDING: &str = "[listen]\nhttp = [\"127.0.0.1:1\"]\n[site.console]\nhosts = [\"console.test\"]\nupstream = \
    \"http://127.0.0.1:2\"\n";
const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\n";
/// What nobody outside is to read.
const TEXT: &str = "the combination is 1234";

/// A port that panics the next time it is asked, once it was told to.
#[derive(Debug, Default)]
struct Fragile {
    breaks: AtomicBool,
}

impl Fragile {
    fn break_next(&self) {
        self.breaks.store(true, Ordering::SeqCst);
    }

    fn ask(&self) {
        assert!(!self.breaks.swap(false, Ordering::SeqCst), "{TEXT}");
    }
}

#[derive(Debug)]
struct FragileClock(Arc<Fragile>);

impl Clock for FragileClock {
    fn now(&self) -> Timestamp {
        self.0.ask();
        SystemClock.now()
    }
}

#[derive(Debug)]
struct FragileChance(Arc<Fragile>);

impl Chance for FragileChance {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.ask();
        SystemChance.fill(bytes);
    }
}

/// A door on a port of 127.0.0.1, whose clock, chance and portal break when they are told to.
struct Fixture {
    at: SocketAddr,
    clock: Arc<Fragile>,
    chance: Arc<Fragile>,
    metrics: Arc<Metrics>,
    door: Arc<Doorkeeper>,
    writer: AuditWriter,
    _folder: tempfile::TempDir,
}

impl Fixture {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, chance) = (Arc::<Fragile>::default(), Arc::<Fragile>::default());
        let (live, door) = open_door(
            folder.path(),
            BUILDING,
            POLICY,
            Arc::new(FragileClock(Arc::clone(&clock))),
        )
        .await;
        let (audit, writer) = audit::queue(Arc::new(FragileChance(Arc::clone(&chance))));
        let metrics = Arc::new(Metrics::new().unwrap());
        let key = assertion::generate_key().unwrap();
        let gate = Gate {
            live,
            door: Arc::clone(&door),
            portal: axum::Router::new().fallback(page_that_panics),
            assertions: Arc::new(Assertions::new(&key, "x", Arc::new(SystemClock)).unwrap()),
            mark: stagedoor::loops::Mark::new(&stagedoor_identity::Secret::new([7; 8])).unwrap(),
            upstreams: Arc::new(Upstreams::default()),
            seats: Arc::default(),
            metrics: Arc::clone(&metrics),
            audit,
            access_log: None,
            ids: RequestIds::new(1),
            succession: Arc::default(),
        };
        Self {
            at: serve(http_proxy(&Arc::new(ServerConf::default()), gate)).await,
            clock,
            chance,
            metrics,
            door,
            writer,
            _folder: folder,
        }
    }

    /// Everything that comes back on a connection of its own.
    async fn ask(&self, path: &str) -> String {
        let at = self.at;
        let request = format!("GET {path} HTTP/1.1\r\nHost: console.test\r\nConnection: close\r\n\r\n");
        let asking = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(at).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        });
        asking.await.unwrap()
    }

    /// The refusals in the audit, oldest first.
    async fn refusals(self) -> Vec<StoredEvent> {
        self.writer
            .run(Arc::clone(&self.door), Arc::default(), std::future::ready(()))
            .await;
        let query = AuditQuery {
            kind: Some("request.refused".to_owned()),
            limit: 100,
            ..AuditQuery::default()
        };
        let mut events = self.door.store().events(&query).await.unwrap();
        events.reverse();
        events
    }
}

async fn page_that_panics() -> &'static str {
    panic!("{TEXT}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_stage_is_a_500_with_a_support_code_and_the_next_visitor_does_not_notice() {
    let fixture = Fixture::open().await;
    let unharmed = fixture.ask("/page").await;
    assert!(unharmed.starts_with("HTTP/1.1 401"), "{unharmed}");
    let mut broken = Vec::new();
    for breaks in ["session", "portal", "refusal"] {
        match breaks {
            "session" => fixture.clock.break_next(),
            "refusal" => fixture.chance.break_next(),
            _ => {}
        }
        let path = if breaks == "portal" {
            "/.stagedoor/login"
        } else {
            "/page"
        };
        let answer = fixture.ask(path).await;
        assert!(answer.starts_with("HTTP/1.1 500"), "{breaks}: {answer}");
        assert!(
            !answer.contains("1234") && !answer.contains(".rs"),
            "{breaks}: {answer}"
        );
        assert!(
            answer.to_ascii_lowercase().contains("x-content-type-options"),
            "{breaks}: {answer}"
        );
        broken.push(answer);
        assert_eq!(
            fixture.ask("/page").await.lines().next(),
            unharmed.lines().next(),
            "{breaks}"
        );
    }
    assert_eq!(fixture.metrics.panics.get(), 3);
    let refusals = fixture.refusals().await;
    let internal: Vec<_> = refusals
        .iter()
        .filter(|each| each.event.reason.as_deref() == Some("internal"))
        .collect();
    assert_eq!(internal.len(), 3, "{refusals:?}");
    for (answer, noted) in broken.iter().zip(internal) {
        let code = noted.event.support_code.as_deref().expect("a support code");
        assert!(answer.contains(code), "{code} is not in {answer}");
        assert_eq!(
            noted.event.address.map(|address| address.to_string()).as_deref(),
            Some("127.0.0.1")
        );
    }
}
