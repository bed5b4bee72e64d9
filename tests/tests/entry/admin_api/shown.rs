//! What is shown to whom: probes, metrics, files.

use std::os::unix::fs::PermissionsExt as _;

use http::Request;
use stagedoor_tests::{Visitor, body_of};

use crate::stage::{ROOMY, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn probes_answer_by_head_and_nothing_is_there_that_was_not_meant_to_be() {
    let stage = Stage::open(ROOMY).await;
    let at = stage.ways.door.admin_address();
    let (stranger, bob) = (Visitor::new(at, at.to_string()), stage.signed_in("bob").await);
    for path in ["/livez", "/readyz", "/metrics"] {
        let request = Request::head(path).body(body_of("")).expect("a request");
        let answer = stranger.send(request).await.expect(200);
        assert!(answer.body.is_empty(), "{path}");
    }
    for path in [
        "/debug/pprof/",
        "/debug/pprof/heap",
        "/debug/vars",
        "/debug",
        "/actuator/env",
        "/actuator/heapdump",
        "/server-status",
        "/.env",
        "/.git/config",
        "/config",
        "/v1/debug",
        "/v1/config",
        "/metrics/",
        "//metrics",
        "/Metrics",
        "/metrics/x",
        "/livez/../v1/accounts",
        "/livez/%2e%2e/v1/accounts",
        "/livez;/v1/accounts",
        "/%6cetrics",
    ] {
        stranger.get(path).await.expect(401);
        stage.admin.get(path).await.expect(404);
        // Nor do visitors find any of it, or the real one, at the door.
        for path in [
            path,
            "/metrics",
            "/livez",
            "/readyz",
            "/v1/accounts",
            "/.stagedoor/metrics",
        ] {
            let answer = bob.get(path).await;
            assert!(
                matches!(answer.status.as_u16(), 400 | 403 | 404),
                "{path}: {}",
                answer.status
            );
        }
    }
    assert_eq!(stage.console.bytes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_name_nobody() {
    let stage = Stage::open(ROOMY).await;
    let name = "conspicuous-person";
    stage.admin.add_account(name, "user").await;
    let visitor = stage.signed_in(name).await;
    visitor.get("/app/conspicuous-path?conspicuous=query").await.expect(200);
    visitor.get("/admin/conspicuous-path").await.expect(403);
    visitor.get("/conspicuous%2fpath").await.expect(400);
    crate::stage::sign_in(&visitor, "conspicuous-stranger", "x").await;
    stage.ways.door.visitor("conspicuous-host").get("/").await.expect(421);
    let request = Request::builder().method("CONSPICUOUS").uri("/app/page");
    visitor
        .send(request.body(body_of("")).expect("a request"))
        .await
        .expect(405);
    let page = stage.admin.get("/metrics").await.expect(200).text();
    let session = visitor.cookie("stagedoor").expect("a session");
    for telling in [
        "onspicuous",
        "127.0.0.1",
        &session,
        stage.admin.token(),
        "ada",
        "CONSPICUOUS",
    ] {
        assert!(!page.contains(telling), "{telling} is in the metrics:\n{page}");
    }
    assert!(page.contains("stagedoor_requests_total{"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_door_writes_down_is_for_its_own_user_alone() {
    let stage = Stage::open("").await;
    stage.signed_in("bob").await;
    let data = stage.ways.door.folder().join("data");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let files: Vec<_> = std::fs::read_dir(&data)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    // On Redis there is the token for the commands of this machine alone.
    let files_min = if stage.ways.door.is_on_redis() { 1 } else { 2 };
    assert!(files.len() >= files_min, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}
