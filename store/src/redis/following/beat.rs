//! The one connection that a door hears on: the news, and with the same answers the proof that there is no more.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError, Value};
use stagedoor_identity::port::Changes;
use stagedoor_identity::{AccountId, SessionId};
use tokio::sync::Notify;
use uuid::Uuid;

use super::super::answer::{Answer, Damage, id};
use super::super::trouble::describe;
use super::super::vet::Info;
use super::super::{Redis, Settings, args, sentinel};
use super::{BEAT, millis};

/// Fields of each change in an answer: its number, sessions, accounts, whether the policy, whether too much to be named.
const FIELDS: usize = 5;
/// How long one wait for the stream to grow takes.
const GROWTH_WITHIN: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Ear {
    connection: MultiplexedConnection,
    base: String,
    epoch: String,
    node: Uuid,
    lease: Duration,
    /// How many replicas must have it.
    replicas: u32,
    /// Which run of which server this is.
    pub(super) server: String,
}

/// What a beat heard.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// The newest change there is.
    pub(super) newest: u64,
    /// What has changed.
    pub(super) changes: Changes,
    /// Up to which number.
    pub(super) up_to: u64,
}

impl Ear {
    pub(super) async fn open(redis: &Redis, lease: Duration) -> Result<Self, String> {
        let mut connection = connect(&redis.settings, lease * 2).await?;
        let said = connection.send_packed_command(&redis::cmd("INFO")).await;
        let said = said.and_then(Value::extract_error).map_err(|error| describe(&error))?;
        let info = Info::new(said);
        info.refuse()?;
        Ok(Self {
            connection,
            base: redis.settings.base(),
            epoch: redis.lease().epoch().to_owned(),
            node: redis.process,
            lease,
            replicas: redis.settings.wait_replicas,
            server: info.run_id().ok_or("Redis does not say which run this is")?.to_owned(),
        })
    }

    /// Says that this door is there, and that nobody need wait for it yet. Answers the newest number.
    pub(super) async fn begin(&mut self, known: u64, says: &str) -> Result<u64, String> {
        self.ask(known, 0, says).await?.number(1)
    }

    /// Hears what came after `known`. `None`: something is missing.
    pub(super) async fn beat(&mut self, known: u64, says: &str) -> Result<Option<Heard>, String> {
        let answer = self.ask(known, millis(self.lease), says).await?;
        read(&answer, known)
    }

    async fn ask(&mut self, known: u64, lease_millis: u64, says: &str) -> Result<Answer, String> {
        let asked = args![&self.epoch, self.node, known, lease_millis, says];
        // By its text: a server that was started again does not know it by its hash.
        let mut call = redis::cmd("EVAL");
        call.arg(BEAT.text());
        call.arg(1).arg(&self.base);
        for arg in &asked {
            call.arg(arg.as_slice());
        }
        let said = self.with_replicas(call).await.map_err(|error| describe(&error))??;
        let answer = Answer::new(said).ok_or("a beat was answered with nothing")?;
        match answer.word() {
            "ok" => Ok(answer),
            _ => Err("another process has taken the store, or its data is gone".to_owned()),
        }
    }

    /// A primary that its replicas no longer hear may have been replaced without knowing it: then its word is no proof.
    async fn with_replicas(&mut self, call: redis::Cmd) -> Result<Result<Value, String>, RedisError> {
        if self.replicas == 0 {
            return Ok(Ok(self.connection.send_packed_command(&call).await?.extract_error()?));
        }
        let mut both = redis::Pipeline::with_capacity(2);
        both.add_command(call);
        both.cmd("WAIT").arg(self.replicas).arg(millis(self.lease));
        let mut answers = self.connection.send_packed_commands(&both, 0, 2).await?.into_iter();
        let said = answers.next().unwrap_or(Value::Nil).extract_error()?;
        match answers.next() {
            Some(Value::Int(reached)) if reached >= i64::from(self.replicas) => Ok(Ok(said)),
            _ => Ok(Err(
                "its replicas do not confirm a beat in time: it may have been replaced".to_owned(),
            )),
        }
    }

    /// Whether the steps of this door are made on the very server that it hears from.
    pub(super) async fn is_where_steps_are_made(&self, redis: &Redis) -> Result<(), String> {
        let info = Info::new(redis.link.ask(&redis::cmd("INFO")).await?);
        if info.run_id() == Some(self.server.as_str()) {
            return Ok(());
        }
        // A primary that was overtaken and lives keeps its connections until it is told, which may take long.
        redis.link.leave().await;
        Err("its steps are still made on another server than it hears from".to_owned())
    }
}

/// Numbers follow each other, or something is missing.
fn read(answer: &Answer, known: u64) -> Result<Option<Heard>, Damage> {
    let newest: u64 = answer.number(1)?;
    let mut changes = Changes::default();
    let mut up_to = known;
    for entry in answer.texts(2)?.chunks(FIELDS) {
        let [number, sessions, accounts, policy, everything] = entry else {
            return Err("a change that is not whole".to_owned());
        };
        let number: u64 = number
            .parse()
            .map_err(|_no_number| "the number of a change".to_owned())?;
        if number != up_to.saturating_add(1) || *everything == "1" {
            return Ok(None);
        }
        up_to = number;
        changes.add(Changes {
            sessions: ids(sessions)?.map(SessionId).collect(),
            accounts: ids(accounts)?.map(AccountId).collect(),
            policy: *policy == "1",
        });
    }
    // Nothing was told although there is more, or more was told than there is.
    let missing = up_to > newest || (up_to == known && newest != known);
    Ok((!missing).then_some(Heard { newest, changes, up_to }))
}

fn ids(list: &str) -> Result<std::vec::IntoIter<Uuid>, Damage> {
    let ids: Result<Vec<Uuid>, Damage> = list.split(',').filter(|id| !id.is_empty()).map(id).collect();
    Ok(ids?.into_iter())
}

async fn connect(settings: &Settings, answer_within: Duration) -> Result<MultiplexedConnection, String> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(settings.connect_within))
        .set_response_timeout(Some(answer_within));
    match sentinel::connect(settings, &config, None).await {
        Ok((_, connection)) => Ok(connection),
        Err(error) => Err(describe(&error)),
    }
}

impl Redis {
    /// Says each time the stream has grown. What it misses is heard at the next beat.
    pub(super) async fn wait_for_growth(self: Arc<Self>, grown: Arc<Notify>) {
        loop {
            if let Err(why) = self.wait_on_one_connection(&grown).await {
                tracing::debug!(why, "changes of other doors are heard at each beat alone");
            }
            tokio::time::sleep(GROWTH_WITHIN).await;
        }
    }

    async fn wait_on_one_connection(&self, grown: &Notify) -> Result<(), String> {
        let mut connection = connect(&self.settings, GROWTH_WITHIN * 2).await?;
        let mut after = "$".to_owned();
        loop {
            let mut wait = redis::cmd("XREAD");
            wait.arg("COUNT").arg(1000).arg("BLOCK").arg(millis(GROWTH_WITHIN));
            wait.arg("STREAMS")
                .arg(format!("{}changes", self.settings.base()))
                .arg(&after);
            let said = connection.send_packed_command(&wait).await;
            match said.and_then(Value::extract_error).map_err(|error| describe(&error))? {
                Value::Nil => {}
                said => {
                    grown.notify_one();
                    after = last_id(&said).unwrap_or_else(|| "$".to_owned());
                }
            }
        }
    }
}

/// Of the last entry of the one stream that was asked for.
fn last_id(said: &Value) -> Option<String> {
    let Value::Array(streams) = said else { return None };
    let Some(Value::Array(stream)) = streams.first() else {
        return None;
    };
    let Some(Value::Array(entries)) = stream.get(1) else {
        return None;
    };
    let Some(Value::Array(entry)) = entries.last() else {
        return None;
    };
    match entry.first() {
        Some(Value::BulkString(id)) => Some(String::from_utf8_lossy(id).into_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(newest: &str, fields: &[&str]) -> Answer {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let fields = fields.iter().map(|field| text(field)).collect();
        Answer::new(Value::Array(vec![text("ok"), text(newest), Value::Array(fields)])).unwrap()
    }

    const ID: &str = "0193a1b2c3d47000800000000000000f";

    #[test]
    fn changes_in_their_order_are_taken_together() {
        let said = answer("9", &["8", ID, "", "0", "0", "9", ID, ID, "1", "0"]);
        let heard = read(&said, 7).unwrap().unwrap();
        assert_eq!((heard.newest, heard.up_to), (9, 9));
        assert_eq!((heard.changes.sessions.len(), heard.changes.accounts.len()), (1, 1));
        assert!(heard.changes.policy);
        assert_eq!(read(&answer("7", &[]), 7).unwrap().unwrap().up_to, 7);
    }

    #[test]
    fn a_number_that_is_missing_or_went_backwards_is_noticed() {
        for (why, newest, fields) in [
            ("one is missing in front", "9", ["9", ID, "", "0", "0"].as_slice()),
            (
                "one is missing between",
                "10",
                &["8", ID, "", "0", "0", "10", ID, "", "0", "0"],
            ),
            ("all are gone", "9", &[]),
            ("the count went backwards", "6", &[]),
            ("it was too much to be named", "8", &["8", "", "", "0", "1"]),
        ] {
            assert_eq!(read(&answer(newest, fields), 7).unwrap(), None, "{why}");
        }
    }
}
