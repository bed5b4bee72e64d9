//! What another site's page makes a browser send, to every form of the door.

use http::{Method, Request};
use stagedoor_tests::{PASSWORD, Reply, Way, body_of};

use crate::person::{Person, encoded};
use crate::stage::{ROOMY, Stage, sign_in};

/// Every form that changes something, and what else it sends.
const FORMS: [(&str, &[(&str, &str)]); 9] = [
    ("login", &[("username", "ada"), ("password", PASSWORD)]),
    ("login/second-factor", &[("code", "000000")]),
    ("login/enrol", &[("code", "000000")]),
    ("login/password", &[("new_password", "x"), ("repeat", "x")]),
    ("logout", &[]),
    (
        "profile/password",
        &[("current_password", PASSWORD), ("new_password", NEW), ("repeat", NEW)],
    ),
    ("profile/second-factor", &[("password", PASSWORD)]),
    ("profile/sessions", &[("end", "others")]),
    (
        "setup",
        &[("link", "x"), ("username", "x"), ("new_password", NEW), ("repeat", NEW)],
    ),
];
const NEW: &str = "another nine quiet herons";

/// What a browser says of a post that another page has sent; `HERE` stands for the origin of the door.
const FOREIGN: [&[(&str, &str)]; 12] = [
    &[("origin", "https://evil.example")],
    &[("origin", "null")],
    &[("origin", "")],
    &[("origin", "HERE.evil.example")],
    &[("origin", "HERE@evil.example")],
    &[("origin", "HERE"), ("origin", "https://evil.example")],
    &[("origin", "HERE https://evil.example")],
    &[("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "same-site")],
    &[("sec-fetch-site", "none")],
    &[("origin", "HERE"), ("sec-fetch-site", "cross-site")],
    &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
];

/// Nothing was done, and no cookie was given or taken.
#[track_caller]
fn nothing_came_of_it(answer: &Reply, statuses: &[u16], what: &str) {
    assert!(
        statuses.contains(&answer.status.as_u16()),
        "{what}: {}\n{}",
        answer.status,
        answer.text()
    );
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    let only_the_forms = cookies
        .iter()
        .all(|cookie| cookie.to_str().is_ok_and(|cookie| cookie.contains("stagedoor-form=")));
    assert!(only_the_forms, "{what}: {cookies:?}");
}

async fn is_still_in(bob: &Person, what: &str) {
    assert_eq!(bob.get("/app/page").await.status, 200, "{what} has ended the session");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_another_page_sent_is_refused_with_the_right_token_in_it_by_every_way() {
    let stage = Stage::open(ROOMY).await;
    for way in Way::ALL {
        let bob = stage.person(way);
        bob.sign_in("bob", "/").await.expect(303);
        let (https, http) = (stage.ways.door.https.expect("TLS"), stage.ways.door.http);
        let here = if way.is_secure() {
            format!("https://console.localhost:{https}")
        } else {
            format!("http://console.localhost:{http}")
        };
        let (strangers, own) = (bob.token("login").await, bob.token("logout").await);
        for (action, fields) in FORMS {
            let token = if action.starts_with("login") || action == "setup" {
                &strangers
            } else {
                &own
            };
            let mut all = vec![("csrf", token.as_str())];
            all.extend_from_slice(fields);
            for foreign in FOREIGN {
                let headers: Vec<(&str, String)> = foreign
                    .iter()
                    .map(|(name, value)| (*name, value.replace("HERE", &here)))
                    .collect();
                let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let what = format!("{way:?} {action} {headers:?}");
                nothing_came_of_it(&bob.send(action, &all, &headers).await, &[403], &what);
            }
        }
        is_still_in(&bob, "a foreign page").await;
    }
    sign_in(&stage.visitor("127.0.0.1"), "bob", PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_good_for_the_session_it_was_made_for_alone() {
    let stage = Stage::open(ROOMY).await;
    let (bob, other) = (stage.person(Way::Http1), stage.person(Way::Http1));
    bob.sign_in("bob", "/").await.expect(303);
    // Another session of the same account is another session.
    other.sign_in("bob", "/").await.expect(303);
    let ada = stage.person(Way::Http1);
    ada.sign_in("ada", "/").await.expect(303);
    let own = bob.token("logout").await;
    let longer = format!("{own}A");
    let tokens = [
        String::new(),
        "A".repeat(own.len()),
        own[..own.len() - 1].to_owned(),
        longer,
        own.to_lowercase(),
        stage.person(Way::Http1).token("login").await,
        other.token("logout").await,
        ada.token("logout").await,
    ];
    for (action, fields) in FORMS.into_iter().filter(|(action, _)| *action != "setup") {
        for token in &tokens {
            let mut all = vec![("csrf", token.as_str())];
            all.extend_from_slice(fields);
            let what = format!("{action} with `{token}`");
            nothing_came_of_it(&bob.send(action, &all, &[]).await, &[403], &what);
            // The right one beside it does not help: a field is there once.
            all.push(("csrf", &own));
            nothing_came_of_it(&bob.send(action, &all, &[]).await, &[400, 403], &what);
        }
        nothing_came_of_it(&bob.send(action, fields, &[]).await, &[403], action);
    }
    is_still_in(&bob, "a foreign token").await;
    is_still_in(&other, "a foreign token").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_passes_only_as_what_no_form_of_another_page_can_send() {
    let stage = Stage::open(ROOMY).await;
    let bob = stage.person(Way::Http1);
    bob.sign_in("bob", "/").await.expect(303);
    for kind in [
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json-patch",
        "application/jsonp",
        "text/json",
        "",
    ] {
        for (action, body) in [
            ("logout", "{}"),
            ("login", "{\"username\":\"ada\",\"password\":\"x\",\"=\":\"\"}"),
            ("profile/sessions", "{\"end\":\"others\"}"),
        ] {
            let request = Request::post(format!("/.stagedoor/{action}")).header("content-type", kind);
            let answer = bob.visitor.send(request.body(body_of(body)).expect("a request")).await;
            nothing_came_of_it(&answer, &[400, 403, 415, 422], &format!("{action} as `{kind}`"));
        }
    }
    // No leave is given to ask for more, and no other method does what a post does.
    for method in [
        Method::OPTIONS,
        Method::GET,
        Method::HEAD,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
    ] {
        for (action, fields) in FORMS {
            let path = format!("/.stagedoor/{action}?{}", encoded(fields));
            let request = Request::builder().method(&method).uri(path);
            let request = request
                .header("origin", "https://evil.example")
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "content-type")
                .header("x-http-method-override", "POST");
            let answer = bob.visitor.send(request.body(body_of("")).expect("a request")).await;
            let what = format!("{method} {action}");
            nothing_came_of_it(&answer, &[200, 303, 403, 404, 405, 409], &what);
            for name in [
                "access-control-allow-origin",
                "access-control-allow-headers",
                "access-control-allow-methods",
            ] {
                assert_eq!(answer.header(name), None, "{what}");
            }
        }
    }
    is_still_in(&bob, "another kind of body").await;
}
