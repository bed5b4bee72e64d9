//! Words that say whose password it is, and for what.

/// Shorter ones are in too many good passwords by accident.
const WHOLE_CHARS_MIN: usize = 3;
/// Pieces of names and addresses are ordinary words more often than whole ones are.
const PIECE_CHARS_MIN: usize = 4;

/// The words that a password may not hold, whatever the case of its letters and the signs between them.
#[derive(Debug, Clone, Default)]
pub struct ContextWords(Vec<String>);

impl ContextWords {
    /// A word as it is: an account's name, a word of the policy.
    #[must_use]
    pub fn and_word(mut self, word: &str) -> Self {
        self.add(word, WHOLE_CHARS_MIN);
        self
    }

    /// A name of several words, such as a display name or a title: together, and each long one.
    #[must_use]
    pub fn and_name(mut self, name: &str) -> Self {
        self.add(name, WHOLE_CHARS_MIN);
        for word in name.split(|c: char| !c.is_alphanumeric()) {
            self.add(word, PIECE_CHARS_MIN);
        }
        self
    }

    /// An e-mail address: what is before the `@` and its pieces, and the names of its domain but the last.
    #[must_use]
    pub fn and_email(mut self, email: &str) -> Self {
        let (local, domain) = email.split_once('@').unwrap_or((email, ""));
        self = self.and_name(local);
        if let Some((names, _)) = domain.rsplit_once('.') {
            for name in names.split('.') {
                self = self.and_piece(name);
            }
        }
        self
    }

    /// Whether one of them is in the password.
    pub(super) fn are_in(&self, password: &str) -> bool {
        let squeezed = squeezed(password);
        // A password of signs alone holds no word, and a word of signs alone is none.
        self.0.iter().any(|word| squeezed.contains(word.as_str()))
    }

    fn and_piece(mut self, name: &str) -> Self {
        self.add(name, PIECE_CHARS_MIN);
        self
    }

    fn add(&mut self, word: &str, chars_min: usize) {
        let word = squeezed(word);
        if word.chars().count() >= chars_min {
            self.0.push(word);
        }
    }
}

/// Letters and digits alone, in lower case: `Ann.Lee` and `annlee` are one word.
fn squeezed(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
