//! By which names the listener is called, and from which pages.

use stagedoor_tests::raw;

use super::exchange;
use crate::stage::Stage;

const NAMED: &str = "hosts = [\"stagedoor.internal\"]";

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_gave_the_listener_reaches_nothing_behind_it() {
    let stage = Stage::open("").await;
    let port = stage.ways.door.admin;
    for path in ["/v1/accounts", "/metrics", "/livez", "/v1/openapi.json", "/"] {
        for host in [
            "evil.example".to_owned(),
            format!("evil.example:{port}"),
            format!("localhost.evil.example:{port}"),
            format!("127.0.0.1.evil.example:{port}"),
            format!("stagedoor.internal:{port}"),
            format!("0.0.0.0:{port}"),
            "169.254.169.254".to_owned(),
            "2130706433".to_owned(),
            "0x7f.1".to_owned(),
        ] {
            let answer = exchange(&stage, &format!("GET {path}"), &format!("Host: {host}\r\n")).await;
            assert!(matches!(raw::status(&answer), 400 | 403), "{path} {host}: {answer}");
        }
        for headers in [
            String::new(),
            format!("Host: localhost:{port}\r\nHost: evil.example\r\n"),
            format!("Host: localhost:{port}\r\nHost: localhost:{port}x\r\n"),
            format!("Host: localhost:{port}\r\nOrigin: http://evil.example\r\n"),
            format!("Host: localhost:{port}\r\nOrigin: null\r\n"),
            format!(
                "Host: localhost:{port}\r\nOrigin: http://localhost:{}\r\n",
                stage.ways.door.http
            ),
            format!("Host: localhost:{port}\r\nSec-Fetch-Site: cross-site\r\n"),
            format!("Host: localhost:{port}\r\nSec-Fetch-Site: same-site\r\n"),
        ] {
            let answer = exchange(&stage, &format!("GET {path}"), &headers).await;
            assert!(matches!(raw::status(&answer), 400 | 403), "{path} {headers}: {answer}");
            assert!(!answer.to_lowercase().contains("access-control-"), "{answer}");
        }
        let absolute = format!("GET http://evil.example{path}");
        let answer = exchange(&stage, &absolute, &format!("Host: localhost:{port}\r\n")).await;
        assert!(matches!(raw::status(&answer), 400 | 403), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_from_the_file_is_answered_to_from_the_next_reload_on() {
    let stage = Stage::open("").await;
    let port = stage.ways.door.admin;
    let named = format!("Host: stagedoor.internal:{port}\r\n");
    assert_eq!(raw::status(&exchange(&stage, "GET /v1/accounts", &named).await), 403);
    let file = stage.ways.door.building_file();
    let building = std::fs::read_to_string(&file).expect("the file");
    let changed = building.replace("[admin]\n", &format!("[admin]\n{NAMED}\n"));
    std::fs::write(&file, changed).expect("the file can be written");
    stagedoor_tests::soon("the name is answered to", async || {
        let answer = exchange(&stage, "GET /v1/accounts", &named).await;
        (raw::status(&answer) == 200).then_some(())
    })
    .await;
    for host in ["x.stagedoor.internal", "stagedoor.internal.evil.example", "internal"] {
        let answer = exchange(&stage, "GET /v1/accounts", &format!("Host: {host}:{port}\r\n")).await;
        assert_eq!(raw::status(&answer), 403, "{host}");
    }
    let foreign = format!("{named}Origin: http://evil.example\r\n");
    assert_eq!(raw::status(&exchange(&stage, "GET /v1/accounts", &foreign).await), 403);
}
