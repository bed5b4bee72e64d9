//! Reading everything out in one transaction, and taking everything in in one.

use async_trait::async_trait;
use rusqlite::{Connection, named_params, params};
use stagedoor_identity::port::{Lockout, Source, StoreError};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::{AccountId, Secret};
use tokio::sync::mpsc::{Receiver, Sender};

use super::column::Row;
use super::fault::Fault;
use super::{Embedded, accounts, audit, column, credentials, devices, keys, links, outbox, pictures, sessions, tokens};
use crate::transfer::{
    Asked, BATCH_RECORDS, Batch, CUT_OFF, Failure, HeldAccount, HeldLetter, Movable, Moved, NOBODY_TAKES, Record,
};

const FILLED: &str = "SELECT EXISTS (SELECT 1 FROM account) OR EXISTS (SELECT 1 FROM failure) OR EXISTS (SELECT 1 FROM lock) \
     OR EXISTS (SELECT 1 FROM api_token) OR EXISTS (SELECT 1 FROM audit) OR EXISTS (SELECT 1 FROM door_key) \
     OR EXISTS (SELECT 1 FROM policy) OR EXISTS (SELECT 1 FROM device) OR EXISTS (SELECT 1 FROM letter) \
     OR EXISTS (SELECT 1 FROM asked)";

#[async_trait]
impl Movable for Embedded {
    async fn is_empty(&self) -> Result<bool, StoreError> {
        let work = |connection: &Connection| Ok(!connection.query_row(FILLED, [], |row| row.get::<_, bool>(0))?);
        self.read("is_empty", work).await
    }

    async fn read_out(&self, to: Sender<Batch>) -> Result<(), StoreError> {
        let work = move |connection: &Connection| {
            // One view of the file from beginning to end, whoever writes meanwhile.
            let view = connection.unchecked_transaction()?;
            let mut sending = Sending { to, batch: Vec::new() };
            sending.accounts(&view)?;
            sending.each(&view, "SELECT * FROM picture ORDER BY account", |row| {
                let account = AccountId(column::id(row, "account")?);
                Ok(Record::Picture(account, pictures::read(row)?))
            })?;
            sending.each(&view, "SELECT * FROM device ORDER BY name", |row| {
                Ok(Record::Device(
                    devices::read(row)?,
                    TokenHash(column::get(row, "key_hash")?),
                ))
            })?;
            sending.each(&view, "SELECT * FROM link ORDER BY hash", |row| {
                Ok(Record::Link(links::read(row)?))
            })?;
            sending.each(&view, "SELECT * FROM asked ORDER BY number", asked)?;
            sending.each(&view, "SELECT * FROM letter ORDER BY id", letter)?;
            sending.each(&view, "SELECT * FROM session ORDER BY id", |row| {
                Ok(Record::Session(Box::new(sessions::read(row)?)))
            })?;
            sending.each(&view, "SELECT * FROM failure ORDER BY number", failure)?;
            sending.each(&view, "SELECT * FROM lock ORDER BY id", lock)?;
            sending.each(&view, "SELECT * FROM api_token ORDER BY name", |row| {
                Ok(Record::Token(tokens::read(row)?, TokenHash(column::get(row, "hash")?)))
            })?;
            sending.each(&view, "SELECT * FROM audit ORDER BY number", |row| {
                Ok(Record::Event(Box::new(audit::read(row)?)))
            })?;
            sending.each(&view, "SELECT * FROM door_key ORDER BY name", |row| {
                Ok(Record::Key(
                    column::get(row, "name")?,
                    Secret::new(column::get::<Vec<u8>>(row, "value")?),
                ))
            })?;
            sending.each(&view, "SELECT * FROM policy ORDER BY revision", policy)?;
            sending.end()
        };
        self.read("read_out", work).await
    }

    async fn take_in(&self, mut from: Receiver<Batch>) -> Result<Moved, StoreError> {
        let work = move |step: &Connection| {
            let mut moved = Moved::default();
            while let Some(Batch::Records(records)) = cut_off_unless(from.blocking_recv())? {
                for record in records {
                    moved.count(&record);
                    insert(step, record)?;
                }
            }
            Ok(moved)
        };
        self.write("take_in", work).await
    }
}

/// A channel that closes before its end leaves nothing behind: the step fails.
fn cut_off_unless(batch: Option<Batch>) -> Result<Option<Batch>, Fault> {
    match batch {
        Some(batch) => Ok(Some(batch)),
        None => Err(Fault::Damaged(CUT_OFF.to_owned())),
    }
}

struct Sending {
    to: Sender<Batch>,
    batch: Vec<Record>,
}

impl Sending {
    fn accounts(&mut self, view: &Connection) -> Result<(), Fault> {
        let mut codes = view.prepare("SELECT hash FROM recovery_code WHERE account = ?1 ORDER BY hash")?;
        let mut warned = view.prepare("SELECT warned_of FROM account WHERE id = ?1")?;
        let mut secrets = view.prepare("SELECT * FROM credential WHERE account = ?1")?;
        let mut all = view.prepare(&format!("{} ORDER BY a.name", accounts::ACCOUNT))?;
        column::each(all.query([])?, |row| {
            let account = accounts::read(row)?;
            let id = column::id_bytes(account.id.0);
            let held = HeldAccount {
                credentials: column::one(secrets.query([id])?, credentials::read)?.ok_or(Fault::NotFound)?,
                codes: column::all(codes.query([id])?, |row| column::get(row, "hash"))?,
                warned_of: column::one(warned.query([id])?, |row| column::time_if_any(row, "warned_of"))?.flatten(),
                account,
            };
            self.push(Record::Account(Box::new(held)))
        })
    }

    fn each(
        &mut self,
        view: &Connection,
        sql: &str,
        read: impl Fn(&Row<'_>) -> Result<Record, Fault>,
    ) -> Result<(), Fault> {
        let mut statement = view.prepare(sql)?;
        column::each(statement.query([])?, |row| self.push(read(row)?))
    }

    fn push(&mut self, record: Record) -> Result<(), Fault> {
        let is_large = matches!(record, Record::Picture(..));
        self.batch.push(record);
        if self.batch.len() < BATCH_RECORDS && !is_large {
            return Ok(());
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Fault> {
        let batch = Batch::Records(std::mem::take(&mut self.batch));
        self.to
            .blocking_send(batch)
            .map_err(|_closed| Fault::Damaged(NOBODY_TAKES.to_owned()))
    }

    fn end(mut self) -> Result<(), Fault> {
        self.flush()?;
        self.to
            .blocking_send(Batch::Done)
            .map_err(|_closed| Fault::Damaged(NOBODY_TAKES.to_owned()))
    }
}

fn asked(row: &Row<'_>) -> Result<Record, Fault> {
    Ok(Record::Asked(Asked {
        key: column::get(row, "key")?,
        at: column::time(row, "at")?,
    }))
}

fn letter(row: &Row<'_>) -> Result<Record, Fault> {
    Ok(Record::Letter(Box::new(HeldLetter {
        due: outbox::read(row)?,
        due_at: column::time(row, "due_at")?,
        worker: column::get(row, "worker")?,
        last_failure: column::get(row, "last_failure")?,
    })))
}

fn failure(row: &Row<'_>) -> Result<Record, Fault> {
    Ok(Record::Failure(Failure {
        number: column::count(row, "number")?,
        name: column::get(row, "name_hash")?,
        source: column::get(row, "source")?,
        at: column::time(row, "at")?,
        counts: column::get(row, "counts_for_source")?,
    }))
}

fn lock(row: &Row<'_>) -> Result<Record, Fault> {
    let lock = Lockout {
        account: None,
        id: column::get(row, "id")?,
        source: column::get::<Option<String>>(row, "source")?.map(Source),
        failures: column::count_small(row, "failures")?,
        since: column::time(row, "since")?,
        until: column::time(row, "until")?,
    };
    Ok(Record::Lock(lock, column::get(row, "name_hash")?))
}

fn policy(row: &Row<'_>) -> Result<Record, Fault> {
    keys::noted(row).map(Record::Policy)
}

fn insert(step: &Connection, record: Record) -> Result<(), Fault> {
    match record {
        Record::Account(held) => insert_account(step, &held),
        Record::Picture(account, picture) => pictures::set(step, account, Some(&picture)),
        Record::Device(device, key) => devices::add(step, &device, &key),
        Record::Link(link) => links::insert(step, &link),
        Record::Asked(asked) => {
            step.prepare_cached("INSERT INTO asked (key, at) VALUES (?1, ?2)")?
                .execute(params![asked.key, asked.at.as_micros()])?;
            Ok(())
        }
        Record::Letter(held) => insert_letter(step, &held),
        Record::Session(session) => sessions::insert(step, &session),
        Record::Failure(failure) => {
            step.prepare_cached(
                "INSERT INTO failure (number, name_hash, source, at, counts_for_source) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                column::stored_count(failure.number),
                failure.name,
                failure.source,
                failure.at.as_micros(),
                failure.counts,
            ])?;
            Ok(())
        }
        Record::Lock(lock, name) => insert_lock(step, &lock, &name),
        Record::Token(token, hash) => tokens::add(step, &token, &hash),
        Record::Event(stored) => {
            audit::append(step, std::slice::from_ref(&stored.event))?;
            let number: i64 = step.query_row("SELECT max(number) FROM audit", [], |row| row.get(0))?;
            if number != column::stored_count(stored.number) {
                return Err(Fault::Damaged(format!("the audit before its line {}", stored.number)));
            }
            Ok(())
        }
        Record::Key(name, secret) => {
            step.prepare_cached("INSERT INTO door_key (name, value) VALUES (?1, ?2)")?
                .execute(params![name, secret.expose()])?;
            Ok(())
        }
        Record::Policy(policy) => keys::insert(step, &policy),
    }
}

fn insert_account(step: &Connection, held: &HeldAccount) -> Result<(), Fault> {
    let (id, secrets) = (held.account.id, &held.credentials);
    accounts::create(step, &held.account, &secrets.password_hash)?;
    step.prepare_cached(
        "UPDATE credential SET totp_sealed = ?2, totp_last_step = ?3, version = ?4 WHERE account = ?1",
    )?
    .execute(params![
        column::id_bytes(id.0),
        secrets.totp_sealed,
        secrets.totp_last_step.map(column::stored_count),
        column::stored_count(secrets.credentials_version),
    ])?;
    step.prepare_cached("UPDATE account SET warned_of = ?2 WHERE id = ?1")?
        .execute(params![column::id_bytes(id.0), column::micros(held.warned_of)])?;
    let mut code = step.prepare_cached("INSERT INTO recovery_code (account, hash) VALUES (?1, ?2)")?;
    for hash in &held.codes {
        code.execute(params![column::id_bytes(id.0), hash])?;
    }
    Ok(())
}

fn insert_letter(step: &Connection, held: &HeldLetter) -> Result<(), Fault> {
    outbox::insert(step, &held.due.letter)?;
    step.prepare_cached(
        "UPDATE letter SET due_at = :due_at, worker = :worker, claim = :claim, failures = :failures, \
         last_failure = :last_failure, may_have_arrived = :may_have_arrived WHERE id = :id",
    )?
    .execute(named_params! {
        ":id": column::id_bytes(held.due.letter.id.0),
        ":due_at": held.due_at.as_micros(),
        ":worker": held.worker,
        ":claim": held.due.claim,
        ":failures": held.due.failures,
        ":last_failure": held.last_failure,
        ":may_have_arrived": held.due.may_have_arrived,
    })?;
    Ok(())
}

fn insert_lock(step: &Connection, lock: &Lockout, name: &[u8; 32]) -> Result<(), Fault> {
    step.prepare_cached(
        "INSERT INTO lock (id, name_hash, source, failures, since, until) \
         VALUES (:id, :name_hash, :source, :failures, :since, :until)",
    )?
    .execute(named_params! {
        ":id": lock.id,
        ":name_hash": name,
        ":source": lock.source.as_ref().map(|source| source.0.as_str()),
        ":failures": lock.failures,
        ":since": lock.since.as_micros(),
        ":until": lock.until.as_micros(),
    })?;
    Ok(())
}
