//! What a password must be: long enough, and not among the first that anybody would try. No demands on its make-up.

use stagedoor_policy::rules::PasswordRules;

use crate::Password;
use crate::account::AccountName;

/// The commonest passwords, one a line, in lower case.
const COMMON: &str = include_str!("common.txt");
/// Shorter names are found in too many good passwords by accident.
const NAME_CHARS_MIN: usize = 3;

/// Every rule the password does not keep, one sentence each. The only judge, whoever sets the password.
pub(crate) fn faults(password: &Password, name: &AccountName, rules: &PasswordRules) -> Vec<String> {
    let text = password.expose();
    let lower = text.to_lowercase();
    let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let mut faults = Vec::new();
    if length < rules.at_least {
        faults.push(format!("use at least {} characters", rules.at_least));
    }
    if length > rules.at_most {
        faults.push(format!("use at most {} characters", rules.at_most));
    }
    if text.chars().any(char::is_control) {
        faults.push("use no control characters".to_owned());
    }
    if holds_name(&lower, name.as_str()) {
        faults.push("do not use the account's name in it".to_owned());
    }
    if is_one_character(&lower) {
        faults.push("do not repeat one character".to_owned());
    }
    if is_common(&lower) {
        faults.push("choose one that is not among the most used passwords".to_owned());
    }
    faults
}

fn holds_name(lower: &str, name: &str) -> bool {
    lower == name || (name.chars().count() >= NAME_CHARS_MIN && lower.contains(name))
}

fn is_one_character(lower: &str) -> bool {
    let mut characters = lower.chars();
    let first = characters.next();
    first.is_some() && characters.all(|character| Some(character) == first)
}

/// In the list itself, or made longer by digits and marks at its end, or written twice.
fn is_common(lower: &str) -> bool {
    let bare = lower.trim_end_matches(|c: char| c.is_ascii_digit() || c.is_ascii_punctuation());
    let half = lower
        .split_at_checked(lower.len() / 2)
        .filter(|(left, right)| left == right)
        .map(|(left, _)| left);
    COMMON
        .lines()
        .filter(|line| !line.is_empty())
        .any(|common| common == lower || common == bare || Some(common) == half)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(password: &str) -> Vec<String> {
        let name = AccountName::parse("ann.lee").unwrap();
        faults(&Password::new(password).unwrap(), &name, &PasswordRules::default())
    }

    #[test]
    fn a_long_sentence_in_any_script_is_a_good_password() {
        for good in [
            "correct horse battery staple",
            "весенний дождь по крыше",
            "열두 글자가 넘는 문장 하나",
            "Kv7$mQx2pLKv",
        ] {
            assert_eq!(sentences(good), Vec::<String>::new(), "{good}");
        }
    }

    #[test]
    fn length_is_counted_in_characters_not_in_bytes() {
        assert!(sentences("дождьпокрыш").first().unwrap().contains("at least 12"));
        assert!(sentences("дождьпокрыше").is_empty());
        assert!(sentences(&"дождь".repeat(25)).is_empty());
        assert!(sentences(&"дождь".repeat(26)).first().unwrap().contains("at most 128"));
    }

    #[test]
    fn every_rule_that_is_not_kept_is_told_at_once() {
        assert_eq!(sentences("Ann.Lee\u{7}").len(), 3);
    }

    #[test]
    fn the_accounts_name_one_character_and_the_commonest_are_refused() {
        for bad in [
            "xxANN.LEExx12",
            "aaaaaaaaaaaaaa",
            "Password1234",
            "qwertyuiop123!",
            "123456789012",
            "passwordpassword",
        ] {
            assert_eq!(sentences(bad).len(), 1, "{bad}");
        }
    }
}
