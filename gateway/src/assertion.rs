//! The signed assertion: a short-lived ES256 JWT that tells the console who is calling, and its public key.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pingora::{Error, ErrorType, OrErr as _, Result};
use serde::Serialize;
use stagedoor_identity::{Account, Clock, LiveSession, Secret, SessionId};
use stagedoor_policy::time::Timestamp;

/// How long an assertion is good for.
const LIFETIME: Duration = Duration::from_secs(300);
/// A cached one is handed out until it has less than this left.
const FRESH_ENOUGH: Duration = Duration::from_secs(60);
/// Cached assertions; beyond this, one is signed for each request until housekeeping has made room.
const CACHED_MAX: usize = 100_000;

/// The claims: `iss aud sub iat exp role sid`.
#[derive(Debug, Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    role: &'a str,
    sid: String,
}

/// Signs assertions and remembers them for a while: a signature costs 20 us, a look-up a fraction of one.
pub struct Assertions {
    key: EncodingKey,
    key_id: String,
    jwks: String,
    issuer: String,
    clock: Arc<dyn Clock>,
    cached: papaya::HashMap<(SessionId, Arc<str>), Cached>,
}

#[derive(Debug)]
struct Cached {
    version: u64,
    until: Timestamp,
    token: http::HeaderValue,
}

impl std::fmt::Debug for Assertions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assertions")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// Makes a new signing key: a PKCS#8 document.
///
/// # Errors
/// Where the system has no randomness.
pub fn generate_key() -> Result<Secret> {
    let algorithm = &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    let document = aws_lc_rs::signature::EcdsaKeyPair::generate_pkcs8(algorithm, &aws_lc_rs::rand::SystemRandom::new());
    let document = document.or_err(ErrorType::InternalError, "making the assertion key")?;
    Ok(Secret::new(document.as_ref()))
}

impl Assertions {
    /// With the signing key that the store keeps.
    ///
    /// # Errors
    /// Where the key is not a P-256 key in PKCS#8.
    pub fn new(pkcs8: &Secret, issuer: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        use aws_lc_rs::signature::KeyPair as _;
        let algorithm = &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = aws_lc_rs::signature::EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.expose());
        let pair = pair.or_err(ErrorType::InternalError, "reading the assertion key")?;
        // An uncompressed point: 0x04, then x and y of 32 bytes each (SEC 1, section 2.3.3).
        let point = pair.public_key().as_ref();
        let (Some(x), Some(y)) = (point.get(1..33), point.get(33..65)) else {
            return Error::e_explain(ErrorType::InternalError, "the assertion key is no P-256 key");
        };
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, point);
        let key_id = URL_SAFE_NO_PAD.encode(digest.as_ref().get(..12).unwrap_or_default());
        let jwks = serde_json::json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": key_id,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        }] });
        Ok(Self {
            key: EncodingKey::from_ec_der(pkcs8.expose()),
            key_id,
            jwks: jwks.to_string(),
            issuer: issuer.to_owned(),
            clock,
            cached: papaya::HashMap::new(),
        })
    }

    /// The public key as a JSON Web Key Set.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// The assertion for a session at a site, as of now.
    ///
    /// # Errors
    /// Where signing fails.
    pub fn of(
        &self,
        session: &LiveSession,
        account: &Account,
        site: &Arc<str>,
        now: Timestamp,
    ) -> Result<http::HeaderValue> {
        let key = (session.id(), Arc::clone(site));
        let cached = self.cached.pin();
        if let Some(found) = cached.get(&key)
            && found.version == account.version
            && now.after(FRESH_ENOUGH) < found.until
        {
            return Ok(found.token.clone());
        }
        let until = now.after(LIFETIME);
        let claims = Claims {
            iss: &self.issuer,
            aud: site,
            sub: account.name.as_str(),
            iat: now.as_seconds(),
            exp: until.as_seconds(),
            role: &account.role,
            sid: session.id().0.to_string(),
        };
        let header = Header {
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::ES256)
        };
        let token = jsonwebtoken::encode(&header, &claims, &self.key);
        let token = token.or_err(ErrorType::InternalError, "signing the assertion")?;
        let mut token = http::HeaderValue::try_from(token).or_err(ErrorType::InternalError, "writing the assertion")?;
        token.set_sensitive(true);
        if cached.len() < CACHED_MAX {
            cached.insert(
                key,
                Cached {
                    version: account.version,
                    until,
                    token: token.clone(),
                },
            );
        }
        Ok(token)
    }

    /// Forgets what has run out.
    pub fn forget_old(&self) {
        let now = self.clock.now();
        self.cached.pin().retain(|_, cached| cached.until > now);
    }
}
