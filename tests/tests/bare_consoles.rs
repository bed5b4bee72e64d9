//! The consoles by themselves, with no door in front of them: what the stories behind the door take for granted. A
//! console that does not work here cannot be made to work there.

use std::time::Duration;

use stagedoor_tests::console::{Adminer, Django, NodeRed};
use stagedoor_tests::{Browser, Visitor, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn adminer_by_itself_saves_a_row() {
    let adminer = Adminer::start().await;
    let browser = Browser::open().await;
    browser.go(&format!("{}/editor/", adminer.url())).await;
    browser.press("input[type=submit][value=Login]").await;
    browser.reads("guest").await;
    browser
        .go(&format!(
            "{}/editor/?sqlite=&username=&edit=guest&where%5Bid%5D=1",
            adminer.url()
        ))
        .await;
    browser.fill("[name='fields[name]']", "Countess").await;
    browser.press("input[type=submit][value=Save]").await;
    browser.reads("Item has been updated.").await;
    assert_eq!(adminer.guest(1), "Countess");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_red_by_itself_deploys_what_was_drawn() {
    let console = NodeRed::start().await;
    let browser = Browser::open().await;
    browser.go(&format!("{}/red/", console.url())).await;
    browser.find(".red-ui-palette-node").await;
    browser
        .run("RED.actions.invoke('core:add-flow'); arguments[0]();")
        .await;
    browser.press("#red-ui-header-button-deploy").await;
    browser.reads("Successfully deployed").await;
    let port = console.port();
    let visitor = Visitor::new(([127, 0, 0, 1], port).into(), format!("127.0.0.1:{port}"));
    eventually("the flow is deployed", Duration::from_secs(10), async || {
        let flows = visitor.get("/red/flows").await.expect(200).json();
        flows.as_array()?.iter().any(|node| node["type"] == "tab").then_some(())
    })
    .await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn django_by_itself_adds_a_user() {
    let console = Django::start().await;
    let browser = Browser::open().await;
    browser.go(&format!("{}/admin/", console.url())).await;
    browser.fill("#id_username", Django::OWNER).await;
    browser.fill("#id_password", Django::OWNERS_PASSWORD).await;
    browser.press("input[type=submit]").await;
    browser.reads("Site administration").await;
    browser.go(&format!("{}/admin/auth/user/add/", console.url())).await;
    browser.fill("#id_username", "grace").await;
    browser.fill("#id_password1", "a moth in the relay").await;
    browser.fill("#id_password2", "a moth in the relay").await;
    browser.press("input[name=_save]").await;
    browser.reads("was added successfully").await;
    assert!(console.has_user("grace"));
    browser.close().await;
}
