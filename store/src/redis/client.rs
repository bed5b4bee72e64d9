//! Where a connection leads, and what it rests on.

use redis::{Client, ConnectionAddr, IntoConnectionInfo as _, RedisConnectionInfo, RedisError, TlsCertificates};

use super::{Settings, Trust};

/// A place to connect to: host, empty for the one that the settings name, and port.
pub(super) type At = (String, u16);

/// Who speaks to Redis as the settings say: to the one they name, or to another that was told of.
pub(super) fn client(settings: &Settings, at: Option<&At>) -> Result<Client, RedisError> {
    let mut redis = RedisConnectionInfo::default().set_db(i64::from(settings.database));
    if let Some(user) = &settings.user {
        redis = redis.set_username(user);
    }
    if let Some(password) = &settings.password {
        redis = redis.set_password(password.expose_text());
    }
    client_as(settings, at, redis)
}

/// Who speaks to a Sentinel: without user and password, which are for Redis.
pub(super) fn client_of_sentinel(settings: &Settings, at: &At) -> Result<Client, RedisError> {
    client_as(settings, Some(at), RedisConnectionInfo::default())
}

fn client_as(settings: &Settings, at: Option<&At>, redis: RedisConnectionInfo) -> Result<Client, RedisError> {
    let (host, port) = match at {
        Some((host, port)) if host.is_empty() => (settings.host.clone(), *port),
        Some((host, port)) => (host.clone(), *port),
        None => (settings.host.clone(), settings.port),
    };
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
