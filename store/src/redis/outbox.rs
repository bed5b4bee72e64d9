//! Letters that wait.
//!
//! A claim moves the time a letter is due to the end of the claim: what a killed worker held is due again by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use stagedoor_identity::AccountId;
use stagedoor_identity::letter::{DueLetter, Failure, LetterId, LetterKind, QueuedLetter, Waiting, WaitingLetter};
use stagedoor_identity::port::{Outbox, StoreError};
use stagedoor_policy::time::Timestamp;

use super::answer::{Answer, Damage, Fields};
use super::record::json;
use super::script::{Script, hex, reading, writing};
use super::{Redis, args};

static QUEUE: Script = writing!("queue_letter", "letter_lib");
static WARN: Script = writing!("warn_once", "letter_lib");
static ANY_DUE: Script = reading!("any_letter_due");
static TAKE: Script = writing!("take_letters", "letter_lib");
static HAND_OVER: Script = writing!("hand_letter_over", "letter_lib");
static SENT: Script = writing!("letter_sent", "letter_lib");
static FAILED: Script = writing!("letter_failed", "letter_lib");
static GIVE_UP: Script = writing!("give_letter_up", "letter_lib");
static RELEASE: Script = writing!("release_letters", "letter_lib");
static LIST: Script = reading!("list_letters");
static WAITING: Script = reading!("letters_waiting");

#[async_trait]
impl Outbox for Redis {
    async fn queue_letter(&self, letter: &QueuedLetter) -> Result<(), StoreError> {
        let letter = json(&Sheet::of(letter)).map_err(StoreError::Engine)?;
        self.write("queue_letter", &QUEUE, args![letter]).await.map(drop)
    }

    async fn warn_once(&self, account: AccountId, since: Timestamp, letter: &QueuedLetter) -> Result<bool, StoreError> {
        let letter = json(&Sheet::of(letter)).map_err(StoreError::Engine)?;
        let answer = self.write("warn_once", &WARN, args![account.0, since, letter]).await?;
        answer.is_one(1).map_err(self.damaged("warn_once"))
    }

    async fn take_due(
        &self,
        worker: &str,
        now: Timestamp,
        claim_for: Duration,
        letters_max: u32,
    ) -> Result<Vec<DueLetter>, StoreError> {
        // Most of the time nothing is due: asked first, so that nothing need be written.
        let due = self.read("take_due", &ANY_DUE, args![now]).await?;
        let due = due.map(|answer| answer.number::<u32>(1)).transpose();
        if due.map_err(self.damaged("take_due"))?.unwrap_or_default() == 0 {
            return Ok(Vec::new());
        }
        let args = args![worker, now, now.after(claim_for), letters_max];
        let answer = self.write("take_due", &TAKE, args).await?;
        let read = || answer.records()?.iter().map(due_letter).collect::<Result<_, Damage>>();
        read().map_err(self.damaged("take_due"))
    }

    async fn handing_over(&self, id: LetterId, claim: u32, claimed_until: Timestamp) -> Result<bool, StoreError> {
        let args = args![id.0, claim, claimed_until];
        let answer = self.write("handing_over", &HAND_OVER, args).await?;
        answer.is_one(1).map_err(self.damaged("handing_over"))
    }

    async fn letter_sent(&self, id: LetterId) -> Result<bool, StoreError> {
        let answer = self.write("letter_sent", &SENT, args![id.0]).await?;
        answer.is_one(1).map_err(self.damaged("letter_sent"))
    }

    async fn letter_failed(&self, id: LetterId, claim: u32, failure: &Failure) -> Result<bool, StoreError> {
        let args = args![id.0, claim, &failure.why, failure.retry_at, failure.may_have_arrived];
        let answer = self.write("letter_failed", &FAILED, args).await?;
        answer.is_one(1).map_err(self.damaged("letter_failed"))
    }

    async fn give_letter_up(&self, id: LetterId, claim: u32) -> Result<bool, StoreError> {
        let answer = self.write("give_letter_up", &GIVE_UP, args![id.0, claim]).await?;
        answer.is_one(1).map_err(self.damaged("give_letter_up"))
    }

    async fn release_claims(&self, worker: &str, now: Timestamp) -> Result<u32, StoreError> {
        let answer = self.write("release_claims", &RELEASE, args![worker, now]).await?;
        answer.number(1).map_err(self.damaged("release_claims"))
    }

    async fn list_letters(&self, after: Option<LetterId>, letters_max: u32) -> Result<Vec<WaitingLetter>, StoreError> {
        let after = after.map_or_else(String::new, |after| after.0.simple().to_string());
        let answer = self.read("list_letters", &LIST, args![after, letters_max]).await?;
        let read = |answer: Answer| {
            answer
                .records()?
                .iter()
                .map(waiting_letter)
                .collect::<Result<_, Damage>>()
        };
        let found = answer.map(read).transpose();
        Ok(found.map_err(self.damaged("list_letters"))?.unwrap_or_default())
    }

    async fn letters_waiting(&self) -> Result<Waiting, StoreError> {
        let Some(answer) = self.read("letters_waiting", &WAITING, Vec::new()).await? else {
            return Ok(Waiting::default());
        };
        let read = || {
            Ok(Waiting {
                letters: answer.number(1)?,
                oldest: match answer.text(2)? {
                    "" => None,
                    _ => Some(Timestamp::from_micros(answer.number(2)?)),
                },
            })
        };
        read().map_err(self.damaged("letters_waiting"))
    }
}

/// A letter on its way in, as `letter_lib.lua` takes it.
#[derive(Serialize)]
pub(super) struct Sheet {
    id: String,
    letters_max: u32,
    replaces: Vec<&'static str>,
    fields: BTreeMap<&'static str, String>,
}

impl Sheet {
    pub(super) fn of(letter: &QueuedLetter) -> Self {
        Self {
            id: letter.id.0.simple().to_string(),
            letters_max: letter.letters_max,
            replaces: letter.kind.replaces().iter().map(|kind| kind.name()).collect(),
            fields: fields(letter),
        }
    }
}

/// A letter as it lies in Redis before anybody has claimed it.
pub(super) fn fields(letter: &QueuedLetter) -> BTreeMap<&'static str, String> {
    let micros = |at: Timestamp| at.as_micros().to_string();
    let mut fields = BTreeMap::from([
        ("id", letter.id.0.simple().to_string()),
        ("kind", letter.kind.name().to_owned()),
        ("address", letter.to.clone()),
        ("sealed", hex(&letter.sealed)),
        ("queued_at", micros(letter.due_at)),
        ("due_at", micros(letter.due_at)),
        ("give_up_at", micros(letter.give_up_at)),
        ("claim", "0".to_owned()),
        ("failures", "0".to_owned()),
        ("may_have_arrived", "0".to_owned()),
    ]);
    if let Some(account) = letter.account {
        fields.insert("account", account.0.simple().to_string());
    }
    fields
}

pub(super) fn due_letter(fields: &Fields) -> Result<DueLetter, Damage> {
    let kind = LetterKind::from_name(&fields.text("kind")?);
    Ok(DueLetter {
        letter: QueuedLetter {
            id: LetterId(fields.id("id")?),
            account: fields.id_if_any("account")?.map(AccountId),
            kind: kind.ok_or_else(|| "the field `kind`".to_owned())?,
            to: fields.text("address")?,
            sealed: fields
                .bytes_if_any("sealed")?
                .ok_or_else(|| "the field `sealed`".to_owned())?,
            due_at: fields.time("queued_at")?,
            give_up_at: fields.time("give_up_at")?,
            letters_max: 0,
        },
        claim: fields.number("claim")?,
        failures: fields.number("failures")?,
        may_have_arrived: fields.flag("may_have_arrived")?,
    })
}

fn waiting_letter(fields: &Fields) -> Result<WaitingLetter, Damage> {
    let DueLetter { letter, failures, .. } = due_letter(fields)?;
    Ok(WaitingLetter {
        id: letter.id,
        account: letter.account,
        kind: letter.kind,
        to: letter.to,
        queued_at: letter.due_at,
        due_at: fields.time("due_at")?,
        give_up_at: letter.give_up_at,
        failures,
        last_failure: fields.text_if_any("last_failure")?,
    })
}
