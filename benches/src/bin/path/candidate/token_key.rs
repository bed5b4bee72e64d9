//! The key of whoever signs tokens, and the set of keys that a peer checks them by.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use serde_json::{Value, json};

use crate::Failure;

/// A key for ES256.
pub(super) struct TokenKey {
    header: Header,
    signing: EncodingKey,
    /// RFC 7517.
    pub(super) set: Value,
}

impl TokenKey {
    /// A new one.
    pub(super) fn generate() -> Result<Self, Failure> {
        let key = KeyPair::generate()?;
        // An uncompressed point: 4, x, y.
        let (x, y) = key.public_key_raw().get(1..).ok_or("no point")?.split_at(32);
        let set = json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "kid": "k1", "alg": "ES256", "use": "sig",
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        }] });
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("k1".to_owned());
        Ok(Self {
            header,
            signing: EncodingKey::from_ec_pem(key.serialize_pem().as_bytes())?,
            set,
        })
    }

    /// A token that says this.
    pub(super) fn sign(&self, claims: &Value) -> Result<String, jsonwebtoken::errors::Error> {
        jsonwebtoken::encode(&self.header, claims, &self.signing)
    }
}
