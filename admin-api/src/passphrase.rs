//! Temporary passwords: made by the house, read out over the telephone, changed at the first sign-in.

use stagedoor_identity::Chance;
use stagedoor_policy::Policy;
use stagedoor_policy::password::faults;
use stagedoor_policy::rules::PasswordRules;

/// As long as this unless the policy says otherwise.
const CHARACTERS: u32 = 20;
/// Without the letters and digits that look like one another.
const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const LOWER: &[u8] = b"abcdefghijkmnopqrstuvwxyz";
const DIGITS: &[u8] = b"23456789";
const ANY: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
/// In every legacy rule's list of special characters, and harmless in a shell.
const BETWEEN: char = '@';
const GROUP: usize = 7;
/// A draw that breaks a rule by chance is drawn again; one in three does where the rules are strictest.
const DRAWS_MAX: u32 = 256;

/// A password that the policy takes: groups of six with a special character between them, each with an upper-case letter
/// first, a lower-case letter second and a digit last. 20 characters hold more than 85 bits.
///
/// `name` is the account's: now and then chance spells a short one, or writes a letter twice.
pub(crate) fn temporary(chance: &dyn Chance, policy: &Policy, name: &str) -> String {
    let rules = policy.password();
    let context = policy.context_words().and_word(name);
    (0..DRAWS_MAX)
        .map(|_| draw(chance, rules))
        .find(|made| faults(made, rules, &context).is_empty())
        .unwrap_or_else(|| draw(chance, rules))
}

fn draw(chance: &dyn Chance, rules: &PasswordRules) -> String {
    let length = CHARACTERS.max(rules.at_least).min(rules.at_most.max(1));
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let special = Some(BETWEEN)
        .filter(|usual| rules.special.contains(*usual))
        .or(rules.special.chars().next());
    let between = || special.unwrap_or_else(|| pick(chance, ANY));
    (0..length)
        .map(|place| match place % GROUP {
            0 => pick(chance, UPPER),
            1 => pick(chance, LOWER),
            // One group is not full: its kinds come sooner.
            2 if length < GROUP => pick(chance, DIGITS),
            3 if length < GROUP => between(),
            5 => pick(chance, DIGITS),
            6 => between(),
            _ => pick(chance, ANY),
        })
        .collect()
}

fn pick(chance: &dyn Chance, from: &[u8]) -> char {
    // 64 bits over at most 57 choices: no choice is favoured by more than one in 2^58.
    let mut bytes = [0_u8; 8];
    chance.fill(&mut bytes);
    let count = u64::try_from(from.len()).unwrap_or(1).max(1);
    let index = usize::try_from(u64::from_le_bytes(bytes) % count).unwrap_or(0);
    from.get(index).copied().map_or(BETWEEN, char::from)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicU64, Ordering};

    use stagedoor_policy::rules::{CharacterClass, OtherCharacters, Rules};
    use stagedoor_policy::{Revision, compile};

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

    fn policy(password: PasswordRules) -> Policy {
        let rules = Rules {
            password,
            ..Rules::default()
        };
        compile(&rules, Revision(1)).unwrap()
    }

    #[test]
    fn a_temporary_password_has_every_sort_of_character_that_legacy_rules_ask_for() {
        let chance = Counting::default();
        let policy = policy(PasswordRules::default());
        for _ in 0..200 {
            let made = temporary(&chance, &policy, "ada");
            assert_eq!(made.chars().count(), 20);
            assert!(made.chars().any(|c| c.is_ascii_uppercase()), "{made}");
            assert!(made.chars().any(|c| c.is_ascii_lowercase()), "{made}");
            assert!(made.chars().any(|c| c.is_ascii_digit()), "{made}");
            assert!(made.chars().any(|c| "$!@%*#?&".contains(c)), "{made}");
            assert!(!made.contains(['0', 'O', '1', 'l', 'I']), "{made}");
        }
    }

    #[test]
    fn a_temporary_password_keeps_the_strictest_rules() {
        let chance = Counting::default();
        for (at_least, at_most, special) in [(10, 20, "$!@%*#?&"), (8, 8, "&"), (4, 4, "#"), (32, 64, "@")] {
            let policy = policy(PasswordRules {
                at_least,
                at_most,
                special: special.to_owned(),
                require: CharacterClass::ALL.to_vec(),
                other_characters: OtherCharacters::Refuse,
                repeats_at_most: 1,
                runs_at_most: 2,
                ..PasswordRules::default()
            });
            for _ in 0..200 {
                let made = temporary(&chance, &policy, "ada");
                let broken = faults(&made, policy.password(), &policy.context_words());
                assert_eq!(broken, [], "{made} from {at_least} to {at_most}");
            }
        }
    }

    #[test]
    fn no_two_are_the_same() {
        let chance = Counting::default();
        let policy = policy(PasswordRules::default());
        let made: HashSet<_> = (0..200).map(|_| temporary(&chance, &policy, "ada")).collect();
        assert_eq!(made.len(), 200);
    }

    #[test]
    fn a_name_that_chance_spells_is_not_left_in() {
        let policy = policy(PasswordRules::default());
        let spelled = temporary(&Counting::default(), &policy, "zzzzzz");
        let name = spelled.get(2..5).unwrap();
        let made = temporary(&Counting::default(), &policy, name);
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
            temporary(&chance, &policy(rules), "ada").len()
        };
        assert_eq!(of(32, 64), 32);
        assert_eq!(of(4, 8), 8);
    }
}
