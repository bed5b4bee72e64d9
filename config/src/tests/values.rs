//! What is right arrives as it was meant.

use std::time::Duration;

use stagedoor_policy::request::Leniency;
use stagedoor_policy::rules::{OpenTo, Preflight, Rules, SecondFactor, SiteRules, WhenFull};

use super::{BUILDING, Folder, POLICY};
use crate::{
    AccessLog, Environment, FrameAncestors, HostPattern, Inline, LogFormat, LogLevel, Scheme, Sources, StoreChoice,
    load, starter_files,
};

#[test]
fn a_building_of_three_lines_has_every_default() {
    let folder = Folder::with(BUILDING, POLICY);
    let building = folder.load().expect("loads").building;
    assert_eq!(building.listen.http, ["127.0.0.1:8080".parse().expect("an address")]);
    assert!(building.listen.https.is_empty() && building.tls.is_none());
    assert_eq!(building.admin.listen, "127.0.0.1:9080".parse().expect("an address"));
    assert_eq!(building.portal.prefix, "/.stagedoor/");
    assert_eq!(building.portal.title, "Stagedoor");
    assert_eq!(
        building.store,
        StoreChoice::Embedded {
            data_dir: folder.path("stagedoor-data")
        }
    );
    assert_eq!(
        (building.limits.threads, building.limits.connections_max),
        (None, 10_000)
    );
    assert_eq!(
        (building.log.format, building.log.level, building.log.access),
        (LogFormat::Text, LogLevel::Info, None)
    );
    let [site] = building.sites.as_slice() else {
        panic!("one site")
    };
    assert_eq!(site.hosts, [HostPattern::Any]);
    assert_eq!(
        (site.upstream.scheme, site.upstream.host.as_str(), site.upstream.port),
        (Scheme::Http, "127.0.0.1", 8000)
    );
    assert!(site.pass_host && site.assertion && site.websockets);
    assert!(site.identity_headers.stagedoor && !site.identity_headers.remote && !site.identity_headers.forwarded);
    assert_eq!(site.body_bytes_max, None);
    assert_eq!(site.timeouts.keepalive, Duration::from_secs(4));
    assert_eq!(site.timeouts.websocket_idle, Duration::from_secs(3600));
    assert_eq!(site.timeouts.total, Duration::from_secs(12 * 3600));
    assert!(!site.private_connections && site.frame_ancestors == FrameAncestors::default());
    assert!(
        !building
            .proxy_protocol
            .contains("127.0.0.1".parse().expect("an address"))
    );
    let limits = building.limits;
    assert_eq!(
        (
            limits.header_count_max,
            limits.connections_per_address_max,
            limits.handshakes_in_flight_max,
            limits.handshake_deadline.as_secs(),
            limits.body_deadline.as_secs(),
            limits.body_bytes_per_second_min,
            (limits.answer_bytes_per_second_min, limits.answer_stall_max.as_secs()),
            limits.websockets_per_account_max,
            (limits.malformed_per_minute_max, limits.picture_bytes_max),
            limits.drain_deadline.as_secs()
        ),
        (200, 1000, 256, 10, 3600, 100, (100, 30), 500, (6000, 256 * 1024), 60)
    );
}

#[test]
fn every_setting_of_the_building_reaches_its_field() {
    let folder = Folder::with(
        r#"
[listen]
http = ["0.0.0.0:80"]
https = ["0.0.0.0:443"]
[tls]
certificate = "policy.toml"
key = "policy.toml"
[proxies]
trusted = ["10.0.0.0/8"]
proxy_protocol = ["192.0.2.7"]
[site.console]
hosts = ["Console.Example", "*.consoles.example"]
upstream = "https://192.0.2.1:8443"
pass_host = false
identity_headers = ["remote", "forwarded"]
assertion = false
websockets = false
body_bytes_max = "100MiB"
tls_server_name = "console.internal"
ca_file = "policy.toml"
connect_timeout = "1s"
read_timeout = "2s"
write_timeout = "3s"
keepalive = "5s"
websocket_idle = "6s"
total_timeout = "7s"
private_connections = true
frame_ancestors = ["self", "https://portal.example"]
[store]
url = "file:/var/lib/stagedoor"
[admin]
listen = "127.0.0.1:1"
hosts = ["Stagedoor.internal"]
[portal]
prefix = "/door/in/"
title = "The Door"
[limits]
threads = 3
hashes_in_flight = 2
connections_max = 7
header_deadline = "8s"
header_bytes_max = 4096
header_count_max = 33
keepalive = "9s"
connections_per_address_max = 5
handshakes_in_flight_max = 6
handshake_deadline = "10s"
body_deadline = "11s"
body_bytes_per_second_min = 0
answer_bytes_per_second_min = 14
answer_stall_max = "15s"
websockets_per_account_max = 12
malformed_per_minute_max = 13
picture_bytes_max = "14KiB"
drain_deadline = "16s"
[log]
format = "json"
level = "debug"
access = "-"
"#,
        POLICY,
    );
    let building = folder.load().expect("loads").building;
    assert_eq!(
        building.tls.as_ref().map(|tls| tls.key.clone()),
        Some(folder.path("policy.toml"))
    );
    assert!(
        building
            .trusted_proxies
            .contains("10.1.2.3".parse().expect("an address"))
    );
    assert!(
        !building
            .trusted_proxies
            .contains("11.1.2.3".parse().expect("an address"))
    );
    let speaks_proxy = |address: &str| building.proxy_protocol.contains(address.parse().expect("an address"));
    assert!(speaks_proxy("192.0.2.7") && !speaks_proxy("10.1.2.3"));
    let site = &building.sites[0];
    assert_eq!(site.hosts[0], HostPattern::Exact("console.example".to_owned()));
    assert_eq!(site.hosts[1], HostPattern::Below("consoles.example".to_owned()));
    assert_eq!(site.upstream.tls_server_name.as_deref(), Some("console.internal"));
    assert_eq!(site.upstream.ca_file, Some(folder.path("policy.toml")));
    assert!(!site.pass_host && !site.assertion && !site.websockets);
    assert!(!site.identity_headers.stagedoor && site.identity_headers.remote && site.identity_headers.forwarded);
    assert_eq!(site.body_bytes_max, Some(104_857_600));
    let times = site.timeouts;
    let seconds = [
        times.connect,
        times.read,
        times.write,
        times.keepalive,
        times.websocket_idle,
        times.total,
    ]
    .map(|time| time.as_secs());
    assert_eq!(seconds, [1, 2, 3, 5, 6, 7]);
    assert!(site.private_connections);
    assert_eq!(
        site.frame_ancestors
            .header_value()
            .and_then(|value| value.to_str().ok()),
        Some("frame-ancestors 'self' https://portal.example")
    );
    assert_eq!(
        building.store,
        StoreChoice::Embedded {
            data_dir: "/var/lib/stagedoor".into()
        }
    );
    assert_eq!(
        (building.portal.prefix.as_str(), building.portal.title.as_str()),
        ("/door/in/", "The Door")
    );
    let limits = building.limits;
    assert_eq!(
        (limits.threads, limits.hashes_in_flight, limits.connections_max),
        (Some(3), Some(2), 7)
    );
    assert_eq!(
        (
            limits.header_deadline.as_secs(),
            limits.header_bytes_max,
            limits.keepalive.as_secs()
        ),
        (8, 4096, 9)
    );
    assert_eq!(
        (
            limits.header_count_max,
            limits.connections_per_address_max,
            limits.handshakes_in_flight_max,
            limits.handshake_deadline.as_secs(),
            limits.body_deadline.as_secs(),
            limits.body_bytes_per_second_min,
            (limits.answer_bytes_per_second_min, limits.answer_stall_max.as_secs()),
            limits.websockets_per_account_max,
            (limits.malformed_per_minute_max, limits.picture_bytes_max),
            limits.drain_deadline.as_secs()
        ),
        (33, 5, 6, 10, 11, 0, (14, 15), 12, (13, 14 * 1024), 16)
    );
    assert_eq!(building.log.access, Some(AccessLog::StandardOutput));
    assert_eq!(
        (building.log.format, building.log.level),
        (LogFormat::Json, LogLevel::Debug)
    );
}

#[test]
fn every_rule_reaches_its_field() {
    let policy = r#"
[networks]
office = ["198.51.100.0/24", "!198.51.100.66"]
[site.console]
networks = ["office"]
allow = ["encoded-slash", "case-insensitive"]
preflight = "forward"
[site.console.areas]
common = { paths = ["/static/**"], open_to = "signed-in" }
public = { paths = ["/shop/**"], open_to = "everyone" }
[site.console.areas.devices]
paths = ["/devices/**"]
manage_also = ["GET /devices/*/delete"]
view_also = ["POST /devices/search"]
actions = { reboot = ["POST /devices/*/reboot"] }
[role.keeper]
may = { devices = ["view", "reboot"], "console/common" = "manage" }
networks = []
channels = ["client", "browser"]
default = true
account_networks = { required = true, at_most = 5 }
second_factor = "required"
inactivity_exempt = true
[channel.client]
per_account = 2
when_full = "refuse"
idle = "5m"
lifetime = "1h"
[session]
idle = "10m"
lifetime = "2h"
per_account = 0
when_full = "refuse"
[lockout]
failures = 3
failures_from_anywhere = 30
within = "1m"
for = "2m"
[inactivity]
block_after = "30d"
[second_factor]
ask = "required"
[password]
at_least = 14
at_most = 64
"#;
    let rules = Folder::with(BUILDING, policy).load().expect("loads").rules;
    assert_eq!(rules.networks["office"], ["198.51.100.0/24", "!198.51.100.66"]);
    let site = &rules.sites["console"];
    assert_eq!(site.networks, Some(vec!["office".to_owned()]));
    assert_eq!(
        site.allow.iter().collect::<Vec<_>>(),
        [Leniency::EncodedSlash, Leniency::CaseInsensitive]
    );
    assert_eq!(site.preflight, Preflight::Forward);
    assert_eq!(site.areas["common"].open_to, OpenTo::SignedIn);
    assert_eq!(site.areas["public"].open_to, OpenTo::Everyone);
    let devices = &site.areas["devices"];
    assert_eq!(
        (devices.open_to, devices.manage_also.len(), devices.view_also.len()),
        (OpenTo::Granted, 1, 1)
    );
    assert_eq!(devices.actions["reboot"], ["POST /devices/*/reboot"]);
    let role = &rules.roles["keeper"];
    assert_eq!(role.may["devices"], ["view", "reboot"]);
    assert_eq!(role.may["console/common"], ["manage"]);
    assert_eq!(role.networks, Some(Vec::new()), "an empty list is not an absent one");
    assert_eq!(role.channels.as_ref().map(Vec::len), Some(2));
    assert!(role.default && role.account_networks.required && role.inactivity_exempt);
    assert_eq!(
        (role.account_networks.list.at_most, role.second_factor),
        (Some(5), Some(SecondFactor::Required))
    );
    let channel = &rules.channels["client"];
    assert_eq!(
        (channel.per_account, channel.when_full),
        (Some(2), Some(WhenFull::Refuse))
    );
    assert_eq!(
        (channel.idle, channel.lifetime),
        (Some(Duration::from_secs(300)), Some(Duration::from_secs(3600)))
    );
    assert_eq!(
        (rules.session.idle.as_secs(), rules.session.lifetime.as_secs()),
        (600, 7200)
    );
    assert_eq!(
        (rules.session.per_account, rules.session.when_full),
        (0, WhenFull::Refuse)
    );
    let lockout = rules.lockout;
    assert_eq!((lockout.failures, lockout.failures_from_anywhere), (3, 30));
    assert_eq!((lockout.within.as_secs(), lockout.lasts.as_secs()), (60, 120));
    assert_eq!(rules.inactivity.block_after, Some(Duration::from_secs(30 * 24 * 3600)));
    assert_eq!(rules.second_factor.ask, SecondFactor::Required);
    assert_eq!((rules.password.at_least, rules.password.at_most), (14, 64));
}

#[test]
fn an_empty_policy_has_the_policy_crates_own_defaults_opens_nothing_and_is_warned_of() {
    let loaded = Folder::with(BUILDING, "").load().expect("loads");
    let mut nothing = Rules {
        title: "Stagedoor".to_owned(),
        ..Rules::default()
    };
    nothing.sites.insert("console".to_owned(), SiteRules::default());
    assert_eq!(loaded.rules, nothing);
    assert_eq!(
        loaded.warnings,
        [
            "policy.toml has no role and no rules for a site: no account can be made, and every request is refused; \
             `stagedoor init FOLDER` writes a policy to begin with"
        ]
    );
    let warned = |policy: &str| Folder::with(BUILDING, policy).load().expect("loads").warnings;
    assert_eq!(warned("# to be written\n[session]\n"), loaded.warnings);
    for policy in [
        "[role.viewer]\nmay = {}\n",
        "[site.console.areas]\nall = { paths = [\"/**\"] }\n",
    ] {
        assert_ne!(warned(policy), loaded.warnings, "{policy}");
    }
}

#[test]
fn an_upstream_alone_is_a_whole_building() {
    let sources = Sources {
        inline: Inline {
            upstream: Some("http://127.0.0.1:8000".to_owned()),
            data_dir: None,
        },
        ..Sources::default()
    };
    let loaded = load(&sources, &Environment::default()).expect("loads");
    assert_eq!(loaded.building.sites[0].name, "console");
    assert_eq!(
        loaded.building.store,
        StoreChoice::Embedded {
            data_dir: "stagedoor-data".into()
        }
    );
    assert_eq!(loaded.policy_text, starter_files().1);
    assert_eq!(loaded.warnings, Vec::<String>::new());
}

#[test]
fn an_upstream_at_fault_is_told_by_the_name_of_its_argument() {
    let inline = |upstream: Option<&str>| Sources {
        inline: Inline {
            upstream: upstream.map(str::to_owned),
            data_dir: None,
        },
        ..Sources::default()
    };
    let told = super::told(&load(&inline(Some("127.0.0.1:8000")), &Environment::default()).expect_err("at fault"));
    assert!(told[0].starts_with("--upstream the upstream "), "{told:#?}");
    let told = super::told(&load(&inline(None), &Environment::default()).expect_err("at fault"));
    assert_eq!(told, ["command line no site is declared"]);
}

#[test]
fn an_upstream_beside_a_file_is_refused() {
    let mut sources = Folder::with(BUILDING, POLICY).sources();
    sources.inline.upstream = Some("http://127.0.0.1:1".to_owned());
    let told = super::told(&load(&sources, &Environment::default()).expect_err("at fault"));
    assert!(
        told.iter()
            .any(|fault| fault.starts_with("--upstream an upstream was given beside a file")),
        "{told:#?}"
    );
}
