//! Reading everything out in pages, and taking everything in in batches. The lease keeps everybody else away meanwhile; a
//! mark that stays where a copy was cut off keeps the half of it from being taken for a store.

use std::collections::HashSet;

use async_trait::async_trait;
use stagedoor_identity::Secret;
use stagedoor_identity::account::AccountQuery;
use stagedoor_identity::event::StoredEvent;
use stagedoor_identity::port::{Accounts as _, Credentials as _, Lockout, Sessions as _, Source, StoreError};
use stagedoor_identity::secret::TokenHash;
use stagedoor_policy::time::Timestamp;
use tokio::sync::mpsc::{Receiver, Sender};

use super::accounts::{Written, json};
use super::answer::{Damage, unhex};
use super::keys::StoredPolicy;
use super::script::{AsArg, Script, bytes, hex, reading, writing};
use super::{Redis, args, audit, tokens};
use crate::attempt_key::name_hash;
use crate::transfer::{
    BATCH_RECORDS, Batch, CUT_OFF, Failure, HeldAccount, Movable, Moved, NOBODY_TAKES, Policy, Record,
};

static TAKE_IN: Script = writing!("take_in");
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
        self.write(IN, &TAKE_IN, mark.0).await?;
        let (mut moved, mut names) = (Moved::default(), HashSet::new());
        loop {
            let records = match from.recv().await {
                Some(Batch::Records(records)) => records,
                Some(Batch::Done) => break,
                None => return Err(self.engine(IN, CUT_OFF)),
            };
            let mut commands = Commands::default();
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
            self.write(IN, &TAKE_IN, commands.0).await?;
        }
        let mut unmark = Commands::default();
        unmark.add("DEL", "copying", Vec::new());
        self.write(IN, &TAKE_IN, unmark.0).await?;
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
            for account in page {
                let credentials = self.credentials(account.id).await?.ok_or(StoreError::NotFound)?;
                let codes = self.read(OUT, &READ_OUT, args!["codes", account.id.0]).await?;
                let codes = codes.map(|answer| answer.texts(1)?.into_iter().map(hash).collect::<Result<Vec<_>, _>>());
                let codes = codes.transpose().map_err(self.damaged(OUT))?.unwrap_or_default();
                records.push(Record::Account(Box::new(HeldAccount {
                    account,
                    credentials,
                    codes,
                })));
            }
            self.send(to, Batch::Records(records)).await?;
        }
    }

    /// What is ordered by a set: nobody changes it while we hold the lease.
    async fn paged_out(&self, to: &Sender<Batch>, what: &str) -> Result<(), StoreError> {
        let mut from = 0_usize;
        loop {
            let asked = args![what, from, BATCH_RECORDS];
            let records = if what == "locks" {
                let answer = self.read(OUT, &READ_OUT, asked).await?;
                let fields = answer
                    .map(|answer| answer.records())
                    .transpose()
                    .map_err(self.damaged(OUT))?;
                let locks = fields.unwrap_or_default().into_iter().map(|fields| lock(&fields));
                locks.collect::<Result<Vec<_>, _>>().map_err(self.damaged(OUT))?
            } else {
                let rows = self.rows_out(asked).await?;
                self.records(rows, |row| failure(&row))?
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

fn hash(text: &str) -> Result<[u8; 32], Damage> {
    unhex(text)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| "a hash".to_owned())
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

fn lock(fields: &super::answer::Fields) -> Result<Record, Damage> {
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
    let stored: StoredPolicy = serde_json::from_str(stored).ok()?;
    Some(Record::Policy(Policy {
        revision: revision.parse().ok()?,
        sha256: hash(&stored.sha256).ok()?,
        text: stored.text,
        noted_by: stored.noted_by,
        noted_at: Timestamp::from_micros(stored.noted_at),
    }))
}

/// Commands as `take_in.lua` takes them.
#[derive(Default)]
struct Commands(Vec<Vec<u8>>);

impl Commands {
    fn add(&mut self, command: &str, key: &str, words: Vec<Vec<u8>>) {
        self.0.extend(args![words.len().saturating_add(2), command, key]);
        self.0.extend(words);
    }

    fn record(&mut self, record: Record) -> Result<(), Damage> {
        match record {
            Record::Account(held) => self.account(&held)?,
            Record::Session(session) => {
                let (id, account) = (session.id.0.simple(), session.account.0.simple());
                let mut fields = Written::default();
                fields.session(&session)?;
                self.add("HSET", &format!("session:{id}"), fields.0);
                if session.ended.is_none() {
                    self.add("SADD", &format!("open:{account}"), args![session.id.0]);
                }
                self.add("SADD", &format!("sessions_of:{account}"), args![session.id.0]);
                self.add("ZADD", "sessions", args![session.expires_at, session.id.0]);
            }
            Record::Failure(failure) => self.failure(&failure),
            Record::Lock(lock, name) => self.lock(&lock, &name),
            Record::Token(token, hash) => {
                let stored = tokens::written(&token)?;
                self.add("HSET", "tokens", args![&token.name, stored]);
                self.add("HSET", "token_names", args![hash.0, &token.name]);
                self.add("HSET", "token_hashes", args![&token.name, hash.0]);
            }
            Record::Event(stored) => {
                let id = format!("{}-0", stored.number);
                self.add("XADD", "audit", args![&id, "event", json(&stored.event)?]);
                for index in audit::indexes(&stored.event) {
                    self.add("XADD", &format!("audit:{index}"), args![&id, "", ""]);
                }
                self.add("SET", "audit_number", args![stored.number]);
            }
            Record::Key(name, secret) => self.add("HSET", "keys", args![name, hex(secret.expose())]),
            Record::Policy(policy) => {
                let stored = StoredPolicy {
                    sha256: hex(&policy.sha256),
                    text: policy.text,
                    noted_by: policy.noted_by,
                    noted_at: policy.noted_at.as_micros(),
                };
                self.add("HSET", "policies", args![policy.revision, json(&stored)?]);
                let newest = args!["revision", policy.revision, "sha256", policy.sha256];
                self.add("HSET", "policy", newest);
            }
        }
        Ok(())
    }

    fn account(&mut self, held: &HeldAccount) -> Result<(), Damage> {
        let (account, secrets) = (&held.account, &held.credentials);
        let (id, name) = (account.id.0.simple(), account.name.as_str());
        let mut fields = Written::default();
        fields.account(account)?;
        self.add("HSET", &format!("account:{id}"), fields.0);
        let mut fields = Written::default();
        fields.set("password_hash", &secrets.password_hash);
        fields.set("version", secrets.credentials_version);
        fields.set_if_any("totp_sealed", secrets.totp_sealed.as_deref().map(hex));
        fields.set_if_any("totp_last_step", secrets.totp_last_step);
        self.add("HSET", &format!("credential:{id}"), fields.0);
        for code in &held.codes {
            self.add("SADD", &format!("codes:{id}"), vec![code.as_arg()]);
        }
        self.add("HSET", "names", args![name, account.id.0]);
        self.add("ZADD", "names_in_order", args!["0", name]);
        self.add("HSET", "names_by_hash", args![name_hash(name), name]);
        Ok(())
    }

    fn failure(&mut self, failure: &Failure) {
        let (name, number, at) = (hex(&failure.name), failure.number, failure.at.as_micros());
        let text = format!("{at}:{}:{}", u8::from(failure.counts), failure.source);
        self.add("HSET", &format!("failures:{name}"), args![number, text]);
        self.add("ZADD", "failures", args![at, format!("{name}:{number}")]);
        // Raised, never lowered: they come in any order.
        self.add("ZADD", "failure_numbers", args!["GT", number, "highest"]);
    }

    fn lock(&mut self, lock: &Lockout, name: &[u8; 32]) {
        let mut fields = Written::default();
        fields.set("name", *name);
        fields.set("failures", lock.failures);
        fields.set("since", lock.since);
        fields.set("until", lock.until);
        fields.set_if_any("source", lock.source.as_ref().map(|source| &source.0));
        self.add("HSET", &format!("lock:{}", lock.id), fields.0);
        self.add("SADD", &format!("locks_of:{}", hex(name)), vec![bytes(&lock.id)]);
        self.add("ZADD", "locks", args![lock.until, &lock.id]);
    }
}
