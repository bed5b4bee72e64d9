//! Where a connection leads, and what it rests on.

use redis::{Client, ConnectionAddr, IntoConnectionInfo as _, RedisConnectionInfo, RedisError, TlsCertificates};
use stagedoor_identity::Secret;

use super::{Sentinels, Settings, Trust};

/// A place to connect to: host and port.
pub(super) type At = (String, u16);

/// Who speaks to the Redis at that place as the settings say.
pub(super) fn client(settings: &Settings, at: &At) -> Result<Client, RedisError> {
    let redis = RedisConnectionInfo::default().set_db(i64::from(settings.database));
    let redis = known_as(redis, settings.user.as_deref(), settings.password.as_ref());
    client_as(settings, at, redis)
}

/// Who speaks to a Sentinel: by its own user and password, never by those for Redis.
pub(super) fn client_of_sentinel(settings: &Settings, sentinels: &Sentinels, at: &At) -> Result<Client, RedisError> {
    let (user, password) = (sentinels.user.as_deref(), sentinels.password.as_ref());
    client_as(settings, at, known_as(RedisConnectionInfo::default(), user, password))
}

fn known_as(mut info: RedisConnectionInfo, user: Option<&str>, password: Option<&Secret>) -> RedisConnectionInfo {
    if let Some(user) = user {
        info = info.set_username(user);
    }
    if let Some(password) = password {
        info = info.set_password(password.expose_text());
    }
    info
}

fn client_as(settings: &Settings, at: &At, redis: RedisConnectionInfo) -> Result<Client, RedisError> {
    let (host, port) = at.clone();
    let tls = !matches!(settings.trust, Trust::Plain);
    let addr = if tls {
        ConnectionAddr::TcpTls {
            host,
            port,
            insecure: false,
            tls_params: None,
        }
    } else {
        ConnectionAddr::Tcp(host, port)
    };
    let info = addr.into_connection_info()?.set_redis_settings(redis);
    match &settings.trust {
        Trust::Plain => Client::open(info),
        Trust::System => Client::build_with_tls(
            info,
            TlsCertificates {
                client_tls: None,
                root_cert: None,
            },
        ),
        Trust::Only(pem) => {
            let root_cert = Some(pem.clone());
            Client::build_with_tls(
                info,
                TlsCertificates {
                    client_tls: None,
                    root_cert,
                },
            )
        }
    }
}
