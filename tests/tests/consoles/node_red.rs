//! Node-RED behind the door: an editor that lives on a WebSocket, which ends when the right to it does.

use http::Method;
use serde_json::{Value, json};
use stagedoor_tests::console::NodeRed;
use stagedoor_tests::{Browser, Door, Visitor, soon};

use super::{elsewhere, has_no_complaints, is_refused, is_told_of_another_place};

// The editor keeps its own settings by POST, also for who only looks.
const POLICY: &str = r#"
[site.red.areas]
editor = { paths = ["/red/**"], view_also = ["POST /red/settings/user"] }
served = { paths = ["/served/**"] }

[role.maker]
may = { "*" = "manage" }

[role.watcher]
may = { editor = "view" }
"#;
const LOST: &str = "Lost connection to server";

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_deployed_in_node_red_behind_the_door_serves() {
    let (console, door) = open().await;
    let browser = Browser::open().await;
    enter(&browser, &door, "maker").await;
    import_and_deploy(&browser).await;
    browser.reads("Successfully deployed").await;
    browser.run(SHOW_THE_GREETING).await;
    browser.find(".red-ui-flow-node").await;
    browser.screenshot("node-red-deployed").await;
    has_no_complaints(&browser).await;

    let flows = behind(&console).get("/red/flows").await.expect(200).json();
    let nodes = flows.as_array().expect("a list of nodes");
    assert!(nodes.iter().any(|node| node["url"] == "/greeting"), "{flows}");
    browser.go(&door.url("red", "/served/greeting")).await;
    browser.reads("Good evening from the flow").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_at_node_red_cannot_deploy() {
    let (console, door) = open().await;
    let before = behind(&console).get("/red/flows").await.expect(200).json();
    let browser = Browser::open().await;
    enter(&browser, &door, "watcher").await;
    has_no_complaints(&browser).await;

    import_and_deploy(&browser).await;
    browser.reads("Your account does not have the right").await;
    browser.screenshot("node-red-deploy-refused").await;
    let refused = soon("the refusal is in the audit", async || {
        let events = door.admin().audit("event=request.refused").await;
        events.into_iter().find(|event| event["target"] == "POST /red/flows")
    })
    .await;
    assert_eq!(refused["rule"], "role.watcher.may.editor", "{refused}");
    assert_eq!(refused["actor"], "watcher", "{refused}");

    browser.run(DEPLOY_BY_A_FORM).await;
    is_refused(
        &browser,
        &door,
        "role.watcher.may.editor",
        "POST /red/flows",
        "node-red-refused",
    )
    .await;
    assert_eq!(behind(&console).get("/red/flows").await.expect(200).json(), before);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_editor_of_node_red_ends_when_somebody_else_signs_in() {
    let (_console, door) = open().await;
    let first = Browser::open().await;
    enter(&first, &door, "maker").await;
    let second = elsewhere(&door, "red", "/red/settings", "maker").await;
    is_cut_off(&first, &door, "node-red-lost-by-displacement").await;
    is_told_of_another_place(&first, &second, &door, &door.url("red", "/red/settings"), "maker").await;
    first.screenshot("node-red-displaced").await;
    second.close().await;
    first.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_editor_of_node_red_ends_when_its_user_signs_out_in_another_tab() {
    let (_console, door) = open().await;
    let browser = Browser::open().await;
    enter(&browser, &door, "maker").await;
    let driver = browser.driver();
    let editor = driver.window().await.expect("a window");
    let other = driver.new_tab().await.expect("a second tab");
    driver.switch_to_window(other).await.expect("the second tab");
    browser.go(&door.url("red", "/.stagedoor/logout")).await;
    browser.press("form button[type=submit]").await;
    browser.reads("You are signed out").await;
    driver.switch_to_window(editor).await.expect("the first tab");
    is_cut_off(&browser, &door, "node-red-lost-by-sign-out").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_editor_of_node_red_ends_when_an_administrator_ends_the_session() {
    let (_console, door) = open().await;
    let browser = Browser::open().await;
    enter(&browser, &door, "maker").await;
    let sessions = door.admin().sessions("maker").await;
    let id = sessions[0]["id"].as_str().expect("a session has an id");
    door.admin()
        .ask(Method::DELETE, &format!("/v1/sessions/{id}"), None)
        .await;
    is_cut_off(&browser, &door, "node-red-lost-by-administrator").await;
    assert!(door.admin().sessions("maker").await.is_empty());
    browser.go(&door.url("red", "/red/")).await;
    browser.reads("An administrator ended this session").await;
    browser.close().await;
}

async fn open() -> (NodeRed, Door) {
    let console = NodeRed::start().await;
    let door = Door::plan().site("red", &console.url()).policy(POLICY).open().await;
    for role in ["maker", "watcher"] {
        door.admin().add_account(role, role).await;
    }
    (console, door)
}

/// Signs in at the door and waits until the editor is alive.
async fn enter(browser: &Browser, door: &Door, name: &str) {
    browser.sign_in(door, "red", "/red/", name).await;
    browser.find("#red-ui-header-button-deploy").await;
    browser.find(".red-ui-palette-node").await;
    soon("the editor's WebSocket is open", async || {
        (websockets(door).await > 0.0).then_some(())
    })
    .await;
}

async fn import_and_deploy(browser: &Browser) {
    browser
        .run("RED.actions.invoke('core:show-import-dialog'); arguments[0]();")
        .await;
    let flow = greeting().to_string();
    browser.fill("#red-ui-clipboard-dialog-import-text", &flow).await;
    browser.press("#red-ui-clipboard-dialog-ok").await;
    browser.press("#red-ui-header-button-deploy").await;
}

/// The gateway has closed the WebSocket, and the editor sees it and cannot come back.
async fn is_cut_off(browser: &Browser, door: &Door, picture: &str) {
    soon("the WebSocket has ended", async || {
        (websockets(door).await < 1.0).then_some(())
    })
    .await;
    browser.reads(LOST).await;
    browser.screenshot(picture).await;
    assert!(websockets(door).await < 1.0, "the editor came back");
}

async fn websockets(door: &Door) -> f64 {
    door.metric("stagedoor_websockets_open", &[]).await
}

/// Somebody inside the house, past the door.
fn behind(console: &NodeRed) -> Visitor {
    let port = console.port();
    Visitor::new(([127, 0, 0, 1], port).into(), format!("127.0.0.1:{port}"))
}

/// A flow on a tab of its own that answers `GET /served/greeting`.
fn greeting() -> Value {
    json!([
        { "id": "tab1", "type": "tab", "label": "Greeting" },
        { "id": "in1", "type": "http in", "z": "tab1", "name": "", "url": "/greeting", "method": "get", "upload": false,
          "x": 140, "y": 120, "wires": [["text1"]] },
        { "id": "text1", "type": "template", "z": "tab1", "name": "", "field": "payload", "fieldType": "msg",
          "format": "html", "syntax": "plain", "template": "Good evening from the flow", "output": "str",
          "x": 340, "y": 120, "wires": [["out1"]] },
        { "id": "out1", "type": "http response", "z": "tab1", "name": "", "statusCode": "", "headers": {},
          "x": 530, "y": 120, "wires": [] }
    ])
}

const SHOW_THE_GREETING: &str = r#"
RED.workspaces.show(RED.nodes.filterNodes({ type: "http in" })[0].z);
arguments[0]();
"#;
const DEPLOY_BY_A_FORM: &str = r#"
const form = document.createElement("form");
form.method = "post";
form.action = "/red/flows";
document.body.append(form);
arguments[0]();
form.submit();
"#;
