//! What the links of letters lead to.

use stagedoor_identity::account::NewInvitation;
use stagedoor_identity::testing::SwappableLetterhead;

use super::*;

impl Stage {
    /// The token of an invitation, shown because no letter carries it.
    async fn invited(&self, name: &str) -> String {
        let new = NewInvitation {
            name: AccountName::parse(name).unwrap(),
            display_name: String::new(),
            email: Some(format!("{name}@example.org")),
            role: Some("viewer".to_owned()),
            grants: Vec::new(),
            networks: Vec::new(),
        };
        let invited = self.door.invite(new, &cli()).await.unwrap();
        invited.link.unwrap().expose_text().to_owned()
    }

    /// The texts of the letters that wait.
    async fn letters(&self) -> Vec<String> {
        let due = self
            .door
            .due_letters("test", Duration::from_secs(60), 10)
            .await
            .unwrap();
        due.into_iter()
            .map(|(_, letter)| letter.rendered.text.to_string())
            .collect()
    }
}

fn filled<'a>(link: &'a str, password: &'a str, repeat: &'a str) -> [(&'static str, &'a str); 3] {
    [("link", link), ("new_password", password), ("repeat", repeat)]
}

#[tokio::test]
async fn an_invitation_is_accepted_by_a_password_and_leads_in_once() {
    let stage = Stage::new().await;
    let link = stage.invited("carol").await;
    let page = format!("invitation?token={link}");
    let mut browser = stage.browser();
    let shown = browser.get(&page).await;
    assert!(
        shown.says("Accept your invitation") && shown.says("value=\"carol\""),
        "{}",
        shown.text
    );
    for (password, repeat, told) in [
        ("", "", "Please enter a new password."),
        (
            PASSWORD,
            OTHER_PASSWORD,
            "The new password confirmation does not match.",
        ),
        ("short", "short", "does not meet the requirements"),
    ] {
        let answer = browser
            .fill_in(&page, "invitation", &filled(&link, password, repeat))
            .await;
        assert!(answer.status == 422 && answer.says(told), "{told}: {}", answer.text);
    }
    let answer = browser
        .fill_in(&page, "invitation", &filled(&link, PASSWORD, PASSWORD))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.location()),
        (303, "/"),
        "{}",
        answer.text
    );
    assert!(browser.get("profile").await.says("carol"));
    let again = stage.browser().get(&page).await;
    assert!(
        again.status == 410 && again.says("This link leads nowhere"),
        "{}",
        again.text
    );
    let token = stage.browser().get("login").await;
    assert!(!token.says("reset"), "no letters, no way to ask for one");
}

#[tokio::test]
async fn a_link_of_another_kind_or_of_nobody_opens_no_page() {
    let stage = Stage::new().await;
    let link = stage.invited("carol").await;
    for page in [
        "invitation?token=x",
        "reset?token=x",
        "recovery?token=x",
        "invitation?token=%00",
    ] {
        assert_eq!(stage.browser().get(page).await.status, 410, "{page}");
    }
    for page in ["reset", "recovery"] {
        assert_eq!(
            stage.browser().get(&format!("{page}?token={link}")).await.status,
            410,
            "{page}"
        );
    }
    for page in ["invitation", "recovery", "reset", "invitation?token="] {
        assert_eq!(stage.browser().get(page).await.status, 404, "{page}");
    }
    let forged = stage
        .browser()
        .post("invitation", &filled(&link, PASSWORD, PASSWORD))
        .await;
    assert_eq!(forged.status, 403, "{}", forged.text);
    assert_eq!(
        stage.browser().get(&format!("invitation?token={link}")).await.status,
        200,
        "still good"
    );
}

#[tokio::test]
async fn a_forgotten_password_is_set_by_the_link_of_a_letter_and_nobody_learns_who_has_an_account() {
    let stage = Stage::new().await;
    let link = stage.invited("carol").await;
    let page = format!("invitation?token={link}");
    let mut carol = stage.browser();
    carol
        .fill_in(&page, "invitation", &filled(&link, PASSWORD, PASSWORD))
        .await;
    stage.letterhead.swap(Some(SwappableLetterhead::sample()));
    assert!(stage.browser().get("login").await.says("/.stagedoor/reset"));
    let mut answers = Vec::new();
    for email in ["carol@example.org", "nobody@example.org", "no address"] {
        let answer = stage.browser().fill_in("reset", "reset", &[("email", email)]).await;
        assert_eq!(answer.status, 200, "{email}: {}", answer.text);
        answers.push(answer.text.replace(&answer.token(), ""));
    }
    assert!(answers.iter().all(|text| *text == answers[0]), "{answers:#?}");
    let letters = stage.letters().await;
    assert_eq!(letters.len(), 1, "{letters:#?}");
    let link = letters[0].split("reset?token=").nth(1).unwrap();
    let link = link.split_whitespace().next().unwrap();
    let mut browser = stage.browser();
    let fields = filled(link, OTHER_PASSWORD, OTHER_PASSWORD);
    let answer = browser
        .fill_in(&format!("reset?token={link}"), "reset/password", &fields)
        .await;
    assert!(
        answer.status == 200 && answer.says("Your password is set"),
        "{}",
        answer.text
    );
    assert_eq!(carol.get("profile").await.status, 303, "her session has ended");
    assert_eq!(stage.browser().sign_in("carol", PASSWORD).await.status, 401);
    assert_eq!(stage.browser().sign_in("carol", OTHER_PASSWORD).await.status, 303);
    assert_eq!(
        stage.browser().get(&format!("reset?token={link}")).await.status,
        410,
        "used"
    );
}

#[tokio::test]
async fn a_recovery_link_leads_through_the_password_to_another_second_factor() {
    let stage = Stage::new().await;
    let guard = stage.account_of("grace", "guard", false).await;
    let link = stage
        .door
        .send_second_factor_recovery(guard.id, &cli())
        .await
        .unwrap()
        .unwrap();
    let link = link.expose_text().to_owned();
    let page = format!("recovery?token={link}");
    let mut browser = stage.browser();
    assert!(browser.get(&page).await.says("to set up a second factor anew"));
    let wrong = [("username", "grace"), ("password", OTHER_PASSWORD), ("link", &link)];
    let answer = browser.fill_in(&page, "login", &wrong).await;
    assert!(
        answer.status == 401 && answer.says(&link),
        "the link is not lost: {}",
        answer.text
    );
    let right = [("username", "grace"), ("password", PASSWORD), ("link", &link)];
    let answer = browser.fill_in(&page, "login", &right).await;
    assert_eq!(
        (answer.status.as_u16(), answer.location()),
        (303, "/.stagedoor/login/enrol"),
        "{}",
        answer.text
    );
}
