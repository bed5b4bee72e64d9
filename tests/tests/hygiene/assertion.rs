//! The signed assertion, as a console would check it.

use super::*;

/// Base64 as JWTs have it: URL-safe and without padding.
fn base64(text: &str) -> Vec<u8> {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => u32::from(letter - b'A'),
        b'a'..=b'z' => u32::from(letter - b'a') + 26,
        b'0'..=b'9' => u32::from(letter - b'0') + 52,
        b'-' => 62,
        b'_' => 63,
        other => panic!("`{}` is not in the alphabet", char::from(other)),
    };
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        (bits, count) = (bits << 6 | value(letter), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).expect("eight bits"));
        }
    }
    bytes
}

/// The claims of an assertion, once its signature has been found good by the key set.
fn verified(token: &str, keys: &Value) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let (head, claims) = signed.split_once('.').expect("three parts");
    let head: Value = serde_json::from_slice(&base64(head)).expect("JSON");
    assert_eq!(head["alg"], "ES256");
    let key = keys["keys"].as_array()?.iter().find(|key| key["kid"] == head["kid"])?;
    assert_eq!((&key["kty"], &key["crv"]), (&json!("EC"), &json!("P-256")));
    let mut point = vec![4];
    point.extend(base64(key["x"].as_str()?));
    point.extend(base64(key["y"].as_str()?));
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(signed.as_bytes(), &base64(signature)).ok()?;
    Some(serde_json::from_slice(&base64(claims)).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_assertion_is_signed_by_a_key_of_the_set_and_says_who_for_whom_and_how_long() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let ada = stage.ada(way).await;
        let keys = stage
            .ways
            .visitor(way, "console")
            .get("/.stagedoor/jwks.json")
            .await
            .expect(200)
            .json();
        assert!(
            keys["keys"]
                .as_array()
                .is_some_and(|keys| keys.iter().all(|key| key.get("d").is_none()))
        );
        ada.get("/page").await.expect(200);
        let seen = stage.console.last();
        let [token] = seen.values("x-stagedoor-assertion")[..] else {
            panic!("one assertion is wanted:\n{}", seen.head);
        };
        let claims = verified(token, &keys).expect("the signature is good");
        assert_eq!(
            (&claims["iss"], &claims["aud"]),
            (&json!("Stagedoor"), &json!("console")),
            "{way:?}"
        );
        assert_eq!(
            (&claims["sub"], &claims["role"]),
            (&json!("ada"), &json!("keeper")),
            "{way:?}"
        );
        let sessions = stage.ways.door.admin().sessions("ada").await;
        let sid = claims["sid"].as_str().map(str::to_owned);
        assert!(
            sessions.iter().any(|session| json_text(&session["id"]) == sid),
            "{claims} {sessions:?}"
        );
        let now = unix_seconds();
        let (issued, expires) = (
            claims["iat"].as_u64().expect("a time"),
            claims["exp"].as_u64().expect("a time"),
        );
        assert!(
            issued <= now && now - issued < 300 && now < expires && expires - issued <= 300,
            "{claims} at {now}"
        );
        // The check itself is one: of another's claims the signature is not good.
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let other = format!("{}A.{signature}", &signed[..signed.len() - 1]);
        assert!(other == token || verified(&other, &keys).is_none(), "{way:?}");
    }
}

/// A number or a text, as text.
fn json_text(value: &Value) -> Option<String> {
    value
        .as_str()
        .map(str::to_owned)
        .or_else(|| value.as_i64().map(|number| number.to_string()))
}
