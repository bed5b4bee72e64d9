use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::letter::{CurrentLetterhead, Letterhead};

/// A letterhead that a test can swap while the door is open; none at first.
#[derive(Debug, Default)]
pub struct SwappableLetterhead(ArcSwapOption<Letterhead>);

impl SwappableLetterhead {
    /// In force from now on; `None`: letters are not sent.
    pub fn swap(&self, head: Option<Letterhead>) {
        self.0.store(head.map(Arc::new));
    }

    /// A letterhead to begin with: `https://door.example.org`, a thousand letters, three days.
    pub fn sample() -> Letterhead {
        Letterhead {
            title: "Box office".to_owned(),
            public_url: "https://door.example.org".to_owned(),
            domain: "example.org".to_owned(),
            letters_max: 1000,
            retry_first: Duration::from_secs(30),
            give_up_after: Duration::from_secs(3 * 86_400),
        }
    }
}

impl CurrentLetterhead for SwappableLetterhead {
    fn letterhead(&self) -> Option<Arc<Letterhead>> {
        self.0.load_full()
    }
}
