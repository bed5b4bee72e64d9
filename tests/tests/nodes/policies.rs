//! One policy for all doors: what one is given the others run, or say that they cannot.

use futures_util::StreamExt as _;
use serde_json::Value;

use super::*;

/// Which revision the probe of a door says is in force, and what it says of all.
async fn readiness(door: &Door) -> (String, bool, String) {
    let body = door.readiness().await.json();
    let check = |name: &str| {
        let checks = body["checks"].as_array().cloned().unwrap_or_default();
        checks.into_iter().find(|check| check["name"] == name).expect("a check")
    };
    let nodes = check("nodes");
    let text = |value: &Value| value["detail"].as_str().unwrap_or_default().to_owned();
    (text(&check("policy")), nodes["ok"] == true, text(&nodes))
}

async fn replace(door: &Door, text: &str) {
    let answer = door.admin().replace_policy(text, "*").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_given_to_one_door_is_in_force_at_the_other_in_its_file_and_for_what_is_open_there() {
    let stage = Stage::open().await;
    let ada = stage.signed_in("ada").await;
    let there = stage.two.visited_by(&ada);
    let mut socket = there.websocket("/socket").await.expect("a WebSocket opens");
    let narrower = POLICY.replace("may = { \"*\" = \"all\" }", "may = {}");
    replace(&stage.one, &narrower).await;
    let until_closed = async { while let Some(Ok(_)) = socket.next().await {} };
    let closed = tokio::time::timeout(ENDED_WITHIN, until_closed).await;
    assert!(closed.is_ok(), "the WebSocket at the other door is still open");
    assert_eq!(ask(&there).await.status, 403);
    eventually("the file of the other door", PATIENCE, async || {
        (std::fs::read_to_string(stage.two.policy_file()).ok()? == narrower).then_some(())
    })
    .await;

    // And back, by the other door's file.
    std::fs::write(stage.two.policy_file(), POLICY).expect("written");
    for door in [&stage.one, &stage.two] {
        eventually("the policy of the file", PATIENCE, async || {
            (ask(&door.visited_by(&ada)).await.status == 200).then_some(())
        })
        .await;
        eventually("agreement", PATIENCE, async || {
            let (policy, agree, nodes) = readiness(door).await;
            (agree && policy.starts_with("revision 3") && nodes == "2 run revision 3").then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_cannot_run_a_policy_keeps_the_former_and_every_door_says_so() {
    let mut stage = Stage::open().await;
    // The first door has a site more than the second, so it alone can have rules for it.
    let building = std::fs::read_to_string(stage.one.building_file()).expect("read");
    let more = format!("{building}\n[site.extra]\nhosts = [\"extra.example\"]\nupstream = \"http://127.0.0.1:9\"\n");
    std::fs::write(stage.one.building_file(), more).expect("written");
    stage.one.kill();
    stage.one.start().await;
    let wider = format!("{POLICY}\n[site.extra.areas]\nall = {{ paths = [\"/**\"] }}\n");
    replace(&stage.one, &wider).await;

    for door in [&stage.one, &stage.two] {
        eventually("every probe says who cannot", PATIENCE, async || {
            let (_, agree, nodes) = readiness(door).await;
            (!agree && nodes.contains("`two` runs revision 1 and cannot run 2")).then_some(())
        })
        .await;
        assert_eq!(door.readiness().await.status, 200, "both serve");
    }
    // What a door runs it says with its next beat.
    eventually("each door's revision is shown", PATIENCE, async || {
        let told = stage.two.command(&["policy", "show"]);
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        let says = |line: &str, name: &str, what: &str| line.trim_start().starts_with(name) && line.contains(what);
        let one = told.lines().any(|line| says(line, "one", "revision 2"));
        let two = told.lines().any(|line| says(line, "two", "cannot run revision 2"));
        (one && two).then_some(())
    })
    .await;
    let status = stage.two.command(&["policy", "status"]);
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(status.contains("declares no site `extra`"), "{status}");
    let file = std::fs::read_to_string(stage.two.policy_file()).expect("read");
    assert!(!file.contains("extra"), "what cannot be in force is not in the file");

    // Started anew it still runs what it can, and says so.
    stage.two.kill();
    stage.two.start().await;
    let (policy, agree, _) = readiness(&stage.two).await;
    assert!(policy.starts_with("revision 1") && !agree, "{policy}");
    replace(&stage.one, POLICY).await;
    eventually("both can run the next one", PATIENCE, async || {
        let (policy, agree, _) = readiness(&stage.two).await;
        (agree && policy.starts_with("revision 3")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_changes_made_at_both_doors_at_once_one_is_first_and_the_other_is_told() {
    let stage = Stage::open().await;
    let tag = stage.one.admin().get("/v1/policy").await;
    let tag = tag.header("etag").expect("a tag").to_owned();
    let (longer, shorter) = (format!("{POLICY}idle = \"2h\"\n"), format!("{POLICY}idle = \"1h\"\n"));
    let (first, second) = (stage.one.admin(), stage.two.admin());
    let (one, two) = tokio::join!(
        first.replace_policy(&longer, &tag),
        second.replace_policy(&shorter, &tag)
    );
    let mut answers = [one.status.as_u16(), two.status.as_u16()];
    answers.sort_unstable();
    assert_eq!(answers, [200, 412], "{} {}", one.text(), two.text());
    let wins = if one.status == 200 { &longer } else { &shorter };
    for door in [&stage.one, &stage.two] {
        eventually("both run the first", PATIENCE, async || {
            (door.admin().get("/v1/policy").await.text() == *wins).then_some(())
        })
        .await;
    }
}
