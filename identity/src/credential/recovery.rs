//! Recovery codes: ten of 80 bits each, for the day the phone is lost. Kept as SHA-256, since 80 bits cannot be guessed back.

use zeroize::Zeroizing;

use crate::secret::TokenHash;
use crate::{Chance, Secret};

/// How many are made at once.
pub(crate) const CODES: usize = 10;
const CODE_CHARS: usize = 16;
/// 32 characters without i, l, o and u; what looks alike is read as the one meant.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Ten fresh codes as shown, `xxxx-xxxx-xxxx-xxxx`, and their hashes.
pub(crate) fn fresh(chance: &dyn Chance) -> (Vec<Secret>, Vec<[u8; 32]>) {
    (0..CODES).map(|_| fresh_one(chance)).unzip()
}

/// The hash of a code as typed, whatever its case, dashes and spaces; `None` where it is not shaped like one.
pub(crate) fn hash(typed: &str) -> Option<[u8; 32]> {
    let mut code = Zeroizing::new(String::with_capacity(CODE_CHARS));
    for character in typed
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '\u{2010}'..='\u{2014}'))
    {
        let meant = match character.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        };
        if code.len() == CODE_CHARS || !u8::try_from(meant).is_ok_and(|byte| ALPHABET.contains(&byte)) {
            return None;
        }
        code.push(meant);
    }
    (code.len() == CODE_CHARS).then(|| TokenHash::of(code.as_bytes()).0)
}

fn fresh_one(chance: &dyn Chance) -> (Secret, [u8; 32]) {
    let mut random = Zeroizing::new([0_u8; CODE_CHARS]);
    chance.fill(random.as_mut());
    let mut shown = Zeroizing::new(String::with_capacity(CODE_CHARS + 3));
    let mut bare = Zeroizing::new(String::with_capacity(CODE_CHARS));
    for (index, byte) in random.iter().enumerate() {
        // 256 is a multiple of 32: every character is as likely.
        let character = ALPHABET.get(usize::from(byte % 32)).copied().map_or('0', char::from);
        if index > 0 && index % 4 == 0 {
            shown.push('-');
        }
        shown.push(character);
        bare.push(character);
    }
    (Secret::new(shown.as_bytes()), TokenHash::of(bare.as_bytes()).0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededChance;

    #[test]
    fn ten_different_codes_are_made_and_each_is_recognised_as_shown() {
        let (shown, hashes) = fresh(&SeededChance::new(5));
        assert_eq!(shown.len(), CODES);
        for (code, expected) in shown.iter().zip(&hashes) {
            let text = code.expose_text();
            assert_eq!(text.len(), 19);
            assert_eq!(hash(text), Some(*expected));
            assert_eq!(hash(&text.to_uppercase().replace('-', " ")), Some(*expected));
        }
        let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), CODES);
    }

    #[test]
    fn characters_that_look_alike_are_read_as_the_one_meant() {
        assert_eq!(hash("O0oO-IilL-1111-0000"), hash("0000-1111-1111-0000"));
        assert!(hash("O0oO-IilL-1111-0000").is_some());
    }

    #[test]
    fn what_is_not_shaped_like_a_code_has_no_hash() {
        for typed in [
            "",
            "123456",
            "0000-1111-1111-000",
            "0000-1111-1111-00000",
            "uuuu-uuuu-uuuu-uuuu",
            "ééé",
        ] {
            assert_eq!(hash(typed), None, "{typed}");
        }
    }
}
