//! No room left: writes fail and say so, what was there stays readable, and the store recovers when there is room again.
//!
//! The limit is one on the size of files (`ulimit -f`, with its signal ignored), set for a process of its own. It makes the
//! very `write` calls fail that a full disk makes fail, and needs no privilege.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of a test")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use stagedoor_identity::event::{AuditQuery, Event, Kind, Outcome};
use stagedoor_identity::port::{SharedStore, StoreError};
use stagedoor_store::Embedded;

const FOLDER: &str = "STAGEDOOR_TEST_FULL_FOLDER";
/// In blocks of 512 or 1,024 bytes, as the shell likes it: well below what the write-ahead log grows to by itself.
const BLOCKS: u32 = 1500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_room_writes_fail_and_nothing_is_lost_and_with_room_they_work_again() {
    // The same test is the process under the limit: it finds the folder in its environment.
    if let Some(folder) = std::env::var_os(FOLDER) {
        return fill_the_disk(PathBuf::from(folder)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = format!("trap '' XFSZ; ulimit -S -f {BLOCKS}; exec \"$@\"");
    let ran = Command::new("sh")
        .args(["-c", &script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "without_room_writes_fail_and_nothing_is_lost_and_with_room_they_work_again",
            "--nocapture",
        ])
        .env(FOLDER, folder.path().join("data"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}{errors}");
}

async fn fill_the_disk(folder: PathBuf) {
    let store: SharedStore = Arc::new(Embedded::open(&folder).unwrap());

    let mut recorded = 0;
    let refused = loop {
        match store.record(&[event()]).await {
            Ok(()) => recorded += 1,
            Err(error) => break error,
        }
        assert!(recorded < 100_000, "the limit holds");
    };
    assert!(recorded > 10, "there was some room: {recorded}");
    let StoreError::Engine(why) = refused else {
        panic!("an engine error: {refused}");
    };
    assert!(
        why.contains("record") && why.contains("stagedoor.db") && why.contains("check the disk"),
        "{why}"
    );

    // Together they fail together; none is told that it is stored.
    let tasks: Vec<_> = (0..20)
        .map(|_number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.record(&[event()]).await })
        })
        .collect();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), Err(StoreError::Engine(_))));
    }
    assert_eq!(
        highest_number(&store).await,
        recorded,
        "readable, and nothing half done"
    );

    let pid = std::process::id().to_string();
    let raised = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited"])
        .status();
    assert!(raised.unwrap().success(), "prlimit of util-linux is needed");
    store.record(&[event()]).await.unwrap();
    assert_eq!(
        highest_number(&store).await,
        recorded + 1,
        "no number was lost with the failures"
    );

    drop(store);
    let connection = rusqlite::Connection::open(folder.join("stagedoor.db")).unwrap();
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
}

async fn highest_number(store: &SharedStore) -> u64 {
    let newest = AuditQuery {
        limit: 1,
        ..AuditQuery::default()
    };
    store
        .events(&newest)
        .await
        .unwrap()
        .first()
        .map_or(0, |stored| stored.number)
}

fn event() -> Event {
    Event {
        at_micros: 1,
        kind: Kind::RequestRefused,
        actor: "system".to_owned(),
        account: None,
        address: None,
        outcome: Outcome::Refused,
        reason: None,
        rule: None,
        site: None,
        area: None,
        target: Some("x".repeat(2000)),
        policy_revision: None,
        request_id: None,
        support_code: None,
        session: None,
        details: Vec::new(),
    }
}
