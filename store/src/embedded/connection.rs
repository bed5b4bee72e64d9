//! Connections with the settings that durability and secrecy rest on.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{OpenError, schema};

/// How long a step waits for another process (the command line beside a running door) before it fails.
const BUSY_WAIT: Duration = Duration::from_secs(5);
const WAL_KEPT_BYTES: i64 = 64 << 20;
const STATEMENTS_CACHED: usize = 64;

/// The one connection that writes. Brings the file to the newest schema.
pub(super) fn for_writing(file: &Path) -> Result<Connection, OpenError> {
    let mut connection = open(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    schema::vet(&connection)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::NoWal(mode));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    // Answers the limit it has set, unlike the others.
    connection.pragma_update_and_check(None, "journal_size_limit", WAL_KEPT_BYTES, |_row| Ok(()))?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}

/// A connection that cannot write.
pub(super) fn for_reading(file: &Path) -> Result<Connection, OpenError> {
    open(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn open(file: &Path, access: OpenFlags) -> Result<Connection, OpenError> {
    // No URI flag: a folder named `file:x?mode=memory` is a folder.
    let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_WAIT)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Else each statement is prepared anew for each value bound to it, since that could change its plan.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::super::place;
    use super::*;

    fn setting(connection: &Connection, name: &str) -> i64 {
        connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
    }

    #[test]
    fn the_writer_syncs_each_commit_and_overwrites_what_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let connection = for_writing(&place::prepare(&folder.path().join("data")).unwrap()).unwrap();
        assert_eq!(setting(&connection, "synchronous"), 2, "FULL");
        assert_eq!(setting(&connection, "foreign_keys"), 1);
        assert_eq!(setting(&connection, "secure_delete"), 1);
        assert_eq!(setting(&connection, "busy_timeout"), 5000);
    }

    #[test]
    fn a_reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let file = place::prepare(&folder.path().join("data")).unwrap();
        let _writer = for_writing(&file).unwrap();
        let reader = for_reading(&file).unwrap();
        assert!(reader.execute("DELETE FROM account", []).is_err());
    }
}
