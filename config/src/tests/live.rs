//! What is in force, and how it changes.

use std::sync::Arc;

use stagedoor_identity::port::Keys as _;
use stagedoor_identity::testing::{ManualClock, MemoryStore};
use stagedoor_policy::request::Host;
use stagedoor_policy::time::Timestamp;

use super::stage::{OTHER, Stage, newest};
use super::{BUILDING, Folder, POLICY};
use crate::live::watch::Polled;
use crate::{Cause, Environment, Live, OpenFault, Reloaded};

#[tokio::test]
async fn the_first_policy_is_numbered_and_the_same_text_keeps_its_number() {
    let stage = Stage::open().await;
    assert_eq!(stage.revision(), 1);
    assert_eq!(newest(&stage.store).await.by, "start");
    assert_eq!(stage.live.reload(Cause::Signal).await, Reloaded::Unchanged);
    let again = Live::open(
        stage.folder.sources(),
        Environment::default(),
        stage.store.clone(),
        stage.clock.clone(),
    )
    .await;
    assert_eq!(again.expect("opens").status().revision.0, 1);
}

#[tokio::test]
async fn files_at_fault_do_not_open() {
    let folder = Folder::with(BUILDING, "[sesion]\n");
    let store = Arc::new(MemoryStore::new());
    let opened = Live::open(
        folder.sources(),
        Environment::default(),
        store.clone(),
        Arc::new(ManualClock::new()),
    )
    .await;
    assert!(matches!(opened, Err(OpenFault::Faults(_))));
    let numbered = store.newest_policy().await.expect("answers");
    assert_eq!(numbered, None, "a policy at fault gets no number");
}

#[tokio::test]
async fn a_change_is_taken_over_once_it_reads_the_same_twice() {
    let stage = Stage::open().await;
    assert!(stage.settle().await.is_empty(), "nothing has changed");
    let mut changed = stage.live.changed();
    stage.clock.set(Timestamp::from_micros(7_000_000));
    stage.folder.write("policy.toml", OTHER);
    assert_eq!(stage.live.poll_once().await, Polled::Settling);
    assert_eq!(stage.revision(), 1, "not yet");
    assert!(matches!(
        stage.live.poll_once().await,
        Polled::Settled(Reloaded::Swapped(_))
    ));
    assert_eq!(stage.revision(), 2);
    assert!(changed.has_changed().expect("open"));
    assert_eq!(changed.borrow_and_update().0, 2);
    assert_eq!(&*stage.live.policy_text(), OTHER);
    let status = stage.live.status();
    assert_eq!(
        (status.loaded_at.as_seconds(), status.reloads_ok, status.reloads_failed),
        (7, 1, 0)
    );
    assert!(stage.settle().await.is_empty());
}

#[tokio::test]
async fn a_file_that_is_still_being_written_is_waited_for() {
    let stage = Stage::open().await;
    stage.settle().await;
    let mut written = String::new();
    for piece in [
        "[site.console.areas]\n",
        "all = { paths = [\"/**\"]",
        ", open_to = \"everyone\" }\n",
    ] {
        written.push_str(piece);
        stage.folder.write("policy.toml", &written);
        assert_eq!(stage.live.poll_once().await, Polled::Settling, "after {written:?}");
    }
    assert_eq!(stage.settle().await.len(), 1);
    assert_eq!((stage.revision(), stage.live.status().reloads_failed), (2, 0));
}

#[tokio::test]
async fn a_fault_keeps_what_is_in_force_until_it_is_mended() {
    let stage = Stage::open().await;
    stage.settle().await;
    stage.clock.set(Timestamp::from_micros(9_000_000));
    stage.folder.write("policy.toml", "[sesion]\n");
    assert!(
        matches!(stage.settle().await.as_slice(), [Reloaded::Refused(why)] if why.contains("did you mean `session`?"))
    );
    let status = stage.live.status();
    assert_eq!((status.revision.0, status.reloads_failed), (1, 1));
    let (when, why) = status.last_fault.expect("a fault");
    assert_eq!(when.as_seconds(), 9);
    assert!(why.contains("policy.toml:1:2"), "{why}");
    assert_eq!(&*stage.live.policy_text(), POLICY);
    stage.folder.write("policy.toml", POLICY);
    assert_eq!(stage.settle().await, [Reloaded::Unchanged]);
    assert_eq!(stage.live.status().last_fault, None);
    assert_eq!(stage.revision(), 1);
}

#[tokio::test]
async fn a_file_that_goes_away_and_comes_back_is_followed() {
    let stage = Stage::open().await;
    stage.settle().await;
    std::fs::remove_file(stage.folder.path("policy.toml")).expect("removed");
    assert!(matches!(stage.settle().await.as_slice(), [Reloaded::Refused(_)]));
    stage.folder.write("policy.toml", OTHER);
    assert!(matches!(stage.settle().await.as_slice(), [Reloaded::Swapped(_)]));
    assert_eq!(stage.revision(), 2);
}

#[tokio::test]
async fn a_file_that_is_renamed_over_is_followed() {
    let stage = Stage::open().await;
    stage.settle().await;
    for (text, revision) in [(OTHER, 2), (POLICY, 3)] {
        stage.folder.write("new", text);
        std::fs::rename(stage.folder.path("new"), stage.folder.path("policy.toml")).expect("renamed");
        assert_eq!(stage.settle().await.len(), 1);
        assert_eq!(stage.revision(), revision);
    }
}

#[tokio::test]
async fn a_link_that_is_swapped_is_followed() {
    let stage = Stage::open().await;
    stage.settle().await;
    stage.folder.write("other", OTHER);
    std::os::unix::fs::symlink(stage.folder.path("other"), stage.folder.path("link")).expect("linked");
    std::fs::rename(stage.folder.path("link"), stage.folder.path("policy.toml")).expect("swapped");
    assert!(matches!(stage.settle().await.as_slice(), [Reloaded::Swapped(_)]));
}

#[tokio::test]
async fn the_same_text_in_a_new_file_is_no_change() {
    let stage = Stage::open().await;
    stage.settle().await;
    stage.folder.write("policy.toml", POLICY);
    assert!(stage.settle().await.is_empty());
}

#[tokio::test]
async fn what_needs_a_restart_keeps_its_value_and_is_named() {
    let stage = Stage::open().await;
    stage.settle().await;
    let more = r#"
[listen]
http = ["127.0.0.1:1"]
[store]
data_dir = "elsewhere"
url = "redis://127.0.0.1:1"
[cluster]
node = "one"
[admin]
listen = "127.0.0.1:2"
[limits]
threads = 9
hashes_in_flight = 9
handshakes_in_flight_max = 9
connections_max = 9
[portal]
prefix = "/other/"
title = "Other"
[log]
format = "json"
level = "debug"
access = "-"
"#;
    stage.folder.write("stagedoor.toml", format!("{BUILDING}{more}"));
    let mut changed = stage.live.changed();
    assert!(matches!(stage.settle().await.as_slice(), [Reloaded::Swapped(_)]));
    assert!(
        changed.has_changed().expect("open"),
        "a change of the building alone fires too"
    );
    changed.borrow_and_update();
    let building = Arc::clone(&stage.live.current().building);
    assert_eq!(building.listen.http[0].port(), 8080);
    assert_eq!((building.admin.listen.port(), building.limits.threads), (9080, None));
    assert_eq!(building.limits.connections_max, 9, "this one changes at once");
    assert_eq!(building.portal.prefix, "/.stagedoor/");
    assert_eq!(stage.revision(), 1, "the policy is the same");
    // Each setting that the description marks, but for `listen.https`, which would need a certificate, is named.
    let named = stage.live.status().restart_needed;
    for described in crate::describe::leaves(crate::describe::BUILDING)
        .iter()
        .filter(|found| found.setting.fixed)
    {
        let key = described.path.join(".");
        let named = named
            .iter()
            .any(|name| key == *name || key.starts_with(&format!("{name}.")));
        assert_eq!(named, key != "listen.https", "{key}");
    }
}

#[tokio::test]
async fn a_policy_that_cannot_be_numbered_is_tried_again() {
    let stage = Stage::open().await;
    stage.settle().await;
    stage.store.break_down("note_policy");
    stage.folder.write("policy.toml", OTHER);
    stage.live.poll_once().await;
    assert!(matches!(
        stage.live.poll_once().await,
        Polled::Settled(Reloaded::Unnumbered(_))
    ));
    assert_eq!(stage.revision(), 1);
    stage.store.mend();
    assert!(matches!(stage.settle().await.as_slice(), [Reloaded::Swapped(_)]));
    assert_eq!(stage.revision(), 2);
}

#[tokio::test]
async fn a_new_certificate_is_told_once() {
    let tls = "[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n";
    let stage = Stage::with_tls(tls).await;
    let fires = stage.live.tls_changed();
    for _ in 0..3 {
        assert!(!stage.live.poll_tls_once().await);
    }
    stage.folder.write("cert.pem", "renewed");
    assert!(!stage.live.poll_tls_once().await, "it may be half written");
    assert!(stage.live.poll_tls_once().await);
    assert!(!stage.live.poll_tls_once().await);
    assert_eq!(*fires.borrow(), 1);
    std::fs::remove_file(stage.folder.path("key.pem")).expect("removed");
    for _ in 0..3 {
        assert!(!stage.live.poll_tls_once().await, "nothing to load");
    }
    stage.folder.write("key.pem", "renewed");
    assert!(!stage.live.poll_tls_once().await);
    assert!(stage.live.poll_tls_once().await);
}

#[tokio::test]
async fn watching_ends_when_it_is_told_to() {
    let stage = Stage::open().await;
    Arc::clone(&stage.live).watch(std::future::ready(())).await;
}

#[tokio::test]
async fn a_host_finds_its_site_and_a_stranger_finds_none() {
    let two = "[site.a]\nupstream = \"http://x\"\nhosts = [\"a.example\"]\n[site.b]\nupstream = \"http://y\"\nhosts = [\"*.b.example\"]\n";
    let folder = Folder::with(two, "[site.a.areas]\nall = { paths = [\"/**\"] }\n");
    let store = Arc::new(MemoryStore::new());
    let live = Live::open(
        folder.sources(),
        Environment::default(),
        store,
        Arc::new(ManualClock::new()),
    )
    .await
    .expect("opens");
    let snapshot = live.current();
    let site = |host: &str| {
        let host = Host::parse(host.as_bytes()).expect("a host");
        snapshot.site_for(&host).map(|entry| entry.site.name.clone())
    };
    assert_eq!(site("A.example:8080").as_deref(), Some("a"));
    assert_eq!(
        site("x.b.example").as_deref(),
        Some("b"),
        "without rules, and there all the same: all is refused in it"
    );
    assert_eq!(site("c.example"), None);
    assert_eq!(live.status().warnings.len(), 1);
}
