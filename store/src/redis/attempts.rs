//! Failures and locks, for names whether an account has them or not.
//!
//! A lock keeps the failures that led to it for as long as it holds, so that a right attempt among them can still take it back;
//! the first attempt after it has run out forgets them, and the count starts anew.

use async_trait::async_trait;
use stagedoor_identity::account::AccountName;
use stagedoor_identity::port::{Attempts, Lockout, Reserved, Source, StoreError};
use stagedoor_policy::rules::LockoutRules;
use stagedoor_policy::time::Timestamp;

use super::answer::{Answer, Damage, Fields};
use super::script::{Script, reading, writing};
use super::{Redis, args};
use crate::attempt_key::{lock_id, name_hash};

/// What one call forgets at most, so that other steps do not wait for it.
const FORGOTTEN_MAX: u32 = 2000;
/// Locks that are listed at most, those of accounts first: a flood of made-up names must not fill memory.
const LISTED_MAX: u32 = 1000;

static RESERVE: Script = writing!("reserve_attempt", "attempt_lib");
static FORGIVE: Script = writing!("forgive", "attempt_lib");
static UNLOCK: Script = writing!("unlock", "attempt_lib");
static UNLOCK_ONE: Script = writing!("unlock_one", "attempt_lib");
static FORGET: Script = writing!("forget_attempts", "attempt_lib");
static LIST: Script = reading!("lockouts", "attempt_lib");

#[async_trait]
impl Attempts for Redis {
    async fn reserve_attempt(
        &self,
        name: &str,
        source: &Source,
        rules: &LockoutRules,
        now: Timestamp,
    ) -> Result<Reserved, StoreError> {
        let hash = name_hash(name);
        let (here, anywhere) = (lock_id(&hash, Some(source)), lock_id(&hash, None));
        let window = i64::try_from(rules.within.as_micros()).unwrap_or(i64::MAX);
        let after = now.as_micros().saturating_sub(window);
        let (failures, from_anywhere) = (rules.failures, rules.failures_from_anywhere);
        let until = now.after(rules.lasts);
        let args = args![
            hash,
            &source.0,
            here,
            anywhere,
            failures,
            from_anywhere,
            after,
            now,
            until
        ];
        let answer = self.write("reserve_attempt", &RESERVE, args).await?;
        reserved(&answer).map_err(self.damaged("reserve_attempt"))
    }

    async fn forgive(&self, name: &str, source: &Source) -> Result<(), StoreError> {
        let hash = name_hash(name);
        let args = args![hash, &source.0, lock_id(&hash, Some(source)), lock_id(&hash, None)];
        self.write("forgive", &FORGIVE, args).await.map(drop)
    }

    async fn lockouts(&self, name: Option<&AccountName>, now: Timestamp) -> Result<Vec<Lockout>, StoreError> {
        let hash = name.map_or_else(String::new, |name| super::script::hex(&name_hash(name.as_str())));
        let answer = self.read("lockouts", &LIST, args![hash, now, LISTED_MAX]).await?;
        let Some(answer) = answer else { return Ok(Vec::new()) };
        let read = || answer.records()?.iter().map(read).collect::<Result<Vec<_>, Damage>>();
        let mut found = read().map_err(self.damaged("lockouts"))?;
        found.sort_by(|one, two| {
            let key = |lock: &Lockout| (lock.account.is_none(), std::cmp::Reverse(lock.since), lock.id.clone());
            key(one).cmp(&key(two))
        });
        Ok(found)
    }

    async fn unlock(&self, name: &AccountName) -> Result<u32, StoreError> {
        let answer = self.write("unlock", &UNLOCK, args![name_hash(name.as_str())]).await?;
        answer.number(1).map_err(self.damaged("unlock"))
    }

    async fn unlock_one(&self, id: &str) -> Result<bool, StoreError> {
        let answer = self.write("unlock_one", &UNLOCK_ONE, args![id]).await?;
        answer.is_one(1).map_err(self.damaged("unlock_one"))
    }

    async fn forget_attempts(&self, before: Timestamp, now: Timestamp) -> Result<u32, StoreError> {
        let args = args![before, now, FORGOTTEN_MAX];
        let answer = self.write("forget_attempts", &FORGET, args).await?;
        answer.number(1).map_err(self.damaged("forget_attempts"))
    }
}

impl Redis {
    /// All locks of a name, those that have run out too: ids and sources.
    pub(super) async fn locks_of_name(&self, name: &AccountName) -> Result<Vec<(String, Option<Source>)>, StoreError> {
        let args = args![name_hash(name.as_str()), Timestamp::from_micros(i64::MIN), u32::MAX];
        let Some(answer) = self.read("locks_of_name", &LIST, args).await? else {
            return Ok(Vec::new());
        };
        let read = || answer.records()?.iter().map(read).collect::<Result<Vec<_>, Damage>>();
        let locks = read().map_err(self.damaged("locks_of_name"))?;
        Ok(locks.into_iter().map(|lock| (lock.id, lock.source)).collect())
    }
}

fn reserved(answer: &Answer) -> Result<Reserved, Damage> {
    if answer.word() == "locked" {
        return Ok(Reserved::Locked {
            until: Timestamp::from_micros(answer.number(1)?),
        });
    }
    let locks_until = match answer.text(2)? {
        "" => None,
        _ => Some(Timestamp::from_micros(answer.number(2)?)),
    };
    Ok(Reserved::Go {
        failures: answer.number(1)?,
        locks_until,
    })
}

fn read(fields: &Fields) -> Result<Lockout, Damage> {
    let name = |text: String| AccountName::parse(&text).map_err(|_not_a_name| "the name of a lock".to_owned());
    Ok(Lockout {
        account: fields.text_if_any("account")?.map(name).transpose()?,
        id: fields.text("id")?,
        source: fields.text_if_any("source")?.map(Source),
        failures: fields.number("failures")?,
        since: fields.time("since")?,
        until: fields.time("until")?,
    })
}
