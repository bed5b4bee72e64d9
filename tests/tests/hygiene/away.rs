//! A console that is not there, says nothing, or talks nonsense.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_is_not_there_is_a_page_with_a_support_code_in_bounded_time() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", nobody.local_addr().expect("an address"));
    drop(nobody);
    let ways = Ways::open(Door::plan().site("console", &url).policy(POLICY), &["console"]).await;
    for way in Way::ALL {
        let visitor = ways.visitor(way, "console");
        let started = Instant::now();
        let answer = visitor.get("/open/page").await.expect(502);
        assert!(started.elapsed() < BOUNDED, "{way:?}: {:?}", started.elapsed());
        assert_eq!(answer.json()["error"], "upstream_unreachable", "{way:?}");
        let page = visitor
            .always("accept", "text/html")
            .get("/open/page")
            .await
            .expect(502);
        let admin = ways.door.admin();
        let code = answer.json()["support_code"]
            .as_str()
            .expect("a support code")
            .to_owned();
        let noted = soon("the code is in the audit", async || {
            admin.audit(&format!("support_code={code}")).await.pop()
        })
        .await;
        assert_eq!(noted["reason"], "upstream_unreachable", "{noted}");
        assert!(
            page.header("content-type")
                .is_some_and(|kind| kind.starts_with("text/html")),
            "{way:?}"
        );
        assert!(
            page.text().to_lowercase().contains("support code"),
            "{way:?}: {}",
            page.text()
        );
    }
}

/// The console's time of one second, and what a busy machine adds.
const BOUNDED: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_takes_the_request_and_says_nothing_is_a_504_in_bounded_time() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let plan = Door::plan()
        .site_with("console", &url, "read_timeout = \"1s\"")
        .policy(POLICY);
    let ways = Ways::open(plan, &["console"]).await;
    for way in Way::ALL {
        let visitor = ways.visitor(way, "console");
        let started = Instant::now();
        let answer = visitor.get("/open/page").await.expect(504);
        assert!(started.elapsed() < BOUNDED, "{way:?}: {:?}", started.elapsed());
        assert_eq!(answer.json()["error"], "upstream_timeout", "{way:?}");
        assert!(answer.json()["support_code"].is_string(), "{way:?}");
        let page = visitor
            .always("accept", "text/html")
            .get("/open/page")
            .await
            .expect(504);
        assert!(
            page.text().to_lowercase().contains("support code"),
            "{way:?}: {}",
            page.text()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_breaks_off_or_talks_nonsense_is_a_502_and_no_more() {
    for answer in [
        "",
        "HTTP/1.1 200",
        "hello\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let playing = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                raw::read_head(&mut stream).await;
                tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes())
                    .await
                    .ok();
            }
        });
        let ways = Ways::open(Door::plan().site("console", &url).policy(POLICY), &["console"]).await;
        let reply = ways.door.visitor("console").get("/open/page").await.expect(502);
        assert!(reply.json()["support_code"].is_string(), "{answer:?}");
        playing.abort();
    }
}
