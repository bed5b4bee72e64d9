//! Reading everything out in pages, and taking everything in in batches. The lease keeps everybody else away meanwhile; a
//! mark that stays where a copy was cut off keeps the half of it from being taken for a store.

mod commands;

use std::collections::HashSet;

use async_trait::async_trait;
use stagedoor_identity::Secret;
use stagedoor_identity::account::AccountQuery;
use stagedoor_identity::event::StoredEvent;
use stagedoor_identity::port::{
    Accounts as _, Credentials as _, Lockout, Pictures as _, Sessions as _, Source, StoreError,
};
use stagedoor_identity::secret::TokenHash;
use stagedoor_policy::time::Timestamp;
use tokio::sync::mpsc::{Receiver, Sender};

use self::commands::Commands;
use super::answer::{Answer, Damage, Fields, unhex};
use super::keys::noted;
use super::script::{Script, reading, writing};
use super::{Redis, args, devices, links, outbox, tokens};
use crate::attempt_key::name_hash;
use crate::transfer::{
    Asked, BATCH_RECORDS, Batch, CUT_OFF, Failure, HeldAccount, HeldLetter, Movable, Moved, NOBODY_TAKES, Record,
};

static TAKE_IN: Script = writing!(
    "take_in",
    "index_lib",
    "letter_lib",
    "token_lib",
    "link_lib",
    "device_lib"
);
static READ_OUT: Script = reading!("read_out", "attempt_lib");

const OUT: &str = "read_out";
const IN: &str = "take_in";

#[async_trait]
impl Movable for Redis {
    async fn is_empty(&self) -> Result<bool, StoreError> {
        let answer = self.read(OUT, &READ_OUT, args!["empty"]).await?;
        let filled = answer
            .map(|answer| answer.number::<u32>(1))
            .transpose()
            .map_err(self.damaged(OUT))?;
        Ok(filled == Some(0))
    }

    async fn read_out(&self, to: Sender<Batch>) -> Result<(), StoreError> {
        self.accounts_out(&to).await?;
        for what in ["devices", "links", "asked", "letters"] {
            self.paged_out(&to, what).await?;
        }
        let sessions = self.sessions(Timestamp::from_micros(i64::MIN)).await?;
        let sessions: Vec<_> = sessions
            .into_iter()
            .map(|session| Record::Session(Box::new(session)))
            .collect();
        self.send_all(&to, sessions).await?;
        self.paged_out(&to, "failures").await?;
        self.paged_out(&to, "locks").await?;
        let tokens = self.rows_out(args!["tokens"]).await?;
        self.send_all(&to, self.records(tokens, |row| token(&row))?).await?;
        self.events_out(&to).await?;
        let keys = self.rows_out(args!["pairs_of", "keys"]).await?;
        self.send_all(&to, self.records(keys, |row| key(&row))?).await?;
        let mut policies = self.rows_out(args!["pairs_of", "policies"]).await?;
        policies.sort_by_key(|row| row.first().and_then(|revision| revision.parse::<u64>().ok()));
        self.send_all(&to, self.records(policies, |row| policy(&row))?).await?;
        self.send(&to, Batch::Done).await
    }

    async fn take_in(&self, mut from: Receiver<Batch>) -> Result<Moved, StoreError> {
        let mut mark = Commands::default();
        mark.add("SET", "copying", args!["1"]);
        self.write(IN, &TAKE_IN, mark.words).await?;
        let (mut moved, mut names, mut commands) = (Moved::default(), HashSet::new(), Commands::default());
        loop {
            let records = match from.recv().await {
                Some(Batch::Records(records)) => records,
                Some(Batch::Done) => break,
                None => return Err(self.engine(IN, CUT_OFF)),
            };
            for record in records {
                moved.count(&record);
                if let Record::Account(held) = &record {
                    names.insert(name_hash(held.account.name.as_str()));
                }
                if let Record::Lock(lock, name) = &record
                    && names.contains(name)
                {
                    commands.add("ZADD", "locks_of_accounts", args![lock.until, &lock.id]);
                }
                commands.record(record).map_err(|why| self.engine(IN, &why))?;
            }
            self.write(IN, &TAKE_IN, std::mem::take(&mut commands.words)).await?;
        }
        let mut unmark = Commands::default();
        unmark.add("DEL", "copying", Vec::new());
        self.write(IN, &TAKE_IN, unmark.words).await?;
        Ok(moved)
    }
}

impl Redis {
    async fn send(&self, to: &Sender<Batch>, batch: Batch) -> Result<(), StoreError> {
        to.send(batch).await.map_err(|_closed| self.engine(OUT, NOBODY_TAKES))
    }

    async fn send_all(&self, to: &Sender<Batch>, records: Vec<Record>) -> Result<(), StoreError> {
        let mut records = records.into_iter();
        loop {
            let batch: Vec<_> = records.by_ref().take(BATCH_RECORDS).collect();
            if batch.is_empty() {
                return Ok(());
            }
            self.send(to, Batch::Records(batch)).await?;
        }
    }

    /// The rows of an answer: texts.
    async fn rows_out(&self, asked: Vec<Vec<u8>>) -> Result<Vec<Vec<String>>, StoreError> {
        let Some(answer) = self.read(OUT, &READ_OUT, asked).await? else {
            return Ok(Vec::new());
        };
        let row = |number| Ok(answer.texts(number)?.into_iter().map(str::to_owned).collect());
        (1..=answer.parts())
            .map(row)
            .collect::<Result<_, Damage>>()
            .map_err(self.damaged(OUT))
    }

    fn records(
        &self,
        rows: Vec<Vec<String>>,
        read: impl Fn(Vec<String>) -> Option<Record>,
    ) -> Result<Vec<Record>, StoreError> {
        let damaged = self.damaged(OUT);
        rows.into_iter()
            .map(|row| read(row).ok_or_else(|| damaged("a record".to_owned())))
            .collect()
    }

    async fn accounts_out(&self, to: &Sender<Batch>) -> Result<(), StoreError> {
        let mut query = AccountQuery {
            limit: u32::try_from(BATCH_RECORDS).unwrap_or(u32::MAX),
            ..AccountQuery::default()
        };
        loop {
            let page = self.list_accounts(&query).await?;
            let Some(last) = page.last() else { return Ok(()) };
            query.after = Some(last.name.clone());
            let mut records = Vec::with_capacity(page.len());
            let ids: Vec<_> = page.iter().map(|account| account.id).collect();
            for account in page {
                let credentials = self.credentials(account.id).await?.ok_or(StoreError::NotFound)?;
                let more = self.read(OUT, &READ_OUT, args!["codes", account.id.0]).await?;
                let more = more.ok_or(StoreError::NotFound)?;
                let (codes, warned_of) = kept_with(&more).map_err(self.damaged(OUT))?;
                records.push(Record::Account(Box::new(HeldAccount {
                    account,
                    credentials,
                    codes,
                    warned_of,
                })));
            }
            self.send(to, Batch::Records(records)).await?;
            for (account, _tag) in self.pictured(&ids).await? {
                let picture = self.picture(account).await?.ok_or(StoreError::NotFound)?;
                self.send(to, Batch::Records(vec![Record::Picture(account, picture)]))
                    .await?;
            }
        }
    }

    /// What is ordered by a set: nobody changes it while we hold the lease.
    async fn paged_out(&self, to: &Sender<Batch>, what: &str) -> Result<(), StoreError> {
        let mut from = 0_usize;
        loop {
            let asked = args![what, from, BATCH_RECORDS];
            let records = match what {
                "failures" => self.records(self.rows_out(asked).await?, |row| failure(&row))?,
                "asked" => self.records(self.rows_out(asked).await?, |row| asking(&row))?,
                _ => {
                    let answer = self.read(OUT, &READ_OUT, asked).await?;
                    let fields = answer.map(|answer| answer.records()).transpose();
                    let fields = fields.map_err(self.damaged(OUT))?.unwrap_or_default();
                    let read = fields.iter().map(|fields| record(what, fields));
                    read.collect::<Result<Vec<_>, _>>().map_err(self.damaged(OUT))?
                }
            };
            if records.is_empty() {
                return Ok(());
            }
            from = from.saturating_add(records.len());
            self.send(to, Batch::Records(records)).await?;
        }
    }

    async fn events_out(&self, to: &Sender<Batch>) -> Result<(), StoreError> {
        let mut after = "0".to_owned();
        loop {
            let rows = self.rows_out(args!["events", &after, BATCH_RECORDS]).await?;
            let Some(last) = rows.last().and_then(|row| row.first()) else {
                return Ok(());
            };
            after.clone_from(last);
            let records = self.records(rows, |row| event(&row))?;
            self.send(to, Batch::Records(records)).await?;
        }
    }
}

/// What no port tells of an account.
fn kept_with(answer: &Answer) -> Result<(Vec<[u8; 32]>, Option<Timestamp>), Damage> {
    let codes = answer.texts(1)?.into_iter().map(hash).collect::<Result<_, _>>()?;
    let warned_of = match answer.text(2)? {
        "" => None,
        _ => Some(Timestamp::from_micros(answer.number(2)?)),
    };
    Ok((codes, warned_of))
}

fn hash(text: &str) -> Result<[u8; 32], Damage> {
    unhex(text)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| "a hash".to_owned())
}

/// What lies as a hash.
fn record(what: &str, fields: &Fields) -> Result<Record, Damage> {
    match what {
        "devices" => Ok(Record::Device(
            devices::read(fields)?,
            TokenHash(fields.hash("key_hash")?),
        )),
        "links" => Ok(Record::Link(links::link(fields)?)),
        "letters" => Ok(Record::Letter(Box::new(HeldLetter {
            due: outbox::due_letter(fields)?,
            due_at: fields.time("due_at")?,
            worker: fields.text_if_any("worker")?,
            last_failure: fields.text_if_any("last_failure")?,
        }))),
        _ => lock(fields),
    }
}

fn asking(row: &[String]) -> Option<Record> {
    let [key, at] = row else { return None };
    Some(Record::Asked(Asked {
        key: hash(key).ok()?,
        at: Timestamp::from_micros(at.parse().ok()?),
    }))
}

fn failure(row: &[String]) -> Option<Record> {
    let [name, number, at, counts, source] = row else {
        return None;
    };
    Some(Record::Failure(Failure {
        number: number.parse().ok()?,
        name: hash(name).ok()?,
        source: source.clone(),
        at: Timestamp::from_micros(at.parse().ok()?),
        counts: counts == "1",
    }))
}

fn lock(fields: &Fields) -> Result<Record, Damage> {
    let lock = Lockout {
        account: None,
        id: fields.text("id")?,
        source: fields.text_if_any("source")?.map(Source),
        failures: fields.number("failures")?,
        since: fields.time("since")?,
        until: fields.time("until")?,
    };
    Ok(Record::Lock(lock, fields.hash("name")?))
}

fn token(row: &[String]) -> Option<Record> {
    let [stored, token_hash] = row else { return None };
    Some(Record::Token(
        tokens::read(stored).ok()?,
        TokenHash(hash(token_hash).ok()?),
    ))
}

fn event(row: &[String]) -> Option<Record> {
    let [number, text] = row else { return None };
    Some(Record::Event(Box::new(StoredEvent {
        number: number.parse().ok()?,
        event: serde_json::from_str(text).ok()?,
    })))
}

fn key(row: &[String]) -> Option<Record> {
    let [name, value] = row else { return None };
    Some(Record::Key(name.clone(), Secret::new(unhex(value)?)))
}

fn policy(row: &[String]) -> Option<Record> {
    let [revision, stored] = row else { return None };
    noted(revision, stored).ok().map(Record::Policy)
}
