//! Redis is killed, flushed, cut off, held by another, unfit, out of memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use stagedoor_identity::Secret;
use stagedoor_identity::port::{Attempts as _, Keys as _, Reserved, Source, Tokens as _};
use stagedoor_policy::rules::LockoutRules;
use stagedoor_policy::time::Timestamp;
use stagedoor_store::Redis;
use stagedoor_store::conformance;
use stagedoor_store::redis::{Loss, OpenError, Settings, Trust};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::server::{Server, server};

const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

fn rules() -> LockoutRules {
    LockoutRules {
        failures: 1000,
        failures_from_anywhere: 1000,
        ..LockoutRules::default()
    }
}

async fn fail(store: &Redis) -> u32 {
    let source = Source("192.0.2.1".to_owned());
    match store
        .reserve_attempt("alice", &source, &rules(), NOW)
        .await
        .expect("counted")
    {
        Reserved::Go { failures, .. } => failures,
        Reserved::Locked { .. } => panic!("not so soon"),
    }
}

#[tokio::test]
async fn scripts_that_are_flushed_in_mid_run_are_told_again() {
    let server = server();
    let store = server.store().await;
    for expected in 1..=20 {
        assert_eq!(server.say(&["SCRIPT", "FLUSH"]), "OK");
        assert_eq!(fail(&store).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_kill_9_of_redis() {
    let mut server = server();
    conformance::fill(&server).await;
    server.kill();
    server.start_again();
    conformance::goes_on_where_it_was(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_comes_back_in_time_is_found_again_by_the_same_process() {
    let mut server = server();
    let store = Arc::new(server.store().await);
    assert_eq!(fail(&store).await, 1);
    server.kill();
    let asking = tokio::spawn({
        let store = Arc::clone(&store);
        async move { fail(&store).await }
    });
    server.start_again();
    assert_eq!(asking.await.expect("counted"), 2);
}

/// A wire that lets everything through to Redis, and cuts the connection instead of bringing an answer back.
async fn wire(to: u16) -> (u16, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let at = listener.local_addr().expect("an address").port();
    let cuts = Arc::new(AtomicBool::new(false));
    let cut = Arc::clone(&cuts);
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let cut = Arc::clone(&cut);
            tokio::spawn(async move {
                let Ok(far) = TcpStream::connect(("127.0.0.1", to)).await else {
                    return;
                };
                let ((mut from_near, mut to_near), (mut from_far, mut to_far)) = (near.into_split(), far.into_split());
                let there = tokio::spawn(async move { tokio::io::copy(&mut from_near, &mut to_far).await });
                let mut bytes = [0; 16 * 1024];
                while let Ok(read @ 1..) = from_far.read(&mut bytes).await {
                    // Once each time: the step was made, and nobody hears of it.
                    if cut.swap(false, Ordering::SeqCst) || to_near.write_all(&bytes[..read]).await.is_err() {
                        break;
                    }
                }
                there.abort();
            });
        }
    });
    (at, cuts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_whose_answer_was_lost_is_made_once() {
    let server = server();
    let (port, cuts) = wire(server.port()).await;
    let store = Redis::open(Settings::plain("127.0.0.1", port))
        .await
        .expect("the store opens");
    assert_eq!(fail(&store).await, 1);
    for expected in 2..=20 {
        cuts.store(true, Ordering::SeqCst);
        assert_eq!(fail(&store).await, expected);
        assert!(!cuts.load(Ordering::SeqCst), "an answer was lost");
    }
}

#[tokio::test]
async fn a_second_door_is_refused_and_told_who_has_the_store() {
    let server = server();
    let first = Settings {
        node: "the first one".to_owned(),
        lease: Duration::from_secs(2),
        ..server.settings()
    };
    let first = Redis::open(first).await.expect("the store opens");
    let refused = Redis::open(server.settings()).await.expect_err("it is held");
    assert!(
        matches!(&refused, OpenError::Held { holder, .. } if holder.contains("the first one")),
        "{refused}"
    );
    drop(first);
    assert_eq!(fail(&server.store().await).await, 1);
}

#[tokio::test]
async fn a_process_that_was_overtaken_changes_nothing_and_is_told() {
    let server = server();
    let quick = Settings {
        lease: Duration::from_millis(800),
        ..server.settings()
    };
    let first = Redis::open(quick).await.expect("the store opens");
    assert_eq!(fail(&first).await, 1);
    // As if its lease had run out while it slept, and another had come.
    let take = "redis.call('INCR', '{stagedoor}:epoch') return redis.call('SET', '{stagedoor}:door', 'another')";
    assert_eq!(server.say(&["EVAL", take, "0"]), "OK");
    let source = Source("192.0.2.1".to_owned());
    let late = first
        .reserve_attempt("alice", &source, &rules(), NOW)
        .await
        .expect_err("too late");
    assert!(
        late.to_string().contains("another process has taken the store"),
        "{late}"
    );
    assert_eq!(
        first.lost().await,
        Loss::Taken {
            by: "another".to_owned()
        }
    );
    drop(first);
    assert_eq!(
        server.say(&["GET", "{stagedoor}:door"]),
        "another",
        "it does not give away what is not its own"
    );
    server.say(&["DEL", "{stagedoor}:door"]);
    assert_eq!(fail(&server.store().await).await, 2);
}

#[tokio::test]
async fn a_store_that_was_emptied_under_a_door_takes_nothing_more() {
    let server = server();
    let store = server.store().await;
    server.say(&["FLUSHALL"]);
    let fresh = Secret::new("key");
    let refused = store.key_or_insert("seal", &fresh).await.expect_err("its data is gone");
    assert!(refused.to_string().contains("its data is gone"), "{refused}");
}

#[tokio::test]
async fn an_evicting_read_only_or_foreign_redis_is_refused_and_told_why() {
    let primary = server();
    let port = primary.port().to_string();
    let evicting = Server::with(&["--maxmemory-policy", "allkeys-lru"]);
    let replica = Server::with(&["--replicaof", &format!("127.0.0.1 {port}")]);
    let foreign = server();
    foreign.say(&["SET", "cats", "7"]);
    let newer = server();
    newer.say(&["HSET", "{stagedoor}:meta", "format", "99"]);
    for (server, why) in [
        (&evicting, "set `noeviction`"),
        (&replica, "name the primary"),
        (&foreign, "1 keys of another program"),
        (&newer, "install the newer one again"),
    ] {
        let before = server.say(&["DBSIZE"]);
        let refused = Redis::open(server.settings()).await.expect_err(why).to_string();
        assert!(refused.contains(why), "{refused}");
        assert_eq!(server.say(&["DBSIZE"]), before, "nothing was left there");
    }
    let shared = Settings {
        prefix: "door-2".to_owned(),
        shared: true,
        ..foreign.settings()
    };
    let store = Redis::open(shared).await.expect("beside the others");
    assert!(store.list_tokens().await.expect("read").is_empty());
    assert_eq!(foreign.say(&["GET", "cats"]), "7");
}

#[tokio::test]
async fn a_change_that_no_replica_confirms_is_told_as_failed() {
    let server = server();
    let waiting = Settings {
        wait_replicas: 1,
        wait: Duration::from_millis(50),
        ..server.settings()
    };
    let store = Redis::open(waiting).await.expect("the store opens");
    let refused = store
        .key_or_insert("seal", &Secret::new("key"))
        .await
        .expect_err("no replica");
    assert!(refused.to_string().contains("only 0 of 1 replicas"), "{refused}");
}

#[tokio::test]
async fn out_of_memory_a_step_is_made_whole_or_not_at_all() {
    let server = server();
    let store = server.store().await;
    assert_eq!(fail(&store).await, 1);
    server.say(&["CONFIG", "SET", "maxmemory", "1"]);
    let source = Source("192.0.2.1".to_owned());
    let refused = store
        .reserve_attempt("alice", &source, &rules(), NOW)
        .await
        .expect_err("no memory");
    assert!(refused.to_string().contains("raise `maxmemory`"), "{refused}");
    server.say(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(fail(&store).await, 2);
}

#[tokio::test]
async fn tls_is_spoken_to_the_holder_of_a_certificate_that_is_trusted_and_to_nobody_else() {
    // As the binary does: more than one provider is compiled in. An error says that one is chosen already.
    let _chosen = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let tls_port = super::server::free_port();
    let words = [
        ("--tls-port", tls_port.to_string()),
        ("--tls-cert-file", certificate.display().to_string()),
        ("--tls-key-file", key.display().to_string()),
        ("--tls-auth-clients", "no".to_owned()),
    ];
    let words: Vec<&str> = words
        .iter()
        .flat_map(|(option, value)| [*option, value.as_str()])
        .collect();
    let _server = Server::with(&words);
    let trusting = |trust| Settings {
        trust,
        give_up_after: Duration::from_millis(200),
        ..Settings::plain("localhost", tls_port)
    };
    let store = Redis::open(trusting(Trust::Only(made.cert.pem().into_bytes()))).await;
    assert_eq!(fail(&store.expect("the store opens")).await, 1);
    let another = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    for stranger in [Trust::System, Trust::Only(another.cert.pem().into_bytes())] {
        let refused = Redis::open(trusting(stranger)).await.expect_err("not to be trusted");
        assert!(matches!(refused, OpenError::Unreachable { .. }), "{refused}");
    }
}
