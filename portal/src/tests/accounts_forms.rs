//! Making accounts by the form: every fault beside its field, nothing typed is lost.

use stagedoor_identity::account::AccountChange;

use super::accounts_house::{House, TEMPORARY};
use super::*;

pub(super) type Form<'f> = Vec<(&'f str, &'f str)>;

pub(super) fn new_account<'f>(name: &'f str, role: &'f str) -> Form<'f> {
    vec![
        ("display_name", "Nora 노라"),
        ("name", name),
        ("role", role),
        ("networks", ""),
        ("new_password", TEMPORARY),
        ("repeat", TEMPORARY),
    ]
}

/// The same with one field filled in otherwise.
pub(super) fn with<'f>(form: &Form<'f>, field: &'f str, value: &'f str) -> Form<'f> {
    let mut form: Form<'f> = form.iter().copied().filter(|(name, _)| *name != field).collect();
    form.push((field, value));
    form
}

/// What the edit page of an account is filled in with, its token apart.
pub(super) async fn filled_in(browser: &mut Browser<'_>, page: &str) -> Vec<(String, String)> {
    let shown = browser.get(page).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let mut fields: Vec<(String, String)> = ["version", "display_name", "name", "email", "networks"]
        .into_iter()
        .filter(|name| shown.says(&format!("name=\"{name}\"")))
        .map(|name| {
            let input = shown.between(&format!("name=\"{name}\""), ">");
            (
                name.to_owned(),
                input
                    .split("value=\"")
                    .nth(1)
                    .unwrap()
                    .split('"')
                    .next()
                    .unwrap()
                    .to_owned(),
            )
        })
        .collect();
    for select in shown.text.split("<select ").skip(1) {
        let name = select.split("name=\"").nth(1).unwrap().split('"').next().unwrap();
        let chosen = select
            .split("</select>")
            .next()
            .unwrap()
            .split("\" selected")
            .next()
            .unwrap();
        fields.push((name.to_owned(), chosen.rsplit("value=\"").next().unwrap().to_owned()));
    }
    for tick in shown.text.split("name=\"action:").skip(1) {
        let input = tick.split('>').next().unwrap();
        if input.ends_with(" checked") {
            fields.push((format!("action:{}", input.split('"').next().unwrap()), "yes".to_owned()));
        }
    }
    fields
}

/// Opens the edit page, fills fields in otherwise, and sends it.
pub(super) async fn edit(browser: &mut Browser<'_>, id: &str, otherwise: &[(&str, &str)]) -> Page {
    let page = format!("accounts/{id}/edit");
    let fields = filled_in(browser, &page).await;
    let mut form: Form<'_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    for (field, value) in otherwise {
        form = with(&form, field, value);
    }
    browser.fill_in("logout", &page, &form).await
}

#[tokio::test]
async fn an_account_is_made_with_a_temporary_password_and_found_in_the_list() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let page = browser.get("accounts/add").await;
    assert!(
        page.says("<option value=\"device\" selected>"),
        "the default role: {}",
        page.text
    );
    assert!(page.says("Only for the roles general, helper, super."), "{}", page.text);
    let form = with(&new_account("nora_1", "general"), "networks", "198.51.100.7, 192.0.2.1");
    let done = browser.fill_in("accounts/add", "accounts/add", &form).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let made = browser.get(done.location().trim_start_matches("/.stagedoor/")).await;
    for words in [
        "The account is made.",
        "Nora 노라",
        "nora_1",
        "198.51.100.7, 192.0.2.1",
        "Temporary",
    ] {
        assert!(made.says(words), "{words} is not in {}", made.text);
    }
    assert!(browser.get("accounts?name=%EB%85%B8").await.says("nora_1"));
    let next = house.stage.browser().sign_in("nora_1", TEMPORARY).await;
    assert_eq!(next.location(), "/.stagedoor/login/password");
}

#[tokio::test]
async fn every_fault_of_every_field_is_told_at_once_and_nothing_typed_is_lost() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let long = "게".repeat(21);
    let form = [
        ("display_name", long.as_str()),
        ("name", "1Bad!"),
        ("role", "general"),
        ("networks", "10.0.0.0, 1.2.3.4"),
        ("new_password", TEMPORARY),
        ("repeat", "another one"),
    ];
    let page = browser.fill_in("accounts/add", "accounts/add", &form).await;
    assert_eq!(page.status, 422);
    for sentence in [
        "Please enter a name within 20 characters.",
        "Please start with a lowercase letter and use a combination of letters, numbers, or &#39;_&#39; within 5 to 20 characters.",
        "The IP address format is invalid.",
        "The new password confirmation does not match.",
    ] {
        assert_eq!(page.text.matches(sentence).count(), 1, "{sentence}: {}", page.text);
    }
    for kept in [
        long.as_str(),
        "1Bad!",
        "10.0.0.0, 1.2.3.4",
        "<option value=\"general\" selected class=\"with-networks\">",
    ] {
        assert!(page.says(kept), "{kept} is not in {}", page.text);
    }
    assert!(
        !page.says(TEMPORARY) && !page.says("another one"),
        "passwords are never shown"
    );
    // The same where the fields of the form are fit to be read and the password is weak.
    let weak = with(&with(&form.to_vec(), "new_password", "weak"), "repeat", "weak");
    let page = browser.fill_in("accounts/add", "accounts/add", &weak).await;
    for sentence in [
        "within 20 characters",
        "lowercase letter",
        "The IP address format",
        "at least",
    ] {
        assert!(page.says(sentence), "{sentence}: {}", page.text);
    }
}

#[tokio::test]
async fn each_field_refuses_what_the_manual_refuses_in_its_words() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let good = new_account("nora_1", "general");
    let (twenty, too_long) = ("n".repeat(20), "n".repeat(21));
    let six = "198.51.100.1,198.51.100.2,198.51.100.3,198.51.100.4,198.51.100.5,198.51.100.6";
    let name = "Please start with a lowercase letter";
    let networks = "The IP address format is invalid.";
    let table: &[(&str, &str, &str)] = &[
        ("display_name", "", "Please enter a name within 20 characters."),
        ("name", "", name),
        ("name", "nora", name),
        ("name", too_long.as_str(), name),
        ("name", "Nora_1", name),
        ("name", "_nora1", name),
        ("name", "nora-1", name),
        ("name", " nora1", name),
        ("name", "root1", "The same ID already exists."),
        ("networks", "198.51.100.0", networks),
        ("networks", "198.51.100.255", networks),
        ("networks", "198.51.100.7/24", networks),
        ("networks", "2001:db8::1", networks),
        ("networks", "198.51.100.7,,192.0.2.1", networks),
        ("networks", "!198.51.100.7", networks),
        ("networks", six, networks),
        ("new_password", "", "Please enter a new password."),
        ("role", "nobody", "the policy has no role"),
        ("role", "", "the policy has no role"),
    ];
    for (field, value, sentence) in table {
        let answer = browser
            .fill_in("accounts/add", "accounts/add", &with(&good, field, value))
            .await;
        assert!(answer.status.is_client_error(), "{field} = {value}: {}", answer.status);
        assert!(answer.says(sentence), "{field} = {value}: {}", answer.text);
    }
    let networks = browser
        .fill_in(
            "accounts/add",
            "accounts/add",
            &with(&with(&good, "role", "device"), "networks", "198.51.100.7"),
        )
        .await;
    assert!(
        networks.says("The IP address format is invalid."),
        "a device admin has none: {}",
        networks.text
    );
    let done = browser
        .fill_in("accounts/add", "accounts/add", &with(&good, "name", &twenty))
        .await;
    assert_eq!(done.status, 303, "{}", done.text);
}

#[tokio::test]
async fn nobody_gives_a_role_or_a_right_that_is_not_theirs_to_give() {
    let house = House::new().await;
    let mut helper = house.stage.signed_in("helper1").await;
    let page = helper.get("accounts/add").await;
    assert!(
        page.says("<option value=\"device\"") && !page.says("<option value=\"super\""),
        "{}",
        page.text
    );
    assert!(page.says("action:console/devices:reboot"), "{}", page.text);
    assert!(
        !page.says("action:console/devices:wipe") && !page.says("console/logs"),
        "{}",
        page.text
    );
    for role in ["super", "general", "helper"] {
        let answer = helper
            .fill_in("accounts/add", "accounts/add", &new_account("nora_1", role))
            .await;
        assert!(
            answer.status == 403 && answer.says("Permission denied"),
            "{role}: {}",
            answer.text
        );
    }
    for (field, value) in [
        ("grant:console/devices", "manage"),
        ("action:console/devices:wipe", "yes"),
        ("grant:console/logs", "view"),
    ] {
        let mut form = new_account("nora_1", "device");
        if field.starts_with("action") {
            form.push(("grant:console/devices", "none"));
        }
        let answer = helper
            .fill_in("accounts/add", "accounts/add", &with(&form, field, value))
            .await;
        assert!(
            answer.status == 403 && answer.says("Permission denied"),
            "{field}: {}",
            answer.text
        );
    }
    let mut form = new_account("nora_1", "device");
    form.extend([
        ("grant:console/devices", "view"),
        ("action:console/devices:reboot", "yes"),
    ]);
    assert_eq!(helper.fill_in("accounts/add", "accounts/add", &form).await.status, 303);
}

#[tokio::test]
async fn a_form_with_a_field_twice_or_none_is_not_guessed_at() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let mut twice = new_account("nora_1", "device");
    twice.push(("role", "super"));
    assert_eq!(
        browser.fill_in("accounts/add", "accounts/add", &twice).await.status,
        400
    );
    for field in ["display_name", "name", "role", "new_password", "repeat"] {
        let without: Form<'_> = new_account("nora_1", "device")
            .into_iter()
            .filter(|(name, _)| *name != field)
            .collect();
        assert_eq!(
            browser.fill_in("accounts/add", "accounts/add", &without).await.status,
            400,
            "{field}"
        );
    }
    let level = with(&new_account("nora_1", "device"), "grant:console/devices", "all");
    assert_eq!(
        browser.fill_in("accounts/add", "accounts/add", &level).await.status,
        400
    );
    let json = browser
        .post_json("accounts/add", &serde_json::json!([["name", "nora_1"]]))
        .await;
    assert_eq!(json.status, 415);
    assert!(!browser.get("accounts").await.says("nora_1"));
}

#[tokio::test]
async fn markup_in_every_field_of_an_account_is_text_on_every_page() {
    const NASTY: &str = "<svg/onload=a()>\"'&";
    let house = House::new().await;
    let change = AccountChange {
        display_name: Some(NASTY.to_owned()),
        email: Some(Some("a&b@example.org".to_owned())),
        ..AccountChange::default()
    };
    house
        .stage
        .door
        .change_account(house.general.id, None, change, &cli())
        .await
        .unwrap();
    let mut browser = house.stage.signed_in("root1").await;
    let id = house.id("general1");
    let escaped = "&#60;svg/onload=a()&#62;&#34;&#39;&#38;";
    for page in [
        "accounts".to_owned(),
        format!("accounts/{id}"),
        format!("accounts/{id}/edit"),
        format!("accounts/{id}/password"),
        format!("accounts/{id}/delete"),
    ] {
        let page = browser.get(&page).await;
        assert!(
            page.says(escaped) && !page.says("<svg") && !page.says("\"'&"),
            "{}",
            page.text
        );
    }
    for field in ["display_name", "name", "role", "networks"] {
        for (action, form) in [
            ("accounts/add".to_owned(), new_account("nora_1", "general")),
            (
                format!("accounts/{id}/edit"),
                with(&new_account("nora_1", "general"), "version", "1"),
            ),
        ] {
            let answer = browser
                .fill_in("logout", &action, &with(&form, field, "<svg/onload=a()>'\"&!!!"))
                .await;
            assert!(answer.status.is_client_error(), "{action} {field}");
            assert!(
                !answer.says("<svg") && !answer.says("\"&!"),
                "{action} {field}: {}",
                answer.text
            );
        }
    }
    let page = browser.get("accounts?name=%3Csvg%3E%22%27&after=root1").await;
    assert!(
        page.status == 200 && !page.says("<svg") && !page.says("\"'"),
        "{}",
        page.text
    );
}
