//! Identity's store for tests keeps the same promises as a real one, or what is tested with it proves nothing.

use std::sync::Arc;

use stagedoor_identity::port::SharedStore;
use stagedoor_identity::testing::MemoryStore;
use stagedoor_store::conformance::Place;

struct Memory(Arc<MemoryStore>);

fn memory() -> Memory {
    Memory(Arc::new(MemoryStore::new()))
}

impl Place for Memory {
    /// The same store each time: it has nothing to be reopened from.
    fn open(&self) -> SharedStore {
        self.0.clone()
    }
}

mod promises {
    use super::memory;

    stagedoor_store::conformance_tests!(memory);
}
