//! The keys that forms and carried steps are proved with: read once from the door, kept for the life of the process.

use aws_lc_rs::aead::{AES_256_GCM, RandomizedNonceKey};
use aws_lc_rs::hmac;
use stagedoor_identity::Doorkeeper;
use tokio::sync::OnceCell;

/// See the module.
#[derive(Default)]
pub(crate) struct KeyRing(OnceCell<Keys>);

/// What [`KeyRing`] holds.
pub(crate) struct Keys {
    /// Signs the tokens in forms.
    pub(crate) forms: hmac::Key,
    /// Seals what is carried between steps.
    pub(crate) steps: RandomizedNonceKey,
}

/// The keys could not be read: nothing can be proved, so nothing is accepted.
#[derive(Debug, thiserror::Error)]
#[error("the portal's keys cannot be read: {0}")]
pub(crate) struct KeysMissing(String);

impl KeyRing {
    /// The keys; asks the door the first time, and again after a failure.
    pub(crate) async fn get(&self, door: &Doorkeeper) -> Result<&Keys, KeysMissing> {
        self.0
            .get_or_try_init(|| async {
                let secret = door.key("csrf").await.map_err(|fault| KeysMissing(fault.to_string()))?;
                Keys::from_secret(secret.expose())
            })
            .await
    }
}

impl Keys {
    /// Two keys from one secret, each under a label of its own.
    pub(crate) fn from_secret(secret: &[u8]) -> Result<Self, KeysMissing> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let forms = hmac::sign(&root, b"stagedoor portal: forms");
        let steps = hmac::sign(&root, b"stagedoor portal: steps");
        let steps = RandomizedNonceKey::new(&AES_256_GCM, steps.as_ref())
            .map_err(|_| KeysMissing("no cipher key can be made of it".to_owned()))?;
        Ok(Self {
            forms: hmac::Key::new(hmac::HMAC_SHA256, forms.as_ref()),
            steps,
        })
    }
}
