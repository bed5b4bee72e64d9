//! `kill -9` in the middle of sign-ins: whatever was acknowledged is there, and nothing is half done.
//!
//! The parent starts this very executable again as the victim, counts the lines in which it acknowledges its steps, kills it
//! at a different count each round, and looks at what is left. All rounds use one folder, so each starts from what the kill
//! before has left behind.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of a test, in files of their own"
)]

#[path = "crash/evidence.rs"]
mod evidence;
#[path = "crash/victim.rs"]
mod victim;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use evidence::Acknowledged;

const ROUNDS: usize = 25;
/// Only for a victim that hangs: a round takes a fraction of a second.
const LINE_WAIT_MAX: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9_and_nothing_is_half_done() {
    if victim::is_wanted() {
        return victim::sign_in_until_killed().await;
    }
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    victim::register_accounts(&folder).await;
    let mut acknowledged = Acknowledged::default();
    for round in 0..ROUNDS {
        let (mut child, lines) = start(&folder, round);
        let wanted = 1 + (round * 53) % 190;
        for _line in 0..wanted {
            let line = lines
                .recv_timeout(LINE_WAIT_MAX)
                .expect("the victim works until it is killed");
            acknowledged.note(&line);
        }
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&status),
            Some(9),
            "killed, not ended by itself"
        );
        // What was on its way through the pipe was acknowledged too.
        lines.iter().for_each(|line| acknowledged.note(&line));
        evidence::check(&folder, &mut acknowledged, round).await;
    }
    assert!(acknowledged.steps() > ROUNDS, "the rounds did something");
}

/// Starts the victim; its acknowledgements come one a line.
fn start(folder: &Path, round: usize) -> (Child, Receiver<String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "what_was_acknowledged_survives_kill_9_and_nothing_is_half_done",
            "--nocapture",
        ])
        .env(victim::FOLDER, folder)
        .env(victim::ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if let Some((_before, step)) = line.split_once(victim::MARK) {
                let _ = sender.send(step.to_owned());
            }
        }
    });
    (child, lines)
}
