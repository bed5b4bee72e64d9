//! Two doors on a Redis Cluster: led to the shard that has their keys, and after them wherever they go.

use std::time::Duration;

use stagedoor_tests::{Cluster, Door, FakeConsole, Visitor, eventually};

const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\n\n[role.keeper]\nmay = { \"*\" = \"all\" }\n";
const PATIENCE: Duration = Duration::from_secs(60);

async fn serves(visitor: &Visitor) {
    eventually("the door serves", PATIENCE, async || {
        (visitor.get("/page").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doors_follow_their_keys_from_shard_to_shard_and_to_a_replica_and_forget_neither_sessions_nor_their_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut cluster = Cluster::start(folder.path());
    let (console, url) = (FakeConsole::start().await, cluster.url());
    let door = async |name: &str| {
        let plan = Door::plan().site("console", &console.url()).policy(POLICY);
        plan.node_at(name, url.clone()).open().await
    };
    let (one, two) = (door("one").await, door("two").await);
    for name in ["ada", "bob"] {
        one.admin().add_account(name, "keeper").await;
    }
    let ada = one.signed_in_patiently("console", "ada").await;
    let doors = [one.visited_by(&ada), two.visited_by(&ada)];
    // Once round the shards: the replica is of the one that had the keys first.
    for what in [
        "nothing",
        "to the second shard",
        "to the third",
        "back",
        "the replica takes over",
    ] {
        let bob = two.signed_in_patiently("console", "bob").await;
        let ended = [one.visited_by(&bob), two.visited_by(&bob)];
        // Known at the other door with the very next request, and no longer known with the next after the answer.
        ended[0].get("/page").await.expect(200);
        bob.sign_out().await.expect(200);
        match what {
            "nothing" => {}
            "the replica takes over" => cluster.kill_holder(),
            _ => cluster.move_keys(),
        }
        for (door, gone) in doors.iter().zip(&ended) {
            serves(door).await;
            let refused = gone.get("/page").await.status.as_u16();
            assert!([401, 503].contains(&refused), "{what}: {refused}");
        }
        println!("{what}: both doors go on");
    }
}
