//! What is moved in, as commands.

use stagedoor_identity::port::Lockout;

use super::super::answer::Damage;
use super::super::keys::StoredPolicy;
use super::super::record::{Written, json};
use super::super::script::{AsArg as _, bytes, hex};
use super::super::{args, audit, devices, links, outbox, pictures, tokens};
use crate::transfer::{Failure, HeldAccount, HeldLetter, Record};

/// Commands as `take_in.lua` takes them.
#[derive(Default)]
pub(super) struct Commands {
    pub(super) words: Vec<Vec<u8>>,
    /// Numbers given to what was asked for, so far.
    asked: u64,
}

impl Commands {
    pub(super) fn add(&mut self, command: &str, key: &str, words: Vec<Vec<u8>>) {
        self.words.extend(args![words.len().saturating_add(2), command, key]);
        self.words.extend(words);
    }

    pub(super) fn record(&mut self, record: Record) -> Result<(), Damage> {
        match record {
            Record::Account(held) => self.account(&held)?,
            Record::Picture(account, picture) => {
                self.add(
                    "HSET",
                    &format!("picture:{}", account.0.simple()),
                    pictures::written(&picture),
                );
            }
            Record::Device(device, key) => {
                let id = device.id.0.simple();
                self.add("HSET", &format!("device:{id}"), devices::written(&device, &key));
                self.add("put_in_device", &id.to_string(), Vec::new());
            }
            Record::Link(link) => {
                let hash = hex(&link.hash.0);
                self.add("HSET", &format!("link:{hash}"), links::moved_in(&link));
                self.add("put_in_link", &hash, Vec::new());
            }
            Record::Asked(asked) => {
                self.asked = self.asked.saturating_add(1);
                let (key, number) = (hex(&asked.key), self.asked);
                self.add("ZADD", &format!("asked:{key}"), args![asked.at, number]);
                self.add("ZADD", "asked", args![asked.at, format!("{key}:{number}")]);
                self.add("SET", "asked_number", args![number]);
            }
            Record::Letter(held) => self.letter(&held),
            Record::Session(session) => {
                let (id, account) = (session.id.0.simple(), session.account.0.simple());
                let mut fields = Written::default();
                fields.session(&session)?;
                self.add("HSET", &format!("session:{id}"), fields.0);
                if session.ended.is_none() {
                    self.add("SADD", &format!("open:{account}"), args![session.id.0]);
                    if let Some(device) = session.device {
                        self.add("SADD", &format!("open_from:{}", device.0.simple()), args![session.id.0]);
                    }
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
                if let Some(account) = token.account {
                    self.add("HSET", "token_accounts", args![&token.name, account.0]);
                    self.add("SADD", &format!("tokens_of:{}", account.0.simple()), args![&token.name]);
                }
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
                let stored = StoredPolicy::from(&policy);
                self.add("HSET", "policies", args![policy.revision, json(&stored)?]);
                // They come in the order of their numbers: the newest of a text stays.
                self.add("HSET", "policy_numbers", args![policy.sha256, policy.revision]);
                let newest = args!["revision", policy.revision, "sha256", policy.sha256];
                self.add("HSET", "policy", newest);
            }
        }
        Ok(())
    }

    fn account(&mut self, held: &HeldAccount) -> Result<(), Damage> {
        let (account, secrets) = (&held.account, &held.credentials);
        let id = account.id.0.simple();
        let mut fields = Written::default();
        fields.account(account)?;
        fields.set_if_any("warned_of", held.warned_of);
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
        self.add("put_in_account", &id.to_string(), Vec::new());
        Ok(())
    }

    fn letter(&mut self, held: &HeldLetter) {
        let id = held.due.letter.id.0.simple();
        let mut fields = Written::default();
        for (field, value) in outbox::fields(&held.due.letter) {
            fields.set(field, value);
        }
        fields.set("due_at", held.due_at);
        fields.set_if_any("worker", held.worker.as_ref());
        fields.set("claim", held.due.claim);
        fields.set("failures", held.due.failures);
        fields.set_if_any("last_failure", held.last_failure.as_ref());
        fields.set("may_have_arrived", held.due.may_have_arrived);
        self.add("HSET", &format!("letter:{id}"), fields.0);
        self.add("put_in_letter", &id.to_string(), Vec::new());
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
