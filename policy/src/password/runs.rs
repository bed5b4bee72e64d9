//! Characters that follow each other: on a row of the keyboard, in the alphabet, among the digits; forwards or backwards.
//!
//! Upper and lower case are one key, and so are the two signs of a key in the row of digits: `1@3` is as much a run as `123`.
//! Neither the alphabet nor a row begins again at its end: `yza` has a run of two. Columns and diagonals (`1qaz`) are no
//! runs here; what `breached` refuses holds the much-used ones.

/// The keys in their order: each element the signs of one key, in lower case.
type Row = &'static [&'static str];

const ROWS: &[Row] = &[
    // The row of digits of an American keyboard, both signs of each key.
    &[
        "`~", "1!", "2@", "3#", "4$", "5%", "6^", "7&", "8*", "9(", "0)", "-_", "=+",
    ],
    // Its rows of letters, with the signs beside them.
    &["q", "w", "e", "r", "t", "y", "u", "i", "o", "p", "[{", "]}", "\\|"],
    &["a", "s", "d", "f", "g", "h", "j", "k", "l", ";:", "'\""],
    &["z", "x", "c", "v", "b", "n", "m", ",<", ".>", "/?"],
    // German and French letters, where they stand in another order.
    &["q", "w", "e", "r", "t", "z", "u", "i", "o", "p", "ü"],
    &["y", "x", "c", "v", "b", "n", "m"],
    &["a", "z", "e", "r", "t", "y", "u", "i", "o", "p"],
    &["q", "s", "d", "f", "g", "h", "j", "k", "l", "m", "ù"],
    &["w", "x", "c", "v", "b", "n"],
    // Russian letters.
    &["й", "ц", "у", "к", "е", "н", "г", "ш", "щ", "з", "х", "ъ"],
    &["ф", "ы", "в", "а", "п", "р", "о", "л", "д", "ж", "э"],
    &["я", "ч", "с", "м", "и", "т", "ь", "б", "ю"],
    // Korean letters.
    &["ㅂㅃ", "ㅈㅉ", "ㄷㄸ", "ㄱㄲ", "ㅅㅆ", "ㅛ", "ㅕ", "ㅑ", "ㅐㅒ", "ㅔㅖ"],
    &["ㅁ", "ㄴ", "ㅇ", "ㄹ", "ㅎ", "ㅗ", "ㅓ", "ㅏ", "ㅣ"],
    &["ㅋ", "ㅌ", "ㅊ", "ㅍ", "ㅠ", "ㅜ", "ㅡ"],
    // Digits as they are counted, and the Latin and the Russian alphabet.
    &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    &[
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v",
        "w", "x", "y", "z",
    ],
    &[
        "а", "б", "в", "г", "д", "е", "ё", "ж", "з", "и", "й", "к", "л", "м", "н", "о", "п", "р", "с", "т", "у", "ф",
        "х", "ц", "ч", "ш", "щ", "ъ", "ы", "ь", "э", "ю", "я",
    ],
];

/// How many characters follow each other at most; 1 where none does, 0 for no password at all.
pub(super) fn longest(password: &str) -> u32 {
    let lower: Vec<char> = password.chars().flat_map(char::to_lowercase).collect();
    let least = u32::from(!lower.is_empty());
    ROWS.iter().map(|row| longest_in(row, &lower)).fold(least, u32::max)
}

fn longest_in(row: Row, password: &[char]) -> u32 {
    let (mut longest, mut forwards, mut backwards) = (0_u32, 0_u32, 0_u32);
    let mut before: Option<usize> = None;
    for c in password {
        let key = row.iter().position(|signs| signs.contains(*c));
        let follows = |from: Option<usize>, to: Option<usize>| {
            from.zip(to).is_some_and(|(from, to)| from.checked_add(1) == Some(to))
        };
        let length = |run: u32, goes_on: bool| match (key, goes_on) {
            (None, _) => 0,
            (Some(_), true) => run.saturating_add(1),
            (Some(_), false) => 1,
        };
        forwards = length(forwards, follows(before, key));
        backwards = length(backwards, follows(key, before));
        longest = longest.max(forwards).max(backwards);
        before = key;
    }
    longest
}
