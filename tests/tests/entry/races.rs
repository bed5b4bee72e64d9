//! Guessing as fast as the wire allows.

use futures_util::future::join_all;
use serde_json::json;
use stagedoor_tests::{PASSWORD, eventually};

use crate::stage::{PATIENCE, Stage, sign_in, told};

const AT_ONCE: usize = 200;
/// As the rules of this story say.
const FAILURES_MAX: u32 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_wrong_passwords_at_once_no_more_are_looked_at_than_the_lock_allows() {
    let rules = format!("[lockout]\nfailures = {FAILURES_MAX}\nwithin = \"1h\"\nfor = \"1h\"\n");
    let stage = Stage::open(&rules).await;
    for name in ["bob", "nobody-of-that-name"] {
        let before = stage.hashes().await;
        let visitor = stage.visitor("127.0.0.1");
        // Who finds the door too busy is not counted; an attacker tries again, and so does this one.
        eventually("the name is locked", PATIENCE, async || {
            let guesses = (0..AT_ONCE).map(|number| {
                let guess = json!({ "username": name, "password": format!("guess number {number}") });
                let visitor = visitor.clone();
                async move { visitor.post_json("/.stagedoor/login", &guess).await }
            });
            let answers = join_all(guesses).await;
            for answer in &answers {
                assert!(matches!(answer.status.as_u16(), 401 | 503), "{}", answer.text());
            }
            answers
                .iter()
                .any(|answer| answer.json()["error"] == "locked")
                .then_some(())
        })
        .await;
        // The right one as the next is refused as well, and costs nothing.
        told(&sign_in(&visitor, name, PASSWORD).await, 401, "locked");
        let computed = stage.hashes().await - before;
        assert!(
            computed <= f64::from(FAILURES_MAX),
            "{name}: {computed} hashes were computed"
        );
        assert!(computed > 0.0, "{name}: the metric does not count");
    }
    // Whoever comes from elsewhere is not kept out by it.
    sign_in(&stage.visitor("127.0.0.9"), "bob", PASSWORD).await.expect(200);
}
