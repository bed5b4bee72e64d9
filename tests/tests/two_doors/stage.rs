//! `examples/two-doors`, copied into a folder of its own with free ports in the place of its own, and started by its own script.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use stagedoor_tests::{
    Admin, FakeConsole, Running, Visitor, client_of_authority, free_port, repository, stagedoor_binary,
};
use tempfile::TempDir;

const SCRIPT_WITHIN: Duration = Duration::from_secs(240);
/// As the script calls them.
const PORTS: [(&str, &str); 12] = [
    ("balancer", "8443"),
    ("door-1", "9081"),
    ("door-2", "9082"),
    ("visitors of door-1", "8451"),
    ("visitors of door-2", "8452"),
    ("redis-1", "7001"),
    ("redis-2", "7002"),
    ("redis-3", "7003"),
    ("sentinel-1", "27001"),
    ("sentinel-2", "27002"),
    ("sentinel-3", "27003"),
    ("console", "8000"),
];
/// The account that the first `up` makes.
pub(crate) const NAME: &str = "grace";

/// Everything of the example, running. Dropped, all of it is killed by the groups it was started in.
pub(crate) struct Stage {
    /// Each run of the script, with what it started.
    runs: Vec<Running>,
    ports: BTreeMap<&'static str, u16>,
    environment: Vec<(&'static str, &'static str)>,
    folder: TempDir,
    _console: FakeConsole,
}

impl Stage {
    pub(crate) async fn up() -> Self {
        Self::up_in(Vec::new()).await
    }

    /// For a story in which no request may fail: a machine that is too busy for a moment is no reason for doors to refuse.
    pub(crate) async fn up_with_a_long_lease() -> Self {
        Self::up_in(vec![("STAGEDOOR_CLUSTER_LEASE", "3s")]).await
    }

    async fn up_in(environment: Vec<(&'static str, &'static str)>) -> Self {
        let console = FakeConsole::start().await;
        let of_console = console.url().rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let mut ports: BTreeMap<_, _> = PORTS.iter().map(|(name, _)| (*name, free_port())).collect();
        ports.insert("console", of_console.expect("the console's port"));
        let folder = tempfile::tempdir().expect("a folder");
        copy(&repository().join("examples/two-doors"), folder.path(), &ports);
        let mut stage = Self {
            runs: Vec::new(),
            ports,
            environment,
            folder,
            _console: console,
        };
        stage.run(&["up"]);
        stage
    }

    /// Runs the script to its end, and answers what it said; what it started goes on.
    pub(crate) fn run(&mut self, arguments: &[&str]) -> String {
        let mut command = Command::new(self.folder.path().join("two-doors"));
        command.args(arguments).env("STAGEDOOR", stagedoor_binary());
        command.envs(self.environment.iter().copied());
        let log = self.folder.path().join(format!("script-{}.log", self.runs.len()));
        let mut run = Running::start("two-doors", command, &log);
        let status = run.end_within(SCRIPT_WITHIN);
        let said = run.log();
        self.runs.push(run);
        // Where something is not installed, this line says what.
        assert!(status.success(), "examples/two-doors: {}", said.trim());
        said
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(crate) fn text(&self, file: &str) -> String {
        let text = std::fs::read_to_string(self.path(file));
        text.unwrap_or_else(|error| panic!("`{file}`: {error}"))
            .trim()
            .to_owned()
    }

    /// The process ids that the script has written down.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let files = std::fs::read_dir(self.path("run")).expect("a folder");
        let files = files.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
        files
            .filter_map(|name| name.strip_suffix(".pid").map(|name| self.process(name)))
            .collect()
    }

    pub(crate) fn process(&self, name: &str) -> u32 {
        let text = self.text(&format!("run/{name}.pid"));
        let id = text.split(' ').next().and_then(|id| id.parse().ok());
        id.unwrap_or_else(|| panic!("no process id: `{text}`"))
    }

    /// By its process id alone.
    pub(crate) fn signal(&self, name: &str, signal: rustix::process::Signal) {
        let id = i32::try_from(self.process(name))
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(id.expect("a process id"), signal).expect("it runs");
    }

    /// Which Redis the Sentinels take for the primary.
    pub(crate) fn primary(&mut self) -> &'static str {
        let said = self.run(&["status"]);
        let port = said
            .lines()
            .last()
            .and_then(|line| line.rsplit(' ').next()?.parse().ok());
        let port: u16 = port.unwrap_or_else(|| panic!("{said}"));
        let named = self.ports.iter().find(|(_, its)| **its == port);
        named.map_or_else(|| panic!("{said}"), |(name, _)| *name)
    }

    /// How many doors the balancer's health checks find ready.
    pub(crate) fn ready_doors(&self) -> usize {
        let mut socket = UnixStream::connect(self.path("run/balancer.sock")).expect("the balancer listens");
        socket.write_all(b"show stat\n").expect("it can be asked");
        let mut said = String::new();
        socket.read_to_string(&mut said).expect("it answers");
        // Fields 1, 2 and 18: backend, server, status.
        let of_doors = said.lines().filter(|line| line.starts_with("ready,door-"));
        of_doors
            .filter(|line| line.split(',').nth(17).is_some_and(|status| status.starts_with("UP")))
            .count()
    }

    fn at(&self, name: &str) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports[name]).into()
    }

    /// Somebody in front of the balancer, who speaks TLS as browsers do.
    pub(crate) fn visitor(&self, from: &str) -> Visitor {
        self.visitor_by(from, &["h2", "http/1.1"])
    }

    pub(crate) fn visitor_by(&self, from: &str, protocols: &[&str]) -> Visitor {
        let trust = client_of_authority(&self.path("run/tls/ca.crt"), protocols);
        let host = format!("console.localhost:{}", self.ports["balancer"]);
        Visitor::new(self.at("balancer"), host)
            .from(from)
            .over_tls(Arc::clone(&trust))
    }

    /// The account that was made at the start, signed in.
    pub(crate) async fn signed_in(&self, from: &str) -> Visitor {
        let visitor = self.visitor(from);
        visitor.sign_in(NAME, &self.text("run/secrets/grace")).await.expect(200);
        visitor
    }

    pub(crate) fn admin(&self, door: &str) -> Admin {
        Admin::new(self.at(door), self.text(&format!("run/{door}/admin.token")))
    }

    /// How many requests a door has answered.
    pub(crate) async fn answered_by(&self, door: &str) -> f64 {
        self.metric(door, "stagedoor_requests_total").await
    }

    /// The sum of a metric over all its series.
    pub(crate) async fn metric(&self, door: &str, name: &str) -> f64 {
        let page = self.admin(door).get("/metrics").await.expect(200).text();
        let is_of = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        let lines = page.lines().filter(is_of);
        lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }
}

fn copy(from: &Path, into: &Path, ports: &BTreeMap<&'static str, u16>) {
    for entry in std::fs::read_dir(from).expect("the example") {
        let entry = entry.expect("an entry");
        let (from, into) = (entry.path(), into.join(entry.file_name()));
        // What somebody who tried the example has left there.
        if entry.file_name() == "run" {
            continue;
        }
        if from.is_dir() {
            std::fs::create_dir(&into).expect("a folder can be made");
            copy(&from, &into, ports);
            continue;
        }
        let text = std::fs::read_to_string(&from).expect("a text");
        std::fs::write(&into, with_ports(&text, ports)).expect("a file can be written");
        let rights = entry.metadata().expect("its rights").permissions();
        std::fs::set_permissions(&into, rights).expect("rights can be set");
    }
}

/// Every number that is one of the example's ports, replaced at once.
fn with_ports(text: &str, ports: &BTreeMap<&'static str, u16>) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, behind) = rest.split_at(begin);
        let end = behind
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(behind.len());
        let (number, behind) = behind.split_at(end);
        replaced.push_str(before);
        match PORTS.iter().find(|(_, port)| *port == number) {
            Some((name, _)) => replaced.push_str(&ports[name].to_string()),
            None => replaced.push_str(number),
        }
        rest = behind;
    }
    replaced.push_str(rest);
    replaced
}
