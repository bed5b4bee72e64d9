//! Where a connection leads, and what it rests on.

use redis::{Client, ConnectionAddr, IntoConnectionInfo as _, RedisConnectionInfo, RedisError, TlsCertificates};

use super::{Settings, Trust};

/// Who speaks to that place as the settings say: to the one they name, or to another node of its Cluster.
pub(super) fn client(settings: &Settings, at: Option<&(String, u16)>) -> Result<Client, RedisError> {
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
    let mut redis = RedisConnectionInfo::default().set_db(i64::from(settings.database));
    if let Some(user) = &settings.user {
        redis = redis.set_username(user);
    }
    if let Some(password) = &settings.password {
        redis = redis.set_password(password.expose_text());
    }
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
