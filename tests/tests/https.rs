//! Plain HTTP sent on to HTTPS, and browsers told to come by it alone.

use http::{Method, Request, header};
use serde_json::json;
use stagedoor_tests::{Door, PASSWORD, Recorder, Reply, Visitor, Way, Ways, body_of, soon};

const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\n\
    open = { paths = [\"/open/**\"], open_to = \"everyone\" }\n\n[role.keeper]\nmay = { \"*\" = \"all\" }\n";
const HSTS: &str = "strict-transport-security";
const CONSOLES_OWN: &str = "max-age=1; includeSubDomains; preload";

/// A door with these settings in front of a console that has a promise of its own to make.
async fn open(settings: &[(&str, &str)]) -> (Ways, Recorder) {
    let console = Recorder::answering(|_| {
        let head = format!("HTTP/1.1 200 OK\r\nStrict-Transport-Security: {CONSOLES_OWN}\r\nContent-Length: 2\r\n\r\n");
        [head.as_bytes(), b"ok"].concat()
    })
    .await;
    let mut plan = Door::plan().site("console", &console.url()).policy(POLICY);
    for (name, value) in settings {
        plan = plan.environment(name, value);
    }
    let ways = Ways::open(plan, &["console"]).await;
    ways.door.admin().add_account("ada", "keeper").await;
    (ways, console)
}

async fn ask(visitor: &Visitor, method: Method, path: &str, body: &str) -> Reply {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::ACCEPT, "text/html");
    visitor
        .send(request.body(body_of(body.to_owned())).expect("a request"))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_is_sent_on_to_https_and_serves_nothing_else() {
    let (ways, console) = open(&[
        ("STAGEDOOR_LISTEN_REDIRECT_TO_HTTPS", "true"),
        ("STAGEDOOR_TLS_HSTS", "180d"),
    ])
    .await;
    let https = ways.door.https.expect("a port of TLS");
    for way in [Way::Http1, Way::Http2InClear] {
        let visitor = ways.visitor(way, "console");
        for path in [
            "/open/page?x=1&y=%2F",
            "/",
            "/.stagedoor/login?to=/a",
            "/.stagedoor/jwks.json",
            "/nowhere",
        ] {
            for method in [Method::GET, Method::HEAD] {
                let sent = ask(&visitor, method, path, "").await.expect(308);
                let to = format!("https://console.localhost:{https}{path}");
                assert_eq!(sent.header("location"), Some(to.as_str()), "{way:?}");
                assert_eq!(sent.header("cache-control"), Some("no-store"), "it can be taken back");
                assert_eq!(sent.header(HSTS), None, "{way:?}: not in clear");
            }
        }
        for method in [
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
        ] {
            let refused = ask(&visitor, method, "/open/page", "x=1").await.expect(403);
            assert_eq!(refused.header("location"), None);
        }
        let refused = visitor.sign_in("ada", PASSWORD).await.expect(403);
        assert_eq!(refused.json()["error"], "https_required");
        assert_eq!(visitor.cookie_header(), None, "{way:?}");
        // What cannot be told is not sent anywhere.
        ask(&visitor, Method::GET, "/a%2F..%2Fb", "").await.expect(400);
        let elsewhere = ways.visitor(way, "evil");
        assert_eq!(
            ask(&elsewhere, Method::GET, "/open/page", "")
                .await
                .expect(421)
                .header("location"),
            None
        );
    }
    assert_eq!(console.bytes(), 0, "nothing came to the console in clear");
    ways.door.readiness().await.expect(200);
    ways.door.admin().get("/metrics").await.expect(200);
    soon("the refusals are in the audit", async || {
        let noted = ways.door.admin().audit("limit=1000").await;
        noted
            .iter()
            .any(|event| event["reason"] == "https_required")
            .then_some(())
    })
    .await;

    for way in [Way::Http1InTls, Way::Http2] {
        let ada = ways.signed_in(way, "console", "ada").await;
        let served = ask(&ada, Method::POST, "/open/page", "x=1").await.expect(200);
        assert_eq!(
            served.header(HSTS),
            Some("max-age=15552000"),
            "{way:?}: the door's word for the console's"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_in_tls_says_for_how_long_to_come_by_https_alone() {
    let (ways, _console) = open(&[("STAGEDOOR_TLS_HSTS", "1h")]).await;
    for way in Way::ALL {
        let visitor = ways.visitor(way, "console");
        let promised = way.is_secure().then_some("max-age=3600");
        for (path, status) in [
            ("/.stagedoor/login", 200),
            ("/.stagedoor/nothing", 404),
            ("/.stagedoor/jwks.json", 200),
            ("/closed", 303),
            ("/a%2Fb", 400),
        ] {
            let reply = ask(&visitor, Method::GET, path, "").await.expect(status);
            assert_eq!(reply.header(HSTS), promised, "{way:?} {path}");
        }
        let refused = visitor.sign_in("ada", "a wrong password").await.expect(401);
        assert_eq!(refused.header(HSTS), promised, "{way:?}");
        let elsewhere = visitor.post_json("/closed", &json!({})).await.expect(401);
        assert_eq!(elsewhere.header(HSTS), promised, "{way:?}");
        // In clear the console's own word is the console's own business: a proxy in front may end TLS.
        let console = ask(&visitor, Method::GET, "/open/page", "").await.expect(200);
        assert_eq!(console.header(HSTS), promised.or(Some(CONSOLES_OWN)), "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_settings_plain_http_is_served_and_nothing_is_promised() {
    let (ways, _console) = open(&[]).await;
    for way in Way::ALL {
        let visitor = ways.visitor(way, "console");
        let page = ask(&visitor, Method::GET, "/.stagedoor/login", "").await.expect(200);
        assert_eq!(page.header(HSTS), None, "{way:?}");
        let console = ask(&visitor, Method::GET, "/open/page", "").await.expect(200);
        assert_eq!(console.header(HSTS), Some(CONSOLES_OWN), "{way:?}");
    }
}
