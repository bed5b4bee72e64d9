//! Consoles that never come to an end.

use super::*;

/// A console that begins with `first`, and then says `again` every tenth of a second until nobody listens.
async fn drips(first: &'static str, again: &'static str) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                raw::read_head(&mut stream).await;
                let mut said = stream.write_all(first.as_bytes()).await;
                while said.is_ok() {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    said = stream.write_all(again.as_bytes()).await;
                }
            });
        }
    });
    (url, serving)
}

async fn door_before(url: &str, settings: &str) -> (Ways, Visitor) {
    let plan = Door::plan().site_with("console", url, settings).policy(POLICY);
    let ways = Ways::open(plan, &["console"]).await;
    ways.door.admin().add_account("ada", "keeper").await;
    let ada = ways.signed_in(Way::Http1, "console", "ada").await;
    (ways, ada)
}

/// All that comes back for a page, until the door closes the connection.
async fn asked_by_hand(ways: &Ways, ada: &Visitor) -> String {
    let request = format!("GET /page HTTP/1.1\r\n{}\r\n", lines_of(ada));
    raw::exchange_over(ways.wire(Way::Http1, ada).await, request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_never_ends_is_waited_for_no_longer_than_a_silence() {
    let (url, console) = drips("HTTP/1.1 200 OK\r\n", "X: y\r\n").await;
    let (ways, ada) = door_before(&url, "read_timeout = \"2s\"").await;
    let answer = asked_by_hand(&ways, &ada).await;
    assert_eq!(raw::status(&answer), 504, "{answer}");
    console.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_broken_off_when_the_total_time_is_over() {
    let (url, console) = drips("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "2\r\nok\r\n").await;
    let (ways, ada) = door_before(&url, "total_timeout = \"2s\"").await;
    let answer = asked_by_hand(&ways, &ada).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("ok"), "{answer}");
    assert!(!answer.contains("0\r\n\r\n"), "it does not look whole: {answer}");
    console.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_says_nothing_in_the_total_time_is_a_504() {
    let (url, console) = drips("", "").await;
    let (ways, ada) = door_before(&url, "total_timeout = \"1s\"").await;
    let answer = ada.get("/page").await.expect(504);
    assert_eq!(answer.json()["error"], "upstream_timeout");
    for way in [Way::Http1InTls, Way::Http2] {
        ways.signed_in(way, "console", "ada")
            .await
            .get("/page")
            .await
            .expect(504);
    }
    console.abort();
}
