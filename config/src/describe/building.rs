//! `stagedoor.toml`.

use super::{Kind, Setting};

const ANY: u64 = u32::MAX as u64;

/// As many header fields as Pingora's reader of HTTP/1 takes: a larger limit would never be reached.
const HEADERS_READ_MAX: u64 = 256;

/// Every key of `stagedoor.toml`.
pub const BUILDING: &[Setting] = &[
    Setting::new("listen", Kind::Table(LISTEN), "Where visitors come in."),
    Setting::new(
        "tls",
        Kind::Table(TLS),
        "The certificate of the `https` listeners; read again when it changes.",
    ),
    Setting::new("proxies", Kind::Table(PROXIES), "Proxies in front of Stagedoor."),
    Setting::new(
        "site",
        Kind::Named("site", &Kind::Table(SITE)),
        "The consoles behind the door, one table each. Names are lower-case letters, digits and `-`.",
    ),
    Setting::new(
        "store",
        Kind::Table(STORE),
        "Where accounts, sessions and the audit are kept.",
    ),
    Setting::new(
        "cluster",
        Kind::Table(CLUSTER),
        "Several doors on one store: each names itself here, and all share the Redis of `[store] url`. Without `node` the store \
         is this door's alone.",
    ),
    Setting::new(
        "admin",
        Kind::Table(ADMIN),
        "The admin API, `/metrics`, `/livez` and `/readyz`.",
    ),
    Setting::new(
        "portal",
        Kind::Table(PORTAL),
        "The pages Stagedoor shows itself: sign-in, profile, refusals.",
    ),
    Setting::new(
        "mail",
        Kind::Table(MAIL),
        "Letters: invitations, password resets, notices. Without `url` none is sent, and links are shown once to whoever \
         asked for them.",
    ),
    Setting::new("limits", Kind::Table(LIMITS), "How much of everything."),
    Setting::new("log", Kind::Table(LOG), "What is logged, and how."),
];

const LISTEN: &[Setting] = &[
    Setting::new("http", Kind::List(&Kind::Address), "Listeners for plain HTTP.")
        .or(r#"["127.0.0.1:8080"]"#)
        .fixed(),
    Setting::new(
        "https",
        Kind::List(&Kind::Address),
        "Listeners for HTTPS; they need `[tls]`.",
    )
    .or("[]")
    .fixed(),
    Setting::new(
        "redirect_to_https",
        Kind::Flag,
        "Whether plain HTTP serves nothing: pages are sent on (308) to the first `https` listener's port, and whatever is no \
         `GET` or `HEAD` is refused. Not where a proxy in front ends TLS.",
    )
    .or("false"),
];

const TLS: &[Setting] = &[
    Setting::new(
        "certificate",
        Kind::Text("the path of a PEM file"),
        "The certificate chain, leaf first.",
    )
    .absent("no HTTPS"),
    Setting::new("key", Kind::Text("the path of a PEM file"), "Its private key.").absent("no HTTPS"),
    Setting::new(
        "hsts",
        Kind::Duration,
        "`Strict-Transport-Security`: for so long a browser comes to this host by HTTPS alone, by whatever port, and takes \
         no certificate that it cannot check. In place of what a console says of it.",
    )
    .absent("not said"),
];

const PROXIES: &[Setting] = &[
    Setting::new(
        "trusted",
        NETWORKS,
        "Proxies whose `X-Forwarded-For` is believed. Nobody else's is.",
    )
    .or("[]"),
    Setting::new(
        "proxy_protocol",
        NETWORKS,
        "Proxies that begin each connection with a PROXY protocol header, version 1 or 2. It is demanded of them and \
         read from nobody else.",
    )
    .or("[]"),
];

const NETWORKS: Kind = Kind::List(&Kind::Text("a network such as `\"10.0.0.0/8\"`, or an address"));

const SITE: &[Setting] = &[
    Setting::new(
        "hosts",
        Kind::List(&Kind::Text(
            "a host name, `\"*.example.com\"` for all below a name, or `\"*\"` for any",
        )),
        "The hosts this site answers to. Empty means any host, and only where there is one site.",
    )
    .or("[]"),
    Setting::new(
        "upstream",
        Kind::Text("a URL such as `\"http://127.0.0.1:8000\"`"),
        "Where the console is.",
    )
    .required(),
    Setting::new(
        "pass_host",
        Kind::Flag,
        "Whether the console sees the `Host` that the visitor asked for.",
    )
    .or("true"),
    Setting::new(
        "identity_headers",
        Kind::List(&Kind::Choice(&["stagedoor", "remote", "forwarded"])),
        "Which headers tell the console who is there: `X-Stagedoor-…`, `Remote-…`, `X-Forwarded-…`.",
    )
    .or(r#"["stagedoor"]"#),
    Setting::new(
        "assertion",
        Kind::Flag,
        "Whether the console gets a signed `X-Stagedoor-Assertion`.",
    )
    .or("true"),
    Setting::new("websockets", Kind::Flag, "Whether WebSockets may be opened.").or("true"),
    Setting::new(
        "body_bytes_max",
        Kind::Bytes,
        "The largest body a request may carry; 0 is any.",
    )
    .or("0"),
    Setting::new(
        "tls_server_name",
        Kind::Text("a host name or an address"),
        "The name, or the address, that the console's certificate must be for.",
    )
    .absent("the host of `upstream`"),
    Setting::new(
        "ca_file",
        Kind::Text("the path of a PEM file"),
        "The authority that signed the console's certificate.",
    )
    .absent("the public authorities"),
    Setting::new(
        "connect_timeout",
        Kind::Duration,
        "How long connecting to the console may take.",
    )
    .or(r#""3s""#),
    Setting::new("read_timeout", Kind::Duration, "How long the console may stay silent.").or(r#""60s""#),
    Setting::new(
        "write_timeout",
        Kind::Duration,
        "How long the console may take nothing in.",
    )
    .or(r#""30s""#),
    Setting::new(
        "keepalive",
        Kind::Duration,
        "How long an idle connection to the console is kept.",
    )
    .or(r#""4s""#),
    Setting::new(
        "websocket_idle",
        Kind::Duration,
        "How long an open WebSocket may stay silent.",
    )
    .or(r#""1h""#),
    Setting::new(
        "total_timeout",
        Kind::Duration,
        "How long a request and its answer may take in all; WebSockets are not counted.",
    )
    .or(r#""12h""#),
    Setting::new(
        "private_connections",
        Kind::Flag,
        "Whether no two visitors ever share a connection to the console: for consoles that tie who is there to the \
         connection, as NTLM and Negotiate do.",
    )
    .or("false"),
    Setting::new(
        "frame_ancestors",
        Kind::List(&Kind::Text(
            "`\"self\"`, an origin such as `\"https://portal.example.com\"`, or, alone, `\"none\"` or `\"any\"`",
        )),
        "Which pages may show this site in a frame. `any` leaves it to the console.",
    )
    .or(r#"["self"]"#),
    Setting::new(
        "on_store_loss",
        Kind::Choice(&["refuse", "view-only", "last-known"]),
        "One of several doors that hears nothing from Redis: whether it refuses whoever is signed in (503), still lets them view, \
         or goes by what it last knew. A session that has ended meanwhile is let through by the latter two.",
    )
    .or(r#""refuse""#),
    Setting::new(
        "on_store_loss_for",
        Kind::Duration,
        "How long `view-only` and `last-known` hold, from the last word of Redis; then it refuses. At most `1h`.",
    )
    .or(r#""30s""#),
];

const STORE: &[Setting] = &[
    Setting::new(
        "data_dir",
        Kind::Text("the path of a folder"),
        "The folder of the embedded store; with a store on Redis, of what this machine keeps for itself (its commands' token).",
    )
    .or(r#""stagedoor-data""#)
    .fixed(),
    Setting::new(
        "url",
        Kind::Text("a URL"),
        "A Redis: `redis://USER@HOST:PORT/DATABASE`, `rediss://` for TLS; a Cluster by some of its nodes: \
         `redis://USER@HOST:PORT,HOST:PORT`; by its Sentinels: `redis+sentinel://USER@HOST:PORT,HOST:PORT/MASTER/DATABASE`; or a \
         folder: `file:/var/lib/stagedoor`.",
    )
    .absent("the embedded store in `data_dir`")
    .secret()
    .fixed(),
    Setting::new(
        "password_file",
        Kind::Text("the path of a file"),
        "Holds the password of the Redis user, on one line.",
    )
    .absent("what stands in `url`")
    .fixed(),
    Setting::new(
        "sentinel_user",
        Kind::Text("the name of an ACL user"),
        "Who the door is to the Sentinels. The user in `url` is for Redis.",
    )
    .absent("their default user")
    .fixed(),
    Setting::new(
        "sentinel_password_file",
        Kind::Text("the path of a file"),
        "Holds the password of the Sentinels (their `requirepass`, or that of `sentinel_user`), on one line. No Sentinel is told the \
         one of Redis.",
    )
    .absent("they are asked without")
    .fixed(),
    Setting::new(
        "ca_file",
        Kind::Text("the path of a PEM file"),
        "The only certificates that Redis's own may come from, and those of its Sentinels.",
    )
    .absent("those the system trusts")
    .fixed(),
    Setting::new(
        "key_prefix",
        Kind::Text("letters, digits and `.`, `_`, `-`"),
        "What all keys begin with, in braces. Setting it says that the database may hold keys of others.",
    )
    .absent("`stagedoor`, and the database is Stagedoor's alone")
    .fixed(),
    Setting::new(
        "wait_replicas",
        Kind::Count(0, 16),
        "So many replicas of Redis must have a change before it counts as made.",
    )
    .or("0")
    .fixed(),
    Setting::new(
        "wait",
        Kind::Duration,
        "How long a change waits for them; then the operation fails, though the change may stand.",
    )
    .or(r#""1s""#)
    .fixed(),
];

const CLUSTER: &[Setting] = &[
    Setting::new(
        "node",
        Kind::Text("a short name such as `\"door-1\"`"),
        "What this door is called among those that share the store. Setting it says that others may.",
    )
    .absent("the store is this door's alone")
    .fixed(),
    Setting::new(
        "lease",
        Kind::Duration,
        "For how long requests are judged from memory without word from Redis that nothing has changed: the longest time for \
         which a door that is cut off may go by a session that has ended. `50ms` to `5s`.",
    )
    .or(r#""250ms""#)
    .fixed(),
    Setting::new(
        "wait",
        Kind::Duration,
        "How long a request waits for word from Redis, once that time is over, before its site's `on_store_loss` holds. At most \
         `10s`.",
    )
    .or(r#""250ms""#)
    .fixed(),
    Setting::new(
        "policy_at_start",
        Kind::Choice(&["store", "file"]),
        "Which policy this door starts with. `store`: what the others run, and its own file is brought up to date. `file`: \
         where its file holds what never was in force, that is put in force at every door; for files that come with a rollout.",
    )
    .or(r#""store""#)
    .fixed(),
];

const ADMIN: &[Setting] = &[
    Setting::new(
        "listen",
        Kind::Address,
        "The listener of the admin API. Keep it off public networks.",
    )
    .or(r#""127.0.0.1:9080""#)
    .fixed(),
    Setting::new(
        "hosts",
        Kind::List(&Kind::Text("a host name such as `\"stagedoor.internal\"`")),
        "Names by which the admin API may be called. It always answers to `localhost`, to loopback addresses and to the address it \
         listens on (to any address where it listens on all); every other `Host` is refused, so that no web page can reach it by a \
         name of its own.",
    )
    .or("[]"),
];

const PORTAL: &[Setting] = &[
    Setting::new(
        "prefix",
        Kind::Text("a path such as `\"/.stagedoor/\"`"),
        "Everything below is Stagedoor's own and never reaches a console.",
    )
    .or(r#""/.stagedoor/""#)
    .fixed(),
    Setting::new(
        "title",
        Kind::Text("a short text"),
        "The name in the pages and in authenticator apps.",
    )
    .or(r#""Stagedoor""#)
    .fixed(),
];

const MAIL: &[Setting] = &[
    Setting::new(
        "url",
        Kind::Text("a URL such as `\"smtp://door@mail.example.com:587\"`"),
        "The mail server, and the user to sign in as: `smtp` (port 587) or, TLS from the first byte, `smtps` (port 465).",
    )
    .absent("no letters are sent")
    .secret(),
    Setting::new(
        "password_file",
        Kind::Text("the path of a file"),
        "The file that holds the user's password, and nothing else; read for each new connection.",
    )
    .absent("no sign-in; needed where `url` has a user"),
    Setting::new(
        "from",
        Kind::Text("an address such as `\"Box office <door@example.com>\"`"),
        "Who letters come from.",
    )
    .absent("needed with `url`"),
    Setting::new(
        "public_url",
        Kind::Text("a URL such as `\"https://console.example.com\"`"),
        "Where visitors reach this door: every link in a letter begins with it.",
    )
    .absent("needed with `url`"),
    Setting::new(
        "starttls",
        Kind::Choice(&["required", "off"]),
        "Whether an `smtp` server must offer TLS before it is told anything. `off` sends links in the clear, and passwords \
         never.",
    )
    .or(r#""required""#),
    Setting::new(
        "ca_file",
        Kind::Text("the path of a PEM file"),
        "The authority that signed the mail server's certificate.",
    )
    .absent("the public authorities"),
    Setting::new(
        "timeout",
        Kind::Duration,
        "How long the mail server may take for each of its answers but the last one of a letter, which has ten minutes.",
    )
    .or(r#""30s""#),
    Setting::new(
        "letters_max",
        Kind::Count(1, 1_000_000),
        "Letters that may wait; what would need one more is refused.",
    )
    .or("10000"),
    Setting::new(
        "retry_after",
        Kind::Duration,
        "How long a letter waits after its first failure; each wait is twice the one before, up to an hour.",
    )
    .or(r#""30s""#),
    Setting::new(
        "give_up_after",
        Kind::Duration,
        "How long a letter is tried for; one whose link ends earlier is given up then.",
    )
    .or(r#""3d""#),
];

const LIMITS: &[Setting] = &[
    Setting::new("threads", Kind::Count(1, 1024), "Threads that carry requests.")
        .absent("one a core")
        .fixed(),
    Setting::new(
        "hashes_in_flight",
        Kind::Count(1, 64),
        "Passwords checked at once; each takes 19 MiB, twice as much while requests leave no time for it.",
    )
    .absent("half the cores, at least one")
    .fixed(),
    Setting::new(
        "connections_max",
        Kind::Count(1, ANY),
        "Visitors' connections open at once.",
    )
    .or("10000"),
    Setting::new(
        "header_deadline",
        Kind::Duration,
        "How long a visitor may take to send the head of a request.",
    )
    .or(r#""10s""#),
    Setting::new(
        "header_bytes_max",
        Kind::Bytes,
        "The largest head of a request: 1 KiB to 1 MiB.",
    )
    .or(r#""64KiB""#),
    Setting::new(
        "header_count_max",
        Kind::Count(1, HEADERS_READ_MAX),
        "Header fields a request may carry.",
    )
    .or("200"),
    Setting::new(
        "keepalive",
        Kind::Duration,
        "How long a visitor's idle connection is kept.",
    )
    .or(r#""60s""#),
    Setting::new(
        "connections_per_address_max",
        Kind::Count(1, ANY),
        "Connections of one address open at once.",
    )
    .or("1000"),
    Setting::new(
        "handshakes_in_flight_max",
        Kind::Count(1, ANY),
        "TLS handshakes at once.",
    )
    .or("256")
    .fixed(),
    Setting::new(
        "handshake_deadline",
        Kind::Duration,
        "How long a TLS handshake may take, a PROXY protocol header before it included.",
    )
    .or(r#""10s""#),
    Setting::new(
        "body_deadline",
        Kind::Duration,
        "How long a visitor may take to send the body of a request.",
    )
    .or(r#""1h""#),
    Setting::new(
        "body_bytes_per_second_min",
        Kind::Count(0, ANY),
        "The slowest a body may come, on average; 0 is any rate.",
    )
    .or("100"),
    Setting::new(
        "answer_bytes_per_second_min",
        Kind::Count(0, ANY),
        "The slowest a visitor may take an answer, on average; time in which the console is waited for does not count. 0 is \
         any rate.",
    )
    .or("100"),
    Setting::new(
        "answer_stall_max",
        Kind::Duration,
        "How far a visitor may fall behind that rate before its answer is broken off.",
    )
    .or(r#""30s""#),
    Setting::new(
        "websockets_per_account_max",
        Kind::Count(1, ANY),
        "WebSockets of one account open at once.",
    )
    .or("500"),
    Setting::new(
        "malformed_per_minute_max",
        Kind::Count(1, ANY),
        "Malformed requests of one address in a minute; beyond it, its new connections are closed at once until the \
         minute is over.",
    )
    .or("6000"),
    Setting::new(
        "picture_bytes_max",
        Kind::Bytes,
        "The largest picture of a profile: PNG, JPEG or WebP, kept in the store as it was sent; 2 MiB at most. `\"0B\"`: no \
         pictures.",
    )
    .or(r#""256KiB""#),
    Setting::new(
        "drain_deadline",
        Kind::Duration,
        "How long what is under way goes on after another process has taken over (SIGUSR2), or after SIGQUIT; then WebSockets \
         are closed (1001) and whatever else is left is cut off. 1 h at most.",
    )
    .or(r#""60s""#),
];

const LOG: &[Setting] = &[
    Setting::new("format", Kind::Choice(&["text", "json"]), "For people or for programs.")
        .or(r#""text""#)
        .fixed(),
    Setting::new(
        "level",
        Kind::Choice(&["error", "warn", "info", "debug", "trace"]),
        "How much.",
    )
    .or(r#""info""#)
    .fixed(),
    Setting::new(
        "access",
        Kind::Text("the path of a file, or `\"-\"` for standard output"),
        "One line a request.",
    )
    .absent("no access log")
    .fixed(),
];
