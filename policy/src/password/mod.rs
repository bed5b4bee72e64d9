//! What `[password]` says of a password: length, make-up, repeats, runs and words it may not hold.
//!
//! Pure, and only half of the judgement: whether a password is known from breaches or easily guessed takes lists, which are
//! in `identity::credential::password`, the one place that calls this.

use crate::rules::{CharacterClass, OtherCharacters, PasswordRules};

mod context;
mod runs;

pub use context::ContextWords;

/// A rule that a password does not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordFault {
    /// Fewer characters than this.
    TooShort(u32),
    /// More characters than this.
    TooLong(u32),
    /// Something that is no character to read, a NUL or a line break for example.
    ControlCharacter,
    /// No character of this kind; for special ones, which there are.
    Lacks(CharacterClass, String),
    /// A character of no kind, where only those are taken; and which special ones there are.
    OtherCharacter(String),
    /// A character more often in a row than this.
    Repeats(u32),
    /// More than this many characters that follow each other.
    Runs(u32),
    /// A word that belongs to the account or the door.
    ContextWord,
    /// Known from breaches, or soon guessed.
    Guessable,
}

impl PasswordFault {
    /// A name for it that does not change: `too_short`.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::TooShort(_) => "too_short",
            Self::TooLong(_) => "too_long",
            Self::ControlCharacter => "control_character",
            Self::Lacks(CharacterClass::Upper, _) => "lacks_upper",
            Self::Lacks(CharacterClass::Lower, _) => "lacks_lower",
            Self::Lacks(CharacterClass::Digit, _) => "lacks_digit",
            Self::Lacks(CharacterClass::Special, _) => "lacks_special",
            Self::OtherCharacter(_) => "other_character",
            Self::Repeats(_) => "repeats",
            Self::Runs(_) => "runs",
            Self::ContextWord => "context_word",
            Self::Guessable => "guessable",
        }
    }

    /// What to do, for the person who chose it. Never quotes the password.
    pub fn sentence(&self) -> String {
        match self {
            Self::TooShort(at_least) => format!("use at least {at_least} characters"),
            Self::TooLong(at_most) => format!("use at most {at_most} characters"),
            Self::ControlCharacter => "use no control characters".to_owned(),
            Self::Lacks(CharacterClass::Upper, _) => "use at least one letter from A to Z".to_owned(),
            Self::Lacks(CharacterClass::Lower, _) => "use at least one letter from a to z".to_owned(),
            Self::Lacks(CharacterClass::Digit, _) => "use at least one digit".to_owned(),
            Self::Lacks(CharacterClass::Special, special) => format!("use at least one of {special}"),
            Self::OtherCharacter(special) => format!("use only letters from A to Z and a to z, digits and {special}"),
            Self::Repeats(1) => "do not repeat a character".to_owned(),
            Self::Repeats(at_most) => format!("do not use a character more than {at_most} times in a row"),
            Self::Runs(at_most) => format!(
                "do not use more than {at_most} characters that follow each other on the keyboard or in the alphabet"
            ),
            Self::ContextWord => {
                "do not use the account's name, its address or the name of this place in it".to_owned()
            }
            Self::Guessable => "choose one that is harder to guess: no much-used password, and not words or patterns \
                                alone"
                .to_owned(),
        }
    }
}

/// Every rule about its make-up that the password does not keep; never one because of what a list holds.
pub fn faults(password: &str, rules: &PasswordRules, context: &ContextWords) -> Vec<PasswordFault> {
    let length = u32::try_from(password.chars().count()).unwrap_or(u32::MAX);
    let mut faults = Vec::new();
    if length < rules.at_least {
        faults.push(PasswordFault::TooShort(rules.at_least));
    }
    if length > rules.at_most {
        faults.push(PasswordFault::TooLong(rules.at_most));
    }
    if password.chars().any(char::is_control) {
        faults.push(PasswordFault::ControlCharacter);
    }
    for class in &rules.require {
        if !password.chars().any(|c| is_of(c, *class, rules)) {
            faults.push(PasswordFault::Lacks(*class, rules.special.clone()));
        }
    }
    let of_no_class = |c| !CharacterClass::ALL.iter().any(|class| is_of(c, *class, rules));
    if rules.other_characters == OtherCharacters::Refuse && password.chars().any(of_no_class) {
        faults.push(PasswordFault::OtherCharacter(rules.special.clone()));
    }
    if rules.repeats_at_most != 0 && longest_repeat(password, rules.repeats_fold_case) > rules.repeats_at_most {
        faults.push(PasswordFault::Repeats(rules.repeats_at_most));
    }
    if rules.runs_at_most != 0 && runs::longest(password) > rules.runs_at_most {
        faults.push(PasswordFault::Runs(rules.runs_at_most));
    }
    if context.are_in(password) {
        faults.push(PasswordFault::ContextWord);
    }
    faults
}

fn is_of(c: char, class: CharacterClass, rules: &PasswordRules) -> bool {
    match class {
        CharacterClass::Upper => c.is_ascii_uppercase(),
        CharacterClass::Lower => c.is_ascii_lowercase(),
        CharacterClass::Digit => c.is_ascii_digit(),
        CharacterClass::Special => rules.special.contains(c),
    }
}

/// How often the same character stands in a row, at most.
fn longest_repeat(password: &str, fold_case: bool) -> u32 {
    let same = |a: char, b: char| a == b || (fold_case && a.to_lowercase().eq(b.to_lowercase()));
    let (mut longest, mut here, mut before) = (0_u32, 0_u32, None);
    for c in password.chars() {
        here = if before.is_some_and(|before| same(before, c)) {
            here.saturating_add(1)
        } else {
            1
        };
        longest = longest.max(here);
        before = Some(c);
    }
    longest
}

#[cfg(test)]
mod tests;
