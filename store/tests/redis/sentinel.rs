//! A primary, a replica and three Sentinels, all real: the door finds the primary, and whoever takes over from it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use stagedoor_identity::Secret;
use stagedoor_identity::port::{Attempts as _, Reserved, Source, Tokens as _};
use stagedoor_policy::rules::LockoutRules;
use stagedoor_policy::time::Timestamp;
use stagedoor_store::Redis;
use stagedoor_store::redis::{OpenError, Sentinels, Settings, Trust};

use super::certificates::Certificates;
use super::server::{Server, free_port};

const NAME: &str = "house";
/// Times a Sentinel is started that found a port taken.
const TRIES: usize = 20;
const WITHIN: Duration = Duration::from_secs(60);

/// What is set up otherwise than by default.
#[derive(Default)]
struct Manner {
    /// TLS between all of them, besides the plain ports that the test itself asks at.
    certificates: Option<Certificates>,
    /// What the Sentinels want to hear, of each other too.
    password: Option<&'static str>,
    /// Further lines of the Sentinels' configuration.
    lines: &'static str,
}

impl Manner {
    /// A port for TLS, and the arguments of redis-server that it takes; the plain port and none without TLS.
    fn server(&self, options: &[&str]) -> (Server, u16) {
        let Some(certificates) = &self.certificates else {
            let server = Server::with(options);
            let port = server.port();
            return (server, port);
        };
        let port = free_port();
        let tls = certificates.arguments(port);
        let options: Vec<&str> = options.iter().copied().chain(tls.iter().map(String::as_str)).collect();
        (Server::with(&options), port)
    }
}

struct Sentinel {
    plain_port: u16,
    /// Where doors ask.
    port: u16,
    password: Option<&'static str>,
    running: Child,
}

impl Sentinel {
    fn watching(primary: u16, folder: &Path, manner: &Manner) -> Self {
        for _try in 0..TRIES {
            let mut sentinel = Self::start(primary, folder, manner);
            if sentinel.is_up() {
                return sentinel;
            }
        }
        panic!("no Sentinel starts");
    }

    fn start(primary: u16, folder: &Path, manner: &Manner) -> Self {
        let plain_port = free_port();
        let file = folder.join(format!("sentinel-{plain_port}.conf"));
        let mut text = format!(
            "port {plain_port}\nbind 127.0.0.1\ndir {}\n{}\nsentinel monitor {NAME} 127.0.0.1 {primary} 2\n\
             sentinel down-after-milliseconds {NAME} 500\nsentinel failover-timeout {NAME} 3000\n",
            folder.display(),
            manner.lines,
        );
        let mut port = plain_port;
        if let Some(certificates) = &manner.certificates {
            port = free_port();
            text.push_str(&format!("tls-port {port}\n{}\n", certificates.lines()));
        }
        if let Some(password) = manner.password {
            text.push_str(&format!("requirepass {password}\nsentinel sentinel-pass {password}\n"));
        }
        std::fs::write(&file, text).expect("written");
        let mut command = Command::new("redis-server");
        command.arg(&file).arg("--sentinel").stdout(Stdio::null());
        let running = command.spawn().expect("redis-server is installed (`./run setup test`)");
        Self {
            plain_port,
            port,
            password: manner.password,
            running,
        }
    }

    /// Not where somebody else was quicker to take one of its ports: then it ends.
    fn is_up(&mut self) -> bool {
        let itself = format!("process_id:{}\r", self.running.id());
        while self.running.try_wait().expect("it is ours").is_none() {
            if self.say(&["INFO", "server"]).contains(&itself) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    fn say(&self, words: &[&str]) -> String {
        let password = self.password.map(|password| ["-a", password]);
        let words: Vec<&str> = password.iter().flatten().chain(words).copied().collect();
        super::server::say(self.plain_port, &words)
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
fn house(folder: &Path, manner: &Manner) -> (Server, Server, Vec<Sentinel>) {
    let (primary, port) = manner.server(&["--appendonly", "yes", "--appendfsync", "always"]);
    let of = format!("127.0.0.1 {port}");
    let (replica, _port) = manner.server(&["--replicaof", &of, "--appendonly", "yes"]);
    wait_until("the replica follows", || {
        replica.say(&["INFO", "replication"]).contains("master_link_status:up")
    });
    let sentinels: Vec<_> = (0..3).map(|_number| Sentinel::watching(port, folder, manner)).collect();
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
            user: None,
            password: None,
        }),
        ..Settings::plain("127.0.0.1", 1)
    }
}

fn known_as(mut settings: Settings, user: Option<&str>, password: Option<&str>) -> Settings {
    if let Some(sentinels) = &mut settings.sentinels {
        sentinels.user = user.map(str::to_owned);
        sentinels.password = password.map(Secret::new);
    }
    settings.give_up_after = Duration::from_millis(500);
    settings
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
    let (mut primary, replica, sentinels) = house(folder.path(), &Manner::default());
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
    let (mut primary, replica, sentinels) = house(folder.path(), &Manner::default());
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
    let sentinel = [Sentinel::watching(primary.port(), folder.path(), &Manner::default())];
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_that_want_a_password_are_told_theirs_and_never_that_of_redis() {
    let folder = tempfile::tempdir().expect("a folder");
    let manner = Manner {
        password: Some("hunter2"),
        lines: "user watcher on >swordfish allchannels +@all",
        ..Manner::default()
    };
    let (_primary, _replica, sentinels) = house(folder.path(), &manner);
    let asked = |user, password| known_as(settings(&sentinels), user, password);
    for (user, password) in [(None, "hunter2"), (Some("watcher"), "swordfish")] {
        let store = Redis::open(asked(user, Some(password))).await.expect("the store opens");
        assert!(fail(&store).await.is_some(), "{user:?}");
        store.close().await;
    }
    let mut for_redis = asked(None, None);
    for_redis.password = Some(Secret::new("hunter2"));
    for refused in [
        asked(None, None),
        asked(None, Some("hunter3")),
        asked(Some("nobody"), Some("hunter2")),
        for_redis,
    ] {
        let refused = Redis::open(refused).await.expect_err("a wrong password");
        let said = refused.to_string();
        assert!(matches!(refused, OpenError::Unreachable { .. }), "{said}");
        assert!(said.contains("`sentinel_password_file`"), "{said}");
        assert!(!said.contains("hunter"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_tls_the_sentinels_are_believed_and_followed_to_whoever_took_over_and_strangers_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let certificates = Certificates::write(folder.path());
    let trust = certificates.trust();
    let manner = Manner {
        certificates: Some(certificates),
        password: Some("hunter2"),
        ..Manner::default()
    };
    let (mut primary, replica, sentinels) = house(folder.path(), &manner);
    let by = |trust| Settings {
        trust,
        ..known_as(settings(&sentinels), None, Some("hunter2"))
    };
    let another = tempfile::tempdir().expect("a folder");
    for stranger in [Trust::System, Certificates::write(another.path()).trust()] {
        let refused = Redis::open(by(stranger)).await.expect_err("not to be trusted");
        assert!(matches!(refused, OpenError::Unreachable { .. }), "{refused}");
    }
    let store = Redis::open(by(trust)).await.expect("the store opens");
    assert_eq!(fail(&store).await, Some(1));
    let copied = ["ZSCORE", "{stagedoor}:failure_numbers", "highest"];
    wait_until("the first is copied", || replica.say(&copied) == "1");
    primary.kill();
    let began = Instant::now();
    while fail(&store).await != Some(2) {
        assert!(began.elapsed() < WITHIN, "nobody took over");
    }
    assert_eq!(replica.say(&copied), "2", "the replica is the primary now");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_was_overtaken_and_does_not_know_it_is_left_for_whom_the_sentinels_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let (primary, replica, sentinels) = house(folder.path(), &Manner::default());
    // It takes nothing once its replica has left it, and nobody can tell it to step down.
    for (setting, value) in [("min-replicas-to-write", "1"), ("min-replicas-max-lag", "1")] {
        assert_eq!(primary.say(&["CONFIG", "SET", setting, value]), "OK");
    }
    assert_eq!(
        primary.say(&["ACL", "SETUSER", "default", "-slaveof", "-replicaof"]),
        "OK"
    );
    let store = Redis::open(settings(&sentinels)).await.expect("the store opens");
    assert_eq!(fail(&store).await, Some(1));
    let copied = ["ZSCORE", "{stagedoor}:failure_numbers", "highest"];
    wait_until("the first is copied", || replica.say(&copied) == "1");
    assert_eq!(sentinels[0].say(&["SENTINEL", "FAILOVER", NAME]), "OK");
    wait_until("the replica takes over", || {
        replica.say(&["INFO", "replication"]).contains("role:master")
    });
    // Until the primary has missed its replica for as long as it may, it takes what is lost with it.
    let began = Instant::now();
    while replica.say(&copied) == "1" {
        fail(&store).await;
        assert!(began.elapsed() < WITHIN, "the former primary is still asked");
    }
    assert!(primary.say(&["INFO", "replication"]).contains("role:master"));
}
