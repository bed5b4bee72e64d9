//! Changing accounts by the form: what was typed and nothing else, nobody overwrites another, nobody raises themselves.

use stagedoor_identity::account::AccountChange;
use stagedoor_policy::Level;

use super::accounts_forms::{Form, edit, filled_in, with};
use super::accounts_house::{House, console_rules, grant, named};
use super::*;

#[tokio::test]
async fn the_edit_form_changes_what_was_typed_and_nothing_else() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let id = house.id("general1");
    let same = edit(&mut browser, &id, &[]).await;
    assert_eq!(same.status, 303, "{}", same.text);
    let unchanged = house.read(&house.general).await.unwrap();
    assert_eq!(
        (unchanged.display_name.as_str(), unchanged.role.as_str()),
        ("Gero 게로", "general")
    );
    let done = edit(
        &mut browser,
        &id,
        &[
            ("display_name", "Gerda"),
            ("name", "gerda_2"),
            ("email", " gerda@example.org"),
            ("role", "helper"),
            ("networks", "198.51.100.7"),
            ("grant:console/devices", "view"),
            ("action:console/devices:wipe", "yes"),
        ],
    )
    .await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert!(
        browser
            .get(&format!("accounts/{id}"))
            .await
            .says("The account is changed.")
    );
    let changed = house.read(&house.general).await.unwrap();
    assert_eq!(
        (
            changed.display_name.as_str(),
            changed.name.as_str(),
            changed.role.as_str()
        ),
        ("Gerda", "gerda_2", "helper")
    );
    assert_eq!(changed.networks, ["198.51.100.7"]);
    assert_eq!(changed.email.as_deref(), Some("gerda@example.org"));
    assert_eq!(changed.grants, [grant("devices", Level::View, &["wipe"])]);
    let none = edit(&mut browser, &id, &[("grant:console/devices", "none")]).await;
    assert_eq!(none.status, 303, "{}", none.text);
    assert_eq!(
        house.read(&house.general).await.unwrap().grants,
        [grant("devices", Level::None, &["wipe"])]
    );
}

#[tokio::test]
async fn an_address_is_set_for_others_and_ones_own_only_by_the_letter_to_it() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let other = house.id("general1");
    let page = format!("accounts/{other}/edit");
    assert!(browser.get(&page).await.says("Letters to its holder go to it."));
    let wrong = edit(&mut browser, &other, &[("email", "a@b@c")]).await;
    assert!(
        wrong.status == 422 && wrong.says("an address such as"),
        "{}",
        wrong.text
    );
    let own = house.id("root1");
    let page = format!("accounts/{own}/edit");
    assert!(!browser.get(&page).await.says("name=\"email\""));
    let forged = edit(&mut browser, &own, &[("email", "mallory@example.org")]).await;
    assert!(
        forged.status == 403 && forged.says("Permission denied"),
        "{}",
        forged.text
    );
}

#[tokio::test]
async fn what_somebody_else_granted_stays_when_less_is_held_by_who_edits() {
    let house = House::new().await;
    let held = vec![
        grant("devices", Level::Manage, &["wipe"]),
        grant("logs", Level::View, &[]),
    ];
    let change = AccountChange {
        grants: Some(held.clone()),
        ..AccountChange::default()
    };
    house
        .stage
        .door
        .change_account(house.device.id, None, change, &cli())
        .await
        .unwrap();
    let mut helper = house.stage.signed_in("helper1").await;
    let id = house.id("device1");
    let done = edit(&mut helper, &id, &[("display_name", "Doro")]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert_eq!(house.read(&house.device).await.unwrap().grants, held);
    let done = edit(&mut helper, &id, &[("action:console/devices:reboot", "yes")]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let mut more = held.clone();
    more.push(grant("devices", Level::None, &["reboot"]));
    assert_eq!(house.read(&house.device).await.unwrap().grants, more);
}

#[tokio::test]
async fn a_grant_on_every_site_is_split_only_where_it_is_touched() {
    let mut rules = console_rules();
    let other = rules.sites["console"].clone();
    rules.sites.insert("other".to_owned(), other);
    let house = House::with(rules).await;
    let everywhere = ExtraGrantEverywhere::of("devices");
    let change = AccountChange {
        grants: Some(vec![everywhere.clone()]),
        ..AccountChange::default()
    };
    house
        .stage
        .door
        .change_account(house.device.id, None, change, &cli())
        .await
        .unwrap();
    let mut browser = house.stage.signed_in("root1").await;
    let id = house.id("device1");
    edit(&mut browser, &id, &[("grant:other/logs", "view")]).await;
    assert!(house.read(&house.device).await.unwrap().grants.contains(&everywhere));
    edit(&mut browser, &id, &[("grant:other/devices", "none")]).await;
    let grants = house.read(&house.device).await.unwrap().grants;
    assert!(
        grants.contains(&grant("devices", Level::View, &[])) && !grants.contains(&everywhere),
        "{grants:?}"
    );
    assert_eq!(grants.len(), 2, "the other site's logs stay: {grants:?}");
}

/// A grant that names no site.
struct ExtraGrantEverywhere;

impl ExtraGrantEverywhere {
    fn of(area: &str) -> stagedoor_policy::ExtraGrant {
        stagedoor_policy::ExtraGrant {
            site: None,
            ..grant(area, Level::View, &[])
        }
    }
}

#[tokio::test]
async fn two_editors_do_not_overwrite_each_other() {
    let house = House::new().await;
    let (mut one, mut two) = (
        house.stage.signed_in("root1").await,
        house.stage.signed_in("root2").await,
    );
    let page = format!("accounts/{}/edit", house.id("general1"));
    let early = filled_in(&mut one, &page).await;
    edit(
        &mut two,
        &house.id("general1"),
        &[("role", "helper"), ("grant:console/logs", "view")],
    )
    .await;
    let form: Form<'_> = early
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let answer = one
        .fill_in("logout", &page, &with(&form, "display_name", "Typed by one"))
        .await;
    assert_eq!(answer.status, 412);
    for words in [
        "Somebody else changed this account meanwhile",
        "Typed by one",
        "It is now: helper",
        "console/logs: view",
    ] {
        assert!(answer.says(words), "{words} is not in {}", answer.text);
    }
    let now = house.read(&house.general).await.unwrap();
    assert_eq!((now.role.as_str(), now.display_name.as_str()), ("helper", "Gero 게로"));
    let version = answer.between("name=\"version\" value=\"", "\"");
    assert_eq!(
        version,
        now.version.to_string(),
        "saving again is saving over what was told"
    );
}

#[tokio::test]
async fn the_role_of_a_super_admin_is_changed_by_themselves_alone_and_signs_them_out() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let other = browser.get(&format!("accounts/{}/edit", house.id("root2"))).await;
    assert!(!other.says("<option value=\"general\""), "{}", other.text);
    let refused = edit(&mut browser, &house.id("root2"), &[("role", "general")]).await;
    assert!(
        refused.status == 403 && refused.says("Permission denied"),
        "{}",
        refused.text
    );
    let done = edit(&mut browser, &house.id("root1"), &[("role", "general")]).await;
    assert_eq!(done.location(), "/.stagedoor/login", "{}", done.text);
    assert!(browser.get("login").await.says("changed what this account may do"));
    assert_eq!(house.read(&house.root1).await.unwrap().role, "general");
    let mut last = house.stage.signed_in("root2").await;
    let refused = edit(&mut last, &house.id("root2"), &[("role", "general")]).await;
    assert_eq!(refused.status, 409);
    assert!(
        refused.says("This is the last Super Admin. User information cannot be modified."),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn nobody_raises_themselves_by_the_form_or_beside_it() {
    let house = House::new().await;
    let mut helper = house.stage.signed_in("helper1").await;
    let id = house.id("helper1");
    let page = helper.get(&format!("accounts/{id}/edit")).await;
    assert!(!page.says("grant:"), "{}", page.text);
    edit(
        &mut helper,
        &id,
        &[
            ("grant:console/devices", "manage"),
            ("action:console/devices:wipe", "yes"),
        ],
    )
    .await;
    assert!(house.read(&house.helper).await.unwrap().grants.is_empty());
    let refused = edit(&mut helper, &id, &[("role", "super")]).await;
    assert!(refused.status == 403, "{}", refused.text);
    let refused = edit(&mut helper, &id, &[("networks", "198.51.100.7")]).await;
    assert!(
        refused.status == 403 && refused.says("Permission denied"),
        "{}",
        refused.text
    );
    assert_eq!(house.read(&house.helper).await.unwrap().role, "helper");
}

#[tokio::test]
async fn a_list_without_ones_own_address_is_saved_only_when_just_that_list_was_confirmed() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let id = house.id("root1");
    let warned = edit(&mut browser, &id, &[("networks", "198.51.100.7")]).await;
    assert!(
        warned.status == 200 && warned.says("Your own address is not in the list"),
        "{}",
        warned.text
    );
    assert!(
        warned.says(HERE) && warned.says("value=\"198.51.100.7\""),
        "{}",
        warned.text
    );
    let other = [
        ("networks", "198.51.100.8"),
        ("confirm", "yes"),
        ("confirmed_networks", "198.51.100.7"),
    ];
    assert!(
        edit(&mut browser, &id, &other)
            .await
            .says("Your own address is not in the list")
    );
    let unticked = [("networks", "198.51.100.7"), ("confirmed_networks", "198.51.100.7")];
    assert!(
        edit(&mut browser, &id, &unticked)
            .await
            .says("Your own address is not in the list")
    );
    assert!(house.read(&house.root1).await.unwrap().networks.is_empty());
    let own = edit(&mut browser, &id, &[("networks", HERE)]).await;
    assert_eq!(
        own.location(),
        "/.stagedoor/login",
        "one's own address needs no word: {}",
        own.text
    );
    let mut browser = house.stage.signed_in("root1").await;
    let confirmed = [
        ("networks", "198.51.100.7"),
        ("confirm", "yes"),
        ("confirmed_networks", "198.51.100.7"),
    ];
    assert_eq!(
        edit(&mut browser, &id, &confirmed).await.location(),
        "/.stagedoor/login"
    );
    assert_eq!(house.read(&house.root1).await.unwrap().networks, ["198.51.100.7"]);
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_beside_it_when_an_account_is_changed_too() {
    let house = House::new().await;
    named(&house.stage, "taken_1", "Taken", "device").await;
    let mut browser = house.stage.signed_in("root1").await;
    let answer = edit(
        &mut browser,
        &house.id("general1"),
        &[("name", "taken_1"), ("display_name", "Kept")],
    )
    .await;
    assert_eq!(answer.status, 409);
    assert!(
        answer.says("The same ID already exists.") && answer.says("Kept"),
        "{}",
        answer.text
    );
}
