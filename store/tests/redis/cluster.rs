//! A Cluster of three real nodes: all keys lie in one slot, so every step is made by the node that has it, whichever is named.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use stagedoor_identity::port::{Attempts as _, Reserved, SharedStore, Source};
use stagedoor_policy::rules::LockoutRules;
use stagedoor_policy::time::Timestamp;
use stagedoor_store::Redis;
use stagedoor_store::conformance::{self, Place};
use stagedoor_store::redis::{OpenError, Settings, Trust};

use super::certificates::Certificates;
use super::server::{Server, free_port};

const SHARDS: [(&str, &str); 3] = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
const AGREED_WITHIN: Duration = Duration::from_secs(60);

struct Cluster(Vec<Server>);

/// Three nodes that have agreed on who has which slots.
fn cluster() -> Cluster {
    cluster_with(|_number| Vec::new())
}

/// With further options of each node.
fn cluster_with(options: impl Fn(usize) -> Vec<String>) -> Cluster {
    let mut nodes = Vec::new();
    for (number, (first, last)) in SHARDS.into_iter().enumerate() {
        let bus = free_port().to_string();
        let usual = [
            "--cluster-enabled",
            "yes",
            "--appendonly",
            "yes",
            "--cluster-port",
            &bus,
        ];
        let options = options(number);
        let options: Vec<&str> = usual.into_iter().chain(options.iter().map(String::as_str)).collect();
        let node = Server::with(&options);
        assert_eq!(node.say(&["CLUSTER", "ADDSLOTSRANGE", first, last]), "OK");
        assert_eq!(
            node.say(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]),
            "OK"
        );
        nodes.push((node, bus));
    }
    let (first, others) = nodes.split_first().expect("three nodes");
    for (node, bus) in others {
        let met = first
            .0
            .say(&["CLUSTER", "MEET", "127.0.0.1", &node.port().to_string(), bus]);
        assert_eq!(met, "OK");
    }
    let cluster = Cluster(nodes.into_iter().map(|(node, _bus)| node).collect());
    cluster.agree("all are known", |node| {
        let info = node.say(&["CLUSTER", "INFO"]);
        info.contains("cluster_state:ok")
            && info.contains("cluster_known_nodes:3")
            && info.contains("cluster_slots_ok:16384")
    });
    cluster
}

impl Cluster {
    fn agree(&self, what: &str, is_so: impl Fn(&Server) -> bool) {
        let began = Instant::now();
        while !self.0.iter().all(&is_so) {
            assert!(began.elapsed() < AGREED_WITHIN, "the nodes do not agree that {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The node that has a key.
    fn holder(&self, key: &str) -> usize {
        let has = |node: &Server| !node.say(&["EXISTS", key]).starts_with("MOVED");
        self.0.iter().position(has).expect("a node that has the key")
    }

    /// Moves a slot with all its keys from one node to another, as an operator's tools do.
    fn move_slot(&self, slot: &str, from: usize, to: usize) {
        let (from, to) = (&self.0[from], &self.0[to]);
        let (from_id, to_id) = (from.say(&["CLUSTER", "MYID"]), to.say(&["CLUSTER", "MYID"]));
        assert_eq!(to.say(&["CLUSTER", "SETSLOT", slot, "IMPORTING", &from_id]), "OK");
        assert_eq!(from.say(&["CLUSTER", "SETSLOT", slot, "MIGRATING", &to_id]), "OK");
        let keys = from.say(&["CLUSTER", "GETKEYSINSLOT", slot, "1000"]);
        let port = to.port().to_string();
        let mut words = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        words.extend(keys.lines());
        assert_eq!(from.say(&words), "OK");
        for node in [to, from] {
            assert_eq!(node.say(&["CLUSTER", "SETSLOT", slot, "NODE", &to_id]), "OK");
        }
    }
}

/// Keys of their own in the Cluster, by way of one of its nodes.
struct Part<'a> {
    node: &'a Server,
    prefix: String,
}

impl Part<'_> {
    fn settings(&self) -> Settings {
        Settings {
            prefix: self.prefix.clone(),
            shared: true,
            ..self.node.settings()
        }
    }
}

impl Place for Part<'_> {
    fn open(&self) -> SharedStore {
        let opening = Redis::open(self.settings());
        let store = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(opening));
        Arc::new(store.expect("the store opens"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cluster_keeps_every_promise_whichever_of_its_nodes_is_named() {
    let cluster = cluster();
    let parts = AtomicUsize::new(0);
    conformance::run_all(|| {
        let number = parts.fetch_add(1, Ordering::Relaxed);
        Part {
            node: &cluster.0[number % cluster.0.len()],
            prefix: format!("part-{number}"),
        }
    })
    .await;
    let with_keys = cluster.0.iter().filter(|node| node.say(&["DBSIZE"]) != "0");
    assert_eq!(with_keys.count(), SHARDS.len(), "every shard had some of the promises");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_whose_slot_moves_to_another_node_goes_on_there() {
    let cluster = cluster();
    let part = Part {
        node: &cluster.0[0],
        prefix: "moving".to_owned(),
    };
    let store = Redis::open(part.settings()).await.expect("the store opens");
    let source = Source("192.0.2.1".to_owned());
    let rules = LockoutRules {
        failures: 1000,
        ..LockoutRules::default()
    };
    let slot = cluster.0[0].say(&["CLUSTER", "KEYSLOT", "{moving}:names"]);
    for expected in 1..=6 {
        let counted = store
            .reserve_attempt("alice", &source, &rules, Timestamp::from_micros(1))
            .await
            .expect("counted");
        assert!(
            matches!(counted, Reserved::Go { failures, .. } if failures == expected),
            "{counted:?}"
        );
        let from = cluster.holder("{moving}:names");
        cluster.move_slot(&slot, from, (from + 1) % SHARDS.len());
    }
}

async fn fail(store: &Redis) -> Option<u32> {
    let rules = LockoutRules {
        failures: 1000,
        ..LockoutRules::default()
    };
    let source = Source("192.0.2.1".to_owned());
    let counted = store.reserve_attempt("alice", &source, &rules, Timestamp::from_micros(1));
    match counted.await {
        Ok(Reserved::Go { failures, .. }) => Some(failures),
        Ok(Reserved::Locked { .. }) => panic!("not so soon"),
        Err(_for_now) => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_nodes_that_are_named_any_that_lives_will_do() {
    let mut cluster = cluster();
    let of_cluster = |ports: Vec<u16>| Settings {
        at: ports.into_iter().map(|port| ("127.0.0.1".to_owned(), port)).collect(),
        give_up_after: Duration::from_secs(2),
        ..Settings::plain("", 0)
    };
    let holder = cluster.holder("{stagedoor}:names");
    let others: Vec<usize> = (0..SHARDS.len()).filter(|node| *node != holder).collect();
    let all = [free_port(), cluster.0[others[0]].port(), cluster.0[others[1]].port()];
    let store = Redis::open(of_cluster(all.to_vec())).await.expect("the store opens");
    assert_eq!(fail(&store).await, Some(1));
    store.close().await;

    // A Cluster that lacks a shard refuses everything, so the one that is killed may be missed.
    for node in &cluster.0 {
        assert_eq!(
            node.say(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]),
            "OK"
        );
    }
    cluster.0[others[0]].kill();
    let store = Redis::open(of_cluster(all.to_vec()))
        .await
        .expect("the other node leads there");
    assert_eq!(fail(&store).await, Some(2));
    // One that knows the holder no more says so, and the next one is asked.
    let lost = &cluster.0[others[1]];
    assert_eq!(lost.say(&["CLUSTER", "RESET", "HARD"]), "OK");
    let both = vec![lost.port(), cluster.0[holder].port()];
    store.close().await;
    let store = Redis::open(of_cluster(both)).await.expect("the next one is asked");
    assert_eq!(fail(&store).await, Some(3));
}

#[tokio::test]
async fn several_hosts_that_are_no_cluster_are_refused() {
    let (one, two) = (super::server::server(), super::server::server());
    let both = [one.port(), two.port()].map(|port| ("127.0.0.1".to_owned(), port));
    let settings = Settings {
        at: both.to_vec(),
        ..Settings::plain("", 0)
    };
    let refused = Redis::open(settings)
        .await
        .expect_err("two that know nothing of each other");
    let said = refused.to_string();
    assert!(said.contains("is no node of a Cluster"), "{said}");
    assert_eq!([one.say(&["DBSIZE"]), two.say(&["DBSIZE"])], ["0", "0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_tls_a_cluster_is_followed_from_node_to_node_and_strangers_are_not_trusted() {
    let folder = tempfile::tempdir().expect("a folder");
    let certificates = Certificates::write(folder.path());
    let ports: Vec<u16> = SHARDS.iter().map(|_shard| free_port()).collect();
    let cluster = cluster_with(|number| {
        let mut options = certificates.arguments(ports[number]);
        options.extend(["--tls-cluster".to_owned(), "yes".to_owned()]);
        options
    });
    let by = |port: u16, trust| Settings {
        trust,
        give_up_after: Duration::from_secs(2),
        ..Settings::plain("localhost", port)
    };
    for (number, port) in ports.iter().enumerate() {
        let store = Redis::open(by(*port, certificates.trust()))
            .await
            .expect("the store opens");
        assert_eq!(fail(&store).await, u32::try_from(number + 1).ok());
        let holder = cluster.holder("{stagedoor}:names");
        let clients = cluster.0[holder].say(&["CLIENT", "LIST", "TYPE", "normal"]);
        let by_tls = format!("laddr=127.0.0.1:{}", ports[holder]);
        assert!(clients.contains(&by_tls), "{clients}");
        store.close().await;
    }
    let refused = Redis::open(by(ports[0], Trust::System))
        .await
        .expect_err("not to be trusted");
    assert!(matches!(refused, OpenError::Unreachable { .. }), "{refused}");
}
