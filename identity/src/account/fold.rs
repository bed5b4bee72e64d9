//! Texts as they are compared in a search.

use icu_normalizer::ComposingNormalizerBorrowed;

/// The dot that remains above where İ is written small.
const DOT_ABOVE: char = '\u{307}';

/// A text as it is searched and found: upper and lower case are one in every script that has them (`Straße` and `STRASSE`, `İ`
/// and `ı` and `i`, `ς` and `Σ`), and so are the ways to write one character (한 as one syllable or as its letters, `ﬁ`).
/// Accents still count: `u` does not find `ü`.
pub fn folded(text: &str) -> String {
    let normal = ComposingNormalizerBorrowed::new_nfkc();
    let mut folded = String::with_capacity(text.len());
    // By way of the capitals, since some small letters have one in common and ß has two; by way of small letters to those,
    // since the capital ẞ is one of its own.
    let small = normal.normalize(text).to_lowercase();
    for letter in small.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase) {
        if letter != DOT_ABOVE || !folded.ends_with('i') {
            folded.push(letter);
        }
    }
    normal.normalize(&folded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_reader_takes_for_one_word_folds_to_one_text() {
        for (written, searched) in [
            ("Straße", "STRASSE"),
            ("GROẞ", "groß"),
            ("İstanbul", "istanbul"),
            ("ISPARTA", "ısparta"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("Ёлкин", "ёЛКИН"),
            (
                "홍길동",
                "\u{1112}\u{1169}\u{11bc}\u{1100}\u{1175}\u{11af}\u{1103}\u{1169}\u{11bc}",
            ),
            ("Zoë", "ZOE\u{308}"),
            ("ﬁlip", "FILIP"),
            ("Ａｎｎ", "ann"),
        ] {
            assert_eq!(folded(written), folded(searched), "`{written}` and `{searched}`");
        }
    }

    #[test]
    fn what_a_reader_tells_apart_stays_apart() {
        for (one, other) in [("müller", "muller"), ("о", "o"), ("홍", "호"), ("ş", "s")] {
            assert_ne!(folded(one), folded(other), "`{one}` and `{other}`");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing_more(text in "\\PC{0,40}") {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once);
        }
    }
}
