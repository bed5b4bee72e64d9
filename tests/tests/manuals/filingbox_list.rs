//! FilingBox MEGA2: the list of admins, what may be typed, and the devices.

use serde_json::{Value, json};

use crate::stage::{FIT, ONE_FACTOR, OTHER_FIT, Person, Stage};

/// The cells of an account's row.
async fn row(person: &Person<'_>, shown: &str) -> Vec<String> {
    let script = format!(
        "const done = arguments[arguments.length - 1]; const rows = [...document.querySelectorAll('tbody tr')]; \
         const row = rows.find(row => row.cells[0].innerText === '{shown}'); \
         done(row ? [...row.cells].map(cell => cell.innerText) : []);"
    );
    let cells = person.browser.run(&script).await;
    let cells = cells.as_array().expect("a list").iter();
    cells.map(|cell| cell.as_str().expect("a text").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_shows_name_id_role_devices_and_date_and_is_searched_in_any_script_by_twenty_characters() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    stage
        .add("superb", "super-admin", json!({ "display_name": "Rita" }))
        .await;
    let made = stage
        .add("robot", "device-admin", json!({ "display_name": "스캐너 Nord" }))
        .await;
    let superb = stage.person("superb").await;
    superb.opens("accounts").await;
    let created: String = made["created_at"].as_str().expect("a time").chars().take(10).collect();
    let cells = row(&superb, "스캐너 Nord").await;
    assert_eq!(
        cells[1..5],
        ["robot".to_owned(), "device-admin".to_owned(), "0".to_owned(), created]
    );
    // Consecutive searches find different accounts: the page of one is not taken for that of the next.
    for (typed, found) in [
        ("캐너", ["스캐너 Nord"].as_slice()),
        ("it", &["Rita"]),
        ("NORD", &["스캐너 Nord"]),
        // What one signs in with is not the name.
        ("robot", &[]),
        ("", &["스캐너 Nord", "Rita"]),
        (&"x".repeat(20), &[]),
    ] {
        superb.browser.fill("#search", typed).await;
        superb.browser.choose("Search").await;
        superb.browser.shows("tbody tr th", found).await;
    }
    superb.browser.reads("No account was found.").await;
    superb.browser.fill("#search", &"x".repeat(21)).await;
    superb.browser.choose("Search").await;
    superb
        .browser
        .reads("Please enter at most 20 characters of the name.")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_for_a_new_admin_is_refused_in_the_words_of_the_manual_and_nothing_of_it_is_lost() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    stage.add("superb", "super-admin", json!({})).await;
    let superb = stage.person("superb").await;
    superb.opens("accounts/add").await;
    let chosen = superb.browser.find("#role").await.value().await.expect("an answer");
    assert_eq!(chosen.as_deref(), Some("device-admin"), "the role by default");
    let send = async |fields: [&str; 4]| {
        let [display_name, name, new, again] = fields;
        for (field, typed) in [
            ("#display_name", display_name),
            ("#name", name),
            ("#new_password", new),
            ("#repeat", again),
        ] {
            superb.browser.fill(field, typed).await;
        }
        superb.browser.choose("Save").await;
    };
    let long = "이름".repeat(10) + "x";
    for (fields, sentence) in [
        (
            [long.as_str(), "robot", FIT, FIT],
            "Please enter a name within 20 characters.",
        ),
        (
            ["Robot", "Robot", FIT, FIT],
            "Please start with a lowercase letter and use a combination of letters, numbers, or '_' within 5 to 20 characters.",
        ),
        (["Robot", "robo", FIT, FIT], "Please start with a lowercase letter"),
        (
            ["Robot", "robot", "weak", "weak"],
            "The password entered does not meet the requirements.",
        ),
        (
            ["Robot", "robot", FIT, OTHER_FIT],
            "The new password confirmation does not match.",
        ),
        (["Robot", "superb", FIT, FIT], "The same ID already exists."),
    ] {
        send(fields).await;
        superb.browser.reads(sentence).await;
        let kept = superb.browser.find("#name").await.value().await.expect("an answer");
        assert_eq!(kept.as_deref(), Some(fields[1]), "{sentence}");
    }
    send(["Robot", "robot", FIT, FIT]).await;
    superb
        .browser
        .reads("The account is made. Its password is temporary")
        .await;
    assert_eq!(stage.admin.account("robot").await["password_temporary"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_refused_in_the_words_of_the_manual_and_one_is_warned_of_a_list_without_ones_own() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    stage.add("superb", "super-admin", json!({})).await;
    let superb = stage.person("superb").await;
    superb.opens_account("superb").await;
    superb.browser.choose("Update information").await;
    superb.browser.fill("#networks", "192.0.2.0, 127.0.0.1").await;
    superb.browser.choose("Update").await;
    superb.browser.reads("The IP address format is invalid.").await;
    superb.browser.fill("#networks", "192.0.2.9").await;
    superb.browser.choose("Update").await;
    superb.browser.reads("Your own address is not in the list").await;
    assert_eq!(
        stage.admin.account("superb").await["networks"],
        json!([]),
        "nothing is saved yet"
    );
    superb.browser.fill("#networks", "192.0.2.9, 127.0.0.1").await;
    superb.browser.choose("Update").await;
    stagedoor_tests::soon("it is saved", async || {
        let networks = stage.admin.account("superb").await["networks"].clone();
        (networks == json!(["192.0.2.9", "127.0.0.1"])).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_linked_on_their_page_counted_in_the_list_and_let_their_account_in() {
    let linked = "[channel.client]\nlinked_device = true";
    let stage = Stage::with("filingbox", &[ONE_FACTOR[0], ("[channel.client]", linked)]).await;
    stage.add("superb", "super-admin", json!({})).await;
    stage.add("robot", "device-admin", json!({})).await;
    let superb = stage.person("superb").await;
    superb.opens("devices").await;
    superb.browser.fill("#device", "Scanner 1").await;
    superb.browser.choose("Register").await;
    let key = superb.browser.find("main code").await.text().await.expect("the key");
    let sign_in = async |key: Option<&str>| {
        let body = json!({ "username": "robot", "password": FIT, "channel": "client", "device_key": key });
        stage.visitor().post_json("/.stagedoor/login", &body).await
    };
    for refused in [None, Some(key.as_str()), Some("no key at all")] {
        let answer = sign_in(refused).await;
        assert_ne!(answer.status, 200, "{refused:?}: {}", answer.text());
    }
    superb.opens("devices").await;
    superb.browser.fill("input[name=account]", "robot").await;
    superb.browser.choose("Link").await;
    superb.browser.reads("The device is linked.").await;
    superb.opens("accounts").await;
    assert_eq!(row(&superb, "robot").await[3], "1");
    sign_in(Some(&key)).await.expect(200);
    let list: Value = stage.admin.get("/v1/devices?account=robot").await.json();
    assert_eq!(list["items"][0]["name"], "Scanner 1");
    superb.opens("devices").await;
    superb.browser.choose("Unlink").await;
    superb.browser.reads("The device is nobody's.").await;
    assert!(
        stage.admin.sessions("robot").await.is_empty(),
        "its sessions have ended"
    );
    assert_ne!(sign_in(Some(&key)).await.status, 200);
}
