//! Where a sign-in leads: to a path of the console, whatever the link said.

use super::browser::escaped;
use super::{House, PASSWORD};

const HOSTILE: [&str; 22] = [
    "//evil.example",
    "///evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/%09/evil.example",
    "https://evil.example/",
    "HTTPS:evil.example",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "/a//evil.example",
    "/\r\nSet-Cookie: a=b",
    "/%0d%0aSet-Cookie:%20a=b",
    "/%00",
    "/%5",
    "evil.example",
    "@evil.example",
    " /a",
    "/ä",
    "/.stagedoor/logout",
    "/.stagedoor/login/enrol",
    "?to=/a",
];

#[tokio::test]
async fn a_hostile_link_leads_home_by_the_page_and_by_the_form() {
    let house = House::new().await;
    house.account("alice").await;
    for hostile in HOSTILE {
        let mut browser = house.browser();
        let page = browser.get(&format!("/.stagedoor/login?to={}", escaped(hostile))).await;
        assert_eq!(
            page.hidden_fields("/.stagedoor/login").len(),
            1,
            "{hostile:?} is on the page"
        );
        let fields = [("to", hostile), ("username", "alice"), ("password", PASSWORD)];
        let answer = browser.fill(&page, "login", &fields).await;
        assert_eq!(answer.redirect(), "/", "{hostile:?}");
        let page = browser.get(&format!("/.stagedoor/login?to={}", escaped(hostile))).await;
        page.shows(200, "<a href=\"/\">Go on</a>");
    }
}

#[tokio::test]
async fn a_hostile_link_leads_home_after_more_steps_too() {
    let house = House::new().await;
    house.account_in("gil", "guard").await;
    let mut browser = house.browser();
    let page = browser.get("/.stagedoor/login").await;
    let fields = [("to", "//evil.example"), ("username", "gil"), ("password", PASSWORD)];
    browser.fill(&page, "login", &fields).await;
    let page = browser.get("/.stagedoor/login/enrol").await;
    let code = house.code(&page.secret());
    let answer = browser.fill(&page, "login/enrol", &[("code", &code)]).await;
    answer.shows(200, "href=\"/\">I have kept them");
    assert!(!answer.body.contains("evil.example"));
}

#[tokio::test]
async fn a_path_of_the_console_is_led_to_with_its_query() {
    let house = House::new().await;
    house.account("alice").await;
    for wanted in ["/orders.php?id=7&sort=%2Fup", "/caf%C3%A9", "/?q=https://example.org/"] {
        let mut browser = house.browser();
        let page = browser.get(&format!("/.stagedoor/login?to={}", escaped(wanted))).await;
        let fields = [("username", "alice"), ("password", PASSWORD)];
        assert_eq!(browser.fill(&page, "login", &fields).await.redirect(), wanted);
    }
}

#[tokio::test]
async fn a_mistyped_password_does_not_lose_the_way() {
    let house = House::new().await;
    house.account("alice").await;
    let mut browser = house.browser();
    let page = browser.get("/.stagedoor/login?to=/orders").await;
    let again = browser
        .fill(&page, "login", &[("username", "alice"), ("password", "oops oops oops")])
        .await;
    let fields = [("username", "alice"), ("password", PASSWORD)];
    assert_eq!(browser.fill(&again, "login", &fields).await.redirect(), "/orders");
}

#[tokio::test]
async fn a_query_that_says_it_twice_or_not_at_all_leads_home() {
    let house = House::new().await;
    for query in ["to=/a&to=/b", "to", "to=%FF", "%%%"] {
        let page = house.browser().get(&format!("/.stagedoor/login?{query}")).await;
        page.shows(200, "Sign in");
        assert_eq!(page.hidden_fields("/.stagedoor/login").len(), 1, "{query}");
    }
}
