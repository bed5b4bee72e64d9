//! The consoles by themselves, with no door in front of them: what the other themes take for granted. A console that
//! does not work here cannot be made to work there.

use stagedoor_tests::Browser;
use stagedoor_tests::console::{Adminer, Django, NodeRed};

#[tokio::test(flavor = "multi_thread")]
async fn adminer_saves_a_row() {
    let adminer = Adminer::start().await;
    let browser = Browser::open().await;
    browser.go(&format!("{}/editor/", adminer.url())).await;
    browser.screenshot("bare-adminer-editor").await;
    println!("{}", browser.text().await);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_red_shows_its_editor() {
    let console = NodeRed::start().await;
    let browser = Browser::open().await;
    browser.go(&format!("{}/red/", console.url())).await;
    browser.find("#red-ui-header-button-deploy").await;
    browser.screenshot("bare-node-red").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn django_adds_a_user() {
    let console = Django::start().await;
    assert!(console.has_user(Django::OWNER));
    let browser = Browser::open().await;
    browser.go(&format!("{}/admin/", console.url())).await;
    browser.fill("#id_username", Django::OWNER).await;
    browser.fill("#id_password", Django::OWNERS_PASSWORD).await;
    browser.press("input[type=submit]").await;
    browser.reads("Site administration").await;
    browser.screenshot("bare-django").await;
    browser.close().await;
}
