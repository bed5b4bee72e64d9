//! What is good once is good once, also for two who come at the same time.

use stagedoor_identity::account::AccountQuery;

use super::*;

const CODE: &str = "login/second-factor";

async fn make_first(stage: &Stage, browser: &mut Browser<'_>, name: &str) -> Page {
    let fields = [
        ("link", stage.setup.expose()),
        ("username", name),
        ("new_password", PASSWORD),
        ("repeat", PASSWORD),
    ];
    browser.fill_in("login", "setup", &fields).await
}

async fn accounts(stage: &Stage) -> usize {
    let query = AccountQuery {
        limit: 100,
        ..AccountQuery::default()
    };
    stage.door.store().list_accounts(&query).await.unwrap().len()
}

/// Somebody with a second factor: its enrolment page, and the page with the recovery codes.
async fn enrolled(stage: &Stage, name: &str) -> (Page, Page) {
    stage.account_of(name, "guard", false).await;
    let mut browser = stage.browser();
    browser.sign_in(name, PASSWORD).await;
    let shown = browser.get("login/enrol").await;
    let fields = [("csrf", shown.token()), ("code", stage.code_of(&shown))];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let codes = browser.post("login/enrol", &fields).await;
    stage.next_code();
    (shown, codes)
}

#[tokio::test]
async fn two_who_hold_the_printed_link_at_once_make_one_account() {
    let stage = Stage::new().await;
    let (mut one, mut two) = (stage.browser(), stage.browser());
    let (first, second) = tokio::join!(
        make_first(&stage, &mut one, "root"),
        make_first(&stage, &mut two, "mallory")
    );
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404]);
    assert_eq!(accounts(&stage).await, 1);
}

#[tokio::test]
async fn a_printed_link_that_met_a_failing_store_is_good_still() {
    let stage = Stage::new().await;
    for operation in ["list_accounts", "create_account"] {
        stage.store.break_down(operation);
        let answer = make_first(&stage, &mut stage.browser(), "root").await;
        assert_eq!(answer.status, 503, "{operation}: {}", answer.text);
        stage.store.mend();
    }
    assert_eq!(make_first(&stage, &mut stage.browser(), "root").await.status, 303);
}

#[tokio::test]
async fn a_code_of_the_app_is_good_once() {
    let stage = Stage::new().await;
    let (shown, _) = enrolled(&stage, "gina").await;
    let code = stage.code_of(&shown);
    let (mut browser, mut thief) = (stage.browser(), Browser::new(&stage, THERE));
    browser.sign_in("gina", PASSWORD).await;
    thief.sign_in("gina", PASSWORD).await;
    assert_eq!(browser.fill_in(CODE, CODE, &[("code", &code)]).await.status, 303);
    let again = thief.fill_in(CODE, CODE, &[("code", &code)]).await;
    assert!(!thief.cookies.contains_key("stagedoor"), "{}", again.text);
    assert_eq!(again.status, 401);
    assert_eq!(browser.get("profile").await.status, 200, "and the first one stays in");
}

#[tokio::test]
async fn a_recovery_code_is_good_once() {
    let stage = Stage::new().await;
    let (_, codes) = enrolled(&stage, "gina").await;
    let code = codes.between("<li><code>", "</code>");
    for expected in [303, 401] {
        let mut browser = stage.browser();
        browser.sign_in("gina", PASSWORD).await;
        let answer = browser.fill_in(CODE, CODE, &[("code", &code)]).await;
        assert_eq!(answer.status, expected, "{}", answer.text);
    }
}

#[tokio::test]
async fn guessing_codes_locks_even_the_right_one_out() {
    let stage = Stage::new().await;
    let (shown, _) = enrolled(&stage, "gina").await;
    let mut browser = stage.browser();
    browser.sign_in("gina", PASSWORD).await;
    let token = browser.get(CODE).await.token();
    let wrong = [("csrf", token.as_str()), ("code", "000000")];
    let mut answer = browser.post(CODE, &wrong).await;
    let mut guesses = 1;
    while answer.says("The code is wrong") {
        guesses += 1;
        assert!(guesses <= 6, "{guesses} guesses");
        answer = browser.post(CODE, &wrong).await;
    }
    assert!(answer.says("too many failed attempts"), "{}", answer.text);
    assert!(!answer.header("retry-after").is_empty());
    let mut again = stage.browser();
    again.sign_in("gina", PASSWORD).await;
    let code = stage.code_of(&shown);
    let answer = again.fill_in("login", CODE, &[("code", &code)]).await;
    assert_ne!(answer.status, 303, "{}", answer.text);
    assert!(!again.cookies.contains_key("stagedoor"));
}
