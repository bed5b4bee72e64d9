//! The embedded store keeps every promise of the conformance suite, and a few of its own.

use std::path::Path;
use std::sync::Arc;

use stagedoor_identity::port::SharedStore;
use stagedoor_store::Embedded;
use stagedoor_store::conformance::Place;
use tempfile::TempDir;

struct Folder(TempDir);

fn folder() -> Folder {
    Folder(tempfile::tempdir().expect("a folder"))
}

impl Folder {
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Place for Folder {
    fn open(&self) -> SharedStore {
        Arc::new(Embedded::open(self.path()).expect("the store opens"))
    }
}

mod promises {
    use super::folder;

    stagedoor_store::conformance_tests!(folder);
}
