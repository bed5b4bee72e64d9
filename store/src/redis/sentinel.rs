//! Finding the server that has the keys: where the settings say, or the nodes of a Cluster, or Sentinels. They are asked for each
//! connection, so that whoever took over is found as soon as the connection to the former one has failed.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, RedisError, Value};

use super::client::{At, client, client_of_sentinel};
use super::trouble::moved_to;
use super::vet::Info;
use super::{Sentinels, Settings};

/// A Sentinel answers from memory; one that takes longer is as good as gone. So is one of several nodes of a Cluster.
const TOLD_WITHIN: Duration = Duration::from_millis(500);
/// From one node of a Cluster to the next: each names the one that has the keys, and may be wrong while they move.
const HOPS_MAX: usize = 5;

/// Connects to whoever has the keys, and answers where that is. `first` is tried before all that the settings name.
pub(super) async fn connect(
    settings: &Settings,
    config: &AsyncConnectionConfig,
    first: Option<At>,
) -> Result<(At, MultiplexedConnection), RedisError> {
    let mut last = unknown("none was asked");
    if let Some(sentinels) = &settings.sentinels {
        for sentinel in &sentinels.at {
            let found = match told_by(settings, sentinels, sentinel).await {
                Ok(at) => primary_at(settings, config, at).await,
                Err(why) => Err(why),
            };
            match found {
                Ok(found) => return Ok(found),
                Err(why) => last = why,
            }
        }
        return Err(last);
    }
    for at in first.iter().chain(&settings.at) {
        match holder_by(settings, config, at.clone()).await {
            Ok(found) => return Ok(found),
            Err(why) => last = why,
        }
    }
    Err(last)
}

/// Whoever has the keys, by way of the one that is there: itself, or another node of its Cluster.
async fn holder_by(
    settings: &Settings,
    config: &AsyncConnectionConfig,
    mut at: At,
) -> Result<(At, MultiplexedConnection), RedisError> {
    let one_of_several = settings.at.len() > 1;
    let mut config = config.clone();
    if one_of_several {
        config = config.set_connection_timeout(Some(TOLD_WITHIN));
    }
    let mut ask = redis::cmd("EXISTS");
    ask.arg(format!("{}copying", settings.base()));
    for _hop in 0..HOPS_MAX {
        let client = client(settings, &at)?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        if one_of_several {
            refuse_outside_of_a_cluster(&mut connection).await?;
        }
        let said = connection.send_packed_command(&ask).await;
        let Err(error) = said.and_then(Value::extract_error) else {
            return Ok((at, connection));
        };
        match moved_to(&error) {
            Some((host, port)) if host.is_empty() => at.1 = port,
            Some(next) => at = next,
            // Another one may do better; where there is none, what is asked next is told the same and says what to do.
            None if one_of_several || error.is_io_error() || error.is_connection_dropped() => return Err(error),
            None => return Ok((at, connection)),
        }
    }
    Err(unknown("the nodes of the Cluster name each other without end"))
}

/// Two servers that know nothing of each other would each be taken for the store, in turn.
async fn refuse_outside_of_a_cluster(connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    let said = connection
        .send_packed_command(&redis::cmd("INFO"))
        .await?
        .extract_error()?;
    if Info::new(said).is_of_a_cluster() {
        return Ok(());
    }
    let why = "one of several hosts is no node of a Cluster: name one alone, or the Sentinels";
    Err(RedisError::from((ErrorKind::InvalidClientConfig, why)))
}

/// Where that Sentinel takes the primary to be.
async fn told_by(settings: &Settings, sentinels: &Sentinels, at: &At) -> Result<At, RedisError> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(TOLD_WITHIN))
        .set_response_timeout(Some(TOLD_WITHIN));
    let client = client_of_sentinel(settings, sentinels, at)?;
    let connected = client.get_multiplexed_async_connection_with_config(&config).await;
    let mut connection = connected.map_err(refused_by_sentinel)?;
    let mut ask = redis::cmd("SENTINEL");
    ask.arg("GET-MASTER-ADDR-BY-NAME").arg(&sentinels.master);
    let told = connection.send_packed_command(&ask).await?.extract_error();
    let told = told.map_err(refused_by_sentinel)?;
    let Value::Array(parts) = told else {
        return Err(unknown("a Sentinel does not know that name"));
    };
    let [Value::BulkString(host), Value::BulkString(port)] = parts.as_slice() else {
        return Err(unknown("a Sentinel does not say where it is"));
    };
    let (host, port) = (String::from_utf8_lossy(host), String::from_utf8_lossy(port));
    let port = port
        .parse()
        .map_err(|_no_number| unknown("a Sentinel does not say at which port it is"))?;
    Ok((host.into_owned(), port))
}

/// Whoever is there says itself whether it is the primary, since a Sentinel may not have heard yet, and whether it is fit: who
/// took over may be set up otherwise.
async fn primary_at(
    settings: &Settings,
    config: &AsyncConnectionConfig,
    at: At,
) -> Result<(At, MultiplexedConnection), RedisError> {
    let client = client(settings, &at)?;
    let mut connection = client.get_multiplexed_async_connection_with_config(config).await?;
    let said = connection
        .send_packed_command(&redis::cmd("INFO"))
        .await?
        .extract_error()?;
    match Info::new(said).refuse() {
        Ok(()) => Ok((at, connection)),
        Err(why) => Err(unknown(&format!("whom the Sentinels name cannot be used: {why}"))),
    }
}

/// Its password is another than that of Redis: whoever reads of it has to know which one is meant.
fn refused_by_sentinel(error: RedisError) -> RedisError {
    let refused = error.kind() == ErrorKind::AuthenticationFailed
        || matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"));
    if !refused {
        return error;
    }
    let why = "a Sentinel does not let this door in: check `sentinel_password_file` and `sentinel_user`";
    RedisError::from((ErrorKind::InvalidClientConfig, why))
}

/// To be asked again while there is time.
fn unknown(why: &str) -> RedisError {
    RedisError::from((ErrorKind::Io, "where the primary is cannot be told", why.to_owned()))
}
