//! The accounts that somebody administers: who may see and do what.

use stagedoor_identity::account::AccountChange;
use stagedoor_policy::rules::SecondFactor;

use super::accounts_house::{House, TEMPORARY, console_rules, named, sign_in_by_client};
use super::*;

#[tokio::test]
async fn a_stranger_is_led_to_sign_in_and_a_program_is_told() {
    let house = House::new().await;
    let id = house.id("device1");
    for page in [
        "accounts".to_owned(),
        "accounts/add".to_owned(),
        format!("accounts/{id}"),
        format!("accounts/{id}/edit"),
        format!("accounts/{id}/password"),
        format!("accounts/{id}/delete"),
    ] {
        let answer = house.stage.browser().get(&page).await;
        assert_eq!(answer.status, 303, "{page}");
        assert!(
            answer
                .location()
                .starts_with("/.stagedoor/login?to=/.stagedoor/accounts"),
            "{page}"
        );
        let answer = house.stage.browser().post(&page, &[]).await;
        assert!(
            answer.status == 401 || answer.status == 405,
            "{page}: {}",
            answer.status
        );
    }
}

#[tokio::test]
async fn who_administers_nobody_has_neither_the_pages_nor_the_way_to_them() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("general1").await;
    let id = house.id("device1");
    assert!(!browser.get("profile").await.says("/.stagedoor/accounts"));
    for page in [
        "accounts".to_owned(),
        "accounts/add".to_owned(),
        format!("accounts/{id}"),
    ] {
        assert_eq!(browser.get(&page).await.status, 403, "{page}");
    }
    let answer = browser
        .fill_in("logout", &format!("accounts/{id}/delete"), &[("version", "1")])
        .await;
    assert_eq!(answer.status, 403);
    assert!(house.read(&house.device).await.is_some());
    assert!(
        house
            .stage
            .signed_in("root1")
            .await
            .get("profile")
            .await
            .says("href=\"/.stagedoor/accounts\"")
    );
}

#[tokio::test]
async fn the_list_shows_whom_one_administers_with_date_role_and_state() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let page = browser.get("accounts").await;
    for words in [
        "Rita Root",
        "root2",
        "Gero 게로",
        "general",
        "Dora",
        "2026-01-01",
        "Never",
        "active",
    ] {
        assert!(page.says(words), "{words} is not in {}", page.text);
    }
    let mut helper = house.stage.signed_in("helper1").await;
    let page = helper.get("accounts").await;
    assert!(
        page.says("Dora") && !page.says("Rita Root") && !page.says("Gero"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn a_search_takes_up_to_twenty_characters_of_any_script_and_tells_of_more() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    for (searched, found) in [
        ("%EA%B2%8C", true),
        ("GERO", true),
        ("general1", false),
        ("Rita", false),
    ] {
        let page = browser.get(&format!("accounts?name={searched}")).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.says("Gero"), found, "{searched}: {}", page.text);
    }
    let twenty = "%ED%99%8D".repeat(20);
    assert_eq!(browser.get(&format!("accounts?name={twenty}")).await.status, 200);
    let page = browser.get(&format!("accounts?name={twenty}x")).await;
    assert!(
        page.status == 422 && page.says("at most 20 characters"),
        "{}",
        page.text
    );
    assert!(
        page.says(&format!("value=\"{}x\"", "홍".repeat(20))),
        "what was typed stays"
    );
    assert!(browser.get("accounts?name=%00%ff").await.says("No account was found."));
    assert_eq!(
        browser.get("accounts?after=%20").await.status,
        400,
        "no name of an account"
    );
}

#[tokio::test]
async fn pages_lead_on_to_the_next_and_never_lose_or_repeat_anybody() {
    let house = House::new().await;
    for number in 0..105 {
        named(
            &house.stage,
            &format!("many_{number:03}"),
            &format!("Many {number:03}"),
            "device",
        )
        .await;
    }
    let mut browser = house.stage.signed_in("helper1").await;
    let (mut page, mut seen) = (browser.get("accounts?name=many").await, Vec::new());
    loop {
        seen.push(page.text.matches("<td>many_").count());
        if !page.says("rel=\"next\"") {
            break;
        }
        let next = page
            .between("rel=\"next\" href=\"/.stagedoor/", "\"")
            .replace("&#38;", "&");
        page = browser.get(&next).await;
    }
    assert_eq!(seen, [50, 50, 5]);
    assert!(page.says("First page"));
}

/// Who, to whom, by which act: the status, and whether the page of the account offers it.
#[tokio::test]
async fn who_may_do_what_to_whom_is_this_table_and_a_page_offers_just_that() {
    const ACTS: [&str; 5] = ["edit", "password", "sessions", "disable", "delete"];
    let table = [
        ("root1", "device1", [true, true, false, true, true]),
        ("root1", "general1", [true, true, false, true, true]),
        ("root1", "root2", [true, true, true, true, true]),
        ("root1", "root1", [true, false, false, false, true]),
        ("helper1", "device1", [true, true, false, true, true]),
        ("helper1", "helper1", [true, false, false, false, false]),
    ];
    let house = House::new().await;
    house.stage.signed_in("root2").await;
    for (who, whom, offered) in table {
        let mut browser = house.stage.signed_in(who).await;
        let page = browser.get(&format!("accounts/{}", house.id(whom))).await;
        assert_eq!(page.status, 200, "{who} looks at {whom}");
        for (act, offered) in ACTS.into_iter().zip(offered) {
            let there = page.says(&format!("/.stagedoor/accounts/{}/{act}\"", house.id(whom)));
            assert_eq!(there, offered, "{who} {act} {whom}");
        }
    }
    for (who, whom) in [("helper1", "root1"), ("helper1", "general1"), ("root1", "nobody")] {
        let mut browser = house.stage.signed_in(who).await;
        let id = if whom == "nobody" {
            "0199f3a2-7c41-7d60-9b1e-5f0c2a7de911".to_owned()
        } else {
            house.id(whom)
        };
        for page in ["", "/edit", "/password", "/delete"] {
            assert_eq!(
                browser.get(&format!("accounts/{id}{page}")).await.status,
                404,
                "{who} {whom}{page}"
            );
        }
        for act in [
            "password",
            "second-factor",
            "unlock",
            "sessions",
            "disable",
            "enable",
            "reinstate",
            "delete",
        ] {
            let fields = [("version", "1"), ("new_password", TEMPORARY), ("repeat", TEMPORARY)];
            let answer = browser
                .fill_in("logout", &format!("accounts/{id}/{act}"), &fields)
                .await;
            assert_eq!(answer.status, 404, "{who} {act} {whom}");
        }
    }
    assert!(!house.read(&house.root1).await.unwrap().disabled);
}

#[tokio::test]
async fn what_is_not_offered_is_refused_when_it_is_sent_all_the_same() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let own = house.id("root1");
    for act in ["password", "second-factor", "unlock", "disable"] {
        let fields = [("version", "1"), ("new_password", TEMPORARY), ("repeat", TEMPORARY)];
        let answer = browser
            .fill_in("logout", &format!("accounts/{own}/{act}"), &fields)
            .await;
        assert!(
            answer.status == 403 && answer.says("Permission denied"),
            "{act}: {}",
            answer.text
        );
    }
    assert_eq!(house.stage.browser().sign_in("root1", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn a_temporary_password_is_typed_twice_and_every_mistake_has_its_sentence() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let page = format!("accounts/{}/password", house.id("general1"));
    for (first, second, sentence) in [
        ("", "", "Please enter a new password."),
        (TEMPORARY, "other", "The new password confirmation does not match."),
        ("short", "short", "at least"),
    ] {
        let answer = browser
            .fill_in(&page, &page, &[("new_password", first), ("repeat", second)])
            .await;
        assert!(answer.status == 422 && answer.says(sentence), "{}", answer.text);
        assert!(!answer.says(TEMPORARY), "a password is never shown");
    }
    let done = browser
        .fill_in(&page, &page, &[("new_password", TEMPORARY), ("repeat", TEMPORARY)])
        .await;
    assert_eq!(done.status, 303, "{}", done.text);
    let told = browser.get(&format!("accounts/{}", house.id("general1"))).await;
    assert!(
        told.says("has a temporary password") && told.says("Temporary: it is changed"),
        "{}",
        told.text
    );
    let next = house.stage.browser().sign_in("general1", TEMPORARY).await;
    assert_eq!(
        next.location(),
        "/.stagedoor/login/password",
        "it must be changed first"
    );
}

#[tokio::test]
async fn a_locked_account_says_until_when_and_is_unlocked_by_hand() {
    let house = House::new().await;
    for _failure in 0..5 {
        house.stage.browser().sign_in("general1", "wrong").await;
    }
    let mut browser = house.stage.signed_in("root1").await;
    let page = format!("accounts/{}", house.id("general1"));
    let locked = browser.get(&page).await;
    assert!(
        locked.says("locked until") && locked.says("00:15 (UTC)"),
        "{}",
        locked.text
    );
    assert!(browser.get("accounts").await.says("locked until"));
    let done = browser
        .fill_in(&page, &format!("{page}/unlock"), &[("version", "1")])
        .await;
    assert_eq!(done.location(), format!("/.stagedoor/{page}"));
    let unlocked = browser.get(&page).await;
    assert!(
        unlocked.says("The account has been unlocked.") && !unlocked.says(">Unlock<"),
        "{}",
        unlocked.text
    );
    assert!(
        !browser.get(&page).await.says("The account has been unlocked."),
        "said once"
    );
    assert_eq!(house.stage.browser().sign_in("general1", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn switching_off_asks_first_ends_sessions_and_can_be_undone() {
    let house = House::new().await;
    let mut other = house.stage.signed_in("general1").await;
    let mut browser = house.stage.signed_in("root1").await;
    let page = format!("accounts/{}", house.id("general1"));
    let asked = browser.get(&format!("{page}/disable")).await;
    assert!(
        asked.says("Switch this account off?") && asked.says("Gero 게로"),
        "{}",
        asked.text
    );
    let version = asked.between("name=\"version\" value=\"", "\"");
    let done = browser
        .fill_in(
            &format!("{page}/disable"),
            &format!("{page}/disable"),
            &[("version", &version)],
        )
        .await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert!(other.get("profile").await.status == 303, "its session has ended");
    let off = browser.get(&page).await;
    assert!(
        off.says("switched off") && off.says("disabled") && off.says("Switch on"),
        "{}",
        off.text
    );
    let version = off.between("name=\"version\" value=\"", "\"");
    let done = browser
        .fill_in(&page, &format!("{page}/enable"), &[("version", &version)])
        .await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert_eq!(house.stage.browser().sign_in("general1", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn an_act_on_an_account_that_somebody_else_changed_meanwhile_is_not_done() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let page = format!("accounts/{}/delete", house.id("general1"));
    let version = browser.get(&page).await.between("name=\"version\" value=\"", "\"");
    let change = AccountChange {
        display_name: Some("Somebody".to_owned()),
        ..AccountChange::default()
    };
    house
        .stage
        .door
        .change_account(house.general.id, None, change, &cli())
        .await
        .unwrap();
    let answer = browser.fill_in(&page, &page, &[("version", &version)]).await;
    assert!(
        answer.status == 412 && answer.says("Somebody else changed this account"),
        "{}",
        answer.text
    );
    assert!(house.read(&house.general).await.is_some());
    for version in ["", "x", "-1"] {
        assert_eq!(
            browser.fill_in(&page, &page, &[("version", version)]).await.status,
            400,
            "{version:?}"
        );
    }
}

#[tokio::test]
async fn a_second_factor_is_reset_after_a_question() {
    let house = House::new().await;
    let mut general = house.stage.signed_in("general1").await;
    let page = "profile/second-factor";
    general.fill_in(page, page, &[("password", PASSWORD)]).await;
    let shown = general.get(page).await;
    let code = house.stage.code_of(&shown);
    general.post(page, &[("csrf", &shown.token()), ("code", &code)]).await;
    let mut browser = house.stage.signed_in("root1").await;
    let page = format!("accounts/{}/second-factor", house.id("general1"));
    let asked = browser.get(&page).await;
    assert!(asked.says("Reset two-factor authentication?"), "{}", asked.text);
    assert_eq!(browser.fill_in(&page, &page, &[("version", "1")]).await.status, 303);
    assert!(!house.read(&house.general).await.unwrap().second_factor);
    assert_eq!(browser.get(&page).await.status, 409, "there is none to reset any more");
}

#[tokio::test]
async fn who_is_signed_in_by_the_client_is_left_alone() {
    let house = House::new().await;
    sign_in_by_client(&house.stage, "device1").await;
    let mut browser = house.stage.signed_in("root1").await;
    let page = format!("accounts/{}", house.id("device1"));
    let shown = browser.get(&page).await;
    for act in ["edit", "delete", "disable"] {
        assert!(!shown.says(&format!("{page}/{act}\"")), "{act}: {}", shown.text);
        assert_eq!(browser.get(&format!("{page}/{act}")).await.status, 409, "{act}");
    }
    let answer = browser
        .fill_in(&page, &format!("{page}/delete"), &[("version", "1")])
        .await;
    assert!(answer.status == 409 || answer.status == 412, "{}", answer.text);
    assert!(house.read(&house.device).await.is_some());
    let ended = browser
        .fill_in(&page, &format!("{page}/sessions"), &[("version", "1")])
        .await;
    assert_eq!(ended.status, 303);
    let shown = browser.get(&page).await;
    assert!(
        shown.says("One session has ended.") && shown.says(&format!("{page}/edit\"")),
        "{}",
        shown.text
    );
}

#[tokio::test]
async fn the_last_super_admin_is_not_offered_for_deletion_and_is_not_deleted() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let delete = |name: &str| format!("accounts/{}/delete", house.id(name));
    let version = browser
        .get(&delete("root2"))
        .await
        .between("name=\"version\" value=\"", "\"");
    let done = browser
        .fill_in(&delete("root2"), &delete("root2"), &[("version", &version)])
        .await;
    assert_eq!(done.location(), "/.stagedoor/accounts");
    assert!(browser.get("accounts").await.says("The account is deleted."));
    let own = browser.get(&format!("accounts/{}", house.id("root1"))).await;
    assert!(!own.says("/delete\""), "{}", own.text);
    let version = house.read(&house.root1).await.unwrap().version.to_string();
    let answer = browser
        .fill_in("logout", &delete("root1"), &[("version", &version)])
        .await;
    assert_eq!(answer.status, 409);
    assert!(
        answer.says("This is the last Super Admin. User information cannot be modified."),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn who_deletes_their_own_account_is_signed_out() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root2").await;
    let page = format!("accounts/{}/delete", house.id("root2"));
    let asked = browser.get(&page).await;
    assert!(asked.says("Delete your own account?"));
    let version = asked.between("name=\"version\" value=\"", "\"");
    let answer = browser.fill_in(&page, &page, &[("version", &version)]).await;
    assert_eq!(answer.location(), "/.stagedoor/login");
    let login = browser.get("login").await;
    assert!(login.says("This account was removed at"), "{}", login.text);
}

#[tokio::test]
async fn a_session_that_the_consoles_refuse_opens_these_pages_no_more() {
    let house = House::new().await;
    let mut browser = house.stage.signed_in("root1").await;
    let mut elsewhere = Browser::new(&house.stage, THERE);
    elsewhere.cookies = browser.cookies.clone();
    let mut rules = console_rules();
    rules.roles.get_mut("super").unwrap().networks = Some(vec![format!("{HERE}/32")]);
    house.stage.policy.swap(compile(&rules, Revision(2)).unwrap());
    let refused = elsewhere.get("accounts").await;
    assert!(
        refused.status == 403 && refused.says("cannot be used from your address"),
        "{}",
        refused.text
    );
    assert_eq!(browser.get("accounts").await.status, 200);
    rules.roles.get_mut("super").unwrap().second_factor = Some(SecondFactor::Required);
    house.stage.policy.swap(compile(&rules, Revision(3)).unwrap());
    // It has ended: one signs in again, with a second factor.
    assert_eq!(browser.get("accounts").await.status, 303);
}
