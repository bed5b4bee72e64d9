//! An upstream that leads back to the door, or to its admin API, by a name that the check of the files could not see through.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::Method;
use serde_json::json;
use stagedoor_tests::{Admin, Door, PASSWORD, Relay, Visitor, soon};

const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\nopen = { paths = [\"/open/**\", \"/v1/**\", \"/metrics\"], \
    open_to = \"everyone\" }\n\n[role.keeper]\nmay = { \"*\" = \"all\" }\n\n[session]\nper_account = 0\n";
/// Stands in the file until the way back is known.
const NOWHERE: &str = "http://127.0.0.1:1";

/// A door whose console is, by way of a relay, at one of its own listeners.
struct Circle {
    door: Door,
    admin: Admin,
    _relay: Relay,
}

impl Circle {
    async fn to(listener: impl FnOnce(&Door) -> SocketAddr, settings: &str) -> Self {
        let plan = Door::plan().site_with("console", NOWHERE, settings).policy(POLICY);
        let mut door = plan.prepare();
        let relay = Relay::start(IpAddr::V4(Ipv4Addr::LOCALHOST), listener(&door)).await;
        let building = std::fs::read_to_string(door.building_file()).expect("the file");
        let building = building.replace(NOWHERE, &format!("http://{}", relay.address()));
        std::fs::write(door.building_file(), building).expect("the file can be written");
        door.start().await;
        let admin = door.admin();
        admin.add_account("ada", "keeper").await;
        Self {
            door,
            admin,
            _relay: relay,
        }
    }

    async fn ada(&self) -> Visitor {
        self.door.signed_in("console", "ada").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_back_to_the_door_is_answered_508_and_goes_round_once() {
    let circle = Circle::to(Door::address, "").await;
    let ada = circle.ada().await;
    for visitor in [&ada, &circle.door.visitor("console")] {
        let answer = visitor.get("/open/page").await.expect(508);
        assert_eq!(answer.json()["error"], "loop", "{}", answer.text());
    }
    ada.post("/open/page", "a body").await.expect(508);
    assert!(ada.websocket("/open/socket").await.is_err());
    let noted = soon("the audit tells of it", async || {
        let events = circle.admin.audit("event=request.refused&limit=100").await;
        let loops = events.iter().filter(|event| event["reason"] == "loop").count();
        (loops >= 4).then_some(loops)
    })
    .await;
    assert_eq!(noted, 4, "each request came back once");
    // No visitor can send the mark past the door, nor does a made-up one shut anybody out.
    let marked = circle
        .door
        .visitor("console")
        .always("x-stagedoor-door", "0123456789abcdef");
    marked.get("/.stagedoor/whoami").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_leads_to_the_admin_api_opens_nothing_of_it() {
    for settings in ["pass_host = true", "pass_host = false"] {
        let circle = Circle::to(Door::admin_address, settings).await;
        let ada = circle.ada().await;
        let keeper = ada
            .clone()
            .always("authorization", &format!("Bearer {}", circle.admin.token()));
        for visitor in [&ada, &keeper, &circle.door.visitor("console")] {
            for path in ["/v1/accounts", "/v1/accounts/ada", "/metrics", "/v1/openapi.json"] {
                let answer = visitor.get(path).await;
                assert!(
                    matches!(answer.status.as_u16(), 400 | 403 | 508),
                    "{settings} {path}: {}",
                    answer.status
                );
                assert!(
                    !answer.text().contains("stagedoor_"),
                    "{settings} {path}: {}",
                    answer.text()
                );
            }
        }
        let account = json!({ "name": "eve", "role": "keeper", "password": PASSWORD });
        let answer = keeper.post_json("/v1/accounts", &account).await;
        assert!(!answer.status.is_success(), "{settings}: {}", answer.text());
        let none = circle.admin.ask(Method::GET, "/v1/accounts/eve", None).await;
        assert_eq!(none.status, 404, "{settings}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_is_the_doors_own_listener_is_refused_before_anything_is_bound() {
    for (port, host) in [
        (0, "127.0.0.1"),
        (1, "127.0.0.1"),
        (1, "localhost"),
        (1, "[::ffff:127.0.0.1]"),
        (0, "0.0.0.0"),
    ] {
        let door = Door::plan().site("console", NOWHERE).policy(POLICY).prepare();
        let port = [door.http, door.admin][port];
        let building = std::fs::read_to_string(door.building_file()).expect("the file");
        let building = building.replace(NOWHERE, &format!("http://{host}:{port}"));
        std::fs::write(door.building_file(), building).expect("the file can be written");
        let told = door.command(&["check", "--config", "stagedoor.toml"]);
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&told.stderr),
            String::from_utf8_lossy(&told.stdout)
        );
        assert!(!told.status.success(), "{host}:{port}: {text}");
        assert!(text.contains("requests would go round"), "{host}:{port}: {text}");
    }
    for upstream in [
        "unix:/run/console.sock",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "http://a@127.0.0.1:9/",
        "//127.0.0.1",
    ] {
        let door = Door::plan().site("console", upstream).policy(POLICY).prepare();
        let told = door.command(&["check", "--config", "stagedoor.toml"]);
        assert!(!told.status.success(), "{upstream}");
    }
}
