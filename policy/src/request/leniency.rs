//! What a site may let pass that every other site refuses, one name each.

/// One thing in a target that servers read differently, and that a site can be known to read in one way.
///
/// What is not here cannot be allowed, since no reading of it is safe: dot segments, NUL and other control characters,
/// blanks, `#` and `\` unencoded, escapes that are none, and what is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Leniency {
    /// `%2F`: part of a name, or a separator.
    EncodedSlash,
    /// `%5C`: part of a name, or a separator.
    EncodedBackslash,
    /// `%25`, where no further decoding makes anything of it.
    EncodedPercent,
    /// `%2E` within a name: sent on as `.`.
    EncodedDot,
    /// `%3B`: part of a name, or where its parameters begin.
    EncodedSemicolon,
    /// `%3F`: part of a name, or where the path ends.
    EncodedQuestionMark,
    /// `%23`: part of a name, or where the path ends.
    EncodedHash,
    /// `;jsessionid=…` at the very end: judged with it and without it, sent on with it.
    Semicolon,
    /// `//`: sent on as `/`.
    EmptySegment,
    /// Letters of either case are the same: sent on in lower case.
    CaseInsensitive,
    /// The console tells letters of one case from those of the other, so a path is judged in its own case alone.
    CaseSensitive,
    /// `^`, `{`, `|`, `}` unencoded in the path: sent on encoded.
    RawDelimiters,
    /// UTF-8 beyond ASCII unencoded: sent on encoded.
    RawNonAscii,
    /// Characters that some servers take for one of `.`, `/`, `\`, `%`, `;`, `?`, `#`, such as a full-width slash.
    LookAlikes,
}

/// A set of leniencies. Empty unless somebody asked for something by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Leniencies(u16);

impl Leniency {
    /// Every leniency there is, in the order of the documentation.
    pub const ALL: [Self; 14] = [
        Self::EncodedSlash,
        Self::EncodedBackslash,
        Self::EncodedPercent,
        Self::EncodedDot,
        Self::EncodedSemicolon,
        Self::EncodedQuestionMark,
        Self::EncodedHash,
        Self::Semicolon,
        Self::EmptySegment,
        Self::CaseInsensitive,
        Self::CaseSensitive,
        Self::RawDelimiters,
        Self::RawNonAscii,
        Self::LookAlikes,
    ];

    /// Their names in policy.toml, in the same order.
    #[expect(
        clippy::indexing_slicing,
        reason = "worked out by the compiler, which would refuse it"
    )]
    pub const NAMES: [&'static str; 14] = {
        let mut names = [""; 14];
        let mut place = 0;
        while place < names.len() {
            names[place] = Self::ALL[place].name();
            place += 1;
        }
        names
    };

    /// Its name in policy.toml.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EncodedSlash => "encoded-slash",
            Self::EncodedBackslash => "encoded-backslash",
            Self::EncodedPercent => "encoded-percent",
            Self::EncodedDot => "encoded-dot",
            Self::EncodedSemicolon => "encoded-semicolon",
            Self::EncodedQuestionMark => "encoded-question-mark",
            Self::EncodedHash => "encoded-hash",
            Self::Semicolon => "semicolon",
            Self::EmptySegment => "empty-segment",
            Self::CaseInsensitive => "case-insensitive",
            Self::CaseSensitive => "case-sensitive",
            Self::RawDelimiters => "raw-delimiters",
            Self::RawNonAscii => "raw-non-ascii",
            Self::LookAlikes => "look-alikes",
        }
    }

    /// The leniency of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|leniency| leniency.name() == name)
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl Leniencies {
    /// Nothing is let pass: what holds for a site that asks for nothing.
    pub const NONE: Self = Self(0);

    /// Whether this one is in the set.
    pub const fn contains(self, leniency: Leniency) -> bool {
        self.0 & leniency.bit() != 0
    }

    /// The set with this one in it.
    #[must_use]
    pub const fn with(self, leniency: Leniency) -> Self {
        Self(self.0 | leniency.bit())
    }

    /// Whether nothing is let pass.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in the set, in the order of [`Leniency::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Leniency> {
        Leniency::ALL
            .into_iter()
            .filter(move |leniency| self.contains(*leniency))
    }
}

impl FromIterator<Leniency> for Leniencies {
    fn from_iter<T: IntoIterator<Item = Leniency>>(leniencies: T) -> Self {
        leniencies.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_into_it_and_nothing_else() {
        for (place, one) in Leniency::ALL.into_iter().enumerate() {
            let set = Leniencies::NONE.with(one).with(one);
            assert_eq!(set.iter().collect::<Vec<_>>(), [one]);
            assert!(!set.is_empty() && Leniencies::NONE.is_empty());
            assert_eq!(Leniency::named(Leniency::NAMES[place]), Some(one));
        }
        let all: Leniencies = Leniency::ALL.into_iter().collect();
        assert_eq!(all.iter().collect::<Vec<_>>(), Leniency::ALL);
        assert_eq!(Leniency::named("dot-segment"), None);
    }
}
