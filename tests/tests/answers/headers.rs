//! What the door adds to a console's answers, and what it takes out of requests that speak for nobody.

use super::*;

fn page(headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n{headers}\r\nfine").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_is_framed_by_whom_the_site_says_and_its_own_policy_stands_beside() {
    for (settings, said, framed) in [
        ("", Some("frame-ancestors 'self'"), true),
        ("frame_ancestors = [\"none\"]", Some("frame-ancestors 'none'"), true),
        (
            "frame_ancestors = [\"https://portal.test\"]",
            Some("frame-ancestors https://portal.test"),
            false,
        ),
        ("frame_ancestors = [\"any\"]", None, true),
    ] {
        let own = page("Content-Security-Policy: default-src 'self'\r\nX-Frame-Options: SAMEORIGIN\r\n");
        let interim = [&b"HTTP/1.1 103 Early Hints\r\n\r\n"[..], &own].concat();
        let console = Recorder::answering(by_path(vec![("/page", own), ("/interim", interim)])).await;
        let stage = Stage::before(console, settings, |plan| plan).await;
        for way in Way::ALL {
            let ada = stage.visitor(way, "ada").await;
            for path in ["/page", "/interim"] {
                let answer = ada.get(path).await.expect(200);
                let policies: Vec<_> = answer.headers.get_all(header::CONTENT_SECURITY_POLICY).iter().collect();
                let expected: Vec<_> = ["default-src 'self'"].into_iter().chain(said).collect();
                assert_eq!(policies, expected, "{way:?} {settings} {path}");
                assert_eq!(answer.header("x-frame-options").is_some(), framed, "{way:?} {settings}");
            }
        }
        let ada = stage.visitor(Way::Http1, "ada").await;
        let request = format!("GET /interim HTTP/1.1\r\n{}Connection: close\r\n\r\n", lines_of(&ada));
        let answer = raw::exchange_over(stage.ways.wire(Way::Http1, &ada).await, request).await;
        let (interim, _) = answer.split_once("\r\n\r\n").expect("an interim answer");
        assert!(
            interim.contains("103") && !interim.to_lowercase().contains("content-security-policy"),
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_had_a_part_in_is_for_no_shared_cache_and_what_is_public_stays_so() {
    let answers = vec![
        ("/open/public", page("Cache-Control: public, max-age=60\r\n")),
        (
            "/open/shared",
            page("Cache-Control: s-maxage=60\r\nSurrogate-Control: max-age=60\r\n"),
        ),
        ("/open/silent.css", page("")),
        ("/open/kept", page("Cache-Control: private, max-age=5\r\n")),
    ];
    let stage = Stage::before(Recorder::answering(by_path(answers)).await, "", |plan| plan).await;
    for way in Way::ALL {
        let (ada, nobody) = (stage.visitor(way, "ada").await, stage.ways.visitor(way, "console"));
        for (path, hers, anybodys) in [
            ("/open/public", Some("max-age=60, private"), Some("public, max-age=60")),
            ("/open/shared", Some("private"), Some("s-maxage=60")),
            ("/open/silent.css", Some("no-store"), None),
            ("/open/kept", Some("private, max-age=5"), Some("private, max-age=5")),
        ] {
            let answer = ada.get(path).await.expect(200);
            assert_eq!(answer.header("cache-control"), hers, "{way:?} {path}");
            assert_eq!(answer.header("surrogate-control"), None, "{way:?} {path}");
            let answer = nobody.get(path).await.expect(200);
            assert_eq!(answer.header("cache-control"), anybodys, "{way:?} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_reaches_a_console_only_where_the_site_says_so_and_speaks_for_nobody() {
    for (preflight, stranger) in [("refuse", 401), ("forward", 200)] {
        let policy = format!("[site.console]\npreflight = \"{preflight}\"\n{POLICY}");
        let stage = Stage::before(Recorder::start().await, "", |plan| plan.policy(&policy)).await;
        for way in Way::ALL {
            let (ada, nobody) = (stage.visitor(way, "ada").await, stage.ways.visitor(way, "console"));
            let request = || {
                let request = Request::options("/page").header(header::ORIGIN, "https://other.test");
                let request = request.header(header::ACCESS_CONTROL_REQUEST_METHOD, "PUT");
                request.body(body_of("")).expect("a request")
            };
            let before = stage.console.bytes();
            nobody.send(request()).await.expect(stranger);
            assert_eq!(stage.console.bytes() == before, stranger == 401, "{way:?} {preflight}");
            ada.send(request()).await.expect(200);
            let users = stage.console.last().values("x-stagedoor-user").len();
            assert_eq!(users, usize::from(preflight == "refuse"), "{way:?} {preflight}");
            // Without the headers of a preflight it is an OPTIONS like any other request.
            let plain = Request::options("/page").body(body_of("")).expect("a request");
            nobody.send(plain).await.expect(401);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_for_one_hop_and_their_twins_go_no_further_by_either_way() {
    let stage = Stage::before(Recorder::start().await, "", |plan| plan).await;
    let upgrade = "Connection: Upgrade, X-Named\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for way in Way::BY_HAND {
        let ada = stage.visitor(way, "ada").await;
        for kind in ["Connection: close, X-Named\r\nUpgrade: h2c\r\n", upgrade] {
            let forged = "TE: trailers\r\nTrailer: X\r\nKeep-Alive: timeout=9\r\nProxy-Connection: keep-alive\r\n\
                Proxy-Authorization: Basic Zm9yZ2Vk\r\nHTTP2-Settings: forged\r\nProxy: forged\r\nX-Named: forged\r\n\
                Keep_Alive: forged\r\nProxy_Connection: forged\r\n\
                X-HTTP-Host-Override: forged\r\nX-Envoy-Original-Path: /forged\r\nX_SSL_Client_Cert: forged\r\n";
            let request = format!("GET /page HTTP/1.1\r\n{}{kind}{forged}\r\n", lines_of(&ada));
            let mut wire = stage.ways.wire(way, &ada).await;
            wire.write_all(request.as_bytes()).await.expect("it is open");
            let answer = raw::read_head(&mut wire).await;
            assert_eq!(raw::status(&answer), 200, "{way:?}: {answer}");
            let head = stage.console.last().head.to_lowercase();
            for gone in [
                "forged",
                "zm9yz2vk",
                "\r\nte:",
                "\r\ntrailer:",
                "keep-alive",
                "http2-settings",
                "h2c",
            ] {
                assert!(!head.contains(gone), "{way:?} {gone}:\n{head}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_a_head_request_is_whole_by_every_way() {
    let stage = Stage::before(Recorder::start().await, "", |plan| plan).await;
    for way in Way::ALL {
        let head = Request::head("/page").header(header::ACCEPT, "application/json");
        let answer = stage
            .ways
            .visitor(way, "console")
            .send(head.body(body_of("")).expect("a request"))
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{way:?}");
        assert_eq!(answer.text(), "", "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_in_the_middle_of_an_upload_is_told_so_and_may_go_on() {
    let stage = Stage::before(Recorder::start().await, "body_bytes_max = \"200KiB\"", |plan| plan).await;
    let body = "x".repeat(500 * 1024);
    for way in Way::ALL {
        let ada = stage.visitor(way, "ada").await;
        let answer = ada.post("/upload", body.clone()).await.expect(413);
        assert_eq!(answer.json()["error"], "body_too_large", "{way:?}");
        let answer = stage
            .ways
            .visitor(way, "console")
            .post("/upload", body.clone())
            .await
            .expect(401);
        assert_eq!(answer.json()["error"], "sign_in_required", "{way:?}");
    }
    for way in Way::BY_HAND {
        let ada = stage.visitor(way, "ada").await;
        let mut wire = stage.ways.wire(way, &ada).await;
        let request = "POST /upload HTTP/1.1\r\nHost: console.localhost\r\nContent-Length: 512000\r\n\r\n";
        wire.write_all([request, &body].concat().as_bytes())
            .await
            .expect("it is open");
        let (head, _) = read_answer(&mut wire).await;
        assert_eq!(raw::status(&head), 401, "{way:?}: {head}");
        let request = format!("GET /page HTTP/1.1\r\n{}\r\n", lines_of(&ada));
        wire.write_all(request.as_bytes()).await.expect("it is still open");
        let (head, _) = read_answer(&mut wire).await;
        assert_eq!(raw::status(&head), 200, "{way:?}: {head}");
    }
}
