//! Sessions.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, named_params, params};
use stagedoor_identity::port::{DeviceId, Opened, Sessions, StoreError};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::session::{Ended, SessionRecord};
use stagedoor_identity::{AccountId, EndReason, SessionId};
use stagedoor_policy::rules::WhenFull;
use stagedoor_policy::time::Timestamp;

use super::column::Row;
use super::fault::Fault;
use super::{Embedded, column};

/// Rows that one call forgets at most, so that other steps do not wait for it.
const FORGOTTEN_ROWS_MAX: u32 = 10_000;

#[async_trait]
impl Sessions for Embedded {
    async fn open_session(
        &self,
        session: &SessionRecord,
        credentials_version: u64,
        role: &str,
        per_account: u32,
        when_full: WhenFull,
    ) -> Result<Opened, StoreError> {
        let (session, role) = (session.clone(), role.to_owned());
        let work = move |step: &Connection| {
            let linked = session
                .device
                .map_or(Ok(true), |device| linked_to(step, device, session.account))?;
            if !linked || !still_so(step, session.account, credentials_version, &role)? {
                return Ok(Opened::Stale);
            }
            let displaced = match make_room(step, &session, per_account, when_full)? {
                Room::Made(displaced) => displaced,
                Room::Full(opened_at, address) => return Ok(Opened::Full { opened_at, address }),
            };
            insert(step, &session)?;
            note_sign_in(step, session.account, session.opened_at)?;
            if let Some(device) = session.device {
                note_seen(step, device, session.opened_at)?;
            }
            Ok(Opened::Open { displaced })
        };
        self.write("open_session", work).await
    }

    async fn end_session(&self, id: SessionId, reason: &EndReason, now: Timestamp) -> Result<bool, StoreError> {
        let reason = reason.clone();
        self.write("end_session", move |step| end(step, id, &reason, now)).await
    }

    async fn end_sessions_of(
        &self,
        account: AccountId,
        keep: Option<SessionId>,
        reason: &EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let reason = reason.clone();
        self.write("end_sessions_of", move |step| {
            end_all_of(step, account, keep, &reason, now)
        })
        .await
    }

    async fn sessions(&self, now: Timestamp) -> Result<Vec<SessionRecord>, StoreError> {
        let work = move |connection: &Connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM session WHERE expires_at > ?1 ORDER BY id")?;
            column::all(statement.query([now.as_micros()])?, read)
        };
        self.read("sessions", work).await
    }

    async fn sessions_by_id(&self, ids: &[SessionId]) -> Result<Vec<SessionRecord>, StoreError> {
        let ids = ids.to_vec();
        let work = move |connection: &Connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM session WHERE id = ?1")?;
            let mut found = Vec::with_capacity(ids.len());
            for id in &ids {
                found.extend(column::all(statement.query([id.0.as_bytes().as_slice()])?, read)?);
            }
            Ok(found)
        };
        self.read("sessions_by_id", work).await
    }

    async fn touch(&self, used: &[(SessionId, AccountId, Timestamp)]) -> Result<(), StoreError> {
        if used.is_empty() {
            return Ok(());
        }
        let used = used.to_vec();
        self.write("touch", move |step| touch(step, &used)).await
    }

    async fn forget_sessions(&self, before: Timestamp) -> Result<u32, StoreError> {
        let work = move |step: &Connection| {
            let forgotten = step
                .prepare_cached(
                    "DELETE FROM session WHERE rowid IN \
                     (SELECT rowid FROM session WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
                )?
                .execute(params![before.as_micros(), FORGOTTEN_ROWS_MAX])?;
            Ok(u32::try_from(forgotten).unwrap_or(u32::MAX))
        };
        self.write("forget_sessions", work).await
    }
}

fn linked_to(step: &Connection, device: DeviceId, account: AccountId) -> Result<bool, Fault> {
    Ok(step
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM device WHERE id = ?1 AND account = ?2)")?
        .query_row(
            params![column::id_bytes(device.0), column::id_bytes(account.0)],
            |row| row.get(0),
        )?)
}

/// Whether the account is as it was when its credentials were checked.
fn still_so(step: &Connection, id: AccountId, credentials_version: u64, role: &str) -> Result<bool, Fault> {
    Ok(step
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM account a JOIN credential c ON c.account = a.id \
             WHERE a.id = ?1 AND c.version = ?2 AND a.role = ?3 AND NOT a.disabled \
             AND a.accepted_at IS NOT NULL)",
        )?
        .query_row(
            params![column::id_bytes(id.0), column::stored_count(credentials_version), role],
            |row| row.get(0),
        )?)
}

enum Room {
    Made(Vec<SessionId>),
    Full(Timestamp, IpAddr),
}

fn make_room(step: &Connection, new: &SessionRecord, per_account: u32, when_full: WhenFull) -> Result<Room, Fault> {
    if per_account == 0 {
        return Ok(Room::Made(Vec::new()));
    }
    let live = live_of(step, new)?;
    let allowed = usize::try_from(per_account).unwrap_or(usize::MAX);
    if live.len() < allowed {
        return Ok(Room::Made(Vec::new()));
    }
    match (when_full, live.first()) {
        (WhenFull::Refuse, Some(oldest)) => Ok(Room::Full(oldest.opened_at, oldest.address)),
        _ => {
            let too_many = live.len() - allowed + 1;
            let reason = EndReason::Displaced { by: new.address };
            let mut displaced = Vec::with_capacity(too_many);
            for session in live.iter().take(too_many) {
                end(step, session.id, &reason, new.opened_at)?;
                displaced.push(session.id);
            }
            Ok(Room::Made(displaced))
        }
    }
}

/// The live sessions beside which `new` is to be opened, oldest first.
fn live_of(step: &Connection, new: &SessionRecord) -> Result<Vec<SessionRecord>, Fault> {
    let mut statement = step.prepare_cached(
        "SELECT * FROM session WHERE account = ?1 AND channel = ?2 AND ended_at IS NULL ORDER BY opened_at, id",
    )?;
    let mut open = column::all(
        statement.query(params![column::id_bytes(new.account.0), new.channel])?,
        read,
    )?;
    let now = new.opened_at;
    open.retain(|session| session.expires_at > now && session.last_used_at.after(session.idle_after) > now);
    Ok(open)
}

pub(super) fn insert(step: &Connection, session: &SessionRecord) -> Result<(), Fault> {
    let reason = match &session.ended {
        Some(ended) => Some(column::to_json(&ended.reason, "ended_reason")?),
        None => None,
    };
    step.prepare_cached(
        "INSERT INTO session (id, token, account, channel, address, user_agent, second_factor, opened_at, expires_at, \
         idle_after, last_used_at, ended_at, ended_reason, device) VALUES (:id, :token, :account, :channel, :address, :user_agent, \
         :second_factor, :opened_at, :expires_at, :idle_after, :last_used_at, :ended_at, :ended_reason, :device)",
    )?
    .execute(named_params! {
        ":id": column::id_bytes(session.id.0),
        ":token": session.token.0,
        ":account": column::id_bytes(session.account.0),
        ":channel": session.channel,
        ":address": session.address.to_string(),
        ":user_agent": session.user_agent,
        ":second_factor": session.second_factor,
        ":opened_at": session.opened_at.as_micros(),
        ":expires_at": session.expires_at.as_micros(),
        ":idle_after": i64::try_from(session.idle_after.as_micros()).unwrap_or(i64::MAX),
        ":last_used_at": session.last_used_at.as_micros(),
        ":ended_at": session.ended.as_ref().map(|ended| ended.at_micros),
        ":ended_reason": reason,
        ":device": session.device.map(|device| column::id_bytes(device.0)),
    })?;
    Ok(())
}

/// A sign-in is a use. Times never go back, though the clock may.
fn note_sign_in(step: &Connection, account: AccountId, now: Timestamp) -> Result<(), Fault> {
    step.prepare_cached(
        "UPDATE account SET last_sign_in_at = max(coalesce(last_sign_in_at, ?2), ?2), \
         last_used_at = max(coalesce(last_used_at, ?2), ?2) WHERE id = ?1",
    )?
    .execute(params![column::id_bytes(account.0), now.as_micros()])?;
    Ok(())
}

fn note_seen(step: &Connection, device: DeviceId, now: Timestamp) -> Result<(), Fault> {
    step.prepare_cached("UPDATE device SET last_seen_at = max(coalesce(last_seen_at, ?2), ?2) WHERE id = ?1")?
        .execute(params![column::id_bytes(device.0), now.as_micros()])?;
    Ok(())
}

/// Ends what was opened from a device and has neither ended nor expired.
pub(super) fn end_all_from(
    step: &Connection,
    device: DeviceId,
    reason: &EndReason,
    now: Timestamp,
) -> Result<Vec<SessionId>, Fault> {
    let mut statement = step.prepare_cached(
        "UPDATE session SET ended_at = :now, ended_reason = :reason WHERE device = :device AND ended_at IS NULL \
         AND expires_at > :now RETURNING id",
    )?;
    let rows = statement.query(named_params! {
        ":device": column::id_bytes(device.0),
        ":now": now.as_micros(),
        ":reason": column::to_json(reason, "ended_reason")?,
    })?;
    column::all(rows, |row| Ok(SessionId(column::id(row, "id")?)))
}

fn end(step: &Connection, id: SessionId, reason: &EndReason, now: Timestamp) -> Result<bool, Fault> {
    let ended = step
        .prepare_cached("UPDATE session SET ended_at = ?2, ended_reason = ?3 WHERE id = ?1 AND ended_at IS NULL")?
        .execute(params![
            column::id_bytes(id.0),
            now.as_micros(),
            column::to_json(reason, "ended_reason")?
        ])?;
    Ok(ended > 0)
}

/// Ends what has neither ended nor expired. What only looks idle is ended too: memory may know of a use that has not been
/// flushed yet.
pub(super) fn end_all_of(
    step: &Connection,
    account: AccountId,
    keep: Option<SessionId>,
    reason: &EndReason,
    now: Timestamp,
) -> Result<Vec<SessionId>, Fault> {
    let mut statement = step.prepare_cached(
        "UPDATE session SET ended_at = :now, ended_reason = :reason WHERE account = :account AND ended_at IS NULL \
         AND expires_at > :now AND id IS NOT :keep RETURNING id",
    )?;
    let rows = statement.query(named_params! {
        ":account": column::id_bytes(account.0),
        ":keep": keep.map(|id| column::id_bytes(id.0)),
        ":now": now.as_micros(),
        ":reason": column::to_json(reason, "ended_reason")?,
    })?;
    column::all(rows, |row| Ok(SessionId(column::id(row, "id")?)))
}

/// For a removal, which is told no time: expired ones may be among them.
pub(super) fn not_ended_of(step: &Connection, account: AccountId) -> Result<Vec<SessionId>, Fault> {
    let mut statement = step.prepare_cached("SELECT id FROM session WHERE account = ?1 AND ended_at IS NULL")?;
    let rows = statement.query([column::id_bytes(account.0)])?;
    column::all(rows, |row| Ok(SessionId(column::id(row, "id")?)))
}

fn touch(step: &Connection, used: &[(SessionId, AccountId, Timestamp)]) -> Result<(), Fault> {
    let mut session =
        step.prepare_cached("UPDATE session SET last_used_at = ?2 WHERE id = ?1 AND last_used_at < ?2")?;
    let mut account = step.prepare_cached(
        "UPDATE account SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)",
    )?;
    for (id, _, at) in used {
        session.execute(params![column::id_bytes(id.0), at.as_micros()])?;
    }
    let mut owners: Vec<_> = used.iter().map(|(_, owner, at)| (owner, at)).collect();
    owners.sort_unstable();
    for (owner, at) in owners {
        account.execute(params![column::id_bytes(owner.0), at.as_micros()])?;
    }
    Ok(())
}

pub(super) fn read(row: &Row<'_>) -> Result<SessionRecord, Fault> {
    Ok(SessionRecord {
        id: SessionId(column::id(row, "id")?),
        token: TokenHash(column::get(row, "token")?),
        account: AccountId(column::id(row, "account")?),
        channel: column::get(row, "channel")?,
        address: column::address(row, "address")?,
        user_agent: column::get(row, "user_agent")?,
        second_factor: column::get(row, "second_factor")?,
        device: column::id_if_any(row, "device")?.map(DeviceId),
        opened_at: column::time(row, "opened_at")?,
        expires_at: column::time(row, "expires_at")?,
        idle_after: Duration::from_micros(column::count(row, "idle_after")?),
        last_used_at: column::time(row, "last_used_at")?,
        ended: ended(row)?,
    })
}

fn ended(row: &Row<'_>) -> Result<Option<Ended>, Fault> {
    let at: Option<i64> = column::get(row, "ended_at")?;
    let Some(at_micros) = at else { return Ok(None) };
    let reason = column::json(row, "ended_reason")?;
    Ok(Some(Ended { at_micros, reason }))
}
