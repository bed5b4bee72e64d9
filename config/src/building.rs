//! The building, checked: what the gateway is made of. Field names follow the keys of `stagedoor.toml`.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::HeaderValue;
use stagedoor_identity::Secret;
use stagedoor_policy::network::NetworkSet;

use crate::frame_ancestors::FrameAncestors;
use crate::host::HostPattern;
use crate::upstream::Scheme;

/// A whole building.
#[derive(Debug, Clone)]
pub struct Building {
    /// Where visitors come in.
    pub listen: Listen,
    /// The certificate of the HTTPS listeners.
    pub tls: Option<TlsFiles>,
    /// Whether plain HTTP is sent on to the first HTTPS listener; only where there is one.
    pub redirect_to_https: bool,
    /// The value of `Strict-Transport-Security` on every answer in TLS; `None` says nothing. Only where there is TLS.
    pub hsts: Option<HeaderValue>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: NetworkSet,
    /// Peers that begin each connection with a PROXY protocol header: demanded of them, read from nobody else.
    pub proxy_protocol: NetworkSet,
    /// The consoles, in the order of their names.
    pub sites: Vec<Site>,
    /// Where everything is remembered.
    pub store: StoreChoice,
    /// Set where other doors may share the store, which is then on Redis.
    pub cluster: Option<Cluster>,
    /// The admin API.
    pub admin: Admin,
    /// Stagedoor's own pages.
    pub portal: PortalSettings,
    /// Letters; `None`: none is sent.
    pub mail: Option<Mail>,
    /// How much of everything.
    pub limits: Limits,
    /// What is logged.
    pub log: LogSettings,
}

/// `[listen]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Plain HTTP.
    pub http: Vec<SocketAddr>,
    /// HTTPS; not empty only where [`Building::tls`] is set.
    pub https: Vec<SocketAddr>,
}

/// `[tls]`. Both files could be read when the building was loaded; whether they hold a certificate is for the gateway to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM, leaf first.
    pub certificate: PathBuf,
    /// PEM.
    pub key: PathBuf,
}

/// `[site.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Lower-case letters, digits and `-`.
    pub name: String,
    /// Never empty: an empty list in the file has become [`HostPattern::Any`].
    pub hosts: Vec<HostPattern>,
    /// Where the console is.
    pub upstream: Upstream,
    /// Which headers tell the console who is there.
    pub identity_headers: IdentityHeaders,
    /// Whether the visitor's `Host` is kept.
    pub pass_host: bool,
    /// Whether the signed assertion is sent.
    pub assertion: bool,
    /// Whether WebSockets may be opened.
    pub websockets: bool,
    /// The largest body of a request; `None` is any.
    pub body_bytes_max: Option<u64>,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// Whether a connection to the console belongs to one visitor's connection and is shared with no other.
    pub private_connections: bool,
    /// Which pages may show this site in a frame.
    pub frame_ancestors: FrameAncestors,
    /// What holds for whoever is signed in while this door cannot tell whether they still are.
    pub on_store_loss: OnStoreLoss,
}

/// What holds for whoever is signed in while one of several doors hears nothing from the store. Times are from the last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnStoreLoss {
    /// Nobody comes in.
    #[default]
    Refuse,
    /// Who was signed in may still view, for so long.
    ViewOnly(Duration),
    /// Who was signed in goes on, for so long.
    LastKnown(Duration),
}

/// `[cluster]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// What this door is called among them.
    pub node: String,
    /// For how long memory is judged from without word from Redis.
    pub lease: Duration,
    /// How long a request waits for that word.
    pub wait: Duration,
    /// Whether the policy file of a door that starts may be new to the others.
    pub policy_at_start: PolicyAtStart,
}

/// Which policy a door starts with, of several that share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PolicyAtStart {
    /// What the others run.
    #[default]
    Store,
    /// Its file's, where that never was in force before; then the others run it, too.
    File,
}

/// Where a console is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Plain or TLS.
    pub scheme: Scheme,
    /// A name in lower case, or an address without brackets.
    pub host: String,
    /// Always known: 80 and 443 where the URL has none.
    pub port: u16,
    /// The name the certificate must have; set with HTTPS, and only then.
    pub tls_server_name: Option<String>,
    /// PEM of the authority to trust instead of the public ones.
    pub ca_file: Option<PathBuf>,
}

/// Which sets of identity headers a console gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IdentityHeaders {
    /// `X-Stagedoor-User` and its like.
    pub stagedoor: bool,
    /// `Remote-User` and its like.
    pub remote: bool,
    /// `X-Forwarded-User` and its like.
    pub forwarded: bool,
}

/// How long a console may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To be connected to.
    pub connect: Duration,
    /// Between two reads.
    pub read: Duration,
    /// Between two writes.
    pub write: Duration,
    /// An idle connection is kept for.
    pub keepalive: Duration,
    /// A silent WebSocket is kept for.
    pub websocket_idle: Duration,
    /// For a whole request and its answer, WebSockets apart.
    pub total: Duration,
}

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreChoice {
    /// The embedded store in this folder.
    Embedded {
        /// May not exist yet.
        data_dir: PathBuf,
    },
    /// A Redis.
    Redis {
        /// Where this machine keeps what is its own: the token for its commands.
        data_dir: PathBuf,
        /// Where it is.
        redis: Box<RedisPlace>,
    },
}

impl StoreChoice {
    /// The folder of this machine's own files.
    pub fn data_dir(&self) -> &Path {
        match self {
            Self::Embedded { data_dir } | Self::Redis { data_dir, .. } => data_dir,
        }
    }
}

/// Where Sentinels are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentinelsPlace {
    /// Each host in lower case, without brackets, and its port.
    pub at: Vec<(String, u16)>,
    /// What they call the primary.
    pub master: String,
    /// Their ACL user; `None`: the default one.
    pub user: Option<String>,
    /// What they want to hear before they answer.
    pub password: Option<RedisPassword>,
}

/// Where a Redis is, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisPlace {
    /// Who knows where the primary is, asked in the place of `at`.
    pub sentinels: Option<SentinelsPlace>,
    /// Host, in lower case and without brackets, and port; several: nodes of one Cluster. Empty where there are Sentinels.
    pub at: Vec<(String, u16)>,
    /// Whether TLS is spoken.
    pub tls: bool,
    /// The only certificates to trust; `None`: those of the system.
    pub ca_file: Option<PathBuf>,
    /// The ACL user; `None`: the default one.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<RedisPassword>,
    /// The number of the database.
    pub database: u32,
    /// What all keys begin with, where the database is shared; `None`: it is Stagedoor's own.
    pub key_prefix: Option<String>,
    /// An answer waits until so many replicas have the step.
    pub wait_replicas: u32,
    /// How long it waits for them.
    pub wait: Duration,
}

/// As a URL, without user and password.
impl fmt::Display for RedisPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, behind) = match &self.sentinels {
            Some(sentinels) => (&sentinels.at, format!("/{}", sentinels.master)),
            None => (&self.at, String::new()),
        };
        let at: Vec<_> = at.iter().map(|(host, port)| format!("{host}:{port}")).collect();
        let tls = if self.tls { "s" } else { "" };
        let by = if self.sentinels.is_some() { "+sentinel" } else { "" };
        write!(f, "redis{tls}{by}://{}{behind}/{}", at.join(","), self.database)
    }
}

/// The password for a Redis: never shown, compared in constant time.
#[derive(Debug, Clone)]
pub struct RedisPassword(pub Secret);

impl PartialEq for RedisPassword {
    fn eq(&self, other: &Self) -> bool {
        self.0.matches(other.0.expose())
    }
}
impl Eq for RedisPassword {}

/// `[admin]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// The only listener of the admin API.
    pub listen: SocketAddr,
    /// The names it answers to beside `localhost` and addresses, in lower case.
    pub hosts: Vec<String>,
}

/// `[portal]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalSettings {
    /// Begins and ends with `/`, plain segments between.
    pub prefix: String,
    /// Never empty.
    pub title: String,
}

/// `[mail]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// How the server is spoken to.
    pub scheme: MailScheme,
    /// A name in lower case, or an address without brackets; what the certificate must be for.
    pub host: String,
    /// Always known.
    pub port: u16,
    /// Set with [`Mail::password_file`], and only then; never over a connection in the clear but to this machine.
    pub user: Option<String>,
    /// Holds the password and nothing else.
    pub password_file: Option<PathBuf>,
    /// The name letters come from; may be empty.
    pub from_name: String,
    /// The address letters come from.
    pub from_address: String,
    /// Scheme, host and port, without a slash at the end.
    pub public_url: String,
    /// PEM of the authority to trust instead of the public ones.
    pub ca_file: Option<PathBuf>,
    /// For each answer of the server's.
    pub timeout: Duration,
    /// Letters that may wait.
    pub letters_max: u32,
    /// The wait after a first failure.
    pub retry_after: Duration,
    /// How long a letter is tried for.
    pub give_up_after: Duration,
}

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailScheme {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything is told; a server that does not offer it gets no letters.
    StartTls,
    /// In the clear.
    Clear,
}

/// `[limits]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `None`: one a core.
    pub threads: Option<usize>,
    /// `None`: half the cores, at least one.
    pub hashes_in_flight: Option<usize>,
    /// Visitors' connections at once.
    pub connections_max: usize,
    /// For the head of a request.
    pub header_deadline: Duration,
    /// Of the head of a request.
    pub header_bytes_max: u64,
    /// Header fields of a request.
    pub header_count_max: u64,
    /// An idle visitor's connection is kept for.
    pub keepalive: Duration,
    /// Connections of one address at once.
    pub connections_per_address_max: usize,
    /// TLS handshakes at once.
    pub handshakes_in_flight_max: usize,
    /// For a TLS handshake, a PROXY protocol header before it included.
    pub handshake_deadline: Duration,
    /// For the body of a request.
    pub body_deadline: Duration,
    /// The slowest a body may come; 0 is any rate.
    pub body_bytes_per_second_min: u64,
    /// The slowest an answer may be taken; 0 is any rate.
    pub answer_bytes_per_second_min: u64,
    /// How far a visitor may fall behind that.
    pub answer_stall_max: Duration,
    /// WebSockets of one account at once.
    pub websockets_per_account_max: usize,
    /// Malformed requests of one address in a minute before its new connections are closed at once.
    pub malformed_per_minute_max: u64,
    /// Of a picture that an account is shown by; 0: there are none.
    pub picture_bytes_max: usize,
    /// What is under way goes on for so long after another process has taken over.
    pub drain_deadline: Duration,
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// For people or for programs.
    pub format: LogFormat,
    /// How much.
    pub level: LogLevel,
    /// Where each request is noted; `None` is nowhere.
    pub access: Option<AccessLog>,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// How much is logged: each level holds those above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// What should be looked at.
    Warn,
    /// What happened.
    Info,
    /// Why it happened.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The word for it, as log filters know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Where each request is noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessLog {
    /// `"-"`.
    StandardOutput,
    /// Appended to.
    File(PathBuf),
}

impl Building {
    /// Takes back from `self` what cannot change while the door is open, so that it stays as it is in `in_force`. The keys
    /// that would have changed.
    pub(crate) fn keep_fixed(&mut self, in_force: &Self) -> Vec<&'static str> {
        let mut kept = Vec::new();
        let mut keep = |key, changed: bool| {
            if changed {
                kept.push(key);
            }
        };
        keep("listen.http", self.listen.http != in_force.listen.http);
        keep("listen.https", self.listen.https != in_force.listen.https);
        keep("store", self.store != in_force.store);
        keep("cluster", self.cluster != in_force.cluster);
        keep("admin.listen", self.admin.listen != in_force.admin.listen);
        keep("portal.prefix", self.portal.prefix != in_force.portal.prefix);
        keep("portal.title", self.portal.title != in_force.portal.title);
        keep("limits.threads", self.limits.threads != in_force.limits.threads);
        keep(
            "limits.hashes_in_flight",
            self.limits.hashes_in_flight != in_force.limits.hashes_in_flight,
        );
        keep(
            "limits.handshakes_in_flight_max",
            self.limits.handshakes_in_flight_max != in_force.limits.handshakes_in_flight_max,
        );
        keep("log.format", self.log.format != in_force.log.format);
        keep("log.level", self.log.level != in_force.log.level);
        keep("log.access", self.log.access != in_force.log.access);
        self.listen = in_force.listen.clone();
        self.store = in_force.store.clone();
        self.cluster.clone_from(&in_force.cluster);
        self.admin.listen = in_force.admin.listen;
        self.portal = in_force.portal.clone();
        self.limits.threads = in_force.limits.threads;
        self.limits.hashes_in_flight = in_force.limits.hashes_in_flight;
        self.limits.handshakes_in_flight_max = in_force.limits.handshakes_in_flight_max;
        self.log = in_force.log.clone();
        kept
    }
}
