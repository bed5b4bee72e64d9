//! A Cluster of three real shards, and a replica of the one that has the doors' keys.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::{Redis, free_port};

const SHARDS: [(&str, &str); 3] = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
/// Any of the doors' keys: all have one hash tag.
const KEY: &str = "{stagedoor}:meta";
const AGREED_WITHIN: Duration = Duration::from_secs(60);

/// All of its nodes. Dropped, they are killed.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Redis>,
}

impl Cluster {
    /// Four nodes that have agreed on who has which slots, with their files in that folder.
    pub fn start(folder: &Path) -> Self {
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        for number in 0..=SHARDS.len() {
            let folder = folder.join(format!("node-{number}"));
            std::fs::create_dir(&folder).expect("a folder can be made");
            let bus = free_port().to_string();
            let options = [
                "--cluster-enabled",
                "yes",
                "--cluster-node-timeout",
                "1000",
                "--cluster-port",
                &bus,
            ];
            nodes.push(Redis::start_with(&folder, &options));
            buses.push(bus);
        }
        let cluster = Self { nodes };
        for (number, ((first, last), node)) in SHARDS.into_iter().zip(&cluster.nodes).enumerate() {
            assert_eq!(node.say(&["CLUSTER", "ADDSLOTSRANGE", first, last]), "OK");
            let epoch = (number + 1).to_string();
            assert_eq!(node.say(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]), "OK");
        }
        for (node, bus) in cluster.nodes.iter().zip(&buses).skip(1) {
            let port = node.port().to_string();
            let met = cluster.nodes[0].say(&["CLUSTER", "MEET", "127.0.0.1", &port, bus]);
            assert_eq!(met, "OK");
        }
        cluster.agree("all are known", |node| {
            let info = node.say(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:4")
        });
        let holder = cluster.nodes[cluster.holder()].say(&["CLUSTER", "MYID"]);
        let replica = &cluster.nodes[SHARDS.len()];
        assert_eq!(replica.say(&["CLUSTER", "REPLICATE", &holder]), "OK");
        cluster.agree("the replica follows", |_node| {
            replica.say(&["INFO", "replication"]).contains("master_link_status:up")
        });
        cluster
    }

    /// What `[store] url` is to say: the nodes without the doors' keys, so that doors have to be led to them.
    pub fn url(&self) -> String {
        let holder = self.holder();
        let others = (0..SHARDS.len()).filter(|number| *number != holder);
        let at: Vec<String> = others
            .map(|number| format!("127.0.0.1:{}", self.nodes[number].port()))
            .collect();
        format!("redis://{}", at.join(","))
    }

    /// Moves the doors' keys to another shard, one after the other, as an operator's tools do.
    pub fn move_keys(&self) {
        let from = self.holder();
        let (from, to) = (&self.nodes[from], &self.nodes[(from + 1) % SHARDS.len()]);
        let slot = from.say(&["CLUSTER", "KEYSLOT", KEY]);
        let (from_id, to_id) = (from.say(&["CLUSTER", "MYID"]), to.say(&["CLUSTER", "MYID"]));
        assert_eq!(to.say(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]), "OK");
        assert_eq!(from.say(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]), "OK");
        let port = to.port().to_string();
        loop {
            let keys = from.say(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]);
            if keys.is_empty() {
                break;
            }
            let mut words = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
            words.extend(keys.lines());
            let said = from.say(&words);
            assert!(["OK", "NOKEY"].contains(&said.as_str()), "{said}");
        }
        for node in [to, from] {
            assert_eq!(node.say(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]), "OK");
        }
    }

    /// `kill -9` for whoever has the doors' keys; answers once its replica has taken over.
    pub fn kill_holder(&mut self) {
        let killed = self.holder();
        self.nodes[killed].kill();
        let began = Instant::now();
        let replica = &self.nodes[SHARDS.len()];
        while !replica.say(&["INFO", "replication"]).contains("role:master") {
            assert!(began.elapsed() < AGREED_WITHIN, "the replica does not take over");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn holder(&self) -> usize {
        let has = |node: &Redis| node.say(&["EXISTS", KEY]).parse::<u32>().is_ok();
        self.nodes.iter().position(has).expect("a node that has the keys")
    }

    fn agree(&self, what: &str, is_so: impl Fn(&Redis) -> bool) {
        let began = Instant::now();
        while !self.nodes.iter().all(&is_so) {
            assert!(began.elapsed() < AGREED_WITHIN, "the nodes do not agree that {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
