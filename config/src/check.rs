//! Checks that need more than one value: within the building, and between the two files.

use std::collections::HashMap;
use std::fs::File;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use stagedoor_policy::fault::{Fault, KeyPath};
use stagedoor_policy::request::Leniency;
use stagedoor_policy::rules::Rules;
use stagedoor_policy::{Policy, compliance};

use crate::building::{Building, Site};
use crate::fault::quoted;
use crate::nearest::nearest;

/// What is wrong with a building as a whole.
pub(crate) fn building(building: &Building) -> Vec<Fault> {
    let mut faults = Vec::new();
    listeners(building, &mut faults);
    files(building, &mut faults);
    hosts(&building.sites, &mut faults);
    loops(building, &mut faults);
    faults
}

/// Without a site there is nothing to guard.
pub(crate) fn no_site() -> Fault {
    let help = "add `[site.console]` with `upstream = \"http://127.0.0.1:8000\"`";
    fault(KeyPath::default(), "no site is declared", help)
}

/// What is wrong with the rules for a building that declares these sites and has this prefix.
pub(crate) fn rules(declared: &[String], prefix: Option<&str>, rules: &Rules) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, site) in &rules.sites {
        let at = KeyPath::of(["site", name]);
        if !declared.contains(name) {
            let help = match nearest(name, declared.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "declare it there, or remove its rules here".to_owned(),
            };
            faults.push(fault(
                at.clone(),
                format!("stagedoor.toml declares no site {}", quoted(name)),
                help,
            ));
        }
        let folds = site.allow.contains(Leniency::CaseInsensitive);
        if folds && prefix.is_some_and(|prefix| prefix.bytes().any(|byte| byte.is_ascii_uppercase())) {
            faults.push(fault(
                at.key("allow"),
                "with `case-insensitive`, no visitor of this site could reach Stagedoor's own pages",
                "write `[portal] prefix` in stagedoor.toml in lower case",
            ));
        }
        for (area, rules) in &site.areas {
            let paths = at.key("areas").key(area).key("paths");
            let begins = |path: &str, prefix: &str| {
                let start = path.as_bytes().get(..prefix.len());
                start.is_some_and(|start| {
                    start == prefix.as_bytes() || folds && start.eq_ignore_ascii_case(prefix.as_bytes())
                })
            };
            let reserved = |path: &&String| prefix.is_some_and(|prefix| begins(path, prefix));
            for (index, _) in rules.paths.iter().enumerate().filter(|(_, path)| reserved(path)) {
                let help = "remove the pattern, or move `[portal] prefix` in stagedoor.toml";
                faults.push(fault(
                    paths.index(index),
                    "Stagedoor's own pages are here: no console is ever asked",
                    help,
                ));
            }
        }
    }
    faults
}

/// Sites that are declared and have no rules: everything in them is refused.
pub(crate) fn sites_without_rules(building: &Building, rules: &Rules) -> Vec<String> {
    let without = building
        .sites
        .iter()
        .filter(|site| !rules.sites.contains_key(&site.name));
    without.map(|site| site.name.clone()).collect()
}

/// What is to be said of a policy that lets nobody in, as an empty file does.
pub(crate) fn says_nothing(rules: &Rules) -> Option<&'static str> {
    (rules.roles.is_empty() && rules.sites.is_empty()).then_some(
        "policy.toml has no role and no rules for a site: no account can be made, and every request is refused; \
         `stagedoor init FOLDER` writes a policy to begin with",
    )
}

/// Rules about passwords that demand other than a standard does, and nobody has said why.
pub(crate) fn departures_without_reason(policy: &Policy) -> Vec<String> {
    let departures = compliance::departures(policy).into_iter();
    let unexplained = departures.filter(|found| found.setting.starts_with("password.") && found.reason.is_none());
    let warning = |found: compliance::Departure| {
        let documents: Vec<&str> = found.demands.iter().map(|demand| demand.document).collect();
        format!(
            "`{}` departs from {} without a reason: write one in `[departures]`, see `stagedoor policy compliance`",
            found.setting,
            documents.join(" and ")
        )
    };
    unexplained.map(warning).collect()
}

fn listeners(building: &Building, faults: &mut Vec<Fault>) {
    let mut seen: Vec<(SocketAddr, String)> = Vec::new();
    for (at, address) in all_listeners(building) {
        // Port 0 is whatever port is free: never the same twice.
        if let Some((_, other)) = seen.iter().find(|(taken, _)| *taken == address && address.port() != 0) {
            let message = format!("`{address}` is taken by `{other}` already");
            faults.push(fault(
                at.clone(),
                message,
                "give each listener an address and port of its own",
            ));
        }
        seen.push((address, at.to_string()));
    }
    if building.listen.http.is_empty() && building.listen.https.is_empty() {
        let help = "give `http` or `https` an address such as `\"127.0.0.1:8080\"`";
        faults.push(fault(
            KeyPath::of(["listen", "http"]),
            "no visitor could come in: there is no listener",
            help,
        ));
    }
    if !building.listen.https.is_empty() && building.tls.is_none() {
        let help = "add `[tls]` with `certificate` and `key`";
        faults.push(fault(
            KeyPath::of(["listen", "https"]),
            "listening for HTTPS needs a certificate",
            help,
        ));
    }
    if building.listen.https.is_empty() {
        let help = "give `https` of `[listen]` an address such as `\"0.0.0.0:443\"`, or leave this out";
        let redirects = building.redirect_to_https.then_some(["listen", "redirect_to_https"]);
        let promises = building.hsts.is_some().then_some(["tls", "hsts"]);
        for at in redirects.into_iter().chain(promises) {
            faults.push(fault(KeyPath::of(at), "there is no listener for HTTPS", help));
        }
    }
}

fn all_listeners(building: &Building) -> Vec<(KeyPath, SocketAddr)> {
    let numbered = |key: &'static str, list: &[SocketAddr]| -> Vec<(KeyPath, SocketAddr)> {
        let at = KeyPath::of(["listen", key]);
        list.iter()
            .enumerate()
            .map(|(index, address)| (at.index(index), *address))
            .collect()
    };
    let mut all = numbered("http", &building.listen.http);
    all.extend(numbered("https", &building.listen.https));
    all.push((KeyPath::of(["admin", "listen"]), building.admin.listen));
    all
}

fn files(building: &Building, faults: &mut Vec<Fault>) {
    let tls = building
        .tls
        .iter()
        .flat_map(|tls| [("certificate", &tls.certificate), ("key", &tls.key)]);
    let mut wanted: Vec<(KeyPath, &Path)> = tls
        .map(|(key, path)| (KeyPath::of(["tls", key]), path.as_path()))
        .collect();
    for site in &building.sites {
        if let Some(path) = &site.upstream.ca_file {
            wanted.push((KeyPath::of(["site", &site.name, "ca_file"]), path));
        }
    }
    if let Some(mail) = &building.mail {
        let of_mail = [("ca_file", &mail.ca_file), ("password_file", &mail.password_file)];
        let named = of_mail
            .into_iter()
            .filter_map(|(key, path)| Some((key, path.as_deref()?)));
        wanted.extend(named.map(|(key, path)| (KeyPath::of(["mail", key]), path)));
    }
    for (at, path) in wanted {
        if let Err(why) = readable(path) {
            let help = "name a file that the user running Stagedoor may read";
            faults.push(fault(at, format!("cannot read `{}`: {why}", path.display()), help));
        }
    }
}

fn readable(path: &Path) -> Result<(), String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    File::open(path).map(drop).map_err(|error| error.to_string())
}

fn hosts(sites: &[Site], faults: &mut Vec<Fault>) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for site in sites {
        for (index, host) in site.hosts.iter().enumerate() {
            if let Some(other) = seen.insert(host.to_string(), &site.name) {
                let at = KeyPath::of(["site", &site.name, "hosts"]).index(index);
                let message = format!("the host `{host}` belongs to site `{other}` already");
                faults.push(fault(
                    at,
                    message,
                    "a host belongs to one site: remove it from one of them",
                ));
            }
        }
    }
}

fn loops(building: &Building, faults: &mut Vec<Fault>) {
    let listeners = all_listeners(building);
    for site in &building.sites {
        let own = listeners
            .iter()
            .find(|(_, listener)| reaches(&site.upstream.host, site.upstream.port, *listener));
        if let Some((at, listener)) = own {
            let message =
                format!("the upstream is Stagedoor's own listener `{listener}` (`{at}`): requests would go round");
            let help = "name the address the console itself listens on";
            faults.push(fault(KeyPath::of(["site", &site.name, "upstream"]), message, help));
        }
    }
}

/// Whether connecting to `host` and `port` would reach the listener, as far as can be told without asking the network.
fn reaches(host: &str, port: u16, listener: SocketAddr) -> bool {
    if port != listener.port() {
        return false;
    }
    let of_this_machine = |address: IpAddr| address.is_loopback() || address.is_unspecified();
    match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(address) => {
            address == listener.ip().to_canonical()
                || (listener.ip().is_unspecified() && of_this_machine(address))
                || (address.is_unspecified() && of_this_machine(listener.ip()))
        }
        Err(_) => (host == "localhost" || host.ends_with(".localhost")) && of_this_machine(listener.ip()),
    }
}

fn fault(at: KeyPath, message: impl Into<String>, help: impl Into<String>) -> Fault {
    Fault {
        at,
        message: message.into(),
        help: Some(help.into()),
    }
}
