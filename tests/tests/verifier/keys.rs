//! Keys of a test's own, served as the door serves its own, and what can be signed with them by hand.

use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use stagedoor_tests::encoding::{base64, base64_url};
use stagedoor_tests::{Recorder, Seen};

/// A SubjectPublicKeyInfo of P-256 up to the point (RFC 5480).
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A key with a name.
pub(crate) struct Keys {
    name: &'static str,
    pair: EcdsaKeyPair,
}

impl Keys {
    pub(crate) fn make(name: &'static str) -> Self {
        Self {
            name,
            pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"),
        }
    }

    /// The public key as a JSON Web Key.
    pub(crate) fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.name,
            "x": base64_url(&point[1..33]), "y": base64_url(&point[33..]),
        })
    }

    /// A set with this key alone.
    pub(crate) fn set(&self) -> String {
        json!({ "keys": [self.jwk()] }).to_string()
    }

    /// The set, served.
    pub(crate) async fn served(&self) -> Set {
        Set::serving(self.set()).await
    }

    /// As the door signs.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({ "typ": "JWT", "alg": "ES256", "kid": self.name }), claims)
    }

    /// With a header of one's choice.
    pub(crate) fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let sign = |signed: &[u8]| self.pair.sign(&SystemRandom::new(), signed).expect("a signature");
        jwt(header, claims, |signed| sign(signed).as_ref().to_vec())
    }

    /// The public key in every form that somebody may take for a shared secret.
    pub(crate) fn as_secrets(&self) -> Vec<Vec<u8>> {
        let point = self.pair.public_key().as_ref().to_vec();
        let pem = |end: &str| {
            let body = self.der_in_base64();
            let lines: Vec<&str> = body
                .as_bytes()
                .chunks(64)
                .filter_map(|line| std::str::from_utf8(line).ok())
                .collect();
            format!(
                "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----{end}",
                lines.join("\n")
            )
            .into_bytes()
        };
        vec![
            point[1..33].to_vec(),
            self.jwk().to_string().into_bytes(),
            self.set().into_bytes(),
            [&SPKI, &point[..]].concat(),
            pem(""),
            pem("\n"),
            point,
            Vec::new(),
        ]
    }

    /// The public key as in a certificate.
    pub(crate) fn der_in_base64(&self) -> String {
        let der = [&SPKI, self.pair.public_key().as_ref()].concat();
        let padding = ["", "==", "="][der.len() % 3];
        base64(&der) + padding
    }
}

/// A token, signed however.
pub(crate) fn jwt(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let [header, claims] = [header, claims].map(|part| base64_url(part.to_string().as_bytes()));
    let signed = format!("{header}.{claims}");
    let signature = base64_url(&sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// HMAC with SHA-256.
pub(crate) fn hmac(secret: &[u8], signed: &[u8]) -> Vec<u8> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    aws_lc_rs::hmac::sign(&key, signed).as_ref().to_vec()
}

/// An address where a set of keys is had, and it can change.
pub(crate) struct Set {
    at: Recorder,
    text: Arc<Mutex<String>>,
}

impl Set {
    pub(crate) async fn serving(text: String) -> Self {
        let text = Arc::new(Mutex::new(text));
        let served = Arc::clone(&text);
        let at = Recorder::answering(move |_| {
            let text = served.lock().expect("nobody panics while it is held");
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()).into_bytes()
        })
        .await;
        Self { at, text }
    }

    pub(crate) fn change(&self, text: String) {
        *self.text.lock().expect("nobody panics while it is held") = text;
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/.stagedoor/jwks.json", self.at.url())
    }

    /// Who has asked for it.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.at.seen()
    }
}
