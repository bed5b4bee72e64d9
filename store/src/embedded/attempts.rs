//! Failures and locks, for names whether an account has them or not.
//!
//! Each failure is a row. A lock keeps the rows that led to it for as long as it holds, so that a right attempt among them
//! can still take it back; the first attempt after it has run out forgets them, and the count starts anew.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};
use stagedoor_identity::account::AccountName;
use stagedoor_identity::port::{Attempts, Lockout, Reserved, Source, StoreError};
use stagedoor_policy::rules::LockoutRules;
use stagedoor_policy::time::Timestamp;

use super::column::Row;
use super::fault::Fault;
use super::{Embedded, column};
use crate::attempt_key::{lock_id, name_hash};

/// Rows that one call forgets at most, so that other steps do not wait for it.
const FORGOTTEN_ROWS_MAX: u32 = 10_000;
/// Locks that are listed at most, those of accounts first: a flood of made-up names must not fill memory.
const LISTED_MAX: u32 = 1000;

#[async_trait]
impl Attempts for Embedded {
    async fn reserve_attempt(
        &self,
        name: &str,
        source: &Source,
        rules: &LockoutRules,
        now: Timestamp,
    ) -> Result<Reserved, StoreError> {
        let (attempt, rules) = (Attempt::new(name, source), *rules);
        self.write("reserve_attempt", move |step| attempt.reserve(step, &rules, now))
            .await
    }

    async fn forgive(&self, name: &str, source: &Source) -> Result<(), StoreError> {
        let attempt = Attempt::new(name, source);
        self.write("forgive", move |step| attempt.forgive(step)).await
    }

    async fn lockouts(&self, name: Option<&AccountName>, now: Timestamp) -> Result<Vec<Lockout>, StoreError> {
        let hash = name.map(|name| name_hash(name.as_str()));
        let work = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(
                "SELECT lock.*, account.name AS account FROM lock LEFT JOIN account ON account.name_hash = lock.name_hash \
                 WHERE lock.until > ?1 AND (?2 IS NULL OR lock.name_hash = ?2) \
                 ORDER BY account.name IS NULL, lock.since DESC, lock.id LIMIT ?3",
            )?;
            column::all(statement.query(params![now.as_micros(), hash, LISTED_MAX])?, read)
        };
        self.read("lockouts", work).await
    }

    async fn unlock(&self, name: &AccountName) -> Result<u32, StoreError> {
        let hash = name_hash(name.as_str());
        let work = move |step: &Connection| {
            step.prepare_cached("DELETE FROM failure WHERE name_hash = ?1")?
                .execute([hash])?;
            let locks = step
                .prepare_cached("DELETE FROM lock WHERE name_hash = ?1")?
                .execute([hash])?;
            Ok(u32::try_from(locks).unwrap_or(u32::MAX))
        };
        self.write("unlock", work).await
    }

    async fn unlock_one(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.write("unlock_one", move |step| unlock_one(step, &id)).await
    }

    async fn forget_attempts(&self, before: Timestamp, now: Timestamp) -> Result<u32, StoreError> {
        self.write("forget_attempts", move |step| forget(step, before, now))
            .await
    }
}

/// Who is tried, from where.
struct Attempt {
    name: [u8; 32],
    source: Source,
}

impl Attempt {
    fn new(name: &str, source: &Source) -> Self {
        Self {
            name: name_hash(name),
            source: source.clone(),
        }
    }

    fn reserve(&self, step: &Connection, rules: &LockoutRules, now: Timestamp) -> Result<Reserved, Fault> {
        self.clear_locks_that_ran_out(step, now)?;
        if let Some(until) = self.locked_until(step)? {
            return Ok(Reserved::Locked { until });
        }
        step.prepare_cached("INSERT INTO failure (name_hash, source, at, counts_for_source) VALUES (?1, ?2, ?3, 1)")?
            .execute(params![self.name, self.source.0, now.as_micros()])?;

        let window = i64::try_from(rules.within.as_micros()).unwrap_or(i64::MAX);
        let after = now.as_micros().saturating_sub(window);
        let from_here = self.failures_from_here(step, after)?;
        let from_anywhere = self.failures_from_anywhere(step, after)?;
        let until = now.after(rules.lasts);
        let mut locks_until = None;
        if from_here >= rules.failures {
            self.lock(step, Some(&self.source), from_here, now, until)?;
            locks_until = Some(until);
        }
        if from_anywhere >= rules.failures_from_anywhere {
            self.lock(step, None, from_anywhere, now, until)?;
            locks_until = Some(until);
        }
        Ok(Reserved::Go {
            failures: from_here,
            locks_until,
        })
    }

    fn clear_locks_that_ran_out(&self, step: &Connection, now: Timestamp) -> Result<(), Fault> {
        let mut statement = step.prepare_cached(
            "SELECT id FROM lock WHERE name_hash = ?1 AND until <= ?2 AND (source = ?3 OR source IS NULL)",
        )?;
        let rows = statement.query(params![self.name, now.as_micros(), self.source.0])?;
        for id in column::all(rows, |row| column::get::<String>(row, "id"))? {
            unlock_one(step, &id)?;
        }
        Ok(())
    }

    /// Of the locks that are left, the one that holds longest.
    fn locked_until(&self, step: &Connection) -> Result<Option<Timestamp>, Fault> {
        let until: Option<i64> = step
            .prepare_cached("SELECT max(until) FROM lock WHERE name_hash = ?1 AND (source = ?2 OR source IS NULL)")?
            .query_row(params![self.name, self.source.0], |row| row.get(0))?;
        Ok(until.map(Timestamp::from_micros))
    }

    fn failures_from_here(&self, step: &Connection, after: i64) -> Result<u32, Fault> {
        Ok(step
            .prepare_cached(
                "SELECT count(*) FROM failure WHERE name_hash = ?1 AND source = ?2 AND counts_for_source = 1 AND at > ?3",
            )?
            .query_row(params![self.name, self.source.0, after], |row| row.get(0))?)
    }

    fn failures_from_anywhere(&self, step: &Connection, after: i64) -> Result<u32, Fault> {
        Ok(step
            .prepare_cached("SELECT count(*) FROM failure WHERE name_hash = ?1 AND at > ?2")?
            .query_row(params![self.name, after], |row| row.get(0))?)
    }

    fn lock(
        &self,
        step: &Connection,
        source: Option<&Source>,
        failures: u32,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<(), Fault> {
        step.prepare_cached(
            "INSERT INTO lock (id, name_hash, source, failures, since, until) \
             VALUES (:id, :name_hash, :source, :failures, :since, :until)",
        )?
        .execute(named_params! {
            ":id": lock_id(&self.name, source),
            ":name_hash": self.name,
            ":source": source.map(|source| source.0.as_str()),
            ":failures": failures,
            ":since": since.as_micros(),
            ":until": until.as_micros(),
        })?;
        Ok(())
    }

    /// The attempt was no failure after all: a lock that counted on it goes with it.
    fn forgive(&self, step: &Connection) -> Result<(), Fault> {
        let taken_back = step
            .prepare_cached(
                "DELETE FROM failure WHERE number = \
                 (SELECT max(number) FROM failure WHERE name_hash = ?1 AND source = ?2)",
            )?
            .execute(params![self.name, self.source.0])?;
        if taken_back == 0 {
            return Ok(());
        }
        stop_counting_for_source(step, &self.name, &self.source.0)?;
        step.prepare_cached("DELETE FROM lock WHERE name_hash = ?1 AND (source = ?2 OR source IS NULL)")?
            .execute(params![self.name, self.source.0])?;
        Ok(())
    }
}

/// Ends a lock and uses up the failures it was set for, or the next failure would set it again.
fn unlock_one(step: &Connection, id: &str) -> Result<bool, Fault> {
    let lock = step
        .prepare_cached("DELETE FROM lock WHERE id = ?1 RETURNING name_hash, source")?
        .query_row([id], |row| {
            Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, Option<String>>(1)?))
        })
        .optional()?;
    match lock {
        None => return Ok(false),
        Some((name, Some(source))) => stop_counting_for_source(step, &name, &source)?,
        Some((name, None)) => {
            step.prepare_cached("DELETE FROM failure WHERE name_hash = ?1")?
                .execute([name])?;
        }
    }
    Ok(true)
}

/// They still count for the name from anywhere: that is what the spread-out guess is found by.
fn stop_counting_for_source(step: &Connection, name: &[u8; 32], source: &str) -> Result<(), Fault> {
    step.prepare_cached("UPDATE failure SET counts_for_source = 0 WHERE name_hash = ?1 AND source = ?2")?
        .execute(params![name, source])?;
    Ok(())
}

/// What was counted for the old name counts for the new one: a new name must not be a way out of a lock.
pub(super) fn rename(step: &Connection, old: &AccountName, new: &AccountName) -> Result<(), Fault> {
    let (old, new) = (name_hash(old.as_str()), name_hash(new.as_str()));
    for table in ["failure", "lock"] {
        step.prepare_cached(&format!("DELETE FROM {table} WHERE name_hash = ?1"))?
            .execute([new])?;
    }
    step.prepare_cached("UPDATE failure SET name_hash = ?2 WHERE name_hash = ?1")?
        .execute(params![old, new])?;
    let mut statement = step.prepare_cached("SELECT id, source FROM lock WHERE name_hash = ?1")?;
    let locks = column::all(statement.query([old])?, |row| {
        Ok((
            column::get::<String>(row, "id")?,
            column::get::<Option<String>>(row, "source")?,
        ))
    })?;
    for (id, source) in locks {
        step.prepare_cached("UPDATE lock SET id = ?2, name_hash = ?3 WHERE id = ?1")?
            .execute(params![id, lock_id(&new, source.map(Source).as_ref()), new])?;
    }
    Ok(())
}

/// A failure belongs to a lock that it led to, as long as the lock has not used it up.
const BELONGS: &str = "lock.name_hash = failure.name_hash AND failure.at <= lock.since \
     AND (lock.source IS NULL OR (lock.source = failure.source AND failure.counts_for_source = 1))";

fn forget(step: &Connection, before: Timestamp, now: Timestamp) -> Result<u32, Fault> {
    let failures = step
        .prepare_cached(&format!(
            "DELETE FROM failure WHERE number IN (SELECT number FROM failure WHERE at < :before \
             AND NOT EXISTS (SELECT 1 FROM lock WHERE lock.until > :now AND {BELONGS}) ORDER BY at LIMIT :limit)",
        ))?
        .execute(named_params! {
            ":before": before.as_micros(), ":now": now.as_micros(), ":limit": FORGOTTEN_ROWS_MAX,
        })?;
    // After the failures: a lock that has run out still has to use up those that are left of it.
    let locks = step
        .prepare_cached(&format!(
            "DELETE FROM lock WHERE id IN (SELECT id FROM lock WHERE until < :before AND until <= :now \
             AND NOT EXISTS (SELECT 1 FROM failure WHERE {BELONGS}) LIMIT :limit)",
        ))?
        .execute(named_params! {
            ":before": before.as_micros(), ":now": now.as_micros(), ":limit": FORGOTTEN_ROWS_MAX,
        })?;
    Ok(u32::try_from(failures + locks).unwrap_or(u32::MAX))
}

fn read(row: &Row<'_>) -> Result<Lockout, Fault> {
    let account: Option<String> = column::get(row, "account")?;
    let source: Option<String> = column::get(row, "source")?;
    Ok(Lockout {
        account: account.map(|_name| column::name(row, "account")).transpose()?,
        id: column::get(row, "id")?,
        source: source.map(Source),
        failures: column::count_small(row, "failures")?,
        since: column::time(row, "since")?,
        until: column::time(row, "until")?,
    })
}
