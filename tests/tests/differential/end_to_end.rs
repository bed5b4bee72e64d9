//! The real door forwards, byte for byte, what this harness sends to the servers in its place.

use stagedoor_policy::request::Leniencies;
use stagedoor_tests::{Door, Recorder, raw};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::SEED;
use super::judge::{Judge, Judged, everything_at_once, policy_text};
use super::targets::{self, Chance};

const FORWARDED: usize = 300;
/// Fewer, since a door may take no more than some hundreds of malformed requests a minute from one address.
const REFUSED: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_servers_were_asked_is_what_the_door_forwards() {
    forwards_as_judged(Leniencies::NONE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_servers_were_asked_under_leniencies_is_what_the_door_forwards() {
    forwards_as_judged(everything_at_once()).await;
}

async fn forwards_as_judged(allowed: Leniencies) {
    let console = Recorder::start().await;
    let policy = policy_text(allowed);
    let door = Door::plan()
        .site("console", &console.url())
        .policy(&policy)
        .open()
        .await;
    let judge = Judge::allowing(allowed);
    // A fragment and a target without its first slash are taken apart before there is a target: hygiene/paths.rs has them.
    let mut targets = targets::all(SEED);
    targets.retain(|target| target.starts_with(b"/") && !target.contains(&b'#'));
    let mut chance = Chance(SEED);
    let (mut forwarded, mut refused, mut rewritten) = (0, 0, 0);
    while forwarded < FORWARDED || refused < REFUSED {
        let raw = &targets[chance.below(targets.len())];
        let said = String::from_utf8_lossy(raw).into_owned();
        let before = console.seen().len();
        match judge.judge(raw) {
            Judged::Forwarded { target, .. } if forwarded < FORWARDED => {
                assert_eq!(ask(&door, raw).await, 200, "{said}");
                let seen = console.seen();
                assert_eq!(seen.len(), before + 1, "{said}");
                assert_eq!(seen[before].target().as_bytes(), target, "{said}");
                forwarded += 1;
                rewritten += usize::from(*raw != target);
            }
            Judged::Refused(_) if refused < REFUSED => {
                assert_eq!(ask(&door, raw).await, 400, "{said}");
                assert_eq!(console.seen().len(), before, "{said}");
                refused += 1;
            }
            _ => {}
        }
    }
    println!("{forwarded} forwarded, {rewritten} of them in another spelling; {refused} refused");
    assert!(rewritten > 0, "no sample was one that the door rewrites");
}

/// The status that the door answers with, to somebody who has not signed in and may go everywhere.
async fn ask(door: &Door, target: &[u8]) -> u16 {
    let head = [
        b"GET ",
        target,
        b" HTTP/1.1\r\nHost: console.localhost\r\nConnection: close\r\n\r\n",
    ]
    .concat();
    let mut stream = TcpStream::connect(door.address()).await.expect("the door listens");
    stream.write_all(&head).await.expect("the door reads");
    raw::status(&raw::read_to_end(&mut stream).await)
}
