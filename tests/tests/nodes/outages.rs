//! Redis is gone, stuck, back again, or has lost a word: nobody is let in by what may no longer be so, and all goes on by itself.

use std::time::Instant;

use futures_util::StreamExt as _;
use stagedoor_tests::soon;

use super::*;

/// A door refuses as who cannot tell, no later than promised.
async fn refuses(visitor: &Visitor) {
    let refused = eventually("the door refuses", ENDED_WITHIN, async || {
        let answer = ask_while_it_may_end(visitor).await?;
        (answer.status != 200).then_some(answer)
    })
    .await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.json()["error"], "store_lost");
}

async fn serves(visitor: &Visitor) {
    eventually("the door serves again", PATIENCE, async || {
        (ask_while_it_may_end(visitor).await?.status == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_stuck_or_gone_both_doors_refuse_and_afterwards_they_serve_by_themselves() {
    let mut stage = Stage::open().await;
    let ada = stage.signed_in("ada").await;
    let doors = stage.at_both(&ada);
    for stuck in [true, false] {
        for door in &doors {
            serves(door).await;
        }
        let mut socket = doors[1].websocket("/socket").await.expect("a WebSocket opens");
        if stuck {
            stage.redis.pause();
        } else {
            stage.redis.kill();
        }
        let began = Instant::now();
        for door in &doors {
            refuses(door).await;
        }
        println!("refused within {:?}", began.elapsed());
        let until_closed = async { while let Some(Ok(_)) = socket.next().await {} };
        let closed = tokio::time::timeout(ENDED_WITHIN, until_closed).await;
        assert!(closed.is_ok(), "the WebSocket outlives the lease");
        if stuck {
            stage.redis.go_on();
        } else {
            stage.redis.start_again();
        }
        for door in &doors {
            serves(door).await;
        }
    }
    // Nothing could be written while it lasted; it is written now.
    eventually("the refusals are in the audit", PATIENCE, async || {
        let refused = stage.two.admin().audit("event=request.refused&limit=1000").await;
        let nodes = ["one", "two"].map(|name| {
            let seen = |event: &&serde_json::Value| event["reason"] == "store_lost" && event["details"]["node"] == name;
            refused.iter().filter(seen).count()
        });
        nodes.iter().all(|seen| *seen >= 2).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_may_let_people_view_or_go_on_for_a_while() {
    for (rule, posts) in [("view-only", 503), ("last-known", 200)] {
        let settings = format!("on_store_loss = \"{rule}\"\non_store_loss_for = \"1h\"");
        let stage = Stage::with(&settings).await;
        let ada = stage.signed_in("ada").await;
        let there = stage.two.visited_by(&ada);
        let post = async || {
            let request = Request::post("/page").body(body_of("")).expect("a request");
            there.send(request).await
        };
        assert_eq!(post().await.status, 200, "while all is well");
        stage.redis.pause();
        eventually("the rule holds", PATIENCE, async || {
            (post().await.status == posts).then_some(())
        })
        .await;
        ask(&there).await.expect(200);
        let unknown = stage.two.visitor("console");
        unknown.put_cookie("stagedoor", "made up");
        assert_ne!(ask(&unknown).await.status, 200, "{rule}: who was never known");
        stage.redis.go_on();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_cost_no_revocation() {
    let stage = Stage::open().await;
    stage.add("ada").await;
    for _round in 0..3 {
        let ada = stage.one.signed_in_patiently("console", "ada").await;
        let there = stage.two.visited_by(&ada);
        serves(&there).await;
        stage.redis.say(&["CLIENT", "KILL", "TYPE", "normal"]);
        let here = stage.one.visited_by(&ada);
        soon("a sign-out that is acknowledged", async || {
            here.sign_out().await.status.is_success().then_some(())
        })
        .await;
        let refused = ask(&there).await;
        assert!([401, 503].contains(&refused.status.as_u16()), "{}", refused.text());
        eventually("the other door knows", PATIENCE, async || {
            (ask(&there).await.status == 401).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_lost_on_its_way_is_noticed_and_everything_is_read_anew() {
    let stage = Stage::open().await;
    let ada = stage.signed_in("ada").await;
    let doors = stage.at_both(&ada);
    for door in &doors {
        serves(door).await;
    }
    let id = stage.one.admin().sessions("ada").await[0]["id"].clone();
    let id = id.as_str().expect("an id").replace('-', "");
    // The session ends in the store, its change has a number, and nothing was written of it: so it looks when it was lost.
    let end = "redis.call('HSET', '{stagedoor}:session:' .. ARGV[1], 'ended_at', '1', 'ended_reason', ARGV[2]) \
        return redis.call('INCR', '{stagedoor}:changes_number')";
    let reason = "{\"reason\":\"ended_by_administrator\"}";
    let said = stage.redis.say(&["EVAL", end, "1", "{stagedoor}:x", &id, reason]);
    assert!(said.parse::<u64>().is_ok(), "{said}");
    for door in &doors {
        eventually("the end is known", ENDED_WITHIN, async || {
            (ask_while_it_may_end(door).await?.status == 401).then_some(())
        })
        .await;
    }
    assert!(stage.two.log().contains("a change was missed"), "{}", stage.two.log());
}
