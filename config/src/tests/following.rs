//! Doors that share a store: what one puts in force is in force at all, and in their files.

use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::sync::Arc;

use stagedoor_identity::testing::{ManualClock, MemoryStore};

use super::stage::{OTHER, newest};
use super::{BUILDING, Folder, POLICY};
use crate::{Environment, Live, OpenFault, ReplaceFault};

/// What the doors have in common, beside one site of their own each.
const SHARED: &str = "[store]\nurl = \"redis://127.0.0.1:1\"\n[cluster]\nnode = \"one\"\n";
/// A second site: then each names its hosts.
const EXTRA: &str =
    "hosts = [\"console.example\"]\n[site.extra]\nhosts = [\"extra.example\"]\nupstream = \"http://127.0.0.1:9\"\n";
const EXTRA_RULES: &str = "\n[site.extra.areas]\nall = { paths = [\"/**\"], open_to = \"signed-in\" }\n";
const THIRD: &str = "[site.console.areas]\nall = { paths = [\"/**\"], open_to = \"signed-in\" }\n";

struct Node {
    folder: Folder,
    live: Arc<Live>,
}

impl Node {
    async fn open(store: &Arc<MemoryStore>, policy: &str) -> Self {
        Self::with(store, policy, SHARED).await.expect("opens")
    }

    async fn with(store: &Arc<MemoryStore>, policy: &str, settings: &str) -> Result<Self, OpenFault> {
        let folder = Folder::with(&format!("{BUILDING}{settings}"), policy);
        let live = open(&folder, store).await?;
        Ok(Self { folder, live })
    }

    fn in_force(&self) -> (u64, String) {
        (
            self.live.status().revision.0,
            self.live.policy_text().as_ref().to_owned(),
        )
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.folder.path("policy.toml")).expect("a file")
    }

    async fn settle(&self) {
        for _look in 0..6 {
            self.live.poll_once().await;
        }
    }
}

async fn open(folder: &Folder, store: &Arc<MemoryStore>) -> Result<Arc<Live>, OpenFault> {
    let clock = Arc::new(ManualClock::new());
    Live::open(folder.sources(), Environment::default(), store.clone(), clock).await
}

fn store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new())
}

#[tokio::test]
async fn what_one_door_puts_in_force_is_in_force_at_the_other_and_in_its_file() {
    let store = &store();
    let (one, two) = (Node::open(store, POLICY).await, Node::open(store, POLICY).await);
    one.live.replace_policy(OTHER, None, "ada").await.expect("replaced");
    two.live.take_newest().await.expect("taken");
    assert_eq!(two.in_force(), (2, OTHER.to_owned()));
    assert_eq!(two.file(), OTHER);
    two.settle().await;
    assert_eq!(newest(store).await.revision, 2, "its own file is no edit");
    two.folder.write("policy.toml", THIRD);
    two.settle().await;
    one.live.take_newest().await.expect("taken");
    assert_eq!(one.in_force(), (3, THIRD.to_owned()));
}

#[tokio::test]
async fn of_two_changes_made_from_the_same_policy_the_second_is_refused_and_sees_the_first() {
    let store = &store();
    let (one, two) = (Node::open(store, POLICY).await, Node::open(store, POLICY).await);
    let etag = two.live.policy_etag();
    one.live.replace_policy(OTHER, None, "ada").await.expect("replaced");
    let fault = two
        .live
        .replace_policy(THIRD, Some(&etag), "bob")
        .await
        .expect_err("too late");
    assert!(matches!(fault, ReplaceFault::Mismatch { current_etag } if current_etag == one.live.policy_etag()));
    assert_eq!((two.in_force().0, two.file()), (2, OTHER.to_owned()));
}

#[tokio::test]
async fn an_edit_of_a_file_while_another_door_was_faster_comes_after_it() {
    let store = &store();
    let (one, two) = (Node::open(store, POLICY).await, Node::open(store, POLICY).await);
    one.live.replace_policy(OTHER, None, "ada").await.expect("replaced");
    two.folder.write("policy.toml", THIRD);
    two.live.take_newest().await.expect("taken");
    assert_eq!(
        (two.in_force().0, two.file()),
        (2, THIRD.to_owned()),
        "the edit is not lost"
    );
    two.settle().await;
    assert_eq!(two.in_force(), (3, THIRD.to_owned()));
}

#[tokio::test]
async fn a_door_that_cannot_take_a_policy_keeps_the_former_and_says_so_until_it_can() {
    let store = &store();
    let one = Node::open(store, POLICY).await;
    let two = Node::with(store, POLICY, &format!("{EXTRA}{SHARED}"))
        .await
        .expect("opens");
    let narrower = format!("{POLICY}{EXTRA_RULES}");
    two.live.replace_policy(&narrower, None, "ada").await.expect("replaced");
    one.live.take_newest().await.expect("read");
    let status = one.live.status();
    assert_eq!(
        (status.revision.0, status.cannot_take.map(|newest| newest.0)),
        (1, Some(2))
    );
    let (_, fault) = status.last_fault.expect("a fault");
    assert!(fault.contains("revision 2") && fault.contains("extra"), "{fault}");
    one.settle().await;
    one.live.take_newest().await.expect("read");
    let status = one.live.status();
    assert!(status.cannot_take.is_some(), "looking at the files mends nothing");
    assert_eq!(status.reloads_failed, 1, "one fault is told once");

    one.folder.write("stagedoor.toml", format!("{BUILDING}{EXTRA}{SHARED}"));
    one.settle().await;
    assert_eq!(one.in_force(), (2, narrower));
    assert_eq!(
        (one.live.status().cannot_take, one.live.status().last_fault),
        (None, None)
    );
}

#[tokio::test]
async fn what_the_store_has_lost_is_put_back_under_its_number() {
    let store = &store();
    let one = Node::open(store, POLICY).await;
    one.live.replace_policy(OTHER, None, "ada").await.expect("replaced");
    store.lose_newest_policy();
    one.live.take_newest().await.expect("read");
    assert_eq!(one.in_force(), (2, OTHER.to_owned()));
    let newest = newest(store).await;
    assert_eq!((newest.revision, newest.text.as_str()), (2, OTHER));
}

#[tokio::test]
async fn a_door_that_starts_with_an_old_file_runs_what_the_others_run() {
    let store = &store();
    let one = Node::open(store, POLICY).await;
    one.live.replace_policy(OTHER, None, "ada").await.expect("replaced");
    let late = Node::open(store, POLICY).await;
    assert_eq!(
        (late.in_force(), late.file()),
        ((2, OTHER.to_owned()), OTHER.to_owned())
    );
    assert_eq!(newest(store).await.revision, 2);
}

#[tokio::test]
async fn the_file_of_a_new_machine_replaces_nothing_unless_the_settings_say_so() {
    let store = &store();
    Node::open(store, POLICY).await;
    let new = Node::open(store, THIRD).await;
    assert_eq!((new.in_force(), new.file()), ((1, POLICY.to_owned()), THIRD.to_owned()));
    let warnings = new.live.status().warnings.join("\n");
    assert!(warnings.contains("policy apply"), "{warnings}");
    new.settle().await;
    new.live.reload(crate::Cause::Signal).await;
    assert_eq!(new.in_force().0, 1, "a signal is no edit");
    new.folder.write("policy.toml", OTHER);
    new.settle().await;
    assert_eq!(new.in_force(), (2, OTHER.to_owned()), "an edit is");

    let rolled_out = Node::with(store, THIRD, &format!("{SHARED}policy_at_start = \"file\"\n")).await;
    assert_eq!(rolled_out.expect("opens").in_force(), (3, THIRD.to_owned()));
    let late = Node::with(store, OTHER, &format!("{SHARED}policy_at_start = \"file\"\n")).await;
    assert_eq!(
        late.expect("opens").in_force(),
        (3, THIRD.to_owned()),
        "what was in force before is old"
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_older_than_what_is_in_force_and_no_edit() {
    let store = &store();
    let one = Node::open(store, POLICY).await;
    let folder = Folder::with(&format!("{BUILDING}{SHARED}"), POLICY);
    // Without a name of its own it cannot be replaced, not even by `root`.
    let mut nameless = tempfile::tempfile().expect("a file");
    nameless.write_all(POLICY.as_bytes()).expect("written");
    std::fs::remove_file(folder.path("policy.toml")).expect("removed");
    let link = format!("/proc/self/fd/{}", nameless.as_raw_fd());
    std::os::unix::fs::symlink(link, folder.path("policy.toml")).expect("linked");
    let live = open(&folder, store).await.expect("opens");
    let two = Node { folder, live };
    one.live.replace_policy(OTHER, None, "ada").await.expect("replaced");
    two.live.take_newest().await.expect("taken");
    two.settle().await;
    two.live.reload(crate::Cause::Signal).await;
    assert_eq!(two.file(), POLICY);
    assert_eq!(two.in_force(), (2, OTHER.to_owned()));
}

#[tokio::test]
async fn a_door_that_can_run_neither_its_own_nor_the_others_policy_does_not_open() {
    let store = &store();
    let (extra, building) = (format!("{POLICY}{EXTRA_RULES}"), format!("{EXTRA}{SHARED}"));
    Node::with(store, &extra, &building).await.expect("opens");
    let refused = Node::with(store, THIRD, SHARED).await;
    assert!(matches!(refused.err(), Some(OpenFault::Shared { revision: 1, .. })));
}

#[tokio::test]
async fn while_the_store_fails_nothing_changes() {
    let store = &store();
    let (one, two) = (Node::open(store, POLICY).await, Node::open(store, POLICY).await);
    one.live.replace_policy(OTHER, None, "ada").await.expect("replaced");
    store.break_down("newest_policy");
    assert!(two.live.take_newest().await.is_err());
    assert_eq!((two.in_force().0, two.file()), (1, POLICY.to_owned()));
    store.mend();
    two.live.take_newest().await.expect("taken");
    assert_eq!(two.in_force().0, 2);
}
