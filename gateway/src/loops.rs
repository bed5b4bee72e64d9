//! A request of ours that comes back: an upstream that leads to a door again, whatever name it went by when the files were
//! checked (a name that resolves to this machine, a load balancer in front of the doors).
//!
//! What goes to a console bears a mark that all doors with one store have in common. A request that brings it has been here
//! before. It grants nothing: who has learnt it can only refuse himself.

use http::{HeaderMap, HeaderName, HeaderValue};
use stagedoor_identity::Secret;

/// Where the mark stands. As every `X-Stagedoor-…`, it is taken out of what visitors send before ours is set.
pub const NAME: HeaderName = HeaderName::from_static("x-stagedoor-door");

/// [`NAME`] as consoles get it.
pub const SPELT: &str = "X-Stagedoor-Door";

/// The store's name for the key that the mark is cut from.
pub const KEY: &str = "loops";

/// Enough that no two installations have the same by chance.
const MARK_BYTES: usize = 8;

/// See the module.
#[derive(Debug, Clone)]
pub struct Mark(HeaderValue);

impl Mark {
    /// Of a key of the store; `None` where that is no key.
    pub fn new(key: &Secret) -> Option<Self> {
        let bytes = key.expose().get(..MARK_BYTES)?;
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        HeaderValue::try_from(text).ok().map(Self)
    }

    /// For the request that goes to a console.
    pub fn value(&self) -> &HeaderValue {
        &self.0
    }

    /// Whether a door of this store has sent the request.
    pub fn is_on(&self, headers: &HeaderMap) -> bool {
        headers.get_all(NAME).iter().any(|value| *value == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_knows_its_own_mark_and_no_other() {
        let mark = |number: u8| Mark::new(&Secret::new([number; 32])).unwrap();
        let mut headers = HeaderMap::new();
        assert!(!mark(1).is_on(&headers));
        headers.append(NAME, HeaderValue::from_static("another door's"));
        headers.append(NAME, mark(1).value().clone());
        assert!(mark(1).is_on(&headers) && !mark(2).is_on(&headers));
        assert!(Mark::new(&Secret::new([1; 3])).is_none());
    }
}
