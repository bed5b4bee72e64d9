//! The devices that accounts sign in from: who may keep them, and what is shown once.

use super::accounts_house::House;

#[tokio::test]
async fn who_administers_every_account_keeps_the_devices_and_nobody_else_does() {
    let house = House::new().await;
    let answer = house.stage.browser().get("devices").await;
    assert_eq!(answer.location(), "/.stagedoor/login?to=/.stagedoor/devices");
    for name in ["general1", "helper1"] {
        let mut browser = house.stage.signed_in(name).await;
        assert_eq!(browser.get("devices").await.status, 403, "{name}");
        assert!(!browser.get("accounts").await.says("/.stagedoor/devices"), "{name}");
    }
    let mut root = house.stage.signed_in("root1").await;
    assert!(root.get("accounts").await.says("href=\"/.stagedoor/devices\""));
    assert!(root.get("devices").await.says("There is no device yet."));
}

#[tokio::test]
async fn a_device_is_registered_linked_shown_with_its_account_unlinked_and_removed() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let made = browser.fill_in("devices", "devices", &[("name", "Scanner 1")]).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let key = made.between("<code>", "</code>");
    assert!(key.len() >= 40, "{key}");
    let list = browser.get("devices").await;
    assert!(list.says("Scanner 1") && !list.says(&key), "{}", list.text);
    let path = format!("devices/{}", list.between("action=\"/.stagedoor/devices/", "/link\""));

    let linked = browser
        .fill_in("devices", &format!("{path}/link"), &[("account", "device1")])
        .await;
    assert_eq!(linked.status, 303, "{}", linked.text);
    let list = browser.get("devices").await;
    assert!(
        list.says("The device is linked.") && list.says(">device1</a>"),
        "{}",
        list.text
    );
    assert_eq!(house.read(&house.device).await.unwrap().devices, 1);
    assert!(browser.get("accounts?name=Dora").await.says("<td>1</td>"));

    browser.fill_in("devices", &format!("{path}/unlink"), &[]).await;
    assert_eq!(house.read(&house.device).await.unwrap().devices, 0);
    assert!(browser.get("devices").await.says("The device is nobody"));
    let asked = browser.get(&format!("{path}/remove")).await;
    assert!(
        asked.says("Remove this device?") && asked.says("Scanner 1"),
        "{}",
        asked.text
    );
    browser.fill_in("devices", &format!("{path}/remove"), &[]).await;
    assert!(browser.get("devices").await.says("There is no device yet."));
    assert_eq!(browser.get(&format!("{path}/remove")).await.status, 404);
}

#[tokio::test]
async fn what_cannot_be_done_with_a_device_is_told_and_loses_nothing() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    browser.fill_in("devices", "devices", &[("name", "Scanner 1")]).await;
    let taken = browser.fill_in("devices", "devices", &[("name", "Scanner 1")]).await;
    assert!(
        taken.status == 409 && taken.says("Another device has this name."),
        "{}",
        taken.text
    );
    assert!(taken.says("value=\"Scanner 1\""), "what was typed is still there");
    let unfit = browser.fill_in("devices", "devices", &[("name", " ")]).await;
    assert!(
        unfit.status == 422 && unfit.says("1 to 100 characters"),
        "{}",
        unfit.text
    );
    let list = browser.get("devices").await;
    let path = format!("devices/{}", list.between("action=\"/.stagedoor/devices/", "/link\""));
    for nobody in ["nobody", "", "<b>"] {
        let answer = browser
            .fill_in("devices", &format!("{path}/link"), &[("account", nobody)])
            .await;
        assert!(
            answer.status == 422 && answer.says("No account"),
            "{nobody}: {}",
            answer.text
        );
    }
    for page in [
        "devices/x/remove",
        "devices/0199f3a2-7c41-7d60-9b1e-5f0c2a7de911/remove",
    ] {
        assert_eq!(browser.get(page).await.status, 404, "{page}");
    }
    let forged = browser.post("devices", &[("name", "Scanner 2"), ("csrf", "x")]).await;
    assert_eq!(forged.status, 403);
    assert!(!browser.get("devices").await.says("Scanner 2"));
}
