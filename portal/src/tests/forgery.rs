//! Posts that other sites send, or that were made for somebody else.

use serde_json::json;

use super::{House, PASSWORD};

const CREDENTIALS: [(&str, &str); 2] = [("username", "alice"), ("password", PASSWORD)];

/// What a browser says of a post that another site sent.
const FOREIGN: [(&str, &str); 6] = [
    ("origin", "https://evil.example"),
    ("origin", "null"),
    ("origin", "http://console.example"),
    ("origin", "https://console.example.evil.example"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
];

#[tokio::test]
async fn a_post_from_another_site_signs_nobody_in_even_with_a_good_token() {
    let house = House::new().await;
    house.account("alice").await;
    let mut browser = house.browser();
    let page = browser.get("/.stagedoor/login").await;
    for (name, value) in FOREIGN {
        let mut browser = browser.clone().saying(name, value);
        let answer = browser.fill(&page, "login", &CREDENTIALS).await;
        answer.shows(403, "This did not come from our page");
        assert!(answer.cookie("__Host-stagedoor").is_none(), "{name}: {value}");
    }
    let mut own = browser
        .saying("origin", "https://console.example")
        .saying("sec-fetch-site", "same-origin");
    assert_eq!(own.fill(&page, "login", &CREDENTIALS).await.redirect(), "/");
}

#[tokio::test]
async fn no_form_of_somebody_signed_in_is_taken_from_another_site() {
    let house = House::new().await;
    let alice = house.account("alice").await;
    let mut browser = house.signed_in("alice").await;
    let token = browser.get("/.stagedoor/logout").await.token("logout");
    let new = "rain on a tin roof";
    let fields = [
        ("csrf", token.as_str()),
        ("end", "others"),
        ("current_password", PASSWORD),
        ("new_password", new),
        ("repeat", new),
    ];
    for (name, value) in FOREIGN {
        for page in [
            "logout",
            "profile/password",
            "profile/sessions",
            "profile/second-factor",
        ] {
            let mut browser = browser.clone().saying(name, value);
            let answer = browser.post(&format!("/.stagedoor/{page}"), &fields).await;
            answer.shows(403, "This did not come from our page");
        }
    }
    assert_eq!(house.door.sessions_of(alice.id).len(), 1);
    house.signed_in_with("alice", PASSWORD).await;
}

#[tokio::test]
async fn json_from_another_site_is_refused_as_well() {
    let house = House::new().await;
    house.account("alice").await;
    let body = json!({ "username": "alice", "password": PASSWORD });
    for (name, value) in FOREIGN {
        let mut program = house.browser().saying(name, value);
        let answer = program.json("/.stagedoor/login", &body).await;
        assert_eq!(answer.told(), (403, "forged".to_owned()), "{name}: {value}");
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 0);
    }
    let mut browser = house.signed_in("alice").await.saying("origin", "https://evil.example");
    assert_eq!(browser.json("/.stagedoor/logout", &json!({})).await.code(), "forged");
}

#[tokio::test]
async fn a_sign_in_form_without_its_token_is_shown_again_and_not_tried() {
    let house = House::new().await;
    house.account("alice").await;
    let mut other = house.browser();
    let foreign = other.get("/.stagedoor/login").await.token("login");
    let mut browser = house.browser();
    browser.get("/.stagedoor/login").await;
    for token in ["", "AAAA", foreign.as_str()] {
        let mut fields = CREDENTIALS.to_vec();
        fields.push(("csrf", token));
        let answer = browser.post("/.stagedoor/login", &fields).await;
        answer.shows(403, "Please try again.");
        assert!(answer.cookie("__Host-stagedoor").is_none());
        assert_eq!(
            browser
                .fill(&answer, "login", &[("username", "nobody"), ("password", "x")])
                .await
                .status,
            401
        );
    }
}

#[tokio::test]
async fn a_good_token_without_its_cookie_is_worth_nothing() {
    let house = House::new().await;
    house.account("alice").await;
    let mut browser = house.browser();
    let page = browser.get("/.stagedoor/login").await;
    browser.cookies.clear();
    browser
        .fill(&page, "login", &CREDENTIALS)
        .await
        .shows(403, "did not keep our cookie");
}

#[tokio::test]
async fn forms_of_a_session_take_no_other_sessions_token() {
    let house = House::new().await;
    let alice = house.account("alice").await;
    house.account("mallory").await;
    let foreign = house
        .signed_in("mallory")
        .await
        .get("/.stagedoor/logout")
        .await
        .token("logout");
    let mut browser = house.signed_in("alice").await;
    let strangers = house.browser().get("/.stagedoor/login").await.token("login");
    let new = "rain on a tin roof";
    for token in ["", foreign.as_str(), strangers.as_str()] {
        let fields = [
            ("csrf", token),
            ("end", "others"),
            ("password", PASSWORD),
            ("current_password", PASSWORD),
            ("new_password", new),
            ("repeat", new),
        ];
        for page in [
            "logout",
            "profile/password",
            "profile/sessions",
            "profile/second-factor",
        ] {
            let answer = browser.post(&format!("/.stagedoor/{page}"), &fields).await;
            answer.shows(403, "This form is out of date");
        }
    }
    assert_eq!(house.door.sessions_of(alice.id).len(), 1);
}

#[tokio::test]
async fn later_steps_of_a_sign_in_want_their_token_too() {
    let house = House::new().await;
    house.account_in("gil", "guard").await;
    house.with_temporary_password("tom").await;
    for (name, page, field) in [
        ("gil", "login/enrol", "code"),
        ("tom", "login/password", "new_password"),
    ] {
        let mut browser = house.browser();
        browser.sign_in(name, PASSWORD).await;
        let path = format!("/.stagedoor/{page}");
        let fields = [
            ("csrf", "AAAA"),
            (field, "rain on a tin roof"),
            ("repeat", "rain on a tin roof"),
        ];
        browser
            .post(&path, &fields)
            .await
            .shows(403, "This form is out of date");
    }
    house.enrolled("eve").await;
    let mut browser = house.browser();
    browser.sign_in("eve", PASSWORD).await;
    let fields = [("csrf", "AAAA"), ("code", "000000")];
    let answer = browser.post("/.stagedoor/login/second-factor", &fields).await;
    answer.shows(403, "This form is out of date");
}

#[tokio::test]
async fn pages_of_ones_own_are_not_for_programs_that_skip_the_form() {
    let house = House::new().await;
    house.account("alice").await;
    let mut browser = house.signed_in("alice").await;
    let new = "rain on a tin roof";
    let body = json!({ "current_password": PASSWORD, "new_password": new, "repeat": new, "end": "others", "password": PASSWORD });
    for page in ["profile/password", "profile/sessions", "profile/second-factor"] {
        let answer = browser.json(&format!("/.stagedoor/{page}"), &body).await;
        assert_eq!(answer.told(), (415, "unsupported_media_type".to_owned()), "{page}");
    }
}
