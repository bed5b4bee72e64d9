//! Waiting for what happens elsewhere: asked again and again up to a deadline, never slept through.

use std::time::{Duration, Instant};

use crate::Reply;

/// Long enough for what is immediate on an idle machine, with room for a busy one.
const SOON: Duration = Duration::from_secs(20);
/// The product promises a second for the end of whatever is no longer permitted, in each process and at each door; a busy
/// machine may add the rest before it counts as not ended.
pub const ENDED_WITHIN: Duration = Duration::from_secs(6);
/// For a door that was asked for more than it takes on at once, on a busy machine.
const BUSY_AT_MOST: Duration = Duration::from_secs(90);
const BETWEEN_ASKINGS: Duration = Duration::from_millis(20);

/// Asks until there is an answer; fails the test, saying what was waited for, when there is none within `within`.
pub async fn eventually<T>(what: &str, within: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < within, "waited {within:?} in vain: {what}");
        tokio::time::sleep(BETWEEN_ASKINGS).await;
    }
}

/// [`eventually`], for what takes a moment.
pub async fn soon<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    eventually(what, SOON, ask).await
}

/// Asks until the door is not too busy to look (503): what it says then.
pub async fn when_not_busy(mut ask: impl AsyncFnMut() -> Reply) -> Reply {
    eventually("the door finds time", BUSY_AT_MOST, async || {
        let answer = ask().await;
        (answer.status != 503).then_some(answer)
    })
    .await
}

/// The time of the machine, in whole seconds since 1970, which the door under test goes by as well.
#[expect(
    clippy::disallowed_methods,
    reason = "the door is another process, whose clock no argument can replace"
)]
pub fn unix_seconds() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("it is after 1970").as_secs()
}
