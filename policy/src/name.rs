//! Names in a policy, and what somebody may have meant who misspelt one.

/// The longest name, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 64;

/// Names are typed on command lines, put into headers, labels and URLs: one plain alphabet fits all.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

/// "did you mean `devices`?", where one of `known` is near enough to `typed`.
pub(crate) fn did_you_mean<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if typed.len() > NAME_BYTES_MAX * 2 {
        return None;
    }
    let near_enough = typed.chars().count().div_ceil(3).clamp(1, 3);
    known
        .into_iter()
        .map(|name| (edits(typed, name), name))
        .filter(|(distance, _)| *distance <= near_enough)
        .min()
        .map(|(_, name)| format!("did you mean `{name}`?"))
}

/// How many characters have to be put in, taken out or replaced to make `to` of `from`.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (line, typed) in from.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        let mut cells = row.iter_mut();
        if let Some(first) = cells.next() {
            *first = left;
        }
        for (cell, meant) in cells.zip(to.chars()) {
            let cost = (diagonal + usize::from(typed != meant)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = cost;
            left = cost;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for good in ["a", "general-admin", "0_9", &"x".repeat(64)] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "Admin", "a b", "a/b", "*", "ä", "a.b", &"x".repeat(65)] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn edits_count_what_has_to_change() {
        assert_eq!(edits("devices", "devices"), 0);
        assert_eq!(edits("devcies", "devices"), 2);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("kitten", "sitting"), 3);
    }

    #[test]
    fn the_nearest_name_is_offered_and_a_far_one_is_not() {
        assert_eq!(
            did_you_mean("devcies", ["settings", "devices", "devise"]).as_deref(),
            Some("did you mean `devices`?")
        );
        assert_eq!(did_you_mean("devices", ["billing"]), None);
        assert_eq!(did_you_mean(&"x".repeat(10_000), ["x"]), None);
    }
}
