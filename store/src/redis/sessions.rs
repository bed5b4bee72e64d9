//! Sessions.

use std::time::Duration;

use async_trait::async_trait;
use stagedoor_identity::port::{DeviceId, Opened, Sessions, StoreError};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::session::{Ended, SessionRecord};
use stagedoor_identity::{AccountId, EndReason, SessionId};
use stagedoor_policy::rules::WhenFull;
use stagedoor_policy::time::Timestamp;

use super::answer::{Answer, Damage, Fields};
use super::record::{Written, json};
use super::script::{Script, bytes, reading, writing};
use super::{Redis, args};

/// Sessions that one script looks at while others wait.
const AT_ONCE: usize = 500;

static OPEN: Script = writing!("open_session", "index_lib", "session_lib");
static END: Script = writing!("end_session", "session_lib");
static END_ALL: Script = writing!("end_sessions_of", "session_lib");
static TOUCH: Script = writing!("touch", "index_lib").that_recurs();
static FORGET: Script = writing!("forget_sessions", "session_lib");
static IDS: Script = reading!("session_ids");
static SOME: Script = reading!("sessions");

#[async_trait]
impl Sessions for Redis {
    async fn open_session(
        &self,
        session: &SessionRecord,
        credentials_version: u64,
        role: &str,
        per_account: u32,
        when_full: WhenFull,
    ) -> Result<Opened, StoreError> {
        let when_full = match when_full {
            WhenFull::Refuse => "refuse",
            WhenFull::Displace => "displace",
        };
        let reason = reason_json(&EndReason::Displaced { by: session.address })?;
        let idle = match self.several {
            Some(_) => reason_json(&EndReason::Idle)?,
            None => String::new(),
        };
        let (id, account) = (session.id.0, session.account.0);
        let mut args = args![
            id,
            account,
            credentials_version,
            role,
            per_account,
            when_full,
            reason,
            idle
        ];
        let mut fields = Written::default();
        fields
            .session(session)
            .map_err(|why| self.engine("open_session", &why))?;
        args.extend(fields.0);
        let answer = self.write("open_session", &OPEN, args).await?;
        opened(&answer).map_err(self.damaged("open_session"))
    }

    async fn end_session(&self, id: SessionId, reason: &EndReason, now: Timestamp) -> Result<bool, StoreError> {
        let args = args![id.0, now, reason_json(reason)?];
        let answer = self.write("end_session", &END, args).await?;
        answer.is_one(1).map_err(self.damaged("end_session"))
    }

    async fn end_sessions_of(
        &self,
        account: AccountId,
        keep: Option<SessionId>,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let args = args![account.0, kept(keep), now, reason_json(reason)?];
        let answer = self.write("end_sessions_of", &END_ALL, args).await?;
        ids_of(&answer, 1).map_err(self.damaged("end_sessions_of"))
    }

    /// Read in pages; one that is opened meanwhile may be missing, one that ends meanwhile may be read as it was. At the start,
    /// when memory is filled, nobody else has the store.
    async fn sessions(&self, now: Timestamp) -> Result<Vec<SessionRecord>, StoreError> {
        let damaged = self.damaged("sessions");
        let Some(answer) = self.read("sessions", &IDS, args![now]).await? else {
            return Ok(Vec::new());
        };
        let ids = ids_of(&answer, 1).map_err(&damaged)?;
        let mut found = self.sessions_by_id(&ids).await?;
        found.sort_by_key(|session| session.id);
        Ok(found)
    }

    async fn sessions_by_id(&self, ids: &[SessionId]) -> Result<Vec<SessionRecord>, StoreError> {
        let damaged = self.damaged("sessions");
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(AT_ONCE) {
            let some = some.iter().map(|id| bytes(id.0)).collect();
            let Some(page) = self.read("sessions", &SOME, some).await? else {
                continue;
            };
            for fields in page.records().map_err(&damaged)? {
                found.push(read(&fields).map_err(&damaged)?);
            }
        }
        Ok(found)
    }

    async fn touch(&self, used: &[(SessionId, AccountId, Timestamp)]) -> Result<(), StoreError> {
        // Each stands for itself and goes forward only: cut in pieces, a failure leaves nothing that a repetition does not mend.
        for some in used.chunks(AT_ONCE) {
            let args = some
                .iter()
                .flat_map(|(id, account, at)| args![id.0, account.0, *at])
                .collect();
            self.write("touch", &TOUCH, args).await?;
        }
        Ok(())
    }

    async fn forget_sessions(&self, before: Timestamp) -> Result<u32, StoreError> {
        let answer = self.write("forget_sessions", &FORGET, args![before, AT_ONCE]).await?;
        answer.number(1).map_err(self.damaged("forget_sessions"))
    }
}

fn opened(answer: &Answer) -> Result<Opened, Damage> {
    match answer.word() {
        "stale" => Ok(Opened::Stale),
        "full" => Ok(Opened::Full {
            opened_at: Timestamp::from_micros(answer.number(1)?),
            address: answer.number(2)?,
        }),
        _ => Ok(Opened::Open {
            displaced: ids_of(answer, 1)?,
        }),
    }
}

/// Ids of sessions in a part of an answer.
pub(super) fn ids_of(answer: &Answer, part: usize) -> Result<Vec<SessionId>, Damage> {
    Ok(answer.ids(part)?.into_iter().map(SessionId).collect())
}

/// The session to keep as a script is told it: empty where there is none.
pub(super) fn kept(keep: Option<SessionId>) -> String {
    keep.map_or_else(String::new, |id| id.0.simple().to_string())
}

pub(super) fn reason_json(reason: &EndReason) -> Result<String, StoreError> {
    json(reason).map_err(StoreError::Engine)
}

impl Written {
    pub(super) fn session(&mut self, session: &SessionRecord) -> Result<(), Damage> {
        self.set("token", session.token.0);
        self.set("account", session.account.0);
        self.set("channel", &session.channel);
        self.set("address", session.address.to_string());
        self.set("user_agent", &session.user_agent);
        self.set("second_factor", session.second_factor);
        self.set_if_any("device", session.device.map(|device| device.0));
        self.set("opened_at", session.opened_at);
        self.set("expires_at", session.expires_at);
        self.set(
            "idle_after",
            i64::try_from(session.idle_after.as_micros()).unwrap_or(i64::MAX),
        );
        self.set("last_used_at", session.last_used_at);
        if let Some(ended) = &session.ended {
            self.set("ended_at", ended.at_micros);
            self.set("ended_reason", json(&ended.reason)?);
        }
        Ok(())
    }
}

pub(super) fn read(fields: &Fields) -> Result<SessionRecord, Damage> {
    let ended = match fields.number_if_any("ended_at")? {
        None => None,
        Some(at_micros) => Some(Ended {
            at_micros,
            reason: fields.json("ended_reason")?,
        }),
    };
    Ok(SessionRecord {
        id: SessionId(fields.id("id")?),
        token: TokenHash(fields.hash("token")?),
        account: AccountId(fields.id("account")?),
        channel: fields.text("channel")?,
        address: fields.address("address")?,
        user_agent: fields.text("user_agent")?,
        second_factor: fields.flag("second_factor")?,
        device: fields.id_if_any("device")?.map(DeviceId),
        opened_at: fields.time("opened_at")?,
        expires_at: fields.time("expires_at")?,
        idle_after: Duration::from_micros(fields.number("idle_after")?),
        last_used_at: fields.time("last_used_at")?,
        ended,
    })
}
