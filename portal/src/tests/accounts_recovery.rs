//! On the page of one account: its devices, and the way back to a second factor.

use stagedoor_identity::account::AccountChange;

use super::accounts_house::House;
use super::*;

#[tokio::test]
async fn the_page_of_an_account_lists_the_devices_that_are_linked_to_it_and_no_others() {
    let house = House::new().await;
    let door = &house.stage.door;
    for (name, owner) in [
        ("Scanner <1>", Some(house.device.id)),
        ("Scanner 2", Some(house.device.id)),
        ("Till", Some(house.general.id)),
        ("Spare", None),
    ] {
        let (device, _key) = door.register_device(name, &cli()).await.unwrap();
        door.link_device(device.id, owner, &cli()).await.unwrap();
    }
    for name in ["root1", "helper1"] {
        let mut browser = house.stage.signed_in(name).await;
        let page = browser.get(&format!("accounts/{}", house.id("device1"))).await;
        assert!(
            page.says("Scanner &#60;1&#62;") && page.says("Scanner 2"),
            "{name}: {}",
            page.text
        );
        assert!(!page.says("Till") && !page.says("Spare"), "{name}: {}", page.text);
        assert!(page.says("<dt>Managed devices</dt><dd>2</dd>"), "{name}: {}", page.text);
    }
    let mut root = house.stage.signed_in("root1").await;
    let without = root.get(&format!("accounts/{}", house.id("helper1"))).await;
    assert!(!without.says("Devices linked to it"), "{}", without.text);
}

#[tokio::test]
async fn a_recovery_letter_is_sent_by_who_manages_the_account_and_its_link_shown_where_no_letters_are() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let page = format!("accounts/{}", house.id("general1"));
    let act = format!("{page}/recovery");
    assert!(browser.get(&page).await.says("Send recovery mail"));
    let shown = browser.fill_in(&page, &act, &[("version", "1")]).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let link = shown.between("<code>http://console.example:8080/.stagedoor/", "</code>");
    assert!(
        house
            .stage
            .browser()
            .get(&link)
            .await
            .says("to set up a second factor anew"),
        "{link}"
    );

    house.stage.letterhead.swap(Some(SwappableLetterhead::sample()));
    let nowhere = browser.fill_in(&page, &act, &[("version", "1")]).await;
    assert!(
        nowhere.status == 409 && nowhere.says("Nothing was done"),
        "{}",
        nowhere.text
    );
    let change = AccountChange {
        email: Some(Some("gero@example.org".to_owned())),
        ..AccountChange::default()
    };
    let door = &house.stage.door;
    door.change_account(house.general.id, None, change, &cli())
        .await
        .unwrap();
    let sent = browser.fill_in(&page, &act, &[("version", "1")]).await;
    assert_eq!(
        (sent.status.as_u16(), sent.location()),
        (303, format!("/.stagedoor/{page}").as_str()),
        "{}",
        sent.text
    );
    assert!(browser.get(&page).await.says("The recovery letter is on its way."));
    let due = door.due_letters("test", Duration::from_secs(60), 10).await.unwrap();
    let letters: Vec<&str> = due.iter().map(|(letter, _)| letter.letter.to.as_str()).collect();
    assert_eq!(letters, ["gero@example.org"]);
}

#[tokio::test]
async fn nobody_sends_a_recovery_letter_to_themselves_or_to_whom_they_do_not_manage() {
    let house = House::new().await;
    let mut root = house.stage.signed_in("root1").await;
    let own = format!("accounts/{}", house.id("root1"));
    assert!(!root.get(&own).await.says("Send recovery mail"));
    let answer = root
        .fill_in("logout", &format!("{own}/recovery"), &[("version", "1")])
        .await;
    assert_eq!(answer.status, 403, "{}", answer.text);
    let mut helper = house.stage.signed_in("helper1").await;
    let other = format!("accounts/{}/recovery", house.id("general1"));
    assert_eq!(helper.fill_in("logout", &other, &[("version", "1")]).await.status, 404);
    assert_eq!(root.get(&other).await.status, 405, "a question is not asked");
}
