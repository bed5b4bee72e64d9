//! Who changes something waits for each door that may judge from memory without it, whatever that door or the store says of
//! itself meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use stagedoor_identity::port::{Changes, Follower, Sessions as _, StoreError};
use stagedoor_identity::session::EndReason;
use stagedoor_identity::{Clock, Freshness, SystemClock};
use stagedoor_store::Redis;
use stagedoor_store::redis::{Settings, Several};
use tokio::sync::Notify;

use super::lost::{NOW, registered, signed_in};
use super::server::{Server, server};

/// Long beside what a machine may be busy with.
const LEASE: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes in nothing; everything is never taken in where it is stuck.
#[derive(Debug, Default)]
struct Memory {
    stuck: bool,
    asked: Notify,
}

#[async_trait]
impl Follower for Memory {
    async fn take_in(&self, _changes: &Changes) -> Result<(), StoreError> {
        Ok(())
    }

    async fn take_in_everything(&self) -> Result<(), StoreError> {
        self.asked.notify_one();
        if self.stuck {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

async fn door(server: &Server, name: &str) -> Arc<Redis> {
    let several = Some(Several {
        name: name.to_owned(),
        lease: LEASE,
    });
    let settings = Settings {
        several,
        ..server.settings()
    };
    Arc::new(Redis::open(settings).await.expect("the store opens"))
}

/// A door that holds a lease it was given a moment ago and hears nothing any more.
async fn deaf(door: &Arc<Redis>) -> Arc<Freshness> {
    let freshness = Arc::new(Freshness::not_yet());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let following = door.follow(
        Arc::new(Memory::default()),
        Arc::clone(&freshness),
        Arc::clone(&clock),
        String::new,
    );
    assert!(freshness.wait(clock.as_ref(), PATIENCE).await);
    drop(following);
    freshness
}

/// Ends a session at one door while another is deaf, after what happens `meanwhile`: by then that one may not judge.
async fn ends_beside_a_deaf_door<T>(meanwhile: impl AsyncFnOnce(&Server, &Arc<Redis>) -> T) {
    let server = server();
    let (one, two) = (door(&server, "one").await, door(&server, "two").await);
    let session = signed_in(&one, &registered(&one).await).await;
    let freshness = deaf(&two).await;
    let _goes_on = meanwhile(&server, &two).await;
    one.end_session(session, &EndReason::SignedOut, NOW)
        .await
        .expect("ended");
    assert!(!freshness.holds(SystemClock.now()), "it still judges without the end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_door_that_connects_anew_is_waited_for_as_long_as_its_former_lease_holds() {
    ends_beside_a_deaf_door(async |_server, two| {
        let memory = Arc::new(Memory {
            stuck: true,
            ..Memory::default()
        });
        let follower = Arc::clone(&memory) as Arc<dyn Follower>;
        let anew = Arc::new(Freshness::not_yet());
        let following = two.follow(follower, anew, Arc::new(SystemClock), String::new);
        memory.asked.notified().await;
        following
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_door_is_waited_for_though_the_clock_of_the_store_says_that_it_is_long_gone() {
    // Its clock was set forward, or another server took over that has not heard of the last beats.
    let forward =
        "for _, node in ipairs(redis.call('HKEYS', KEYS[1])) do redis.call('HSET', KEYS[1], node, '0 1 ') end";
    ends_beside_a_deaf_door(async |server, _two| server.say(&["EVAL", forward, "1", "{stagedoor}:nodes"])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_door_that_died_is_waited_for_once_and_not_again() {
    let server = server();
    let (one, two) = (door(&server, "one").await, door(&server, "two").await);
    let account = registered(&one).await;
    deaf(&two).await;
    let mut took = Vec::new();
    for _change in 0..3 {
        let began = Instant::now();
        signed_in(&one, &account).await;
        took.push(began.elapsed());
    }
    assert!(took[0] >= LEASE / 2, "it may have lived: {took:?}");
    assert!(took[2] < LEASE / 2, "it has been silent for a lease: {took:?}");
}
