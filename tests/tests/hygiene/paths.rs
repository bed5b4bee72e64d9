//! What two servers could read differently never gets past the door.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_reserved_prefix_is_never_forwarded_and_its_neighbours_are() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        let before = stage.console.bytes();
        for path in [
            "/.stagedoor",
            "/.stagedoor/",
            "/.stagedoor/login",
            "/.stagedoor/nothing-here",
            "/.stagedoor/login/deeper",
            "/.stagedoor?x=1",
            "/.%73tagedoor/nothing",
            "/.stagedoor%2flogin",
            "/.stagedoor/../page",
            "/%2estagedoor/x",
        ] {
            ada.get(path).await;
            assert_eq!(stage.console.bytes(), before, "{way:?} {path}");
        }
        ada.get("/.stagedoorx/page").await.expect(200);
        assert_eq!(stage.console.last().target(), "/.stagedoorx/page", "{way:?}");
    }
}

/// Targets that two servers could read differently, as a client library still sends them.
const AMBIGUOUS: [&str; 30] = [
    "/open/../admin",
    "/open/./admin",
    "/open/%2e%2e/admin",
    "/open/.%2E/admin",
    "/open/%2e%2e",
    "/open//admin",
    "//admin",
    "/open/..%2fadmin",
    "/open%2fadmin",
    "/open/..%5cadmin",
    "/open\\..\\admin",
    "/open/%252e%252e/admin",
    "/%2561dmin",
    "/open/..;/admin",
    "/open/..;x=1/admin",
    "/;/admin",
    "/admin;jsessionid=1/users",
    "/admin%3bx",
    "/admin%00",
    "/admin%00.png",
    "/admin/x%0a",
    "/admin%0d%0aX:y",
    "/open%23/../admin",
    "/admin%3f.css",
    "/open/%c0%ae%c0%ae/admin",
    "/open/%ff",
    "/open/%",
    "/open/%2",
    "/open/%zz",
    "/open/%u002e%u002e/admin",
];

#[tokio::test(flavor = "multi_thread")]
async fn an_ambiguous_path_is_refused_by_every_way_before_a_byte_reaches_the_console() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let (ada, nobody) = (stage.ada(way).await, stage.ways.visitor(way, "console"));
        for path in AMBIGUOUS {
            for visitor in [&ada, &nobody] {
                let before = stage.console.bytes();
                visitor.get(path).await.expect(400);
                assert_eq!(stage.console.bytes(), before, "{way:?} {path}");
            }
        }
        ada.get("/open/caf%C3%A9?q=..%2f%00;//").await.expect(200);
        assert_eq!(
            stage.console.last().target(),
            "/open/caf%C3%A9?q=..%2f%00;//",
            "{way:?}"
        );
    }
    // Refusals are noted with the code of what was wrong.
    let admin = stage.ways.door.admin();
    soon("the refusals are in the audit", async || {
        let refused = admin.audit("event=request.refused&limit=200").await;
        refused
            .iter()
            .any(|event| event["reason"] == "encoded_dot")
            .then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_line_that_is_none_is_refused_and_the_next_visitor_is_not_harmed() {
    let stage = Stage::open().await;
    for way in Way::BY_HAND {
        let ada = stage.ada(way).await;
        for target in [
            "admin/users",
            "file:/admin",
            "http:admin/x",
            "?x=/admin",
            "*",
            "@/admin",
            " /admin",
            "/ad\tmin",
            "/ad\0min",
            "/ad\u{7f}min",
            "/caf\u{e9}",
            "",
            "http://other.localhost/page",
            "http://ada@console.localhost/page",
            "http://console.localhost",
            "\\admin",
        ] {
            let before = stage.console.bytes();
            let answer = stage
                .by_hand(way, &ada, &format!("GET {target} HTTP/1.1\r\nHEADERS\r\n"))
                .await;
            let status = raw::status(&answer);
            assert_eq!(status, 400, "{way:?} {target:?}: {answer}");
            assert_eq!(stage.console.bytes(), before, "{way:?} {target:?}");
        }
        for method in ["TRACE", "CONNECT", "PROPFIND", "GETX", "get"] {
            let before = stage.console.bytes();
            let answer = stage
                .by_hand(way, &ada, &format!("{method} /page HTTP/1.1\r\nHEADERS\r\n"))
                .await;
            assert!(matches!(raw::status(&answer), 400 | 405), "{way:?} {method}: {answer}");
            assert_eq!(stage.console.bytes(), before, "{way:?} {method}");
        }
        for hosts in [
            "",
            "Host: console.localhost\r\nHost: other.localhost\r\n",
            "Host: other.localhost\r\n",
            "Host: a b\r\n",
        ] {
            let before = stage.console.bytes();
            let wire = stage.ways.wire(way, &ada).await;
            let request = format!("GET /open/page HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
            let answer = raw::exchange_over(wire, request).await;
            assert!(matches!(raw::status(&answer), 400 | 421), "{way:?} {hosts:?}: {answer}");
            assert_eq!(stage.console.bytes(), before, "{way:?} {hosts:?}");
        }
        ada.get("/clean").await.expect(200);
        assert_eq!(stage.console.last().target(), "/clean", "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pingora_would_cut_off_or_escape_is_refused() {
    let stage = Stage::open().await;
    for way in Way::BY_HAND {
        let nobody = stage.ways.visitor(way, "console");
        for target in [
            "/admin#/open/x",
            "/open/x#/../../admin",
            "/open /admin",
            "/admin /open/x",
            "/open/a /admin",
        ] {
            let before = stage.console.bytes();
            let wire = stage.ways.wire(way, &nobody).await;
            let request = format!("GET {target} HTTP/1.1\r\nHost: console.localhost\r\nConnection: close\r\n\r\n");
            let answer = raw::exchange_over(wire, request).await;
            assert_eq!(raw::status(&answer), 400, "{way:?} {target}: {answer}");
            assert_eq!(stage.console.bytes(), before, "{way:?} {target}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absolute_target_for_this_very_host_reaches_the_console_in_origin_form() {
    let stage = Stage::open().await;
    for way in Way::BY_HAND {
        let ada = stage.ada(way).await;
        let request = "GET http://console.localhost/page?x HTTP/1.1\r\nHEADERS\r\n";
        let answer = stage.by_hand(way, &ada, request).await;
        assert_eq!(raw::status(&answer), 200, "{way:?}: {answer}");
        assert_eq!(stage.console.last().target(), "/page?x", "{way:?}");
    }
}
