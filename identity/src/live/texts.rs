//! Texts that many sessions have in common, each kept once: channels, and what browsers call themselves.

use std::collections::HashSet;
use std::sync::Arc;

use super::SharedTexts;
use crate::session::SessionRecord;

/// Holds no more texts than there are sessions, but for those that ended since [`Texts::forget`].
#[derive(Debug, Default)]
pub(super) struct Texts(HashSet<Arc<str>>);

impl Texts {
    pub(super) fn of(&mut self, record: &SessionRecord) -> SharedTexts {
        SharedTexts {
            channel: self.share(&record.channel),
            user_agent: self.share(&record.user_agent),
        }
    }

    /// Lets go of what no session has any more.
    pub(super) fn forget(&mut self) {
        self.0.retain(|text| Arc::strong_count(text) > 1);
    }

    fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let fresh: Arc<str> = text.into();
        self.0.insert(Arc::clone(&fresh));
        fresh
    }
}

impl SharedTexts {
    /// For a session that stands apart from all others.
    pub(super) fn alone(record: &SessionRecord) -> Self {
        Texts::default().of(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_for_as_long_as_somebody_has_it() {
        let mut texts = Texts::default();
        let (one, other, odd) = (texts.share("browser"), texts.share("browser"), texts.share("app"));
        assert!(Arc::ptr_eq(&one, &other));
        drop(odd);
        texts.forget();
        assert_eq!(texts.0.iter().map(|text| &**text).collect::<Vec<_>>(), ["browser"]);
        drop((one, other));
        texts.forget();
        assert!(texts.0.is_empty());
    }
}
