//! Finding the primary: where the settings say, or where Sentinels say. They are asked for each connection, so that whoever
//! took over is found as soon as the connection to the former one has failed.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, RedisError, Value};

use super::Settings;
use super::client::{At, client, client_of_sentinel};
use super::vet::Info;

/// A Sentinel answers from memory; one that takes longer is as good as gone.
const TOLD_WITHIN: Duration = Duration::from_millis(500);

/// Connects to the primary. `moved_to`: the node of a Cluster that has the keys.
pub(super) async fn connect(
    settings: &Settings,
    config: &AsyncConnectionConfig,
    moved_to: Option<At>,
) -> Result<(Option<At>, MultiplexedConnection), RedisError> {
    let Some(sentinels) = &settings.sentinels else {
        let client = client(settings, moved_to.as_ref())?;
        let connection = client.get_multiplexed_async_connection_with_config(config).await?;
        return Ok((moved_to, connection));
    };
    let mut last = unknown("none was asked");
    for sentinel in &sentinels.at {
        let found = match told_by(settings, sentinel, &sentinels.master).await {
            Ok(at) => primary_at(settings, config, at).await,
            Err(why) => Err(why),
        };
        match found {
            Ok((at, connection)) => return Ok((Some(at), connection)),
            Err(why) => last = why,
        }
    }
    Err(last)
}

/// Where that Sentinel takes the primary to be.
async fn told_by(settings: &Settings, sentinel: &At, master: &str) -> Result<At, RedisError> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(TOLD_WITHIN))
        .set_response_timeout(Some(TOLD_WITHIN));
    let client = client_of_sentinel(settings, sentinel)?;
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    let mut ask = redis::cmd("SENTINEL");
    ask.arg("GET-MASTER-ADDR-BY-NAME").arg(master);
    let told = connection.send_packed_command(&ask).await?.extract_error()?;
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
    let client = client(settings, Some(&at))?;
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

/// To be asked again while there is time.
fn unknown(why: &str) -> RedisError {
    RedisError::from((ErrorKind::Io, "where the primary is cannot be told", why.to_owned()))
}
