//! A nemesis: two doors on one Redis are worked on by a small cast while wires, doors and Redis break and mend by a plan that
//! is drawn from a seed. Whatever each client saw and whatever the doors wrote down is held to the invariants of `check.rs`.
//!
//! `STAGEDOOR_NEMESIS_SEED` and `STAGEDOOR_NEMESIS_SECONDS` make it another run, or a longer one: see docs/several-doors.md.

mod aftermath;
mod check;
mod clients;
mod faults;
mod history;
mod made_up;
mod people;
mod stage;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use check::Promises;
use clients::World;
use history::{Answer, History};
use serde_json::json;
use stage::{FAILURES, Stage};
use stagedoor_tests::{PASSWORD, totp};

/// Seeds that have found something, or that stand for all the others. Each is run.
const SEEDS: [u64; 1] = [2];
const SECONDS: u64 = 22;

const PROMISES: Promises = Promises {
    // A second is what is promised; another one is for a machine that does much else.
    stream: 2_000_000,
    policy: 2_000_000,
    // The default of `[cluster] lease`, and what passes between two lines of the test.
    lease: 300_000,
    back: 15_000_000,
    failures: FAILURES,
    spare_descriptors: 8,
    // Written ten times a second.
    lines_lost: 1_000_000,
};

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_breaks_the_doors_keep_what_they_promise() {
    let seconds = number("STAGEDOOR_NEMESIS_SECONDS").unwrap_or(SECONDS);
    let seeds = number("STAGEDOOR_NEMESIS_SEED").map_or_else(|| SEEDS.to_vec(), |seed| vec![seed]);
    for seed in seeds {
        run(seed, Duration::from_secs(seconds)).await;
    }
}

async fn run(seed: u64, span: Duration) {
    println!(
        "STAGEDOOR_NEMESIS_SEED={seed} STAGEDOOR_NEMESIS_SECONDS={}",
        span.as_secs()
    );
    let plan = faults::draw(seed, span);
    for planned in &plan {
        println!("{planned}");
    }
    let mut stage = Stage::open().await;
    let secret = assemble_the_cast(&stage).await;
    let before = stage.descriptors();
    let began = Instant::now();
    let world = Arc::new(World::new(&stage, seed, began));
    let mut at_work = people::set_to_work(&world, secret);
    let broken = stage.live_through(&plan, began).await;
    for (door, at, why) in &broken.ended {
        println!("door {door} ended by itself at {at} µs: {why}");
    }
    let back_after = aftermath::back_again(&world).await;
    world.end();
    while let Some(ended) = at_work.join_next().await {
        ended.expect("nobody panics");
    }
    let mut history = History {
        operations: world.log().clone(),
        cut_off: broken.cut_off,
        kills: broken.kills,
        ..History::default()
    };
    aftermath::look(&mut stage, &mut history, (before, back_after)).await;
    tell(&history);
    let violations = check::check(&history, &PROMISES);
    for violation in violations.iter().take(20) {
        println!("{:?}: {}", violation.of, violation.why);
    }
    if !violations.is_empty() {
        // What the checker read: without it nobody can tell whether the doors were wrong, or the checker.
        for operation in &history.operations {
            println!("{operation:?}");
        }
        for (number, door) in stage.doors.iter().enumerate() {
            println!("---- door {number} ----\n{}", door.log());
        }
    }
    assert!(violations.is_empty(), "{} violations by seed {seed}", violations.len());
}

/// Everybody has an account; answers the secret of the one second factor there is.
async fn assemble_the_cast(stage: &Stage) -> String {
    let admin = stage.doors[0].admin();
    let names = people::COMERS.iter().chain(&people::GUESSED);
    for name in names.chain(&[people::KICKED, people::PROMOTED]) {
        admin.add_account(name, "keeper").await;
    }
    let edited = json!({ "name": people::EDITED, "password": PASSWORD, "password_temporary": false, "role": "watcher",
        "display_name": "number 0", "email": "number-0@example.org" });
    admin.add(edited).await;
    admin.add_account(people::WITH_CODES, "watcher").await;
    let demanded = json!({ "second_factor_demanded": true });
    admin.change_account(people::WITH_CODES, demanded).await.expect(200);
    let visitor = stage.doors[0].visitor("console");
    let ticket = visitor.sign_in(people::WITH_CODES, PASSWORD).await.json()["ticket"].clone();
    let enrol = async |form| {
        visitor
            .post_json("/.stagedoor/login/enrol", &form)
            .await
            .expect(200)
            .json()
    };
    let secret = enrol(json!({ "ticket": ticket })).await;
    let typed = secret["secret"].as_str().expect("a secret").to_owned();
    // The code of the half minute before is good, too, and leaves this one for the run.
    enrol(json!({ "ticket": secret["ticket"], "code": totp(&typed, -1) })).await;
    typed
}

/// How much was done, so that a run that did nothing is seen.
fn tell(history: &History) {
    let mut counts: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    for operation in &history.operations {
        let deed = format!("{:?}", operation.deed);
        let mut name = deed.split(['(', ' ']).next().unwrap_or_default().to_owned();
        if let history::Deed::Ask { page, way, .. } = operation.deed {
            name = format!("{way:?} {page:?}");
        }
        let column = match operation.answer {
            Answer::Done => 0,
            Answer::Refused(..) => 1,
            Answer::Unavailable { .. } => 2,
            Answer::Unanswered => 3,
        };
        counts.entry(name).or_default()[column] += 1;
    }
    println!("done, refused, unavailable, unanswered:");
    for (name, counts) in &counts {
        println!("  {name}: {counts:?}");
    }
    let found = &history.found;
    println!(
        "back after {:?} µs; descriptors {:?}",
        found.back_after, found.descriptors
    );
    println!("{} events, {} revisions", history.audit[0].len(), found.policies.len());
}
