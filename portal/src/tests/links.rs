//! What the links of letters lead to.

use stagedoor_identity::account::NewInvitation;

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
}

fn filled<'a>(link: &'a str, password: &'a str, repeat: &'a str) -> [(&'static str, &'a str); 3] {
    [("token", link), ("new_password", password), ("repeat", repeat)]
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
    for page in ["invitation", "recovery", "invitation?token="] {
        assert_eq!(stage.browser().get(page).await.status, 410, "{page}");
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
