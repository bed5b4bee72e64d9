//! Temporary passwords: made by the house, read out over the telephone, changed at the first sign-in.

use stagedoor_identity::Chance;
use stagedoor_policy::rules::PasswordRules;

/// As long as this unless the policy says otherwise.
const CHARACTERS: u32 = 20;
/// Without the letters and digits that look like one another.
const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const LOWER: &[u8] = b"abcdefghijkmnopqrstuvwxyz";
const DIGITS: &[u8] = b"23456789";
const ANY: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
/// In every legacy rule's list of special characters, and harmless in a shell.
const BETWEEN: u8 = b'@';
const GROUP: usize = 7;
/// Names of one or two letters are in most passwords, and allowed there; all others are avoided long before this.
const DRAWS_MAX: u32 = 64;

/// A password that the rules take: groups of six with `@` between them, each with an upper-case letter first, a
/// lower-case letter second and a digit last. 20 characters hold more than 85 bits.
///
/// `name` is the account's: now and then chance spells a short one, and the door takes no password that holds it.
pub(crate) fn temporary(chance: &dyn Chance, rules: &PasswordRules, name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let spells_name = |made: &String| made.to_ascii_lowercase().contains(&name);
    (0..DRAWS_MAX)
        .map(|_| draw(chance, rules))
        .find(|made| !spells_name(made))
        .unwrap_or_else(|| draw(chance, rules))
}

fn draw(chance: &dyn Chance, rules: &PasswordRules) -> String {
    let length = CHARACTERS.max(rules.at_least).min(rules.at_most.max(1));
    (0..usize::try_from(length).unwrap_or(usize::MAX))
        .map(|place| match place % GROUP {
            0 => pick(chance, UPPER),
            1 => pick(chance, LOWER),
            5 => pick(chance, DIGITS),
            6 => BETWEEN,
            _ => pick(chance, ANY),
        })
        .map(char::from)
        .collect()
}

fn pick(chance: &dyn Chance, from: &[u8]) -> u8 {
    // 64 bits over at most 57 choices: no choice is favoured by more than one in 2^58.
    let mut bytes = [0_u8; 8];
    chance.fill(&mut bytes);
    let count = u64::try_from(from.len()).unwrap_or(1).max(1);
    let index = usize::try_from(u64::from_le_bytes(bytes) % count).unwrap_or(0);
    from.get(index).copied().unwrap_or(BETWEEN)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[derive(Debug, Default)]
    struct Counting(AtomicU64);

    impl Chance for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                let turn = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
                *byte = turn.wrapping_mul(0xbf58_476d_1ce4_e5b9).to_be_bytes()[0];
            }
        }
    }

    #[test]
    fn a_temporary_password_has_every_sort_of_character_that_legacy_rules_ask_for() {
        let chance = Counting::default();
        for _ in 0..200 {
            let made = temporary(&chance, &PasswordRules::default(), "ada");
            assert_eq!(made.chars().count(), 20);
            assert!(made.chars().any(|c| c.is_ascii_uppercase()), "{made}");
            assert!(made.chars().any(|c| c.is_ascii_lowercase()), "{made}");
            assert!(made.chars().any(|c| c.is_ascii_digit()), "{made}");
            assert!(made.chars().any(|c| "$!@%*#?&".contains(c)), "{made}");
            assert!(!made.contains(['0', 'O', '1', 'l', 'I']), "{made}");
        }
    }

    #[test]
    fn no_two_are_the_same() {
        let chance = Counting::default();
        let made: HashSet<_> = (0..200)
            .map(|_| temporary(&chance, &PasswordRules::default(), "ada"))
            .collect();
        assert_eq!(made.len(), 200);
    }

    #[test]
    fn a_name_that_chance_spells_is_not_left_in() {
        let rules = PasswordRules::default();
        let spelled = draw(&Counting::default(), &rules);
        let name = spelled.get(2..5).unwrap();
        let made = temporary(&Counting::default(), &rules, name);
        assert!(
            !made.to_lowercase().contains(&name.to_lowercase()),
            "{made} holds {name}"
        );
    }

    #[test]
    fn its_length_keeps_to_the_policy() {
        let chance = Counting::default();
        let of = |at_least, at_most| {
            let rules = PasswordRules {
                at_least,
                at_most,
                ..PasswordRules::default()
            };
            temporary(&chance, &rules, "ada").len()
        };
        assert_eq!(of(32, 64), 32);
        assert_eq!(of(4, 8), 8);
    }
}
