//! "Did you mean".

/// The candidate that `typed` was most likely meant to be, if one is near enough to suggest.
pub(crate) fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed: Vec<char> = typed.chars().take(WORD_CHARACTERS_MAX).collect();
    let allowed = (typed.len() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (edits(&typed, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

const WORD_CHARACTERS_MAX: usize = 64;

/// How many insertions, removals and replacements lie between the two.
fn edits(typed: &[char], candidate: &str) -> usize {
    let mut row: Vec<usize> = (0..=typed.len()).collect();
    for (done, wanted) in candidate.chars().enumerate() {
        let mut diagonal = done;
        let mut left = done + 1;
        let mut next = vec![left];
        for (above, found) in row.iter().skip(1).zip(typed) {
            let cell = (diagonal + usize::from(*found != wanted)).min(above + 1).min(left + 1);
            diagonal = *above;
            left = cell;
            next.push(cell);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_word_and_nonsense_finds_none() {
        let keys = ["upstream", "hosts", "websockets"];
        assert_eq!(nearest("upstrem", keys), Some("upstream"));
        assert_eq!(nearest("host", keys), Some("hosts"));
        assert_eq!(nearest("web_sockets", keys), Some("websockets"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("", keys), None);
    }

    #[test]
    fn edits_are_counted_as_the_textbook_counts_them() {
        assert_eq!(edits(&['k', 'i', 't', 't', 'e', 'n'], "sitting"), 3);
        assert_eq!(edits(&[], "abc"), 3);
        assert_eq!(edits(&['a'], ""), 1);
    }
}
