//! The samples of `examples/assertion`, as consoles run them: behind the real door they know who is calling, and whoever
//! has come past the door is told nothing, whatever he brings.

use http::{HeaderValue, Request};
use serde_json::{Value, json};
use stagedoor_tests::console::{Language, Verifier};
use stagedoor_tests::{Door, Recorder, Reply, Visitor, body_of, free_port, unix_seconds};

#[path = "verifier/keys.rs"]
mod keys;

use keys::{Keys, jwt};

const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\n\n[site.other.areas]\nrest = { paths = [\"/**\"] }\n\n\
     [role.keeper]\nmay = { \"*\" = \"all\" }\n";
const ASSERTION: &str = "x-stagedoor-assertion";

/// A door in front of a console that verifies, and of another site; the keys are had from the door as `localhost`.
async fn door_before(port: u16, other: &Recorder) -> Door {
    let console = format!("http://127.0.0.1:{port}");
    let by_address = "[site.keys]\nhosts = [\"localhost\"]\nupstream = \"http://127.0.0.1:9\"\n";
    let plan = Door::plan().site("console", &console).site("other", &other.url());
    let door = plan.building(by_address).policy(POLICY).open().await;
    door.admin().add_account("ada", "keeper").await;
    door
}

/// Asks a console past the door.
async fn ask(console: &Verifier, assertions: &[&str]) -> Reply {
    let past = Visitor::new(([127, 0, 0, 1], console.port()).into(), "console.localhost");
    let mut request = Request::get("/page");
    for assertion in assertions {
        let value = HeaderValue::from_str(assertion).expect("a header's value");
        request = request.header(ASSERTION, value);
    }
    past.send(request.body(body_of("")).expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_samples_know_who_is_calling_through_the_door_and_nobody_who_comes_past_it() {
    for language in Language::ALL {
        let (port, other) = (free_port(), Recorder::start().await);
        let door = door_before(port, &other).await;
        let keys = format!("http://localhost:{}/.stagedoor/jwks.json", door.http);
        let console = Verifier::start(language, port, &keys, 10).await;

        let ada = door.signed_in("console", "ada").await;
        let seen = ada.get("/page").await.expect(200).json();
        assert_eq!(
            (&seen["caller"]["sub"], &seen["caller"]["role"]),
            (&json!("ada"), &json!("keeper"))
        );
        // What a visitor says of himself never arrives, so the console is not even disturbed.
        let forged = Request::get("/page")
            .header(ASSERTION, "forged")
            .body(body_of(""))
            .expect("a request");
        assert_eq!(ada.send(forged).await.expect(200).json()["caller"]["sub"], "ada");

        let good = seen["assertion"].as_str().expect("an assertion");
        ask(&console, &[good]).await.expect(200);
        ask(&console, &[]).await.expect(401);
        ask(&console, &[""]).await.expect(401);
        ask(&console, &[good, good]).await.expect(401);
        ask(&console, &[&format!("{good},{good}")]).await.expect(401);
        ask(&console, &[&format!("Bearer {good}")]).await.expect(401);
        for (place, piece) in good.split('.').enumerate() {
            let tampered = good.replacen(piece, &turned(piece), 1);
            ask(&console, &[&tampered]).await.expect(401);
            let cut = good.replacen(piece, "", 1);
            ask(&console, &[&cut]).await.expect(401);
            assert!(place < 3, "three parts");
        }

        // The door signs for another site as well, for the same person and by the same key.
        let there = door.signed_in("other", "ada").await;
        there.get("/page").await.expect(200);
        let seen = other.last();
        let [elsewhere] = seen.values(ASSERTION)[..] else {
            panic!("one assertion is wanted:\n{}", seen.head);
        };
        ask(&console, &[elsewhere]).await.expect(401);
    }
}

/// Another letter in the middle: the last one of a part may hold bits that nobody reads.
fn turned(piece: &str) -> String {
    let (before, after) = piece.split_at(piece.len() / 2);
    let (first, rest) = after.split_at(1);
    format!("{before}{}{rest}", if first == "A" { "B" } else { "A" })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_samples_refuse_what_is_not_wholly_right_though_a_key_of_the_door_has_signed_it() {
    let keys = Keys::make("the-key");
    let set = keys.served().await;
    for language in Language::ALL {
        let console = Verifier::fetching(language, &set.url()).await;
        let good = claims();
        ask(&console, &[&keys.sign(&good)]).await.expect(200);

        let now = unix_seconds();
        for (name, value) in [
            ("aud", json!("other")),
            ("aud", json!(["console", "other"])),
            ("aud", Value::Null),
            ("iss", json!("Another door")),
            ("iss", Value::Null),
            ("exp", json!(now - 60)),
            ("exp", Value::Null),
            ("exp", json!("tomorrow")),
            ("sub", Value::Null),
            ("sid", Value::Null),
            ("nbf", json!(now + 3600)),
        ] {
            let mut claims = good.clone();
            match value {
                Value::Null => claims.as_object_mut().expect("an object").remove(name),
                ref value => claims
                    .as_object_mut()
                    .expect("an object")
                    .insert(name.to_owned(), value.clone()),
            };
            let reply = ask(&console, &[&keys.sign(&claims)]).await;
            assert_eq!(reply.status, 401, "{language:?} {name} {value}: {}", reply.text());
        }
        // The check itself is one: with nothing changed it is still good.
        ask(&console, &[&keys.sign(&good)]).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_samples_take_neither_algorithm_nor_key_from_who_is_to_be_checked() {
    let (keys, stranger) = (Keys::make("the-key"), Keys::make("a-stranger"));
    let (set, bait) = (keys.served().await, stranger.served().await);
    let url = bait.url();
    for language in Language::ALL {
        let console = Verifier::fetching(language, &set.url()).await;
        let good = claims();
        ask(&console, &[&keys.sign(&good)]).await.expect(200);
        let mut forgeries = Vec::new();
        for alg in ["none", "None", "NONE", ""] {
            forgeries.push((
                alg,
                jwt(&json!({ "alg": alg, "kid": "the-key" }), &good, |_| Vec::new()),
            ));
        }
        for secret in keys.as_secrets() {
            let header = json!({ "alg": "HS256", "kid": "the-key", "typ": "JWT" });
            forgeries.push(("HS256", jwt(&header, &good, |signed| keys::hmac(&secret, signed))));
        }
        let base = json!({ "alg": "ES256", "kid": "the-key" });
        for (name, header) in [
            ("kid of the door", json!({})),
            ("own kid", json!({ "kid": "a-stranger" })),
            ("no kid", json!({ "kid": null })),
            ("kid a path", json!({ "kid": "../../../../dev/null" })),
            ("kid an address", json!({ "kid": url })),
            ("jwk", json!({ "jwk": stranger.jwk() })),
            ("jku", json!({ "jku": url, "kid": "a-stranger" })),
            ("x5u", json!({ "x5u": url, "kid": "a-stranger" })),
            ("x5c", json!({ "x5c": [stranger.der_in_base64()] })),
        ] {
            let mut whole = base.clone();
            for (name, value) in header.as_object().expect("an object") {
                whole[name] = value.clone();
            }
            forgeries.push((name, stranger.sign_with(&whole, &good)));
        }
        // By the right key, but not in the way that the door signs.
        for (name, header) in [
            ("no kid, right key", json!({ "alg": "ES256" })),
            ("wrong kid, right key", json!({ "alg": "ES256", "kid": "a-stranger" })),
            (
                "crit",
                json!({ "alg": "ES256", "kid": "the-key", "crit": ["x"], "x": 1 }),
            ),
            ("ES384", json!({ "alg": "ES384", "kid": "the-key" })),
        ] {
            forgeries.push((name, keys.sign_with(&header, &good)));
        }
        for (name, forgery) in forgeries {
            let reply = ask(&console, &[&forgery]).await;
            assert_eq!(reply.status, 401, "{language:?} {name}: {}", reply.text());
        }
        assert_eq!(bait.seen().len(), 0, "{language:?} asked where a header told it to");
        ask(&console, &[&keys.sign(&good)]).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_samples_go_on_with_a_new_key_and_forget_the_old_one() {
    let (old, new) = (Keys::make("old"), Keys::make("new"));
    for language in Language::ALL {
        let set = keys::Set::serving(old.set()).await;
        let console = Verifier::fetching(language, &set.url()).await;
        ask(&console, &[&old.sign(&claims())]).await.expect(200);
        ask(&console, &[&new.sign(&claims())]).await.expect(401);
        set.change(new.set());
        ask(&console, &[&new.sign(&claims())]).await.expect(200);
        ask(&console, &[&old.sign(&claims())]).await.expect(401);
        // Without keys nobody is known, and those that are known stay so.
        set.change("nothing that could be a set".to_owned());
        ask(&console, &[&old.sign(&claims())]).await.expect(401);
        ask(&console, &[&new.sign(&claims())]).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_keys_do_not_have_the_samples_fetch_again_and_again() {
    let (keys, stranger) = (Keys::make("the-key"), Keys::make("a-stranger"));
    for language in Language::ALL {
        let set = keys.served().await;
        // Longer than any run of this test.
        let console = Verifier::start(language, free_port(), &set.url(), 86_400).await;
        ask(&console, &[&keys.sign(&claims())]).await.expect(200);
        for _ in 0..20 {
            ask(&console, &[&stranger.sign(&claims())]).await.expect(401);
        }
        assert_eq!(set.seen().len(), 1, "{language:?}");
        ask(&console, &[&keys.sign(&claims())]).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_of_the_keys_is_not_followed() {
    let stranger = Keys::make("a-stranger");
    let bait = stranger.served().await;
    let to = bait.url();
    let redirecting = Recorder::answering(move |_| {
        format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes()
    })
    .await;
    for language in Language::ALL {
        let console = Verifier::fetching(language, &redirecting.url()).await;
        ask(&console, &[&stranger.sign(&claims())]).await.expect(401);
        assert_eq!(bait.seen().len(), 0, "{language:?}");
    }
}

/// What the door says of somebody.
fn claims() -> Value {
    let now = unix_seconds();
    json!({
        "iss": "Stagedoor", "aud": "console", "sub": "ada", "role": "keeper", "sid": "1",
        "iat": now, "exp": now + 300,
    })
}
