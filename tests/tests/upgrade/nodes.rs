//! Doors that share a store on Redis: one hands over to a new process beside the others, or is taken down and comes back.

use std::net::SocketAddr;

use stagedoor_tests::{Redis, Unanswered};

use super::*;

struct Nodes {
    one: Door,
    two: Door,
    _redis: Redis,
    _folder: tempfile::TempDir,
    _console: FakeConsole,
}

impl Nodes {
    async fn open(drain: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let redis = Redis::start(folder.path());
        let console = FakeConsole::start().await;
        let limits = format!("[limits]\ndrain_deadline = \"{drain}\"\n");
        let door = async |name: &str| {
            let plan = Door::plan()
                .site("console", &console.url())
                .policy(POLICY)
                .building(&limits);
            plan.node(name, &redis).open().await
        };
        let (one, two) = (door("one").await, door("two").await);
        Self {
            one,
            two,
            _redis: redis,
            _folder: folder,
            _console: console,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_hands_over_beside_the_others_and_stays_one_of_them_until_it_has_drained() {
    let nodes = Nodes::open("10m").await;
    nodes.one.admin().add_account("ada", "keeper").await;
    let ada = nodes.one.signed_in_patiently("console", "ada").await;
    let mut socket = ada.websocket("/socket").await.expect("a WebSocket opens");
    echoes(&mut socket, "before").await;
    let first = first_process(&nodes.one);
    upgrade(&nodes.one, first).await;
    assert_eq!(status(&ada).await, 200);
    echoes(&mut socket, "after").await;
    // A revocation at another node reaches what the draining process has open.
    assert!(nodes.two.visited_by(&ada).sign_out().await.status.is_success());
    assert_eq!(close_code(&mut socket).await, Some(1008));
    assert_eq!(status(&ada).await, 401);
    until_gone(first).await;
    let again = nodes.one.signed_in_patiently("console", "ada").await;
    assert_eq!(status(&again).await, 200);
}

/// Asks as haproxy does with `retry-on conn-failure`: of another node only where the first refuses the connection.
async fn ask_either(at: [SocketAddr; 2], visitor: &Visitor) -> Result<u16, Unanswered> {
    let mut refused = None;
    for at in at {
        let there = Visitor::new(at, visitor.host()).with_session_of(visitor);
        let request = http::Request::get("/page").body(body_of("")).expect("a request");
        match there.try_open(request).await {
            Ok(answer) => return Ok(answer.status().as_u16()),
            Err(error) => {
                let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
                if kind != Some(std::io::ErrorKind::ConnectionRefused) {
                    return Err(error);
                }
                refused = Some(error);
            }
        }
    }
    Err(refused.expect("two were asked"))
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_taken_down_one_after_the_other_fail_no_request_of_a_balancer() {
    let mut nodes = Nodes::open("2s").await;
    nodes.one.admin().add_account("ada", "keeper").await;
    let ada = nodes.one.signed_in_patiently("console", "ada").await;
    let at = [nodes.one.address(), nodes.two.address()];
    let over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (visitor, done) = (ada.clone(), Arc::clone(&over));
    let asking = tokio::spawn(async move {
        let (mut answered, mut failures) = (0, Vec::new());
        while !done.load(std::sync::atomic::Ordering::Acquire) {
            match ask_either(at, &visitor).await {
                Ok(200) => answered += 1,
                other => failures.push(format!("request {answered}: {other:?}")),
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        (answered, failures)
    });
    for node in [&mut nodes.one, &mut nodes.two] {
        node.process().signal(Signal::QUIT);
        assert!(node.process().end_within(PATIENCE).success());
        node.start().await;
    }
    over.store(true, std::sync::atomic::Ordering::Release);
    let (answered, failures) = asking.await.expect("it asks on");
    println!("{answered} requests while two nodes were taken down");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(answered > 0);
    assert_eq!(status(&ada).await, 200);
}
