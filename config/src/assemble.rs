//! From typed values to a [`Building`], and what is wrong with values one by one.

mod cluster;
mod store;

pub use store::RedisExtras;

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::HeaderValue;
use stagedoor_policy::fault::{Fault, KeyPath};
use stagedoor_policy::network::NetworkSet;

use crate::building::{
    AccessLog, Admin, Building, IdentityHeaders, Limits, Listen, LogFormat, LogLevel, LogSettings, PortalSettings,
    Site, Timeouts, TlsFiles, Upstream,
};
use crate::fault::quoted;
use crate::fields::Fields;
use crate::frame_ancestors::FrameAncestors;
use crate::host::{HostPattern, host_name};
use crate::upstream::{Address, Scheme};

/// What is being assembled: where relative paths start, and what was wrong so far.
pub(crate) struct Assembly<'a> {
    folder: &'a Path,
    pub(crate) faults: Vec<Fault>,
}

impl<'a> Assembly<'a> {
    pub(crate) fn in_folder(folder: &'a Path) -> Self {
        Self {
            folder,
            faults: Vec::new(),
        }
    }

    /// `None` where a part without which there is no building is at fault.
    pub(crate) fn building(&mut self, mut fields: Fields) -> Option<Building> {
        let (listen, redirect_to_https) = listen(fields.table("listen"));
        let mut tls = fields.table("tls");
        let hsts = tls.duration("hsts").map(hsts);
        let tls = self.tls(tls);
        let mut proxies = fields.table("proxies");
        let trusted_proxies = self.networks(&mut proxies, "trusted");
        let proxy_protocol = self.networks(&mut proxies, "proxy_protocol");
        proxies.done();
        let sites = fields.tables("site");
        let only_site = sites.len() == 1;
        let sites: Vec<Option<Site>> = sites
            .into_iter()
            .map(|(name, fields)| self.site(name, fields, only_site))
            .collect();
        let store = self.store(fields.table("store"));
        let cluster = self.cluster(fields.table("cluster"), store.as_ref());
        let admin = self.admin(fields.table("admin"));
        let portal = self.portal(fields.table("portal"));
        let mail = crate::mail::mail(self, fields.table("mail"));
        let limits = self.limits(fields.table("limits"));
        let log = self.log(fields.table("log"));
        fields.done();
        Some(Building {
            listen,
            tls,
            redirect_to_https,
            hsts,
            trusted_proxies,
            proxy_protocol,
            sites: sites.into_iter().flatten().collect(),
            store: store?,
            cluster,
            admin: admin?,
            portal: portal?,
            mail,
            limits: limits?,
            log: log?,
        })
    }

    pub(crate) fn fault(&mut self, at: KeyPath, message: impl Into<String>, help: impl Into<String>) {
        self.faults.push(Fault {
            at,
            message: message.into(),
            help: Some(help.into()),
        });
    }

    pub(crate) fn path(&self, text: &str) -> PathBuf {
        self.folder.join(text)
    }

    fn tls(&mut self, mut fields: Fields) -> Option<TlsFiles> {
        let files = (fields.text("certificate"), fields.text("key"));
        fields.done();
        match files {
            (Some(certificate), Some(key)) => Some(TlsFiles {
                certificate: self.path(&certificate),
                key: self.path(&key),
            }),
            (None, None) => None,
            _ => {
                let help = "name both files, the certificate chain and its private key";
                self.fault(KeyPath::of(["tls"]), "`certificate` and `key` belong together", help);
                None
            }
        }
    }

    fn networks(&mut self, fields: &mut Fields, key: &'static str) -> NetworkSet {
        let texts = fields.texts(key).unwrap_or_default();
        let at = KeyPath::of(["proxies", key]);
        match NetworkSet::parse(texts.iter().map(String::as_str)) {
            Ok(networks) => networks,
            Err(wrong) => {
                let help = "write a network such as `10.0.0.0/8`, or an address";
                for (index, why) in wrong {
                    self.fault(at.index(index), why, help);
                }
                NetworkSet::default()
            }
        }
    }

    fn site(&mut self, name: String, mut fields: Fields, only_site: bool) -> Option<Site> {
        let at = KeyPath::of(["site", &name]);
        if !is_site_name(&name) {
            let help = "use lower-case letters, digits and `-`, a letter or digit first, 63 characters at most";
            self.fault(
                at.clone(),
                format!("{} cannot be the name of a site", quoted(&name)),
                help,
            );
        }
        let hosts = self.hosts(fields.texts("hosts").unwrap_or_default(), only_site, &at.key("hosts"));
        let upstream = self.upstream(&mut fields, &at);
        let frame_ancestors = self.frame_ancestors(&mut fields, &at);
        let on_store_loss = self.on_store_loss(&mut fields, &at);
        let words = fields.texts("identity_headers").unwrap_or_default();
        let says = |word: &str| words.iter().any(|given| given == word);
        let identity_headers = IdentityHeaders {
            stagedoor: says("stagedoor"),
            remote: says("remote"),
            forwarded: says("forwarded"),
        };
        let site = (|| {
            Some(Site {
                name,
                hosts,
                identity_headers,
                pass_host: fields.flag("pass_host")?,
                assertion: fields.flag("assertion")?,
                websockets: fields.flag("websockets")?,
                body_bytes_max: fields.bytes("body_bytes_max").filter(|bytes| *bytes > 0),
                timeouts: timeouts(&mut fields)?,
                private_connections: fields.flag("private_connections")?,
                frame_ancestors,
                on_store_loss,
                upstream: upstream?,
            })
        })();
        if site.is_some() {
            fields.done();
        }
        site
    }

    fn hosts(&mut self, texts: Vec<String>, only_site: bool, at: &KeyPath) -> Vec<HostPattern> {
        if texts.is_empty() {
            if !only_site {
                let help = "name the hosts of this site: with more than one site, the host tells them apart";
                self.fault(at.clone(), "a site among others must name its hosts", help);
            }
            return vec![HostPattern::Any];
        }
        let mut hosts = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            match HostPattern::parse(text) {
                Ok(pattern) => hosts.push(pattern),
                Err(why) => self.fault(
                    at.index(index),
                    format!("{} {why}", quoted(text)),
                    "write `console.example.com`, `*.example.com` or `*`",
                ),
            }
        }
        hosts
    }

    fn frame_ancestors(&mut self, fields: &mut Fields, site: &KeyPath) -> FrameAncestors {
        let texts = fields.texts("frame_ancestors").unwrap_or_default();
        match FrameAncestors::parse(&texts) {
            Ok(ancestors) => ancestors,
            Err(wrong) => {
                let at = site.key("frame_ancestors");
                for (index, why) in wrong {
                    let help =
                        "write `\"self\"`, `\"none\"`, `\"any\"`, or origins such as `\"https://portal.example.com\"`";
                    match index.and_then(|index| Some((index, texts.get(index)?))) {
                        Some((index, text)) => self.fault(at.index(index), format!("{} {why}", quoted(text)), help),
                        None => self.fault(at.clone(), why, help),
                    }
                }
                FrameAncestors::default()
            }
        }
    }

    fn upstream(&mut self, fields: &mut Fields, site: &KeyPath) -> Option<Upstream> {
        let (tls_server_name, ca_file) = (fields.text("tls_server_name"), fields.text("ca_file"));
        let url = fields.text("upstream")?;
        let address = match Address::parse(&url) {
            Ok(address) => address,
            Err(why) => {
                // The URL may hold a password by mistake: it is in the excerpt of a file already, never in a message.
                let help = "write scheme, host and port, such as `http://127.0.0.1:8000`";
                self.fault(site.key("upstream"), format!("the upstream {why}"), help);
                return None;
            }
        };
        let tls_server_name = match address.scheme {
            Scheme::Https => self.server_name(tls_server_name, &address.host, site),
            Scheme::Http => {
                for (key, _) in [
                    ("tls_server_name", tls_server_name.is_some()),
                    ("ca_file", ca_file.is_some()),
                ]
                .into_iter()
                .filter(|(_, given)| *given)
                {
                    let help = "write `https://` in `upstream`, or remove this";
                    self.fault(
                        site.key(key),
                        format!("`{key}` means nothing for a plain HTTP upstream"),
                        help,
                    );
                }
                None
            }
        };
        Some(Upstream {
            scheme: address.scheme,
            host: address.host,
            port: address.port,
            tls_server_name,
            ca_file: ca_file.map(|path| self.path(&path)),
        })
    }

    fn server_name(&mut self, given: Option<String>, host: &str, site: &KeyPath) -> Option<String> {
        let at = site.key(if given.is_some() { "tls_server_name" } else { "upstream" });
        let name = given.unwrap_or_else(|| host.to_owned());
        if name.parse::<IpAddr>().is_ok() {
            return Some(name);
        }
        match host_name(&name) {
            Ok(name) => Some(name),
            Err(why) => {
                let help = "set `tls_server_name` to the name that is in the console's certificate";
                self.fault(at, format!("{} {why}", quoted(&name)), help);
                None
            }
        }
    }

    fn admin(&mut self, mut fields: Fields) -> Option<Admin> {
        let listen = fields.address("listen");
        let texts = fields.texts("hosts").unwrap_or_default();
        fields.done();
        let mut hosts = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            match host_name(text) {
                Ok(name) => hosts.push(name),
                Err(why) => self.fault(
                    KeyPath::of(["admin", "hosts"]).index(index),
                    format!("{} {why}", quoted(text)),
                    "write whole names without a port, such as `stagedoor.internal`; addresses need no entry",
                ),
            }
        }
        Some(Admin { listen: listen?, hosts })
    }

    fn portal(&mut self, mut fields: Fields) -> Option<PortalSettings> {
        let (prefix, title) = (fields.text("prefix")?, fields.text("title")?);
        fields.done();
        if !is_prefix(&prefix) {
            let help = "write a path of plain segments with `/` at both ends, such as `/.stagedoor/`";
            self.fault(
                KeyPath::of(["portal", "prefix"]),
                format!("{} cannot be the prefix", quoted(&prefix)),
                help,
            );
        }
        if title.trim().is_empty()
            || title.chars().count() > TITLE_CHARACTERS_MAX
            || title.chars().any(char::is_control)
        {
            let help = format!("write 1 to {TITLE_CHARACTERS_MAX} characters on one line");
            self.fault(
                KeyPath::of(["portal", "title"]),
                format!("{} cannot be the title", quoted(&title)),
                help,
            );
        }
        Some(PortalSettings { prefix, title })
    }

    fn limits(&mut self, mut fields: Fields) -> Option<Limits> {
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let limits = Limits {
            threads: fields.count("threads").map(size),
            hashes_in_flight: fields.count("hashes_in_flight").map(size),
            connections_max: size(fields.count("connections_max")?),
            header_deadline: fields.duration("header_deadline")?,
            header_bytes_max: fields.bytes("header_bytes_max")?,
            header_count_max: fields.count("header_count_max")?,
            keepalive: fields.duration("keepalive")?,
            connections_per_address_max: size(fields.count("connections_per_address_max")?),
            handshakes_in_flight_max: size(fields.count("handshakes_in_flight_max")?),
            handshake_deadline: fields.duration("handshake_deadline")?,
            body_deadline: fields.duration("body_deadline")?,
            body_bytes_per_second_min: fields.count("body_bytes_per_second_min")?,
            answer_bytes_per_second_min: fields.count("answer_bytes_per_second_min")?,
            answer_stall_max: fields.duration("answer_stall_max")?,
            websockets_per_account_max: size(fields.count("websockets_per_account_max")?),
            malformed_per_minute_max: fields.count("malformed_per_minute_max")?,
            picture_bytes_max: size(fields.bytes("picture_bytes_max")?),
            drain_deadline: fields.duration("drain_deadline")?,
        };
        fields.done();
        if !HEADER_BYTES.contains(&limits.header_bytes_max) {
            self.fault(
                KeyPath::of(["limits", "header_bytes_max"]),
                "the head of a request must be allowed between 1 KiB and 1 MiB",
                "write an amount such as `\"64KiB\"`",
            );
        }
        if limits.picture_bytes_max > PICTURE_BYTES_MAX {
            self.fault(
                KeyPath::of(["limits", "picture_bytes_max"]),
                "a picture may have 2 MiB at most: it is held in memory while it arrives",
                "write an amount such as `\"256KiB\"`, or `\"0B\"` for no pictures",
            );
        }
        if limits.drain_deadline > DRAIN_MAX {
            self.fault(
                KeyPath::of(["limits", "drain_deadline"]),
                "what is under way may go on for 1 h at most: until then an upgraded door runs twice",
                "write a time such as `\"60s\"`",
            );
        }
        Some(limits)
    }

    fn log(&self, mut fields: Fields) -> Option<LogSettings> {
        let format = match fields.text("format")?.as_str() {
            "json" => LogFormat::Json,
            _ => LogFormat::Text,
        };
        let level = match fields.text("level")?.as_str() {
            "error" => LogLevel::Error,
            "warn" => LogLevel::Warn,
            "debug" => LogLevel::Debug,
            "trace" => LogLevel::Trace,
            _ => LogLevel::Info,
        };
        let access = fields.text("access").map(|text| match text.as_str() {
            "-" => AccessLog::StandardOutput,
            path => AccessLog::File(self.path(path)),
        });
        fields.done();
        Some(LogSettings { format, level, access })
    }
}

const TITLE_CHARACTERS_MAX: usize = 60;

/// Below, no browser's request would fit; above, Pingora's reader gives up whatever is allowed.
const HEADER_BYTES: RangeInclusive<u64> = 1024..=1024 * 1024;

/// Each picture under way is held in memory as a whole.
const PICTURE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Until the former process has drained, an upgraded door runs twice.
const DRAIN_MAX: Duration = Duration::from_secs(3600);

/// The listeners, and whether plain HTTP is sent on.
fn listen(mut fields: Fields) -> (Listen, bool) {
    let listen = Listen {
        http: fields.addresses("http"),
        https: fields.addresses("https"),
    };
    let redirect_to_https = fields.flag("redirect_to_https") == Some(true);
    fields.done();
    (listen, redirect_to_https)
}

/// In whole seconds, and for this host alone (RFC 6797, section 6.1).
fn hsts(for_so_long: Duration) -> HeaderValue {
    let value = HeaderValue::from_str(&format!("max-age={}", for_so_long.as_secs()));
    value.unwrap_or_else(|_| HeaderValue::from_static("max-age=0"))
}

fn timeouts(fields: &mut Fields) -> Option<Timeouts> {
    Some(Timeouts {
        connect: fields.duration("connect_timeout")?,
        read: fields.duration("read_timeout")?,
        write: fields.duration("write_timeout")?,
        keepalive: fields.duration("keepalive")?,
        websocket_idle: fields.duration("websocket_idle")?,
        total: fields.duration("total_timeout")?,
    })
}

fn is_site_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= 63 && name.bytes().all(plain) && name.bytes().next().is_some_and(|first| first != b'-')
}

fn is_prefix(prefix: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let segment =
        |segment: &str| !segment.is_empty() && !segment.bytes().all(|byte| byte == b'.') && segment.bytes().all(plain);
    let inner = prefix.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    prefix.len() <= 128 && inner.is_some_and(|inner| inner.split('/').all(segment))
}
