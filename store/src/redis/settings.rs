//! Where a Redis is and how it is spoken to.

use std::time::Duration;

use stagedoor_identity::Secret;

/// The name of the trust that a TLS connection rests on.
#[derive(Debug, Clone)]
pub enum Trust {
    /// No TLS.
    Plain,
    /// TLS, and the certificates that the system trusts.
    System,
    /// TLS, and these certificates alone (PEM).
    Only(Vec<u8>),
}

/// Who knows where the primary is.
#[derive(Debug, Clone)]
pub struct Sentinels {
    /// Where they are, asked in this order; one at least.
    pub at: Vec<(String, u16)>,
    /// What they call it.
    pub master: String,
    /// Their ACL user; `None`: the default one.
    pub user: Option<String>,
    /// What they want to hear before they answer (`requirepass`); the primary's own is another.
    pub password: Option<Secret>,
}

/// One of several doors that share a store.
#[derive(Debug, Clone)]
pub struct Several {
    /// What this one is called.
    pub name: String,
    /// For how long it judges from memory without having heard that nothing has changed.
    pub lease: Duration,
}

/// Where a Redis is and how it is spoken to.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name or address, and port. More than one: nodes of a Cluster, the first that answers leads to the one that has the keys.
    pub at: Vec<(String, u16)>,
    /// Asked where the primary is, in the place of `at`; spoken to with TLS or without, as it is.
    pub sentinels: Option<Sentinels>,
    /// TLS or not.
    pub trust: Trust,
    /// The number of the database.
    pub database: u32,
    /// The ACL user; `None`: the default one.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// What all keys begin with, in braces: 1 to 64 of `a-z A-Z 0-9 . _ -`.
    pub prefix: String,
    /// Whether the database may hold keys of others beside the prefix.
    pub shared: bool,
    /// An answer waits until so many replicas have the step; 0: none.
    pub wait_replicas: u32,
    /// How long it waits for them.
    pub wait: Duration,
    /// How long a connection may take to be made.
    pub connect_within: Duration,
    /// How long one answer may take, after which the connection is given up.
    pub answer_within: Duration,
    /// How long an operation may take altogether, new connections included.
    pub give_up_after: Duration,
    /// How long the store stays this process's without a word from it. Renewed four times in that time.
    pub lease: Duration,
    /// Whether other doors may share the store; `None`: it is this process's alone.
    pub several: Option<Several>,
    /// What this process is called where another one is refused: host and process.
    pub node: String,
}

impl Settings {
    /// A plain Redis at that place, with everything else as it is by default.
    pub fn plain(host: &str, port: u16) -> Self {
        Self {
            at: vec![(host.to_owned(), port)],
            sentinels: None,
            trust: Trust::Plain,
            database: 0,
            user: None,
            password: None,
            prefix: "stagedoor".to_owned(),
            shared: false,
            wait_replicas: 0,
            wait: Duration::from_secs(1),
            connect_within: Duration::from_secs(2),
            answer_within: Duration::from_secs(2),
            give_up_after: Duration::from_secs(6),
            lease: Duration::from_secs(20),
            several: None,
            node: format!("process {}", std::process::id()),
        }
    }

    /// For messages: no user, no password.
    pub(super) fn place(&self) -> String {
        let scheme = if matches!(self.trust, Trust::Plain) {
            "redis"
        } else {
            "rediss"
        };
        let joined = |at: &[(String, u16)]| {
            let each: Vec<_> = at.iter().map(|(host, port)| format!("{host}:{port}")).collect();
            each.join(",")
        };
        match &self.sentinels {
            None => format!("{scheme}://{}/{}", joined(&self.at), self.database),
            Some(sentinels) => format!(
                "{scheme}+sentinel://{}/{}/{}",
                joined(&sentinels.at),
                sentinels.master,
                self.database
            ),
        }
    }

    /// What every key begins with.
    pub(super) fn base(&self) -> String {
        format!("{{{}}}:", self.prefix)
    }
}
