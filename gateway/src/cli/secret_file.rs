//! A new file for a secret that is shown once.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::failure::Failure;

/// A file that was not there, for the owner alone; made before the secret is, so that none is made that cannot be kept.
#[derive(Debug)]
pub(crate) struct SecretFile {
    path: PathBuf,
    file: File,
}

impl SecretFile {
    pub(crate) fn make(path: PathBuf) -> Result<Self, Failure> {
        match File::options().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(unwritable(&path, &error)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn write(&mut self, secret: &str) -> Result<(), Failure> {
        let written = writeln!(self.file, "{secret}").and_then(|()| self.file.sync_all());
        written.map_err(|error| unwritable(&self.path, &error))
    }

    /// The empty file would only be in the way of the next try.
    pub(crate) fn discard(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn unwritable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("the secret cannot be written to `{}`: {error}", file.display()))
}
