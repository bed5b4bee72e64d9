//! What a password must be.

/// `[password]`. Without it: length, the list of breached passwords, context words; no demands on its make-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordRules {
    /// In Unicode scalar values. Default 15: what NIST SP 800-63B-4 asks of a password that stands alone, which every
    /// password does until its owner has enrolled a second factor. Where every role demands one, 8 will do.
    pub at_least: u32,
    /// In Unicode scalar values. Default 128. Longer ones are refused, never cut.
    pub at_most: u32,
    /// Classes of which it must have one character each.
    pub require: Vec<CharacterClass>,
    /// The characters that are special.
    pub special: String,
    /// What becomes of characters that are no ASCII letter, no digit and not special.
    pub other_characters: OtherCharacters,
    /// How often the same character may stand in a row; 0 is any number.
    pub repeats_at_most: u32,
    /// Whether `a` and `A` are the same character for `repeats_at_most`.
    pub repeats_fold_case: bool,
    /// How many characters may follow each other on a keyboard row, in the alphabet or among the digits, either way; 0 is
    /// any number.
    pub runs_at_most: u32,
    /// What becomes of passwords that are known from breaches.
    pub breached: Breached,
    /// Words it may not hold, besides those of the account and of the door.
    pub context_words: Vec<String>,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self {
            at_least: 15,
            at_most: 128,
            require: Vec::new(),
            special: "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".to_owned(),
            other_characters: OtherCharacters::Allow,
            repeats_at_most: 0,
            repeats_fold_case: true,
            runs_at_most: 0,
            breached: Breached::Refuse,
            context_words: Vec::new(),
        }
    }
}

/// A kind of character that a password may have to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CharacterClass {
    /// A to Z. `"upper"`.
    Upper,
    /// a to z. `"lower"`.
    Lower,
    /// 0 to 9. `"digit"`.
    Digit,
    /// What [`PasswordRules::special`] lists. `"special"`.
    Special,
}

impl CharacterClass {
    /// Every class.
    pub const ALL: [Self; 4] = [Self::Upper, Self::Lower, Self::Digit, Self::Special];

    /// Its word in `policy.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upper => "upper",
            Self::Lower => "lower",
            Self::Digit => "digit",
            Self::Special => "special",
        }
    }

    /// The class of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }
}

/// What becomes of characters of a password that are in no class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OtherCharacters {
    /// They may be in it. `"allow"`.
    #[default]
    Allow,
    /// They may not. `"refuse"`.
    Refuse,
}

/// What becomes of passwords that are known from breaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Breached {
    /// They are refused. `"refuse"`.
    #[default]
    Refuse,
    /// They may be set. `"allow"`.
    Allow,
}
