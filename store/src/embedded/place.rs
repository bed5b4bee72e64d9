//! The folder and the file: made for their owner alone, refused where others could have written them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::OpenError;

const FILE_NAME: &str = "stagedoor.db";
const WRITABLE_BY_OTHERS: u32 = 0o022;
const READABLE_BY_EVERYBODY: u32 = 0o004;

/// Makes what is not there (folder 0700, file 0600, whatever the umask) and answers the file's path.
pub(super) fn prepare(folder: &Path) -> Result<PathBuf, OpenError> {
    let failed = |path: &Path, error: std::io::Error| OpenError::Place {
        path: path.to_path_buf(),
        error,
    };
    let mut builder = DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| failed(folder, error))?;
    let found = std::fs::metadata(folder).map_err(|error| failed(folder, error))?;
    refuse_bits(folder, found.permissions().mode(), WRITABLE_BY_OTHERS)?;

    let file = folder.join(FILE_NAME);
    // SQLite gives -wal and -shm the mode of this file, so it has to be right before SQLite sees it.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file) {
        Ok(created) => {
            created.sync_all().map_err(|error| failed(&file, error))?;
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| failed(folder, error))?;
        }
        // Not opened to look at it: closing any handle of the file would drop the locks this process holds on it.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => refuse_unsafe_file(&file)?,
        Err(error) => return Err(failed(&file, error)),
    }
    Ok(file)
}

fn refuse_unsafe_file(file: &Path) -> Result<(), OpenError> {
    let found = std::fs::symlink_metadata(file).map_err(|error| OpenError::Place {
        path: file.to_path_buf(),
        error,
    })?;
    if !found.is_file() {
        return Err(OpenError::NotAFile(file.to_path_buf()));
    }
    refuse_bits(
        file,
        found.permissions().mode(),
        WRITABLE_BY_OTHERS | READABLE_BY_EVERYBODY,
    )
}

fn refuse_bits(path: &Path, mode: u32, refused: u32) -> Result<(), OpenError> {
    if mode & refused == 0 {
        return Ok(());
    }
    Err(OpenError::TooOpen {
        path: path.to_path_buf(),
        mode: mode & 0o7777,
    })
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    fn mode_of(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_place_is_for_its_owner_alone() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a/b");
        let file = prepare(&folder).unwrap();
        assert_eq!(mode_of(&folder), 0o700);
        assert_eq!(mode_of(&file), 0o600);
        assert_eq!(prepare(&folder).unwrap(), file);
    }

    #[test]
    fn a_folder_that_others_can_write_is_refused_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o770)).unwrap();
        let refused = prepare(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("0770") && refused.contains("chmod go-w"), "{refused}");
    }

    #[test]
    fn a_file_that_others_can_write_or_everybody_can_read_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("data");
        let file = prepare(&folder).unwrap();
        for mode in [0o602, 0o620, 0o644] {
            std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            assert!(matches!(prepare(&folder), Err(OpenError::TooOpen { .. })), "{mode:o}");
        }
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        assert!(prepare(&folder).is_ok(), "a group that makes backups may read");
    }

    #[test]
    fn a_link_in_the_place_of_the_file_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("data");
        let file = prepare(&folder).unwrap();
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
        assert!(matches!(prepare(&folder), Err(OpenError::NotAFile(_))));
    }
}
