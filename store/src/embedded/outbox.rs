//! Letters that wait.
//!
//! A claim moves the time a letter is due to the end of the claim: what a killed worker held is due again by itself.

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, named_params, params};
use stagedoor_identity::AccountId;
use stagedoor_identity::letter::{DueLetter, Failure, LetterId, LetterKind, QueuedLetter, Waiting, WaitingLetter};
use stagedoor_identity::port::{Outbox, StoreError};
use stagedoor_policy::time::Timestamp;

use super::column::Row;
use super::fault::Fault;
use super::{Embedded, accounts, column};

#[async_trait]
impl Outbox for Embedded {
    async fn queue_letter(&self, letter: &QueuedLetter) -> Result<(), StoreError> {
        let letter = letter.clone();
        self.write("queue_letter", move |step| queue(step, &letter)).await
    }

    async fn warn_once(&self, account: AccountId, since: Timestamp, letter: &QueuedLetter) -> Result<bool, StoreError> {
        let letter = letter.clone();
        self.write("warn_once", move |step| warn(step, account, since, &letter))
            .await
    }

    async fn take_due(
        &self,
        worker: &str,
        now: Timestamp,
        claim_for: Duration,
        letters_max: u32,
    ) -> Result<Vec<DueLetter>, StoreError> {
        // Most of the time nothing is due: asked by a reader, so that the writer need not.
        if !self
            .read("take_due", move |connection| any_due(connection, now))
            .await?
        {
            return Ok(Vec::new());
        }
        let worker = worker.to_owned();
        let work = move |step: &Connection| take(step, &worker, now, now.after(claim_for), letters_max);
        self.write("take_due", work).await
    }

    async fn handing_over(&self, id: LetterId, claim: u32, claimed_until: Timestamp) -> Result<bool, StoreError> {
        let work = move |step: &Connection| {
            let noted = step
                .prepare_cached(
                    "UPDATE letter SET may_have_arrived = 1, due_at = max(due_at, ?3) \
                     WHERE id = ?1 AND claim = ?2 AND worker IS NOT NULL",
                )?
                .execute(params![column::id_bytes(id.0), claim, claimed_until.as_micros()])?;
            Ok(noted > 0)
        };
        self.write("handing_over", work).await
    }

    async fn letter_sent(&self, id: LetterId) -> Result<bool, StoreError> {
        let work = move |step: &Connection| {
            let removed = step
                .prepare_cached("DELETE FROM letter WHERE id = ?1")?
                .execute([column::id_bytes(id.0)])?;
            Ok(removed > 0)
        };
        self.write("letter_sent", work).await
    }

    async fn letter_failed(&self, id: LetterId, claim: u32, failure: &Failure) -> Result<bool, StoreError> {
        let failure = failure.clone();
        let work = move |step: &Connection| {
            let noted = step
                .prepare_cached(
                    "UPDATE letter SET worker = NULL, failures = failures + 1, last_failure = :why, due_at = :retry_at, \
                     may_have_arrived = :may_have_arrived WHERE id = :id AND claim = :claim AND worker IS NOT NULL",
                )?
                .execute(named_params! {
                    ":id": column::id_bytes(id.0),
                    ":claim": claim,
                    ":why": failure.why,
                    ":retry_at": failure.retry_at.as_micros(),
                    ":may_have_arrived": failure.may_have_arrived,
                })?;
            Ok(noted > 0)
        };
        self.write("letter_failed", work).await
    }

    async fn give_letter_up(&self, id: LetterId, claim: u32) -> Result<bool, StoreError> {
        let work = move |step: &Connection| {
            let removed = step
                .prepare_cached("DELETE FROM letter WHERE id = ?1 AND claim = ?2 AND worker IS NOT NULL")?
                .execute(params![column::id_bytes(id.0), claim])?;
            Ok(removed > 0)
        };
        self.write("give_letter_up", work).await
    }

    async fn release_claims(&self, worker: &str, now: Timestamp) -> Result<u32, StoreError> {
        let worker = worker.to_owned();
        let work = move |step: &Connection| {
            let released = step
                .prepare_cached("UPDATE letter SET worker = NULL, due_at = ?2 WHERE worker = ?1")?
                .execute(params![worker, now.as_micros()])?;
            Ok(u32::try_from(released).unwrap_or(u32::MAX))
        };
        self.write("release_claims", work).await
    }

    async fn list_letters(&self, after: Option<LetterId>, letters_max: u32) -> Result<Vec<WaitingLetter>, StoreError> {
        let after = after.map_or([0; 16], |after| column::id_bytes(after.0));
        let work = move |connection: &Connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM letter WHERE id > ?1 ORDER BY id LIMIT ?2")?;
            column::all(statement.query(params![after, letters_max])?, read_waiting)
        };
        self.read("list_letters", work).await
    }

    async fn letters_waiting(&self) -> Result<Waiting, StoreError> {
        let work = |connection: &Connection| {
            let mut statement =
                connection.prepare_cached("SELECT count(*) AS letters, min(queued_at) AS oldest FROM letter")?;
            let found = column::one(statement.query([])?, |row| {
                Ok(Waiting {
                    letters: column::count_small(row, "letters")?,
                    oldest: column::time_if_any(row, "oldest")?,
                })
            })?;
            Ok(found.unwrap_or_default())
        };
        self.read("letters_waiting", work).await
    }
}

fn warn(step: &Connection, account: AccountId, since: Timestamp, letter: &QueuedLetter) -> Result<bool, Fault> {
    accounts::by_id(step, account)?.ok_or(Fault::NotFound)?;
    let noted = step
        .prepare_cached("UPDATE account SET warned_of = ?2 WHERE id = ?1 AND (warned_of IS NULL OR warned_of < ?2)")?
        .execute(params![column::id_bytes(account.0), since.as_micros()])?;
    if noted > 0 {
        queue(step, letter)?;
    }
    Ok(noted > 0)
}

/// Queues a letter inside a step: with all that the step does, or not at all.
pub(super) fn queue(step: &Connection, letter: &QueuedLetter) -> Result<(), Fault> {
    if let Some(account) = letter.account {
        let known: Option<i64> = step
            .prepare_cached("SELECT 1 FROM account WHERE id = ?1")?
            .query_row([column::id_bytes(account.0)], |row| row.get(0))
            .optional()?;
        known.ok_or(Fault::NotFound)?;
        let mut replaced = step.prepare_cached("DELETE FROM letter WHERE account = ?1 AND kind = ?2")?;
        for kind in letter.kind.replaces() {
            replaced.execute(params![column::id_bytes(account.0), kind.name()])?;
        }
    }
    let waiting: u32 = step
        .prepare_cached("SELECT count(*) FROM letter")?
        .query_row([], |row| row.get(0))?;
    if waiting >= letter.letters_max {
        return Err(Fault::OutboxFull {
            letters_max: letter.letters_max,
        });
    }
    insert(step, letter)
}

/// Stores a letter that nobody has claimed.
pub(super) fn insert(step: &Connection, letter: &QueuedLetter) -> Result<(), Fault> {
    step.prepare_cached(
        "INSERT INTO letter (id, account, kind, address, sealed, queued_at, due_at, give_up_at, claim, failures, \
         may_have_arrived) VALUES (:id, :account, :kind, :address, :sealed, :due_at, :due_at, :give_up_at, 0, 0, 0)",
    )?
    .execute(named_params! {
        ":id": column::id_bytes(letter.id.0),
        ":account": letter.account.map(|account| column::id_bytes(account.0)),
        ":kind": letter.kind.name(),
        ":address": letter.to,
        ":sealed": letter.sealed,
        ":due_at": letter.due_at.as_micros(),
        ":give_up_at": letter.give_up_at.as_micros(),
    })?;
    Ok(())
}

fn any_due(connection: &Connection, now: Timestamp) -> Result<bool, Fault> {
    let mut statement = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM letter WHERE due_at <= ?1)")?;
    Ok(statement.query_row([now.as_micros()], |row| row.get(0))?)
}

fn take(
    step: &Connection,
    worker: &str,
    now: Timestamp,
    claimed_until: Timestamp,
    letters_max: u32,
) -> Result<Vec<DueLetter>, Fault> {
    let mut due = {
        let mut statement =
            step.prepare_cached("SELECT * FROM letter WHERE due_at <= ?1 ORDER BY due_at, id LIMIT ?2")?;
        column::all(statement.query(params![now.as_micros(), letters_max])?, read)?
    };
    let mut claim = step.prepare_cached("UPDATE letter SET worker = ?2, claim = ?3, due_at = ?4 WHERE id = ?1")?;
    for letter in &mut due {
        letter.claim = letter.claim.saturating_add(1);
        let id = column::id_bytes(letter.letter.id.0);
        claim.execute(params![id, worker, letter.claim, claimed_until.as_micros()])?;
    }
    Ok(due)
}

fn read_waiting(row: &Row<'_>) -> Result<WaitingLetter, Fault> {
    let DueLetter { letter, failures, .. } = read(row)?;
    Ok(WaitingLetter {
        id: letter.id,
        account: letter.account,
        kind: letter.kind,
        to: letter.to,
        queued_at: letter.due_at,
        due_at: column::time(row, "due_at")?,
        give_up_at: letter.give_up_at,
        failures,
        last_failure: column::get(row, "last_failure")?,
    })
}

pub(super) fn read(row: &Row<'_>) -> Result<DueLetter, Fault> {
    let (account, kind): (Option<[u8; 16]>, String) = (column::get(row, "account")?, column::get(row, "kind")?);
    let letter = QueuedLetter {
        id: LetterId(column::id(row, "id")?),
        account: account
            .map(|_bytes| column::id(row, "account").map(AccountId))
            .transpose()?,
        kind: LetterKind::from_name(&kind).ok_or_else(|| column::damaged("kind"))?,
        to: column::get(row, "address")?,
        sealed: column::get(row, "sealed")?,
        due_at: column::time(row, "queued_at")?,
        give_up_at: column::time(row, "give_up_at")?,
        letters_max: 0,
    };
    Ok(DueLetter {
        letter,
        claim: column::count_small(row, "claim")?,
        failures: column::count_small(row, "failures")?,
        may_have_arrived: column::get(row, "may_have_arrived")?,
    })
}
