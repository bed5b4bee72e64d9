//! Consoles that must prove who they are before they learn anything.

use stagedoor_tests::Certificates;

use super::*;

fn fine() -> impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static {
    |_| FINE.to_vec()
}

/// A console inside TLS under this certificate.
async fn console(names: &[&str], until: (i32, u8, u8)) -> Recorder {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let certificates = Certificates::write_until(folder.path(), names, until);
    Recorder::answering_under(folder, certificates, fine()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_does_not_prove_who_it_is_gets_not_one_byte_of_a_request() {
    let other = console(&["console.test"], (4096, 1, 1)).await;
    for (what, names, until, settings, why) in [
        (
            "another name",
            &["other.test"][..],
            (4096, 1, 1),
            None,
            "not valid for name",
        ),
        (
            "an address for a name",
            &["127.0.0.1"],
            (4096, 1, 1),
            None,
            "not valid for name",
        ),
        ("expired", &["console.test"], (2001, 1, 1), None, "expired"),
        (
            "of nobody known",
            &["console.test"],
            (4096, 1, 1),
            Some(other.settings()),
            "invalid peer certificate",
        ),
        (
            "not of the public",
            &["console.test"],
            (4096, 1, 1),
            Some("tls_server_name = \"console.test\"\n".to_owned()),
            "",
        ),
    ] {
        let console = console(names, until).await;
        let settings = settings.unwrap_or_else(|| console.settings());
        let plan = Door::plan()
            .site_with("console", &console.url(), &settings)
            .policy(POLICY);
        let ways = Ways::open(plan, &["console"]).await;
        ways.door.admin().add_account("ada", "keeper").await;
        for way in Way::ALL {
            let ada = ways.signed_in(way, "console", "ada").await;
            let answer = ada.get("/page?secret=1").await;
            assert_eq!(
                answer.status,
                StatusCode::BAD_GATEWAY,
                "{what} {way:?}: {}",
                answer.text()
            );
            assert!(
                answer.json()["support_code"].is_string(),
                "{what} {way:?}: {}",
                answer.text()
            );
        }
        let ada = ways.signed_in(Way::Http1, "console", "ada").await;
        let handshake = format!(
            "GET /socket HTTP/1.1\r\n{}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            lines_of(&ada)
        );
        let answer = raw::exchange_over(ways.wire(Way::Http1, &ada).await, handshake).await;
        assert_eq!(raw::status(&answer), 502, "{what}: {answer}");
        assert_eq!(console.bytes(), 0, "{what}: the console read something");
        let log = ways.door.log();
        assert!(
            log.contains("did not prove who it is") && log.contains(why),
            "{what}: {log}"
        );
        assert!(!log.contains("secret=1"), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_without_a_name_proves_its_address() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let certificates = Certificates::write(folder.path(), &["127.0.0.1"]);
    let settings = format!("ca_file = {:?}\n", certificates.certificate);
    let console = Recorder::answering_under(folder, certificates, fine()).await;
    let plan = Door::plan()
        .site_with("console", &console.url(), &settings)
        .policy(POLICY);
    let ways = Ways::open(plan, &["console"]).await;
    ways.door.admin().add_account("ada", "keeper").await;
    let ada = ways.signed_in(Way::Http1, "console", "ada").await;
    assert_eq!(ada.get("/page").await.expect(200).text(), "fine");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_speaks_no_tls_gets_no_request() {
    let console = Recorder::answering(fine()).await;
    let url = console.url().replace("http:", "https:");
    let plan = Door::plan()
        .site_with("console", &url, "tls_server_name = \"console.test\"")
        .policy(POLICY);
    let ways = Ways::open(plan, &["console"]).await;
    ways.door.admin().add_account("ada", "keeper").await;
    let ada = ways.signed_in(Way::Http1, "console", "ada").await;
    // It waits for the end of what it takes for a header.
    assert_eq!(ada.get("/page").await.status, StatusCode::GATEWAY_TIMEOUT);
    assert!(console.seen().is_empty());
}
