//! What kept a try from an answer, and whether another may fare better.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// What kept a try from an answer.
pub(super) enum Trouble {
    Redis(RedisError),
    /// Made, but not as safely as asked for.
    Replicas(String),
}

impl From<RedisError> for Trouble {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

impl Trouble {
    /// See [`moved_to`].
    pub(super) fn moved_to(&self) -> Option<(String, u16)> {
        match self {
            Self::Redis(error) => moved_to(error),
            Self::Replicas(_) => None,
        }
    }

    /// Whether the next try may end otherwise. Steps recognise their repetition, so an unknown outcome is no obstacle.
    pub(super) fn may_pass(&self) -> bool {
        use ServerErrorKind::{Ask, BusyLoading, ClusterDown, MasterDown, Moved, NoScript, ReadOnly, TryAgain};
        match self {
            Self::Replicas(_) => false,
            Self::Redis(error) => {
                error.is_io_error()
                    || error.is_timeout()
                    || error.is_connection_dropped()
                    || matches!(
                        error.kind(),
                        ErrorKind::Server(
                            Ask | BusyLoading | ClusterDown | MasterDown | Moved | NoScript | ReadOnly | TryAgain
                        )
                    )
            }
        }
    }

    pub(super) fn ends_the_connection(&self) -> bool {
        match self {
            Self::Replicas(_) => false,
            Self::Redis(error) => {
                error.is_io_error()
                    || error.is_timeout()
                    || error.is_connection_dropped()
                    || error.is_unrecoverable_error()
                    || matches!(
                        error.kind(),
                        ErrorKind::Server(
                            ServerErrorKind::ClusterDown | ServerErrorKind::Moved | ServerErrorKind::ReadOnly
                        )
                    )
            }
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Redis(error) => describe(error),
            Self::Replicas(why) => why.clone(),
        }
    }
}

/// The node of a Cluster that has the keys: host, empty for the one that was asked, and port.
pub(super) fn moved_to(error: &RedisError) -> Option<(String, u16)> {
    if error.kind() != ErrorKind::Server(ServerErrorKind::Moved) {
        return None;
    }
    let (address, _slot) = error.redirect_node()?;
    let (host, port) = address.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?))
}

/// What Redis says, and what to do. Redis quotes no argument of a script, so nothing secret can be in it.
pub(super) fn describe(error: &RedisError) -> String {
    let advice = match error.kind() {
        ErrorKind::AuthenticationFailed => "check user and password",
        ErrorKind::Server(ServerErrorKind::NoPerm) => {
            "give the ACL user what the operators' guide lists, and the keys of its prefix"
        }
        ErrorKind::Server(ServerErrorKind::ReadOnly) => "this is a replica: name the primary",
        _ if error.is_timeout() => "it does not answer in time",
        _ if error.is_io_error() => "check that Redis runs there and can be reached",
        _ => match error.code() {
            Some("OOM") => "Redis is out of memory: raise `maxmemory`",
            Some("MISCONF") => "Redis cannot write to its disk",
            Some("NOREPLICAS") => "too few replicas are connected",
            Some("NOAUTH" | "WRONGPASS") => "check user and password",
            _ => return error.to_string(),
        },
    };
    format!("{error}: {advice}")
}
