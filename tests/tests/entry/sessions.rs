//! What a session is worth: nothing that was planted, guessed or read in the store, and nothing once it has ended.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;
use stagedoor_tests::{PASSWORD, Visitor, Way, sha256, totp};
use tokio::io::AsyncWriteExt as _;

use crate::person::{Person, encoded};
use crate::stage::{ROOMY, Stage, sign_in, told};

/// How many sessions are opened to look at their tokens.
const SESSIONS: usize = 48;
/// 32 bytes in base64 without padding.
const TOKEN_CHARACTERS: usize = 43;
/// Of 48 tokens, two that begin with the same 36 bits would be one chance in sixty million.
const PREFIX_CHARACTERS: usize = 6;

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

fn with_cookie(stage: &Stage, value: &str) -> Visitor {
    let visitor = stage.visitor("127.0.0.1");
    visitor.put_cookie("stagedoor", value);
    visitor
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_long_and_random_and_the_store_holds_nothing_that_opens_what_it_opened() {
    let stage = Stage::open(ROOMY).await;
    let mut tokens = Vec::new();
    for _ in 0..SESSIONS {
        let bob = stage.signed_in("bob").await;
        tokens.push(bob.cookie("stagedoor").expect("a session"));
    }
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    assert!(
        tokens
            .iter()
            .all(|token| token.len() == TOKEN_CHARACTERS && token.chars().all(plain)),
        "{tokens:?}"
    );
    let starts: BTreeSet<&str> = tokens.iter().map(|token| &token[..PREFIX_CHARACTERS]).collect();
    assert_eq!(starts.len(), SESSIONS, "tokens are alike: {tokens:?}");

    let store = stage.ways.door.stored();
    for token in &tokens {
        let hash = digest(&SHA256, token.as_bytes());
        assert!(!holds(&store, token.as_bytes()), "a token is in the store");
        // The search itself is good: what is looked up by is there, on Redis in hexadecimal.
        let hex = sha256(token.as_bytes());
        assert!(
            holds(&store, hash.as_ref()) || holds(&store, hex.as_bytes()),
            "the hash of a token is not in the store"
        );
        for dumped in [&hex, &hex[..TOKEN_CHARACTERS]] {
            let answer = with_cookie(&stage, dumped).get("/app/page").await;
            told(&answer, 401, "sign_in_required");
        }
    }
    assert!(!holds(&store, PASSWORD.as_bytes()), "a password is in the store");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_session_is_dead_at_every_step_and_another_is_given_at_the_last() {
    let stage = Stage::open("[second_factor]\nask = \"required\"\n\n[session]\nper_account = 0\n").await;
    let secret = stage.enrolled("carol").await;
    // Mallory's own session is live; the other one no door ever made.
    let mallory_secret = stage.enrolled("mallory").await;
    let mallory = stage.visitor("127.0.0.1");
    let body = json!({ "username": "mallory", "password": PASSWORD, "code": totp(&mallory_secret, 1) });
    crate::stage::step(&mallory, "", body).await.expect(200);
    let live = mallory.cookie("stagedoor").expect("a session");

    for (planted, ahead) in [("A".repeat(TOKEN_CHARACTERS), 1), (live.clone(), 2)] {
        let carol = stage.person(Way::Http1);
        carol.visitor.put_cookie("stagedoor", &planted);
        let page = carol.sign_in("carol", "/app/page").await.expect(303);
        assert_eq!(page.header("location"), Some("/.stagedoor/login/second-factor"));
        assert_eq!(carol.visitor.cookie("stagedoor").as_deref(), Some(planted.as_str()));
        // A code counts once, and the next one is good half a minute before its time.
        let code = next_code(&secret, ahead).await;
        let page = carol
            .fill_in("login/second-factor", "login/second-factor", &[("code", &code)])
            .await
            .expect(303);
        assert_eq!(page.header("location"), Some("/app/page"));
        let own = carol.visitor.cookie("stagedoor").expect("a session");
        assert_ne!(own, planted);
        carol.get("/app/page").await.expect(200);
        assert_eq!(stage.console.last().values("x-stagedoor-user"), ["carol"]);
        with_cookie(&stage, &planted).get("/app/page").await.expect(401);
    }
}

/// The code that is so many steps ahead of the enrolment's, once it is near enough to be taken.
async fn next_code(secret: &str, ahead: i64) -> String {
    if ahead <= 1 {
        return totp(secret, ahead);
    }
    let before = totp(secret, 1);
    stagedoor_tests::eventually("the next half minute has begun", crate::stage::PATIENCE, async || {
        let code = totp(secret, 1);
        (code != before).then_some(code)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_was_begun_before_its_session_ended_is_not_taken_after() {
    let stage = Stage::open(ROOMY).await;
    let bob = stage.person(Way::Http1);
    bob.sign_in("bob", "/").await.expect(303);
    let token = bob.token("profile/password").await;
    let new = "another nine quiet herons";
    let form = encoded(&[
        ("csrf", &token),
        ("current_password", PASSWORD),
        ("new_password", new),
        ("repeat", new),
    ]);
    let (first, rest) = form.split_at(form.len() / 2);
    let head = format!(
        "POST /.stagedoor/profile/password HTTP/1.1\r\nHost: console.localhost\r\nConnection: close\r\nCookie: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{first}",
        bob.visitor.cookie_header().expect("a session"),
        form.len()
    );
    let mut wire = bob.visitor.connect().await;
    wire.write_all(head.as_bytes()).await.expect("the door listens");
    ended(&stage, &bob).await;
    let answer = stagedoor_tests::raw::exchange_over(wire, rest).await;
    assert_eq!(stagedoor_tests::raw::status(&answer), 401, "{answer}");
    let again = stage.visitor("127.0.0.1");
    sign_in(&again, "bob", PASSWORD).await.expect(200);
}

/// Ends whatever sessions an account has, and sees that they are over.
async fn ended(stage: &Stage, person: &Person) {
    let answer = stage
        .admin
        .ask(http::Method::DELETE, "/v1/sessions?account=bob", None)
        .await
        .expect(200);
    assert_eq!(answer.json()["ended"], 1, "{}", answer.text());
    assert_eq!(person.get("/app/page").await.status, 303);
}
