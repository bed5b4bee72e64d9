//! What doors cost the Redis that they share: a request nothing, a change a few steps for each door.

use std::time::Instant;

use super::*;

const REQUESTS: u32 = 300;
const SIGN_INS: u32 = 12;
/// Steps that a door makes by itself in a second, at most: it tells uses, looks for letters, renews its lease, keeps house. Beats are
/// not among them: they are sent by their text, not by their hash.
const OWN_STEPS_A_SECOND: f64 = 8.0;

/// How often Redis has been asked for a step or a reading, without the beats. What each kind costs it is printed: docs/scaling.md.
fn steps(redis: &Redis) -> u64 {
    let said = redis.say(&["INFO", "commandstats"]);
    for line in said
        .lines()
        .filter(|line| line.starts_with("cmdstat_eval") || line.starts_with("cmdstat_xread"))
    {
        println!("{line}");
    }
    let calls = said.lines().find_map(|line| {
        let rest = line.strip_prefix("cmdstat_evalsha:calls=")?;
        rest.split(',').next()?.parse().ok()
    });
    calls.expect("a count of steps")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_asks_redis_nothing() {
    let stage = Stage::open().await;
    let ada = stage.signed_in("ada").await;
    let doors = stage.at_both(&ada);
    let (before, began) = (steps(&stage.redis), Instant::now());
    for number in 0..REQUESTS {
        ask(&doors[number as usize % 2]).await.expect(200);
    }
    let (asked, took) = (steps(&stage.redis) - before, began.elapsed().as_secs_f64());
    println!("{asked} steps during {REQUESTS} requests in {took:.1} s");
    assert!(
        asked as f64 <= 2.0 * OWN_STEPS_A_SECOND * (took + 1.0),
        "{asked} steps during {REQUESTS} requests in {took:.1} s"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_asks_redis_a_few_times() {
    let stage = Stage::open().await;
    stage.signed_in("ada").await;
    let (before, began) = (steps(&stage.redis), Instant::now());
    for _sign_in in 0..SIGN_INS {
        stage.one.signed_in_patiently("console", "ada").await;
    }
    let (asked, took) = (steps(&stage.redis) - before, began.elapsed().as_secs_f64());
    let own = 2.0 * OWN_STEPS_A_SECOND * (took + 1.0);
    println!("{asked} steps, {own:.0} of them the doors' own at most, for {SIGN_INS} sign-ins");
    // Looks whether the other door has heard are most of them, and a slow machine takes more.
    assert!((asked as f64 - own) / f64::from(SIGN_INS) < 200.0, "{asked}");
}
