//! The tables, and how an older file becomes a newer one.

use rusqlite::{Connection, TransactionBehavior};

use stagedoor_identity::account::folded;

use super::OpenError;

/// Marks the file as ours: `Stgd`.
const APPLICATION_ID: i32 = 0x5374_6764;

/// A step from one schema to the next: tables first, then what SQL cannot do.
type Migration = (&'static str, fn(&Connection) -> rusqlite::Result<()>);

/// Each raises the schema by one; what has been released is never edited again.
const MIGRATIONS: &[Migration] = &[
    (include_str!("schema/0001.sql"), |_| Ok(())),
    (include_str!("schema/0002.sql"), fold_again),
    (include_str!("schema/0003.sql"), |_| Ok(())),
    (include_str!("schema/0004.sql"), |_| Ok(())),
];

/// Refuses a file that is not ours or that a newer Stagedoor has written. Changes nothing.
pub(super) fn vet(connection: &Connection) -> Result<(), OpenError> {
    let application: i32 = number(connection, "PRAGMA application_id")?;
    let tables: i64 = number(connection, "SELECT count(*) FROM sqlite_schema")?;
    if application != APPLICATION_ID && (application != 0 || tables != 0) {
        return Err(OpenError::Foreign);
    }
    let found = version(connection)?;
    if found > MIGRATIONS.len() {
        return Err(OpenError::Newer {
            found,
            known: MIGRATIONS.len(),
        });
    }
    Ok(())
}

/// Whether the file has exactly the schema that is the newest known here.
pub(super) fn is_newest_known(connection: &Connection) -> rusqlite::Result<bool> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(usize::try_from(found).is_ok_and(|found| found == MIGRATIONS.len()))
}

/// Brings the file to the newest schema, in one step: all of it or nothing.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    vet(&step)?; // another process may have been quicker
    for migration in MIGRATIONS.iter().skip(version(&step)?) {
        let (tables, finish) = migration;
        step.execute_batch(tables)?;
        finish(&step)?;
    }
    step.pragma_update(None, "application_id", APPLICATION_ID)?;
    step.pragma_update(
        None,
        "user_version",
        i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX),
    )?;
    step.commit()?;
    Ok(())
}

/// Display names were searched in lower case before; see [`folded`].
fn fold_again(step: &Connection) -> rusqlite::Result<()> {
    let mut statement = step.prepare("SELECT id, display_name FROM account")?;
    let named = statement.query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, String>(1)?)))?;
    let named: Vec<_> = named.collect::<rusqlite::Result<_>>()?;
    let mut update = step.prepare("UPDATE account SET display_folded = ?2 WHERE id = ?1")?;
    for (id, name) in named {
        update.execute(rusqlite::params![id, folded(&name)])?;
    }
    Ok(())
}

fn version(connection: &Connection) -> Result<usize, OpenError> {
    let found: i64 = number(connection, "PRAGMA user_version")?;
    usize::try_from(found).map_err(|_negative| OpenError::Foreign)
}

fn number<T: rusqlite::types::FromSql>(connection: &Connection, sql: &str) -> Result<T, OpenError> {
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_gets_every_table_and_a_second_run_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%STRICT%'";
        let strict: i64 = number(&connection, tables).unwrap();
        assert_eq!(strict, 15);
        migrate(&mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), MIGRATIONS.len());
    }

    #[test]
    fn a_file_of_a_newer_stagedoor_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let refused = migrate(&mut connection).unwrap_err();
        assert!(matches!(refused, OpenError::Newer { found: 99, .. }), "{refused}");
        assert_eq!(version(&connection).unwrap(), 99);
    }

    #[test]
    fn a_file_of_another_program_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE cats (name TEXT)").unwrap();
        assert!(matches!(migrate(&mut connection), Err(OpenError::Foreign)));
    }
}
