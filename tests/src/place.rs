//! Where things are: the repository, the binary under test, a free port.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

/// The root of the checkout.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ has a parent")
        .to_path_buf()
}

/// The folder that cargo builds into, of the profile this was built in: `target/debug`. Tests lie in a folder of it, other
/// programs in itself.
pub(crate) fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    let folder = test.parent().expect("a file lies in a folder");
    let is_deps = folder.file_name().is_some_and(|name| name == "deps");
    let profile = if is_deps { folder.parent() } else { Some(folder) };
    profile.expect("a test lies in target/PROFILE/deps").to_path_buf()
}

/// The folder `target`.
pub(crate) fn target_folder() -> PathBuf {
    profile_folder()
        .parent()
        .expect("target/PROFILE has a parent")
        .to_path_buf()
}

/// The binary under test, of the same profile as the test.
pub fn stagedoor_binary() -> PathBuf {
    let binary = profile_folder().join("stagedoor");
    assert!(
        binary.is_file(),
        "`{}` is missing: `./run test` builds it, or `cargo build --bin stagedoor`",
        binary.display()
    );
    binary
}

/// A port of 127.0.0.1 that nobody listens on, and that no other call in this process was given. Below the range that
/// outgoing connections take theirs from, so that none of them can slip in between.
pub fn free_port() -> u16 {
    const FIRST: u16 = 10_000;
    const COUNT: u16 = 22_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = *START.get_or_init(|| u16::try_from(RandomState::new().hash_one(0) % u64::from(COUNT)).unwrap_or(0));
    for _ in 0..COUNT {
        let port = FIRST + (start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed))) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free on 127.0.0.1");
}

static START: std::sync::OnceLock<u16> = std::sync::OnceLock::new();
