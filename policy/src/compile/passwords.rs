//! `[password]`: demands that some password can meet.

use super::Faults;
use crate::fault::KeyPath;
use crate::rules::{CharacterClass, PasswordRules};

/// Shorter words are in too many good passwords by accident.
const CONTEXT_WORD_CHARS_MIN: usize = 3;

/// Notes every demand that no password could meet or that would mean nothing.
pub(super) fn check(password: &PasswordRules, faults: &mut Faults) {
    check_length(password, faults);
    check_special(password, faults);
    let at = |key: &str| KeyPath::of(["password", key]);
    for (index, class) in password.require.iter().enumerate() {
        if password.require.iter().take(index).any(|before| before == class) {
            let message = format!("`{}` stands twice", class.as_str());
            faults.add(at("require").index(index), message, "take one out".to_owned());
        }
    }
    for (index, word) in password.context_words.iter().enumerate() {
        let characters = word.chars().filter(|c| c.is_alphanumeric()).count();
        if characters < CONTEXT_WORD_CHARS_MIN {
            let help = format!("words have at least {CONTEXT_WORD_CHARS_MIN} letters or digits");
            faults.add(
                at("context_words").index(index),
                format!("`{word}` would be found in good passwords too"),
                help,
            );
        }
    }
}

fn check_length(password: &PasswordRules, faults: &mut Faults) {
    let at = |key: &str| KeyPath::of(["password", key]);
    if password.at_least == 0 {
        faults.add(
            at("at_least"),
            "a password needs a character",
            "8 is the least that is advised".to_owned(),
        );
    }
    if password.at_least > password.at_most {
        let message = format!(
            "no password has at least {} and at most {} characters",
            password.at_least, password.at_most
        );
        faults.add(at("at_most"), message, "raise it, or lower `at_least`".to_owned());
    } else if u32::try_from(password.require.len()).map_or(true, |classes| classes > password.at_most) {
        let message = format!("{} characters cannot be of so many kinds", password.at_most);
        faults.add(at("at_most"), message, "raise it, or require fewer".to_owned());
    }
}

fn check_special(password: &PasswordRules, faults: &mut Faults) {
    let at = KeyPath::of(["password", "special"]);
    let mut seen = String::new();
    for letter in password.special.chars() {
        if letter.is_alphanumeric() || letter.is_control() || letter.is_whitespace() {
            let message = format!("`{}` is no special character", letter.escape_debug());
            faults.add(
                at.clone(),
                message,
                "letters, digits and space have a kind of their own, or none".to_owned(),
            );
        } else if seen.contains(letter) {
            faults.add(
                at.clone(),
                format!("`{letter}` stands twice"),
                "take one out".to_owned(),
            );
        }
        seen.push(letter);
    }
    if password.special.is_empty() && password.require.contains(&CharacterClass::Special) {
        faults.add(
            at,
            "a special character is required, and none is special",
            "list the special characters, or do not require one".to_owned(),
        );
    }
}
