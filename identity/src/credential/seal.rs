//! Sealing: AES-256-GCM with a fresh random nonce before each text, bound to what the text belongs to.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::{Chance, Secret};

/// A key that seals and opens. 32 bytes.
pub(crate) struct SealKey(LessSafeKey);

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[seal key]")
    }
}

impl SealKey {
    /// `None` where the key is not 32 bytes long.
    pub(crate) fn new(key: &Secret) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).ok()?;
        Some(Self(LessSafeKey::new(key)))
    }

    /// Nonce, ciphertext and tag. `bound_to` must be the same when it is opened. `None` only for texts of absurd length.
    pub(crate) fn seal(&self, plain: &[u8], bound_to: &[u8], chance: &dyn Chance) -> Option<Vec<u8>> {
        let mut nonce = [0_u8; NONCE_LEN];
        chance.fill(&mut nonce);
        let mut body = plain.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound_to), &mut body)
            .ok()?;
        let mut sealed = nonce.to_vec();
        sealed.append(&mut body);
        Some(sealed)
    }

    /// What was sealed; `None` where anything of it, or what it is bound to, differs.
    pub(crate) fn open(&self, sealed: &[u8], bound_to: &[u8]) -> Option<Secret> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = zeroize::Zeroizing::new(body.to_vec());
        let plain = self.0.open_in_place(nonce, Aad::from(bound_to), &mut body).ok()?;
        Some(Secret::new(&*plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededChance;

    fn key(byte: u8) -> SealKey {
        SealKey::new(&Secret::new([byte; 32])).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_again_and_never_looks_the_same_twice() {
        let chance = SeededChance::new(1);
        let first = key(1).seal(b"seed", b"ann", &chance).unwrap();
        let second = key(1).seal(b"seed", b"ann", &chance).unwrap();
        assert_ne!(first, second);
        assert!(key(1).open(&first, b"ann").unwrap().matches(b"seed"));
    }

    #[test]
    fn another_key_another_owner_or_a_changed_bit_opens_nothing() {
        let sealed = key(1).seal(b"seed", b"ann", &SeededChance::new(1)).unwrap();
        assert!(key(2).open(&sealed, b"ann").is_none());
        assert!(key(1).open(&sealed, b"bob").is_none());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(key(1).open(&changed, b"ann").is_none());
        }
        assert!(key(1).open(&sealed[..5], b"ann").is_none());
    }
}
