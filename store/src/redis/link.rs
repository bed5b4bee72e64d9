//! The connection: one, shared by all steps, made anew when it fails, within limits.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ErrorKind, Pipeline, RedisError, ServerErrorKind, Value};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Semaphore};

use super::answer::Answer;
use super::client::{At, client};
use super::redo::Redo;
use super::script::Script;
use super::sentinel;
use super::trouble::{Trouble, describe};
use super::vet::Info;
use super::{OpenError, Settings};

/// Steps that may be under way at once; one more is refused.
const STEPS_MAX: usize = 4096;
/// Between two tries, doubled from the first to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_millis(500);
const LAST_WORD_WITHIN: Duration = Duration::from_secs(2);

pub(super) struct Link {
    settings: Settings,
    config: AsyncConnectionConfig,
    base: String,
    place: String,
    wait: Option<(u32, Duration)>,
    give_up_after: Duration,
    current: Mutex<Current>,
    made: std::sync::Mutex<(u64, Instant)>,
    redo: Redo,
    room: Semaphore,
    /// Connections live here, whoever asked for them.
    runtime: Handle,
}

#[derive(Default)]
struct Current {
    connection: Option<MultiplexedConnection>,
    /// Rises with each connection: whoever saw an older one fail does not close a newer one.
    generation: u64,
    /// Where it leads. While there is none: where to, if somebody said.
    at: Option<At>,
    /// Which run of which server has all steps that were acknowledged.
    server: Option<String>,
}

impl Link {
    pub(super) fn new(settings: &Settings) -> Result<Self, OpenError> {
        let waiting = if settings.wait_replicas == 0 {
            Duration::ZERO
        } else {
            settings.wait
        };
        let sentinels = settings.sentinels.iter().flat_map(|sentinels| &sentinels.at);
        for at in settings.at.iter().chain(sentinels) {
            client(settings, at).map_err(|error| OpenError::Settings(describe(&error)))?;
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(settings.connect_within))
            .set_response_timeout(Some(settings.answer_within.saturating_add(waiting)));
        Ok(Self {
            settings: settings.clone(),
            config,
            base: settings.base(),
            place: settings.place(),
            wait: (settings.wait_replicas > 0).then_some((settings.wait_replicas, settings.wait)),
            give_up_after: settings.give_up_after,
            current: Mutex::default(),
            made: std::sync::Mutex::new((0, Instant::now())),
            redo: Redo::default(),
            room: Semaphore::new(STEPS_MAX),
            runtime: Handle::current(),
        })
    }

    /// For messages: no user, no password.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The connection that is used now: which one it is, and when it was made.
    pub(super) fn made(&self) -> (u64, Instant) {
        *self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a script and answers what it said, sending it again on a new connection while there is time.
    /// # Errors
    /// A sentence. A step that writes may have been made all the same; the same call may be made again.
    pub(super) async fn run(&self, script: &'static Script, args: &[Vec<u8>], writes: bool) -> Result<Answer, String> {
        let _room = self
            .room
            .try_acquire()
            .map_err(|_full| "too many steps wait already: Redis is too slow for this load".to_owned())?;
        let said = self.until_given_up(Request::Script(script, args, writes)).await?;
        let answer = Answer::new(said).ok_or_else(|| "a script answered with nothing".to_owned())?;
        if writes && script.matters() {
            self.redo.keep(script, args, Instant::now());
        }
        Ok(answer)
    }

    /// A command of Redis itself that only reads.
    pub(super) async fn ask(&self, command: &Cmd) -> Result<Value, String> {
        self.until_given_up(Request::Command(command)).await
    }

    /// Runs a script once, on a connection of its own and without a runtime: for what a process says last.
    pub(super) fn run_blocking(&self, script: &Script, args: &[Vec<u8>]) -> Result<(), RedisError> {
        let known = self.current.blocking_lock().at.clone();
        let named = || self.settings.at.first().cloned();
        let nowhere = || RedisError::from((ErrorKind::Io, "where the primary is cannot be told"));
        let client = client(&self.settings, &known.or_else(named).ok_or_else(nowhere)?)?;
        let mut connection = client.get_connection_with_timeout(LAST_WORD_WITHIN)?;
        connection.set_read_timeout(Some(LAST_WORD_WITHIN))?;
        connection.set_write_timeout(Some(LAST_WORD_WITHIN))?;
        let mut call = redis::cmd("EVAL");
        call.arg(script.text()).arg(1).arg(&self.base);
        for arg in args {
            call.arg(arg.as_slice());
        }
        call.exec(&mut connection)
    }

    async fn until_given_up(&self, request: Request<'_>) -> Result<Value, String> {
        let end = Instant::now() + self.give_up_after;
        let mut pause = PAUSE_FIRST;
        loop {
            let (generation, trouble) = match self.connected().await {
                Ok((generation, mut connection)) => match self.try_once(&mut connection, request).await {
                    Ok(value) => return Ok(value),
                    Err(trouble) => (Some(generation), trouble),
                },
                Err(error) => (None, Trouble::Redis(error)),
            };
            if let Some(generation) = generation
                && trouble.ends_the_connection()
            {
                self.hang_up(generation, trouble.moved_to()).await;
            }
            if !trouble.may_pass() || Instant::now() + pause >= end {
                return Err(trouble.describe());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn try_once(&self, connection: &mut MultiplexedConnection, request: Request<'_>) -> Result<Value, Trouble> {
        let (script, args, writes) = match request {
            Request::Command(command) => return Ok(connection.send_packed_command(command).await?.extract_error()?),
            Request::Script(script, args, writes) => (script, args, writes),
        };
        let known = match script.hash() {
            Some(hash) => hash.to_owned(),
            None => load(connection, script).await?,
        };
        match self.send(connection, &known, args, writes).await {
            // Flushed, or another server: it is told the text again.
            Err(Trouble::Redis(error)) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                let known = load(connection, script).await?;
                self.send(connection, &known, args, writes).await
            }
            sent => sent,
        }
    }

    async fn send(
        &self,
        connection: &mut MultiplexedConnection,
        hash: &str,
        args: &[Vec<u8>],
        writes: bool,
    ) -> Result<Value, Trouble> {
        let mut call = redis::cmd("EVALSHA");
        call.arg(hash).arg(1).arg(&self.base);
        for arg in args {
            call.arg(arg.as_slice());
        }
        let (true, Some((replicas, within))) = (writes, self.wait) else {
            return Ok(connection.send_packed_command(&call).await?.extract_error()?);
        };
        let mut both = Pipeline::with_capacity(2);
        both.add_command(call);
        both.cmd("WAIT")
            .arg(replicas)
            .arg(u64::try_from(within.as_millis()).unwrap_or(u64::MAX));
        let mut answers = connection.send_packed_commands(&both, 0, 2).await?.into_iter();
        let said = answers.next().unwrap_or(Value::Nil).extract_error()?;
        match answers.next() {
            Some(Value::Int(reached)) if reached >= i64::from(replicas) => Ok(said),
            reached => Err(Trouble::Replicas(format!(
                "only {} of {replicas} replicas confirmed it in time; it stands on this server and may be lost with it",
                if let Some(Value::Int(reached)) = reached {
                    reached
                } else {
                    0
                },
            ))),
        }
    }

    async fn connected(&self) -> Result<(u64, MultiplexedConnection), RedisError> {
        let mut current = self.current.lock().await;
        if let Some(connection) = &current.connection {
            return Ok((current.generation, connection.clone()));
        }
        // It may have gone: then whoever the settings name knows where to.
        let moved_to = current.at.take();
        let (settings, config) = (self.settings.clone(), self.config.clone());
        let making = self
            .runtime
            .spawn(async move { sentinel::connect(&settings, &config, moved_to).await });
        let ended = |_ended| RedisError::from((ErrorKind::Io, "the runtime that holds the connection has ended"));
        let (at, mut connection) = making.await.map_err(ended)??;
        let server = self.make_again_what_is_lacking(&mut connection, current.server.as_deref());
        current.server = Some(server.await?);
        current.at = Some(at);
        current.generation = current.generation.wrapping_add(1);
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = (current.generation, Instant::now());
        current.connection = Some(connection.clone());
        Ok((current.generation, connection))
    }

    /// Another server, or the same after a start, may lack steps that were acknowledged. Answers which one it is.
    async fn make_again_what_is_lacking(
        &self,
        connection: &mut MultiplexedConnection,
        former: Option<&str>,
    ) -> Result<String, RedisError> {
        let said = connection.send_packed_command(&redis::cmd("INFO")).await?;
        let server = Info::new(said.extract_error()?).run_id().unwrap_or_default().to_owned();
        if former.is_none_or(|former| former == server) {
            return Ok(server);
        }
        let steps = self.redo.steps_at(Instant::now());
        tracing::warn!(
            store = self.place,
            steps = steps.len(),
            "the store is another server now, or was started again: what was acknowledged lately is offered to it again"
        );
        for step in steps {
            let made = self.try_once(connection, Request::Script(step.script, &step.args, false));
            match made.await {
                Ok(_) => {}
                Err(Trouble::Redis(error)) => return Err(error),
                Err(Trouble::Replicas(_)) => {}
            }
        }
        Ok(server)
    }

    async fn hang_up(&self, generation: u64, moved_to: Option<At>) {
        let mut current = self.current.lock().await;
        if current.generation == generation {
            current.connection = None;
            let here = current.at.take();
            // A node that does not say which host means its own.
            current.at = match (moved_to, here) {
                (Some((host, port)), Some((here, _))) if host.is_empty() => Some((here, port)),
                (moved_to, _) => moved_to,
            };
        }
    }
}

async fn load(connection: &mut MultiplexedConnection, script: &Script) -> Result<String, Trouble> {
    let mut command = redis::cmd("SCRIPT");
    command.arg("LOAD").arg(script.text());
    let said = connection.send_packed_command(&command).await?.extract_error()?;
    let Value::BulkString(hash) = said else {
        return Err(Trouble::Replicas(
            "Redis did not name the script it was given".to_owned(),
        ));
    };
    let hash = String::from_utf8_lossy(&hash).into_owned();
    script.is_known_as(hash.clone());
    Ok(hash)
}

#[derive(Clone, Copy)]
enum Request<'a> {
    Command(&'a Cmd),
    /// The script, what it is given, and whether it writes.
    Script(&'a Script, &'a [Vec<u8>], bool),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_in_no_debug_text_of_the_settings() {
        let mut settings = Settings::plain("127.0.0.1", 1);
        settings.password = Some(stagedoor_identity::Secret::new("hunter2"));
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert!(!settings.place().contains("hunter2"));
    }

    #[tokio::test]
    async fn what_is_not_there_is_given_up_in_time_and_named() {
        let mut settings = Settings::plain("127.0.0.1", 1);
        settings.give_up_after = Duration::from_millis(50);
        let link = Link::new(&settings).unwrap();
        let why = link.ask(&redis::cmd("PING")).await.unwrap_err();
        assert!(why.contains("check that Redis runs there"), "{why}");
    }
}
