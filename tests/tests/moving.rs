//! A house moves from the embedded store into Redis and back: nobody has to sign in again, and nobody who was locked out is let in.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use stagedoor_tests::{Door, FakeConsole, PASSWORD, Redis, Visitor};

const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\n\n\
    [role.keeper]\nmay = { \"*\" = \"all\" }\nkeep_at_least = 1\n\n[lockout]\nfailures = 2\nfor = \"30d\"\n";
const CLOSES_WITHIN: Duration = Duration::from_secs(60);

fn close(door: &mut Door) {
    door.process().signal(Signal::TERM);
    assert!(door.process().end_within(CLOSES_WITHIN).success(), "{}", door.log());
}

fn copy(door: &Door, from: &str, into: &str) {
    let copied = door.command(&["store", "copy", from, into]);
    let said = String::from_utf8_lossy(&copied.stdout);
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    assert!(said.contains("accounts 2"), "{said}");
    let again = door.command(&["store", "copy", from, into]);
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && said.contains("not empty"), "{said}");
}

/// Names another store in the door's file, and opens it.
async fn open_on(door: &mut Door, former: &str, store: &str) {
    let file = door.building_file();
    let text = std::fs::read_to_string(&file).expect("the door's file");
    assert!(text.contains(former), "{text}");
    std::fs::write(&file, text.replacen(former, store, 1)).expect("the door's file");
    door.start().await;
}

async fn is_as_before(door: &Door, ada: &Visitor) {
    ada.get("/page").await.expect(200);
    let refused = door.visitor("console").sign_in("bob", PASSWORD).await;
    assert_eq!(refused.json()["error"], "locked", "{}", refused.text());
    assert_eq!(door.admin().account("ada").await["role"], "keeper");
    let last = door.admin().change_account("ada", json!({ "disabled": true })).await;
    assert_eq!(last.status, 409, "the last keeper stays: {}", last.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_moves_into_redis_and_back_and_nobody_has_to_sign_in_again_or_gets_in_who_was_locked_out() {
    let console = FakeConsole::start().await;
    let mut door = Door::plan().site("console", &console.url()).policy(POLICY).open().await;
    door.admin().add_account("ada", "keeper").await;
    door.admin().add_account("bob", "keeper").await;
    door.admin()
        .change_account("bob", json!({ "disabled": true }))
        .await
        .expect(200);
    let ada = door.signed_in("console", "ada").await;
    for _guess in 0..2 {
        door.visitor("console").sign_in("bob", "a wrong guess").await;
    }
    is_as_before(&door, &ada).await;
    close(&mut door);

    let folder = tempfile::tempdir().expect("a folder");
    let redis = Redis::start(folder.path());
    copy(&door, "file:data", &redis.url());
    let on_redis = format!("data_dir = \"data\"\nurl = \"{}\"", redis.url());
    open_on(&mut door, "data_dir = \"data\"", &on_redis).await;
    is_as_before(&door, &ada).await;
    close(&mut door);

    copy(&door, &redis.url(), "file:back");
    open_on(&mut door, &on_redis, "data_dir = \"back\"").await;
    is_as_before(&door, &ada).await;
}
