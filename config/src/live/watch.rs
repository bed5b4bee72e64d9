//! Noticing that a file changed: by asking, since a watch set on a file is lost when the file is replaced.

use std::fs::Metadata;
use std::future::Future;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::{Cause, Live, Reloaded, blocking};
use crate::building::Building;
use crate::load::FileTexts;
use crate::snapshot::sha256;

const POLL_EVERY: Duration = Duration::from_millis(250);
/// Certificates are some kilobytes.
const TLS_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What one look at the files came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Polled {
    /// Nothing new.
    Quiet,
    /// Something is new; it must read the same once more, since it may be half written.
    Settling,
    /// It settled, and this came of it.
    Settled(Reloaded),
}

/// What was seen of the files.
#[derive(Debug)]
pub(super) struct Watched {
    files: Seen<FileTexts>,
    /// The policy file's text, where that is knowingly not in force.
    pub(super) kept_out: Option<Arc<str>>,
    tls: Seen<Vec<Option<[u8; 32]>>>,
}

/// Content that was dealt with (`None`: must be again), and content that may be next.
#[derive(Debug)]
struct Seen<T> {
    /// `None` until the stamps of the content dealt with are known.
    stamps: Option<Vec<Stamp>>,
    handled: Option<T>,
    candidate: Option<(Vec<Stamp>, T)>,
}

/// What a file's metadata says; `None` where there is no file. The path is resolved, so another target is another inode.
type Stamp = Option<(u64, u64, u64, i64, i64, i64, i64)>;

impl Watched {
    pub(super) fn new(files: FileTexts, building: &Building) -> Self {
        Self {
            files: Seen::new(files),
            kept_out: None,
            tls: Seen::new(tls_paths(building).iter().map(|path| content(path)).collect()),
        }
    }

    /// Whether there is nothing in these texts that is yet to be dealt with.
    pub(super) fn has_dealt_with(&self, files: &FileTexts) -> bool {
        self.files.handled.as_ref() == Some(files)
    }

    /// Notes that these texts were dealt with by other means.
    pub(super) fn handled(&mut self, files: &FileTexts) {
        self.files = Seen::new(files.clone());
    }
}

impl<T: PartialEq> Seen<T> {
    fn new(handled: T) -> Self {
        Self {
            stamps: None,
            handled: Some(handled),
            candidate: None,
        }
    }

    /// Whether reading can be left out.
    fn is_quiet(&self, stamps: &[Stamp]) -> bool {
        self.candidate.is_none() && self.stamps.as_deref() == Some(stamps)
    }

    /// Takes in a reading: two equal ones in a row settle it. `true` where it settled to something new.
    fn reads(&mut self, stamps: Vec<Stamp>, content: T) -> Option<bool> {
        let fresh = (stamps, content);
        if self.candidate.as_ref() != Some(&fresh) {
            self.candidate = Some(fresh);
            return None;
        }
        self.candidate = None;
        self.stamps = Some(fresh.0);
        let content = Some(fresh.1);
        let new = self.handled != content;
        self.handled = content;
        Some(new)
    }

    /// The content was not dealt with after all: it is new again.
    fn forget(&mut self) {
        *self = Self {
            stamps: None,
            handled: None,
            candidate: None,
        };
    }
}

impl Live {
    /// Looks at the files every 250 ms and takes changes over, until `stop` resolves.
    pub async fn watch(self: Arc<Self>, stop: impl Future) {
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                _ = &mut stop => return,
                () = tokio::time::sleep(POLL_EVERY) => {}
            }
            self.poll_once().await;
            self.poll_tls_once().await;
        }
    }

    /// Looks at both files once.
    pub(crate) async fn poll_once(&self) -> Polled {
        let mut watched = self.changing.lock().await;
        let sources = Arc::clone(&self.sources);
        let paths: Vec<PathBuf> = [&sources.building, &sources.policy]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        let stamps = blocking(move || stamps(&paths)).await;
        if watched.files.is_quiet(&stamps) {
            return Polled::Quiet;
        }
        let files = self.read_files().await;
        match watched.files.reads(stamps, files.clone()) {
            None => Polled::Settling,
            Some(false) => Polled::Quiet,
            Some(true) => {
                let reloaded = self.take_over(&mut watched, files, &Cause::File).await;
                if matches!(reloaded, Reloaded::Unnumbered(_)) {
                    watched.files.forget();
                }
                self.catch_up(&mut watched, &reloaded).await;
                Polled::Settled(reloaded)
            }
        }
    }

    /// Looks at the certificate and the key once. `true` where they have other content.
    pub(crate) async fn poll_tls_once(&self) -> bool {
        let mut watched = self.changing.lock().await;
        let paths = tls_paths(&self.load().building);
        let (stamps, paths) = blocking(move || (stamps(&paths), paths)).await;
        if watched.tls.is_quiet(&stamps) {
            return false;
        }
        let contents: Vec<_> = blocking(move || paths.iter().map(|path| content(path)).collect()).await;
        // A file that is away for a moment is no certificate to load.
        let readable = contents.iter().all(Option::is_some);
        let new = watched.tls.reads(stamps, contents) == Some(true) && readable;
        if new {
            self.tls_changed.send_modify(|times| *times += 1);
        }
        new
    }
}

fn tls_paths(building: &Building) -> Vec<PathBuf> {
    building
        .tls
        .iter()
        .flat_map(|tls| [tls.certificate.clone(), tls.key.clone()])
        .collect()
}

fn stamps(paths: &[PathBuf]) -> Vec<Stamp> {
    let stamp = |metadata: Metadata| {
        (
            metadata.dev(),
            metadata.ino(),
            metadata.len(),
            metadata.mtime(),
            metadata.mtime_nsec(),
            metadata.ctime(),
            metadata.ctime_nsec(),
        )
    };
    paths
        .iter()
        .map(|path| std::fs::metadata(path).ok().map(stamp))
        .collect()
}

fn content(path: &Path) -> Option<[u8; 32]> {
    let length = std::fs::metadata(path).ok()?.len();
    if length > TLS_FILE_BYTES_MAX {
        return None;
    }
    Some(sha256(&std::fs::read(path).ok()?))
}
