//! What else a server could take a path for.
//!
//! A site may let pass what has more than one reading, such as `%2F`. Then every reading is judged, so that it does not
//! matter which one the console takes.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::TargetFault;

/// How many readings a path may have, the one it is matched by included.
///
/// Four doubts of one path, each read this way or that, make sixteen: more than any console known is asked for (a name with a
/// slash, a backslash and a question mark, in a session, is sixteen). Each reading is judged, for every request and again for
/// what stays open, so this is what a visitor can multiply the cost of a judgement by.
pub const READINGS_MAX: usize = 16;

/// What a piece of a path means to whoever reads it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// The end of a segment.
    Separator,
    /// The rest of the segment is no part of the name.
    Parameters,
    /// The rest of the target is no part of the path.
    End,
}

/// The escapes that a decoded path still has, and what a server takes them for that decodes before it looks.
const ESCAPES: [(&str, Meaning); 5] = [
    ("%2F", Meaning::Separator),
    ("%5C", Meaning::Separator),
    ("%3B", Meaning::Parameters),
    ("%3F", Meaning::End),
    ("%23", Meaning::End),
];

/// The same characters where a look-alike has become one, each with the escape that it is written as while it is part of a
/// name. A server that leaves escapes alone may take these for what they are. The semicolon has a stand-in, since the plain
/// one begins a session; no path has a NUL.
const LIKENESSES: [(&str, Meaning, &str); 4] = [
    ("\\", Meaning::Separator, "%5C"),
    (LIKE_SEMICOLON, Meaning::Parameters, "%3B"),
    ("?", Meaning::End, "%3F"),
    ("#", Meaning::End, "%23"),
];
const LIKE_SEMICOLON: &str = "\0";

/// Which of [`ESCAPES`] and [`LIKENESSES`] a server takes for what they mean: a bit for each.
#[derive(Debug, Clone, Copy)]
struct Habits {
    escapes: u8,
    likenesses: u8,
}

impl Habits {
    /// All that make a difference for this path. Whoever takes an escape for what it means does so with a plain character,
    /// too.
    fn that_matter_to(path: &str) -> impl Iterator<Item = Self> {
        let mut doubtful = Self {
            escapes: 0,
            likenesses: 0,
        };
        for (bit, (escape, _)) in ESCAPES.iter().enumerate() {
            doubtful.escapes |= u8::from(path.contains(escape)) << bit;
        }
        for (bit, (likeness, ..)) in LIKENESSES.iter().enumerate() {
            doubtful.likenesses |= u8::from(path.contains(likeness)) << bit;
        }
        let escapes = (0..=doubtful.escapes).filter(move |escapes| escapes & !doubtful.escapes == 0);
        escapes.flat_map(move |escapes| {
            // `%2F` has no likeness here: one that looks like a slash becomes a slash.
            let taken = escapes >> 1 & doubtful.likenesses;
            (0..=doubtful.likenesses)
                .filter(move |likenesses| likenesses & !doubtful.likenesses == 0 && likenesses & taken == taken)
                .map(move |likenesses| Self { escapes, likenesses })
        })
    }
}

/// Every reading of a decoded path, with and without its session, other than the ones in which the escapes are part of
/// names, each once.
///
/// # Errors
/// Where there are more than [`READINGS_MAX`]. So many habits are enough: then no reading is made.
pub(super) fn others(decoded: &str, with_session: Option<&str>) -> Result<Vec<String>, TargetFault> {
    let mut paths = Vec::new();
    for path in [decoded].into_iter().chain(with_session) {
        paths.push(Cow::Borrowed(path));
        if path.contains(is_look_alike) {
            paths.push(Cow::Owned(without_look_alikes(path)?));
        }
    }
    let mixtures = paths.iter().flat_map(|path| Habits::that_matter_to(path));
    if mixtures.take(READINGS_MAX + 1).count() > READINGS_MAX {
        return Err(TargetFault::TooManyReadings);
    }
    let mut others = BTreeSet::new();
    for path in &paths {
        add_readings(path, &mut others);
    }
    let merged: Vec<String> = others
        .iter()
        .filter(|reading| reading.contains("//"))
        .map(|reading| merged(reading))
        .collect();
    others.extend(merged);
    others.remove(decoded);
    if let Some(with_session) = with_session {
        others.remove(with_session);
    }
    let known = 1 + usize::from(with_session.is_some());
    if known + others.len() > READINGS_MAX {
        return Err(TargetFault::TooManyReadings);
    }
    Ok(others.into_iter().collect())
}

/// What servers make of the escapes that are left. They differ in each alone, so every mixture is a reading.
fn add_readings(decoded: &str, readings: &mut BTreeSet<String>) {
    readings.extend(Habits::that_matter_to(decoded).map(|habits| read(decoded, habits)));
}

/// As servers read it that take several separators for one.
fn merged(reading: &str) -> String {
    let mut merged = String::with_capacity(reading.len());
    for letter in reading.chars() {
        if letter != '/' || !merged.ends_with('/') {
            merged.push(letter);
        }
    }
    merged
}

/// The path as a server of these habits reads it.
fn read(decoded: &str, habits: Habits) -> String {
    let mut reading = String::with_capacity(decoded.len());
    let mut in_parameters = false;
    let mut rest = decoded;
    while let Some(letter) = rest.chars().next() {
        let (bytes, meaning, as_name) = piece(rest, letter, habits);
        match meaning {
            Some(Meaning::End) => break,
            Some(Meaning::Parameters) => in_parameters = true,
            Some(Meaning::Separator) => {
                in_parameters = false;
                reading.push('/');
            }
            None if in_parameters => {}
            None => reading.push_str(as_name),
        }
        rest = rest.get(bytes..).unwrap_or_default();
    }
    reading
}

/// How long the first piece is, what it means by these habits, and what it is called where it is part of a name.
fn piece(rest: &str, letter: char, habits: Habits) -> (usize, Option<Meaning>, &str) {
    let escape = ESCAPES
        .iter()
        .enumerate()
        .find(|(bit, (escape, _))| habits.escapes & 1 << bit != 0 && rest.starts_with(escape));
    if let Some((_, (escape, meaning))) = escape {
        return (escape.len(), Some(*meaning), escape);
    }
    let likeness = LIKENESSES
        .iter()
        .enumerate()
        .find(|(_, (likeness, ..))| rest.starts_with(likeness));
    if let Some((bit, (likeness, meaning, as_name))) = likeness {
        let taken = habits.likenesses & 1 << bit != 0;
        return (likeness.len(), taken.then_some(*meaning), as_name);
    }
    let bytes = letter.len_utf8();
    let separates = (letter == '/').then_some(Meaning::Separator);
    (bytes, separates, rest.get(..bytes).unwrap_or_default())
}

/// The path as a server has it that takes look-alikes for what they look like. What that means is doubtful again, but for the
/// slash: see [`LIKENESSES`].
fn without_look_alikes(decoded: &str) -> Result<String, TargetFault> {
    let mut plain = String::with_capacity(decoded.len());
    let mut letters = decoded.chars().peekable();
    while let Some(letter) = letters.next() {
        let Some(likeness) = likeness(letter) else {
            plain.push(letter);
            continue;
        };
        for letter in likeness.chars() {
            match letter {
                ';' => plain.push_str(LIKE_SEMICOLON),
                // What it would begin is decoded once more by some, and by others not.
                '%' if letters
                    .peek()
                    .is_some_and(|next| next.is_alphanumeric() || !next.is_ascii()) =>
                {
                    return Err(TargetFault::LookAlike);
                }
                letter => plain.push(letter),
            }
        }
    }
    Ok(plain)
}

/// Whether some servers take the character for one that has a meaning in a path.
pub(crate) fn is_look_alike(letter: char) -> bool {
    likeness(letter).is_some()
}

/// What the character becomes where text is brought to its compatibility form (NFKC) or to a code page of Windows, if that
/// has a meaning in a path. `every_look_alike_is_known` in the tests says where the list comes from.
fn likeness(letter: char) -> Option<&'static str> {
    Some(match letter {
        '\u{2024}' | '\u{fe52}' | '\u{ff0e}' => ".",
        '\u{2025}' | '\u{fe30}' => "..",
        '\u{2026}' | '\u{fe19}' => "...",
        '\u{2044}' | '\u{2215}' | '\u{ff0f}' => "/",
        // Yen and won stand where a Japanese or Korean code page has the backslash.
        '\u{a5}' | '\u{20a9}' | '\u{2216}' | '\u{fe68}' | '\u{ff3c}' => "\\",
        '\u{37e}' | '\u{fe14}' | '\u{fe54}' | '\u{ff1b}' => ";",
        '\u{fe56}' | '\u{fe16}' | '\u{ff1f}' | '\u{2047}' | '\u{2048}' => "?",
        '\u{2049}' => "!?",
        '\u{fe5f}' | '\u{ff03}' => "#",
        '\u{fe6a}' | '\u{ff05}' => "%",
        '\u{2100}' => "a/c",
        '\u{2101}' => "a/s",
        '\u{2105}' => "c/o",
        '\u{2106}' => "c/u",
        '\u{33c2}' => "a.m.",
        '\u{33c7}' => "co.",
        '\u{33d8}' => "p.m.",
        '\u{1f100}' => "0.",
        '\u{2488}'..='\u{249b}' => numbered(letter)?,
        _ => return None,
    })
}

/// `1.` to `20.`, each one character.
fn numbered(letter: char) -> Option<&'static str> {
    const NUMBERED: [&str; 20] = [
        "1.", "2.", "3.", "4.", "5.", "6.", "7.", "8.", "9.", "10.", "11.", "12.", "13.", "14.", "15.", "16.", "17.",
        "18.", "19.", "20.",
    ];
    let place = u32::from(letter).checked_sub(0x2488)?;
    NUMBERED.get(usize::try_from(place).ok()?).copied()
}
