//! A Cluster of three real nodes: all keys lie in one slot, so every step is made by the node that has it, whichever is named.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use stagedoor_identity::port::{Attempts as _, Reserved, SharedStore, Source};
use stagedoor_policy::rules::LockoutRules;
use stagedoor_policy::time::Timestamp;
use stagedoor_store::Redis;
use stagedoor_store::conformance::{self, Place};
use stagedoor_store::redis::Settings;

use super::server::{Server, free_port};

const SHARDS: [(&str, &str); 3] = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
const AGREED_WITHIN: Duration = Duration::from_secs(60);

struct Cluster(Vec<Server>);

/// Three nodes that have agreed on who has which slots.
fn cluster() -> Cluster {
    let mut nodes = Vec::new();
    for (number, (first, last)) in SHARDS.into_iter().enumerate() {
        let bus = free_port().to_string();
        let node = Server::with(&[
            "--cluster-enabled",
            "yes",
            "--cluster-port",
            &bus,
            "--appendonly",
            "yes",
        ]);
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
