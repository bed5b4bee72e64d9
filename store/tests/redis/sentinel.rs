//! A primary, a replica and three Sentinels, all real: the door finds the primary, and whoever takes over from it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use stagedoor_identity::port::{Attempts as _, Reserved, Source, Tokens as _};
use stagedoor_policy::rules::LockoutRules;
use stagedoor_policy::time::Timestamp;
use stagedoor_store::Redis;
use stagedoor_store::redis::{OpenError, Sentinels, Settings};

use super::server::{Server, free_port};

const NAME: &str = "house";
const WITHIN: Duration = Duration::from_secs(60);

struct Sentinel {
    port: u16,
    running: Child,
}

impl Sentinel {
    fn watching(primary: u16, folder: &Path) -> Self {
        let port = free_port();
        let file = folder.join(format!("sentinel-{port}.conf"));
        let text = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {NAME} 127.0.0.1 {primary} 2\n\
             sentinel down-after-milliseconds {NAME} 500\nsentinel failover-timeout {NAME} 3000\n",
            folder.display()
        );
        std::fs::write(&file, text).expect("written");
        let mut command = Command::new("redis-server");
        command.arg(&file).arg("--sentinel").stdout(Stdio::null());
        let running = command.spawn().expect("redis-server is installed (`./run setup test`)");
        Self { port, running }
    }

    fn say(&self, words: &[&str]) -> String {
        super::server::say(self.port, words)
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.running.kill().expect("it is ours to kill");
        self.running.wait().expect("it ends");
    }
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < WITHIN, "it never came to pass that {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A primary, its replica, and three Sentinels that know of both and of each other.
fn house(folder: &Path) -> (Server, Server, Vec<Sentinel>) {
    let primary = super::server::server();
    let of = format!("127.0.0.1 {}", primary.port());
    let replica = Server::with(&["--replicaof", &of, "--appendonly", "yes"]);
    wait_until("the replica follows", || {
        replica.say(&["INFO", "replication"]).contains("master_link_status:up")
    });
    let sentinels: Vec<_> = (0..3)
        .map(|_number| Sentinel::watching(primary.port(), folder))
        .collect();
    wait_until("the Sentinels know each other", || {
        sentinels.iter().all(|sentinel| {
            let said = sentinel.say(&["INFO", "sentinel"]);
            said.contains("slaves=1,sentinels=3")
        })
    });
    (primary, replica, sentinels)
}

fn settings(sentinels: &[Sentinel]) -> Settings {
    // The first is not there: the others are asked.
    let gone = [("127.0.0.1".to_owned(), free_port())];
    let at = sentinels.iter().map(|sentinel| ("127.0.0.1".to_owned(), sentinel.port));
    Settings {
        sentinels: Some(Sentinels {
            at: gone.into_iter().chain(at).collect(),
            master: NAME.to_owned(),
        }),
        ..Settings::plain("127.0.0.1", 1)
    }
}

async fn fail(store: &Redis) -> Option<u32> {
    let rules = LockoutRules {
        failures: 1000,
        failures_from_anywhere: 1000,
        ..LockoutRules::default()
    };
    let source = Source("192.0.2.1".to_owned());
    let answer = store
        .reserve_attempt("alice", &source, &rules, Timestamp::from_micros(1))
        .await;
    match answer {
        Ok(Reserved::Go { failures, .. }) => Some(failures),
        Ok(Reserved::Locked { .. }) => panic!("not so soon"),
        Err(_for_now) => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_primary_is_killed_the_door_goes_on_at_whoever_took_over_and_forgets_nothing_that_was_copied() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut primary, replica, sentinels) = house(folder.path());
    let waiting = Settings {
        wait_replicas: 1,
        wait: Duration::from_secs(10),
        ..settings(&sentinels)
    };
    let store = Redis::open(waiting).await.expect("the store opens");
    assert_eq!(fail(&store).await, Some(1));
    assert_eq!(fail(&store).await, Some(2), "the replica has it: waited for");
    store.close().await;

    let store = Redis::open(settings(&sentinels)).await.expect("the store opens");
    assert_eq!(fail(&store).await, Some(3));
    let copied = ["ZSCORE", "{stagedoor}:failure_numbers", "highest"];
    wait_until("the third is copied", || replica.say(&copied) == "3");
    primary.kill();
    let began = Instant::now();
    let counted = loop {
        if let Some(counted) = fail(&store).await {
            break counted;
        }
        assert!(began.elapsed() < WITHIN, "nobody took over");
    };
    assert_eq!(counted, 4);
    assert_eq!(replica.say(&copied), "4", "the replica is the primary now");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_took_over_and_evicts_is_given_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut primary, replica, sentinels) = house(folder.path());
    let quick = Settings {
        give_up_after: Duration::from_millis(500),
        ..settings(&sentinels)
    };
    let store = Redis::open(quick).await.expect("the store opens");
    assert_eq!(fail(&store).await, Some(1));
    assert_eq!(replica.say(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]), "OK");
    primary.kill();
    wait_until("the replica takes over", || {
        replica.say(&["INFO", "replication"]).contains("role:master")
    });
    // Until the last of the Sentinels has heard, it is the former one that cannot be reached.
    let began = Instant::now();
    loop {
        let refused = store.list_tokens().await.expect_err("it evicts").to_string();
        if refused.contains("set `noeviction`") {
            return;
        }
        assert!(began.elapsed() < WITHIN, "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_that_do_not_know_the_name_or_are_not_there_are_told_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let primary = super::server::server();
    let sentinel = [Sentinel::watching(primary.port(), folder.path())];
    wait_until("the Sentinel answers", || sentinel[0].say(&["PING"]) == "PONG");
    let mut unknown = settings(&sentinel);
    unknown.give_up_after = Duration::from_millis(300);
    if let Some(sentinels) = &mut unknown.sentinels {
        sentinels.master = "another".to_owned();
    }
    let refused = Redis::open(unknown).await.expect_err("another name");
    let said = refused.to_string();
    assert!(matches!(refused, OpenError::Unreachable { .. }), "{said}");
    assert!(
        said.contains("does not know that name") && said.contains("+sentinel://"),
        "{said}"
    );
}
