//! `[store]`: a folder, or a Redis.

use std::path::{Path, PathBuf};

use stagedoor_identity::Secret;

use super::Assembly;
use crate::building::{RedisPassword, RedisPlace, SentinelsPlace, StoreChoice};
use crate::fields::Fields;
use stagedoor_policy::fault::KeyPath;

/// Of the prefix of all keys.
const PREFIX_CHARACTERS_MAX: usize = 64;
const USUAL_PORT: u16 = 6379;
const USUAL_PORT_OF_SENTINEL: u16 = 26379;
/// Of Sentinels three are usual; of a Cluster's nodes a few are enough, for they know the others.
const HOSTS_MAX: usize = 16;

impl Assembly<'_> {
    pub(super) fn store(&mut self, mut fields: Fields) -> Option<StoreChoice> {
        let (data_dir, url) = (fields.text("data_dir")?, fields.text("url"));
        let further = Further {
            password_file: fields.text("password_file"),
            sentinel_user: fields.text("sentinel_user"),
            sentinel_password_file: fields.text("sentinel_password_file"),
            ca_file: fields.text("ca_file"),
            key_prefix: fields.text("key_prefix"),
            wait_replicas: fields.count("wait_replicas")?,
            wait: fields.duration("wait")?,
        };
        fields.done();
        if data_dir.is_empty() {
            self.store_fault("data_dir", "the folder of the store has no name", NAME_A_FOLDER);
        }
        let url = url.as_deref().unwrap_or_default();
        if url.starts_with("redis") {
            let redis = Box::new(self.redis(url, further)?);
            let data_dir = self.path(&data_dir);
            return Some(StoreChoice::Redis { data_dir, redis });
        }
        further.refuse_without_redis(self);
        let folder = match url.strip_prefix("file:") {
            None if url.is_empty() => data_dir.as_str(),
            Some(path) if !path.is_empty() => path.strip_prefix("//").unwrap_or(path),
            _ => {
                let help = "leave `url` out and set `data_dir`, write `file:` and a folder, or `redis://HOST:PORT`";
                self.store_fault(
                    "url",
                    "the store's URL must begin with `file:`, `redis://` or `rediss://`",
                    help,
                );
                return None;
            }
        };
        Some(StoreChoice::Embedded {
            data_dir: self.path(folder),
        })
    }

    fn redis(&mut self, url: &str, further: Further) -> Option<RedisPlace> {
        let mut place = match RedisPlace::parse(url) {
            Ok(place) => place,
            Err(why) => {
                // The URL itself is not shown: a password may be in it.
                let help = "write `redis://HOST:PORT`, `rediss://` for TLS, `USER@` before the host, `/1` behind it";
                self.store_fault("url", &format!("the URL of Redis {why}"), help);
                return None;
            }
        };
        if let Some(file) = &further.password_file {
            match password(&self.path(file), place.password.is_some()) {
                Ok(password) => place.password = Some(password),
                Err(why) => self.store_fault("password_file", &why, "write the password alone into that file"),
            }
        }
        self.sentinels(&mut place, &further);
        if further.ca_file.is_some() && !place.tls {
            let help = "write `rediss://` in `url`";
            self.store_fault("ca_file", "certificates are of no use without TLS", help);
        }
        place.ca_file = further.ca_file.as_ref().map(|file| self.path(file));
        if further.key_prefix.as_deref().is_some_and(|prefix| !is_prefix(prefix)) {
            self.store_fault("key_prefix", "the prefix of the keys does not fit", NAME_A_PREFIX);
        }
        place.key_prefix = further.key_prefix;
        place.wait_replicas = u32::try_from(further.wait_replicas).unwrap_or(u32::MAX);
        place.wait = further.wait;
        Some(place)
    }

    fn sentinels(&mut self, place: &mut RedisPlace, further: &Further) {
        let Some(sentinels) = &mut place.sentinels else {
            for (key, set) in [
                ("sentinel_user", further.sentinel_user.is_some()),
                ("sentinel_password_file", further.sentinel_password_file.is_some()),
            ] {
                if set {
                    let help = "write `redis+sentinel://` in `url`, or leave this out";
                    self.store_fault(key, "this is for Sentinels", help);
                }
            }
            return;
        };
        sentinels.user.clone_from(&further.sentinel_user);
        if further.sentinel_user.is_some() && further.sentinel_password_file.is_none() {
            let help = "name the file with its password in `sentinel_password_file`";
            self.store_fault("sentinel_user", "a user of the Sentinels has a password", help);
        }
        if let Some(file) = &further.sentinel_password_file {
            match password(&self.path(file), false) {
                Ok(password) => sentinels.password = Some(password),
                Err(why) => {
                    let help = "write the password alone into that file";
                    self.store_fault("sentinel_password_file", &why, help);
                }
            }
        }
    }

    fn store_fault(&mut self, key: &'static str, message: &str, help: &str) {
        self.fault(KeyPath::of(["store", key]), message, help);
    }
}

const NAME_A_FOLDER: &str = "name a folder; it is made where it does not exist";
const NAME_A_PREFIX: &str = "write 1 to 64 letters, digits and the characters . _ -";

fn is_prefix(prefix: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=PREFIX_CHARACTERS_MAX).contains(&prefix.len()) && prefix.bytes().all(fits)
}

/// What a command says of a Redis beside its URL.
#[derive(Debug, Clone, Default)]
pub struct RedisExtras {
    /// Holds the password.
    pub password_file: Option<PathBuf>,
    /// Holds the password of the Sentinels.
    pub sentinel_password_file: Option<PathBuf>,
    /// The ACL user of the Sentinels.
    pub sentinel_user: Option<String>,
    /// The only certificates to trust.
    pub ca_file: Option<PathBuf>,
    /// What all keys begin with.
    pub key_prefix: Option<String>,
}

impl StoreChoice {
    /// The store that a URL names, for a command; folders are looked for from `folder` on.
    /// # Errors
    /// What is wrong, without the URL: a password may be in it.
    pub fn named(url: &str, folder: &Path, extras: &RedisExtras) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("file:").filter(|path| !path.is_empty()) {
            let data_dir = folder.join(path.strip_prefix("//").unwrap_or(path));
            return Ok(Self::Embedded { data_dir });
        }
        let mut redis = RedisPlace::parse(url).map_err(|why| format!("the URL must begin with `file:`, or {why}"))?;
        if let Some(file) = &extras.password_file {
            redis.password = Some(password(file, redis.password.is_some())?);
        }
        if let Some(sentinels) = &mut redis.sentinels {
            sentinels.user.clone_from(&extras.sentinel_user);
            if let Some(file) = &extras.sentinel_password_file {
                sentinels.password = Some(password(file, false)?);
            }
        }
        if extras.ca_file.is_some() && !redis.tls {
            return Err("certificates are of no use without TLS: write `rediss://`".to_owned());
        }
        redis.ca_file.clone_from(&extras.ca_file);
        if extras.key_prefix.as_deref().is_some_and(|prefix| !is_prefix(prefix)) {
            return Err(format!("the prefix of the keys does not fit: {NAME_A_PREFIX}"));
        }
        redis.key_prefix.clone_from(&extras.key_prefix);
        let data_dir = folder.to_owned();
        let redis = Box::new(redis);
        Ok(Self::Redis { data_dir, redis })
    }
}

/// What is said of a Redis beside its URL.
struct Further {
    password_file: Option<String>,
    sentinel_user: Option<String>,
    sentinel_password_file: Option<String>,
    ca_file: Option<String>,
    key_prefix: Option<String>,
    wait_replicas: u64,
    wait: std::time::Duration,
}

impl Further {
    /// Who sets them believes that a Redis is used.
    fn refuse_without_redis(&self, assembly: &mut Assembly<'_>) {
        for (key, set) in [
            ("password_file", self.password_file.is_some()),
            ("sentinel_user", self.sentinel_user.is_some()),
            ("sentinel_password_file", self.sentinel_password_file.is_some()),
            ("ca_file", self.ca_file.is_some()),
            ("key_prefix", self.key_prefix.is_some()),
            ("wait_replicas", self.wait_replicas > 0),
        ] {
            if set {
                let help = "set `url` to `redis://HOST:PORT`, or leave this out";
                assembly.store_fault(key, "this is for a store on Redis", help);
            }
        }
    }
}

fn password(file: &Path, in_url_too: bool) -> Result<RedisPassword, String> {
    if in_url_too {
        return Err("the password stands in `url` too".to_owned());
    }
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("cannot read the password from `{}`: {error}", file.display()))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(format!("there is no password in `{}`", file.display()));
    }
    Ok(RedisPassword(Secret::new(text)))
}

impl RedisPlace {
    /// Of `redis[s]://[USER[:PASSWORD]@]HOST[:PORT],…[/DATABASE]`, or of
    /// `redis[s]+sentinel://[USER[:PASSWORD]@]HOST[:PORT],…/MASTER[/DATABASE]`.
    /// # Errors
    /// What is wrong with it, to be put after its name; never a part of it.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        let (tls, by_sentinels, rest) = match url.split_once("://") {
            Some(("redis", rest)) => (false, false, rest),
            Some(("rediss", rest)) => (true, false, rest),
            Some(("redis+sentinel", rest)) => (false, true, rest),
            Some(("rediss+sentinel", rest)) => (true, true, rest),
            _ => return Err("must begin with `redis://`, `rediss://`, `redis+sentinel://` or `rediss+sentinel://`"),
        };
        if rest.contains(['?', '#']) {
            return Err("must not have a query or a fragment");
        }
        let (user_info, rest) = match rest.rsplit_once('@') {
            Some((user_info, rest)) => (Some(user_info), rest),
            None => (None, rest),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (sentinels, database) = if by_sentinels {
            let (master, database) = path.split_once('/').unwrap_or((path, ""));
            (Some(SentinelsPlace::parse(authority, master)?), database)
        } else {
            (None, path)
        };
        let at = match &sentinels {
            Some(_) => Vec::new(),
            None => hosts_and_ports(authority, USUAL_PORT)?,
        };
        let database = match database {
            "" => 0,
            digits => digits
                .parse()
                .map_err(|_no_number| "has a database that is no number")?,
        };
        if at.len() > 1 && database != 0 {
            return Err("names several hosts and a database: a Cluster has none but `/0`");
        }
        let (user, password) = match user_info {
            None => (None, None),
            Some(info) => {
                let (user, password) = info
                    .split_once(':')
                    .map_or((info, None), |(user, word)| (user, Some(word)));
                let word = password.map(unescaped).transpose()?;
                (
                    Some(unescaped(user)?),
                    word.map(|word| RedisPassword(Secret::new(word))),
                )
            }
        };
        Ok(Self {
            at,
            sentinels,
            tls,
            ca_file: None,
            user: user.filter(|user| !user.is_empty()),
            password,
            database,
            key_prefix: None,
            wait_replicas: 0,
            wait: std::time::Duration::from_secs(1),
        })
    }
}

impl SentinelsPlace {
    fn parse(authority: &str, master: &str) -> Result<Self, &'static str> {
        if !is_prefix(master) {
            return Err("must name the master behind the Sentinels: `/NAME`, of letters, digits and `.`, `_`, `-`");
        }
        Ok(Self {
            at: hosts_and_ports(authority, USUAL_PORT_OF_SENTINEL)?,
            master: master.to_owned(),
            user: None,
            password: None,
        })
    }
}

fn hosts_and_ports(authority: &str, usual_port: u16) -> Result<Vec<(String, u16)>, &'static str> {
    let each = |one| host_and_port(one, usual_port).map(|(host, port)| (host.to_ascii_lowercase(), port));
    let at = authority.split(',').map(each).collect::<Result<Vec<_>, _>>()?;
    if at.len() > HOSTS_MAX {
        return Err("names more than 16 hosts");
    }
    Ok(at)
}

fn host_and_port(authority: &str, usual_port: u16) -> Result<(&str, u16), &'static str> {
    let bracketed = authority
        .strip_prefix('[')
        .map(|rest| rest.split_once(']').ok_or("has a `[` without a `]`"));
    let (host, port) = match bracketed.transpose()? {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => authority
            .split_once(':')
            .map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err("has no host");
    }
    if !host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b".-_:%".contains(&byte))
    {
        return Err("has a host that is neither a name nor an address");
    }
    let port = match port {
        None => usual_port,
        Some(digits) => digits
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or("has a port that lies not between 1 and 65535")?,
    };
    Ok((host, port))
}

/// With `%40` and the like read.
fn unescaped(text: &str) -> Result<String, &'static str> {
    const BROKEN: &str = "has a `%` in its user or password that two hex digits do not follow";
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(BROKEN);
        };
        bytes.push(u8::try_from(high * 16 + low).map_err(|_too_large| BROKEN)?);
    }
    String::from_utf8(bytes).map_err(|_not_text| "has a user or password that is no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_redis_is_taken_apart() {
        let place = RedisPlace::parse("rediss://door:p%40ss%3aw@Redis.Internal:6380/3").unwrap();
        assert_eq!(place.at, [("redis.internal".to_owned(), 6380)]);
        assert_eq!((place.tls, place.database), (true, 3));
        assert_eq!(place.user.as_deref(), Some("door"));
        assert!(place.password.unwrap().0.matches(b"p@ss:w"));
        let place = RedisPlace::parse("redis://[::1]").unwrap();
        assert_eq!(place.at, [("::1".to_owned(), 6379)]);
        assert_eq!((place.tls, place.user), (false, None));
    }

    #[test]
    fn several_nodes_of_a_cluster_may_be_named() {
        let place = RedisPlace::parse("rediss://door@One.internal,[::1]:7000,three:7").unwrap();
        let at: Vec<_> = place.at.iter().map(|(host, port)| (host.as_str(), *port)).collect();
        assert_eq!(at, [("one.internal", 6379), ("::1", 7000), ("three", 7)]);
        let seventeen = vec!["host"; 17].join(",");
        assert!(RedisPlace::parse(&format!("redis://{seventeen}")).is_err());
    }

    #[test]
    fn a_url_of_sentinels_is_taken_apart() {
        let url = "rediss+sentinel://door:word@One.internal,[::1]:26380,three:7/house/2";
        let place = RedisPlace::parse(url).unwrap();
        let sentinels = place.sentinels.unwrap();
        let at: Vec<_> = sentinels.at.iter().map(|(host, port)| (host.as_str(), *port)).collect();
        assert_eq!(at, [("one.internal", 26379), ("::1", 26380), ("three", 7)]);
        assert_eq!(
            (sentinels.master.as_str(), place.database, place.tls),
            ("house", 2, true)
        );
        assert_eq!(place.user.as_deref(), Some("door"));
    }

    #[test]
    fn what_is_no_url_of_redis_is_refused_without_a_word_of_it() {
        for url in [
            "redis:host",
            "http://host",
            "redis://",
            "redis://host:0",
            "redis://host:65536",
            "redis://host:x",
            "redis://host/one",
            "redis://host?x=y",
            "redis://:hunter2@",
            "redis://host,",
            "redis://host,other/1",
            "redis+sentinel://host",
            "redis+sentinel://host/",
            "redis+sentinel://host,/house",
            "redis+sentinel://host/a:b",
            "redis://:hun%ter2@host",
        ] {
            let why = RedisPlace::parse(url).unwrap_err();
            assert!(!why.contains("hunter") && !why.contains("host:"), "{url}: {why}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let place = RedisPlace::parse("redis://:hunter2@host").unwrap();
        assert!(!format!("{place:?}").contains("hunter2"));
    }
}
