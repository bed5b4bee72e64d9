//! Lists, a page at a time.

use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

/// How many there are on a page where nobody says.
pub(crate) const LIMIT_DEFAULT: u32 = 100;
/// And at most.
pub(crate) const LIMIT_MAX: u32 = 1000;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// What there is.
    items: Vec<T>,
    /// Where the next page begins; `null` on the last one.
    #[schema(required)]
    next: Option<String>,
}

impl<T> Page<T> {
    /// Of what a store gave for a page of at most `limit`. A full page says that there may be more.
    pub(crate) fn new(items: Vec<T>, limit: u32, cursor: impl Fn(&T) -> String) -> Self {
        let full = u32::try_from(items.len()).is_ok_and(|count| count >= limit);
        let next = items.last().filter(|_| full).map(cursor);
        Self { items, next }
    }

    /// Cut out of a whole list, which is in the order of its cursors.
    pub(crate) fn cut(
        all: impl Iterator<Item = T>,
        after: Option<&str>,
        limit: u32,
        cursor: impl Fn(&T) -> String,
    ) -> Self {
        let size = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut items: Vec<T> = all
            .filter(|item| after.is_none_or(|after| cursor(item).as_str() > after))
            .take(size.saturating_add(1))
            .collect();
        let more = items.len() > size;
        items.truncate(size);
        let next = items.last().filter(|_| more).map(cursor);
        Self { items, next }
    }

    /// The same page with its items as they are shown.
    pub(crate) fn map<U>(self, show: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(show).collect(),
            next: self.next,
        }
    }
}

/// The number of items a caller asks for.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked.unwrap_or(LIMIT_DEFAULT) {
        limit @ 1..=LIMIT_MAX => Ok(limit),
        other => Err(Problem::field(
            "limit",
            format!("`{other}` is not between 1 and {LIMIT_MAX}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(after: Option<&str>, limit: u32) -> (Vec<&'static str>, Option<String>) {
        let page = Page::cut(["a", "b", "c"].into_iter(), after, limit, |item| (*item).to_owned());
        (page.items, page.next)
    }

    #[test]
    fn pages_follow_one_another_without_gap_or_repetition() {
        assert_eq!(cut(None, 2), (vec!["a", "b"], Some("b".to_owned())));
        assert_eq!(cut(Some("b"), 2), (vec!["c"], None));
        assert_eq!(cut(None, 3), (vec!["a", "b", "c"], None));
        assert_eq!(cut(Some("aa"), 1), (vec!["b"], Some("b".to_owned())));
    }

    #[test]
    fn a_limit_beyond_what_is_served_is_said_not_cut() {
        assert!(limit(Some(0)).is_err());
        assert!(limit(Some(1001)).is_err());
        assert_eq!(limit(None).ok(), Some(100));
    }
}
