//! What an account may be called.

use super::Policy;
use crate::rules::{MessageKey, NameShape};

impl Policy {
    /// Checks the name that an account is to sign in with, as it was typed: capitals matter to a shape that has none.
    /// # Errors
    /// The policy's `name_unfit`, or one sentence for each thing that is wrong.
    pub fn check_account_name(&self, typed: &str) -> Result<(), Vec<String>> {
        let rules = self.account();
        let mut wrong = Vec::new();
        wrong.extend(length(typed, rules.name_at_least, rules.name_at_most));
        let mut characters = typed.chars();
        let fits = match rules.name_shape {
            NameShape::Any => typed
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-@+".contains(&byte)),
            NameShape::LowercaseIdentifier => {
                characters.next().is_none_or(|first| first.is_ascii_lowercase())
                    && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            }
        };
        if !fits {
            wrong.push(shape_sentence(rules.name_shape).to_owned());
        }
        self.told(wrong, MessageKey::NameUnfit)
    }

    /// Checks the name that people read: its length, and that it has no control characters.
    /// # Errors
    /// The policy's `display_name_unfit`, or one sentence for each thing that is wrong.
    pub fn check_display_name(&self, typed: &str) -> Result<(), Vec<String>> {
        let rules = self.account();
        let mut wrong = Vec::new();
        wrong.extend(length(typed, rules.display_name_at_least, rules.display_name_at_most));
        let told = self.told(wrong, MessageKey::DisplayNameUnfit);
        if !typed.chars().any(char::is_control) {
            return told;
        }
        // The policy's sentence cannot know of it.
        let mut wrong = told.err().unwrap_or_default();
        wrong.push("no control characters".to_owned());
        Err(wrong)
    }

    /// The policy's sentence in the place of what is wrong.
    fn told(&self, wrong: Vec<String>, key: MessageKey) -> Result<(), Vec<String>> {
        if wrong.is_empty() {
            return Ok(());
        }
        Err(self
            .own_message(key)
            .map_or(wrong, |sentence| vec![sentence.to_owned()]))
    }
}

/// What is wrong with the number of characters.
fn length(typed: &str, at_least: u32, at_most: u32) -> Option<String> {
    let characters = u32::try_from(typed.chars().count()).unwrap_or(u32::MAX);
    if characters < at_least {
        Some(format!("at least {}", counted(at_least)))
    } else if characters > at_most {
        Some(format!("at most {}", counted(at_most)))
    } else {
        None
    }
}

fn counted(characters: u32) -> String {
    if characters == 1 {
        "1 character".to_owned()
    } else {
        format!("{characters} characters")
    }
}

fn shape_sentence(shape: NameShape) -> &'static str {
    match shape {
        NameShape::Any => "a name is made of letters a to z, digits and the characters . _ - @ +",
        NameShape::LowercaseIdentifier => {
            "a name begins with a letter from a to z and goes on with letters from a to z, digits and _"
        }
    }
}
