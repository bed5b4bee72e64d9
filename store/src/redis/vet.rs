//! What a Redis must be before anything is entrusted to it.

use redis::Value;

use super::link::Link;
use super::script::{Script, bytes, reading};
use super::{OpenError, Settings};

static RIGHTS: Script = reading!("rights");

/// Every command that a step runs on a key: an ACL user that lacks one would fail in mid-use, not at the start.
const COMMANDS: &[&str] = &[
    "DEL",
    "EXISTS",
    "GET",
    "HDEL",
    "HEXISTS",
    "HGET",
    "HGETALL",
    "HINCRBY",
    "HKEYS",
    "HMGET",
    "HSET",
    "HSETNX",
    "HVALS",
    "INCR",
    "PEXPIRE",
    "PTTL",
    "SADD",
    "SCARD",
    "SET",
    "SMEMBERS",
    "SREM",
    "TIME",
    "XADD",
    "XRANGE",
    "XREVRANGE",
    "ZADD",
    "ZCARD",
    "ZCOUNT",
    "ZINCRBY",
    "ZRANGE",
    "ZRANGEBYLEX",
    "ZRANGEBYSCORE",
    "ZREM",
    "ZREVRANGE",
    "ZREVRANGEBYSCORE",
    "ZSCORE",
];

/// Older ones cannot look for memory and replicas before a script begins.
const OLDEST: (u32, u32) = (7, 0);
/// How the keys lie; raised when they lie otherwise.
const FORMAT: &str = "1";

pub(super) async fn refuse_unfit(link: &Link, settings: &Settings) -> Result<(), OpenError> {
    let unreachable = |why: String| OpenError::Unreachable {
        place: link.place().to_owned(),
        why,
    };
    // Asked first: in a Cluster it leads to the node that has the keys, and what follows is asked of that one.
    let mut ask = redis::cmd("EXISTS");
    ask.arg(format!("{}copying", settings.base()));
    let half_a_copy = link.ask(&ask).await.map_err(unreachable)? != Value::Int(0);
    let said = link.ask(&redis::cmd("INFO")).await.map_err(unreachable)?;
    let info = Info::new(said);
    let unfit = |why: String| OpenError::Unfit {
        place: link.place().to_owned(),
        why,
    };
    info.refuse().map_err(unfit)?;
    refuse_without_rights(link).await?;
    refuse_who_cannot_read_back(link, settings, &info).await?;

    let mut ask = redis::cmd("HGET");
    ask.arg(format!("{}meta", settings.base())).arg("format");
    let format = link
        .ask(&ask)
        .await
        .map_err(|why| unfit(format!("its data is not Stagedoor's: {why}")))?;
    match format {
        Value::Nil => refuse_foreign(link, settings).await?,
        other => {
            let found = text_of(other);
            if found != FORMAT {
                let why =
                    format!("its data has format {found}, this Stagedoor knows {FORMAT}: install the newer one again");
                return Err(unfit(why));
            }
        }
    }
    if half_a_copy {
        let why = "a copy into it was cut off half-way: empty it and copy again";
        return Err(unfit(why.to_owned()));
    }
    let mut ask = redis::cmd("CONFIG");
    ask.arg("GET").arg("appendfsync");
    if let Some(weakness) = weakness(&info, link.ask(&ask).await.ok()) {
        tracing::warn!(store = link.place(), "{weakness}");
    }
    Ok(())
}

/// All that the user lacks at once, and before anything is written.
async fn refuse_without_rights(link: &Link) -> Result<(), OpenError> {
    let unfit = |why: String| OpenError::Unfit {
        place: link.place().to_owned(),
        why,
    };
    let wanted: Vec<_> = COMMANDS.iter().map(bytes).collect();
    let said = link.run(&RIGHTS, &wanted, false).await;
    let said = said.map_err(unfit)?;
    let lacking = said.words().map_err(unfit)?;
    if lacking.is_empty() {
        return Ok(());
    }
    Err(unfit(format!(
        "its user may not run {}: give the ACL user what the operators' guide lists",
        lacking.join(", ")
    )))
}

/// What a script wrote stands in the append-only file as one transaction, and many a Redis (redis/redis#14541) reads those back by
/// the rights of its default user: without them all is gone after a restart, without a word but in its log.
async fn refuse_who_cannot_read_back(link: &Link, settings: &Settings, info: &Info) -> Result<(), OpenError> {
    if !info.keeps_append_only_file() {
        return Ok(());
    }
    let mut ask = redis::cmd("ACL");
    ask.arg("DRYRUN").arg("default").arg("SET");
    ask.arg(format!("{}meta", settings.base())).arg("");
    match link.ask(&ask).await {
        Ok(Value::Okay) => Ok(()),
        Ok(_refused) => Err(OpenError::Unfit {
            place: link.place().to_owned(),
            why: "its user `default` may not write, and by the rights of that one it reads its append-only file after a restart, so \
                  that all would be lost: give it `~* &* +@all` back, and `off`, so that nobody comes in as it"
                .to_owned(),
        }),
        Err(_no_right) => {
            let store = link.place();
            tracing::warn!(
                store,
                "whether Redis reads its append-only file back after a restart cannot be told (no right to ACL DRYRUN): see that its \
                 user `default` may write"
            );
            Ok(())
        }
    }
}

/// Nothing of ours is here yet: then nothing else may be, but beside a prefix that was chosen for sharing.
async fn refuse_foreign(link: &Link, settings: &Settings) -> Result<(), OpenError> {
    let base = settings.base();
    let (ask, help) = if settings.shared {
        let mut ask = redis::cmd("EXISTS");
        for key in [
            "epoch", "names", "sessions", "devices", "letters", "tokens", "audit", "keys", "policy",
        ] {
            ask.arg(format!("{base}{key}"));
        }
        (ask, "choose another `key_prefix`")
    } else {
        (
            redis::cmd("DBSIZE"),
            "choose an empty one, such as `/1`, or set `store.key_prefix` to share this one",
        )
    };
    match link.ask(&ask).await {
        Ok(Value::Int(0)) => Ok(()),
        Ok(Value::Int(keys)) => Err(OpenError::Unfit {
            place: link.place().to_owned(),
            why: format!("it holds {keys} keys of another program: {help}"),
        }),
        Ok(_) => Err(OpenError::Unfit {
            place: link.place().to_owned(),
            why: "it does not say whether it holds keys of another program".to_owned(),
        }),
        Err(why) => Err(OpenError::Unreachable {
            place: link.place().to_owned(),
            why,
        }),
    }
}

/// What Redis says of itself.
pub(super) struct Info(String);

impl Info {
    pub(super) fn new(said: Value) -> Self {
        Self(text_of(said))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    }

    /// Another one after each start of the server, and on each server.
    pub(super) fn run_id(&self) -> Option<&str> {
        self.get("run_id")
    }

    fn keeps_append_only_file(&self) -> bool {
        self.get("aof_enabled") == Some("1")
    }

    pub(super) fn is_of_a_cluster(&self) -> bool {
        self.get("cluster_enabled") == Some("1")
    }

    /// What it does not say is as bad as what it says wrong.
    pub(super) fn refuse(&self) -> Result<(), String> {
        let version = self.get("redis_version").unwrap_or("unknown");
        if parsed(version).is_none_or(|version| version < OLDEST) {
            return Err(format!(
                "it is version {version}: {}.{} or newer is needed",
                OLDEST.0, OLDEST.1
            ));
        }
        match self.get("role") {
            Some("master") => (),
            Some("slave") => return Err("it is a read-only replica: name the primary".to_owned()),
            _ => return Err("it does not say whether it is a primary".to_owned()),
        }
        match self.get("maxmemory_policy") {
            Some("noeviction") => (),
            Some(policy) => {
                return Err(format!(
                    "it evicts (`maxmemory-policy {policy}`), and locks and sign-outs would be forgotten: set `noeviction`"
                ));
            }
            None => return Err("it does not say whether it evicts".to_owned()),
        }
        Ok(())
    }
}

/// What it promises less than it could; `appendfsync` as it was told, where the user has the right to ask.
fn weakness(info: &Info, appendfsync: Option<Value>) -> Option<&'static str> {
    if !info.keeps_append_only_file() {
        return Some(
            "Redis keeps no append-only file: what it last answered is lost when it stops; set `appendonly yes`",
        );
    }
    let said = match &appendfsync {
        Some(Value::Array(pair)) => pair.get(1),
        Some(Value::Map(pairs)) => pairs.first().map(|(_, value)| value),
        _ => return Some("whether Redis syncs each answer to disk cannot be told (no right to CONFIG GET)"),
    };
    if said == Some(&Value::BulkString(b"always".to_vec())) {
        None
    } else {
        Some("Redis syncs once a second: a power cut takes the last second; set `appendfsync always`")
    }
}

fn parsed(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn text_of(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text,
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIT: &str = "redis_version:7.0.15\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n";

    #[test]
    fn a_fit_redis_is_taken() {
        assert_eq!(Info(FIT.to_owned()).refuse(), Ok(()));
    }

    #[test]
    fn an_old_evicting_read_only_or_silent_redis_is_refused_and_told_why() {
        for (from, to, why) in [
            ("7.0.15", "6.2.14", "7.0 or newer"),
            ("7.0.15", "new", "7.0 or newer"),
            ("role:master", "role:slave", "read-only replica"),
            ("role:master", "roll:master", "does not say whether it is a primary"),
            ("noeviction", "allkeys-lru", "`maxmemory-policy allkeys-lru`"),
            ("maxmemory_policy", "policy", "does not say whether it evicts"),
        ] {
            let said = Info(FIT.replace(from, to)).refuse().unwrap_err();
            assert!(said.contains(why), "{from} → {to}: {said}");
        }
    }

    #[test]
    fn a_redis_that_forgets_what_it_answered_is_taken_with_a_warning() {
        let told = |value: &str| {
            Some(Value::Array(vec![
                Value::Nil,
                Value::BulkString(value.as_bytes().to_vec()),
            ]))
        };
        let (off, on) = (Info("aof_enabled:0".to_owned()), Info("aof_enabled:1".to_owned()));
        assert!(weakness(&off, told("always")).is_some_and(|said| said.contains("appendonly yes")));
        assert!(weakness(&on, told("everysec")).is_some_and(|said| said.contains("appendfsync always")));
        assert!(weakness(&on, None).is_some_and(|said| said.contains("cannot be told")));
        assert_eq!(weakness(&on, told("always")), None);
    }

    #[test]
    fn every_command_of_every_script_is_among_the_rights_that_are_asked_for() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/redis/lua");
        let mut run = std::collections::BTreeSet::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for call in text.split("redis.call('").skip(1) {
                run.insert(call.split('\'').next().unwrap().to_owned());
            }
        }
        assert!(run.len() > 20, "{run:?}");
        assert_eq!(run.into_iter().collect::<Vec<_>>(), COMMANDS);
    }
}
