//! Under what failures are kept. People type passwords where the name belongs, so a name is kept as its hash only.

use stagedoor_identity::port::Source;
use stagedoor_identity::secret::TokenHash;

/// SHA-256 of a name, ASCII letters in lower case: `Alice` and `alice` are one account and must share one count.
pub(crate) fn name_hash(name: &str) -> [u8; 32] {
    TokenHash::of(name.to_ascii_lowercase().as_bytes()).0
}

/// The stable id of a lock: hex of a hash of name and source (`None`: every source).
pub(crate) fn lock_id(name_hash: &[u8; 32], source: Option<&Source>) -> String {
    let mut keyed = Vec::with_capacity(64);
    keyed.extend_from_slice(name_hash);
    if let Some(source) = source {
        keyed.push(b'@');
        keyed.extend_from_slice(source.0.as_bytes());
    }
    let hash = TokenHash::of(&keyed).0;
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_hash_however_its_letters_are_written() {
        assert_eq!(name_hash("Alice"), name_hash("alice"));
        assert_ne!(name_hash("alice"), name_hash("alicf"));
    }

    #[test]
    fn a_lock_has_one_id_for_each_source_and_one_for_every_source() {
        let name = name_hash("alice");
        let here = lock_id(&name, Some(&Source("192.0.2.1".into())));
        let there = lock_id(&name, Some(&Source("192.0.2.2".into())));
        let everywhere = lock_id(&name, None);
        assert_eq!(here.len(), 32);
        assert_ne!(here, there);
        assert_ne!(here, everywhere);
        assert_eq!(here, lock_id(&name, Some(&Source("192.0.2.1".into()))));
    }
}
