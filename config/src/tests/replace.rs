//! A policy that comes through the admin API.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use stagedoor_identity::testing::{ManualClock, MemoryStore};

use super::stage::{OTHER, Stage, newest};
use super::{BUILDING, Folder, POLICY};
use crate::{Environment, Live, ReplaceFault};

#[tokio::test]
async fn a_policy_sent_in_is_written_and_put_in_force() {
    let stage = Stage::open().await;
    stage.settle().await;
    let etag = stage.live.policy_etag();
    assert_eq!(etag.len(), 18, "quotes and 16 digits: {etag}");
    let path = stage.folder.path("policy.toml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("set");
    let status = stage
        .live
        .replace_policy(OTHER, Some(&etag), "token:ci")
        .await
        .expect("replaced");
    assert_eq!(status.revision.0, 2);
    assert_ne!(status.etag, etag);
    assert_eq!(std::fs::read_to_string(&path).expect("read"), OTHER);
    assert_eq!(
        std::fs::metadata(&path).expect("there").permissions().mode() & 0o777,
        0o640
    );
    assert_eq!(newest(&stage.store).await.by, "token:ci");
    assert!(stage.settle().await.is_empty(), "the watcher has nothing to do");
    let left: Vec<_> = std::fs::read_dir(path.parent().expect("a folder"))
        .expect("read")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(left.len(), 4, "nothing is left behind: {left:?}");
}

#[tokio::test]
async fn a_policy_made_from_an_old_one_is_not_taken() {
    let stage = Stage::open().await;
    let fault = stage
        .live
        .replace_policy(OTHER, Some("\"0000000000000000\""), "x")
        .await
        .expect_err("mismatch");
    assert!(matches!(fault, ReplaceFault::Mismatch { current_etag } if current_etag == stage.live.policy_etag()));
    assert_eq!(stage.revision(), 1);
}

#[tokio::test]
async fn a_policy_at_fault_is_neither_written_nor_in_force() {
    let stage = Stage::open().await;
    let fault = stage
        .live
        .replace_policy("[sesion]\n", None, "x")
        .await
        .expect_err("at fault");
    assert!(matches!(fault, ReplaceFault::Faults(faults) if faults.len() == 1));
    assert_eq!(
        std::fs::read_to_string(stage.folder.path("policy.toml")).expect("read"),
        POLICY
    );
    assert_eq!(stage.revision(), 1);
}

#[tokio::test]
async fn a_policy_that_cannot_be_numbered_leaves_the_file_as_it_was() {
    let stage = Stage::open().await;
    stage.store.break_down("note_policy");
    let fault = stage
        .live
        .replace_policy(OTHER, None, "x")
        .await
        .expect_err("not numbered");
    assert!(matches!(fault, ReplaceFault::Store(_)));
    assert_eq!(
        std::fs::read_to_string(stage.folder.path("policy.toml")).expect("read"),
        POLICY
    );
}

#[tokio::test]
async fn a_link_stays_one_when_its_policy_is_replaced() {
    let stage = Stage::open().await;
    let path = stage.folder.path("policy.toml");
    std::fs::create_dir(stage.folder.path("real")).expect("made");
    std::fs::rename(&path, stage.folder.path("real/target")).expect("moved");
    std::os::unix::fs::symlink(stage.folder.path("real/target"), &path).expect("linked");
    stage.live.replace_policy(OTHER, None, "x").await.expect("replaced");
    assert!(std::fs::symlink_metadata(&path).expect("there").is_symlink());
    assert_eq!(
        std::fs::read_to_string(stage.folder.path("real/target")).expect("read"),
        OTHER
    );
}

#[tokio::test]
async fn the_built_in_policy_cannot_be_replaced() {
    let folder = Folder::with(BUILDING, POLICY);
    let sources = crate::Sources {
        policy: None,
        ..folder.sources()
    };
    let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::new()));
    let live = Live::open(sources, Environment::default(), store, clock)
        .await
        .expect("opens");
    assert!(matches!(
        live.replace_policy(OTHER, None, "x").await,
        Err(ReplaceFault::ReadOnly)
    ));
}

#[tokio::test]
async fn checking_a_policy_changes_nothing() {
    let stage = Stage::open().await;
    stage.live.check_policy(OTHER).await.expect("fine");
    stage
        .live
        .check_policy("[site.other.areas]\n")
        .await
        .expect_err("no such site");
    assert_eq!((stage.revision(), newest(&stage.store).await.revision), (1, 1));
}

#[tokio::test]
async fn an_edit_of_the_file_that_waits_is_not_written_over() {
    let stage = Stage::open().await;
    let etag = stage.live.policy_etag();
    stage.folder.write("policy.toml", OTHER);
    let fault = stage
        .live
        .replace_policy(POLICY, Some(&etag), "x")
        .await
        .expect_err("an edit waits");
    assert!(matches!(fault, ReplaceFault::Mismatch { current_etag } if current_etag != etag));
    assert_eq!(
        std::fs::read_to_string(stage.folder.path("policy.toml")).expect("read"),
        OTHER
    );
}

#[tokio::test]
async fn a_file_at_fault_is_mended_by_a_policy_sent_in() {
    let stage = Stage::open().await;
    stage.settle().await;
    stage.folder.write("policy.toml", "[sesion]\n");
    stage.settle().await;
    assert!(stage.live.status().last_fault.is_some());
    stage.live.replace_policy(OTHER, None, "x").await.expect("replaced");
    assert_eq!(stage.live.status().last_fault, None);
    assert!(stage.settle().await.is_empty());
}
