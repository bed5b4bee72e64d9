//! The door itself: the real binary, with real files in a folder of its own.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;

use crate::redis::Redis;
use crate::{Admin, PASSWORD, Reply, Running, Visitor, eventually, free_port, stagedoor_binary, when_not_busy};

const READY_WITHIN: Duration = Duration::from_secs(60);

/// What a door is to be like. Every site is reached as `NAME.localhost`.
#[derive(Debug)]
pub struct DoorPlan {
    sites: String,
    building: String,
    policy: String,
    environment: Vec<(String, String)>,
    https: bool,
    /// The URL of a store that other doors share, and what this one is called there.
    shared: Option<(String, String)>,
}

impl DoorPlan {
    /// One of several doors on that Redis.
    pub fn node(self, name: &str, redis: &Redis) -> Self {
        self.node_at(name, redis.url())
    }

    /// One of several doors on the store of that URL.
    pub fn node_at(mut self, name: &str, url: String) -> Self {
        self.shared = Some((url, name.to_owned()));
        self
    }

    /// [`Self::node`], with whatever lies between: the Redis is reached there.
    pub fn node_over(mut self, name: &str, redis: SocketAddr) -> Self {
        self.shared = Some((format!("redis://{redis}"), name.to_owned()));
        self
    }

    /// Puts a site in front of an upstream.
    pub fn site(self, name: &str, upstream: &str) -> Self {
        self.site_with(name, upstream, "")
    }

    /// [`Self::site`], with further lines of its section.
    pub fn site_with(mut self, name: &str, upstream: &str, settings: &str) -> Self {
        let hosts = format!("hosts = [\"{name}.localhost\"]");
        writeln!(
            self.sites,
            "[site.{name}]\n{hosts}\nupstream = \"{upstream}\"\n{settings}\n"
        )
        .expect("a string can be written to");
        self
    }

    /// The text of `policy.toml`.
    pub fn policy(mut self, text: &str) -> Self {
        self.policy = text.to_owned();
        self
    }

    /// Further sections of `stagedoor.toml`.
    pub fn building(mut self, text: &str) -> Self {
        self.building.push_str(text);
        self
    }

    /// Listens with TLS too; the certificate's files are `door.crt` and `door.key` in the door's folder.
    pub fn with_tls(mut self) -> Self {
        self.https = true;
        self
    }

    /// Sets an environment variable of the process.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes the files, starts the process and waits until it says that it is ready.
    pub async fn open(self) -> Door {
        let mut door = self.prepare();
        door.start().await;
        door
    }

    /// Writes the files and starts nothing.
    pub fn prepare(self) -> Door {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (http, https, admin) = (free_port(), self.https.then(free_port), free_port());
        let redis = self
            .shared
            .is_none()
            .then(|| Redis::if_under_test(folder.path()))
            .flatten();
        std::fs::write(
            folder.path().join("stagedoor.toml"),
            self.building_text(http, https, admin, redis.as_ref()),
        )
        .expect("a file can be written");
        std::fs::write(folder.path().join("policy.toml"), &self.policy).expect("a file can be written");
        Door {
            http,
            https,
            admin,
            folder,
            environment: self.environment,
            process: None,
            redis,
        }
    }

    fn building_text(&self, http: u16, https: Option<u16>, admin: u16, redis: Option<&Redis>) -> String {
        let store = match (&self.shared, redis) {
            (Some((url, node)), _) => format!("url = \"{url}\"\n[cluster]\nnode = \"{node}\"\n"),
            (None, Some(redis)) => format!("url = \"{}\"\n", redis.url()),
            (None, None) => String::new(),
        };
        let (listen_https, tls) = match https {
            Some(port) => (
                format!("https = [\"127.0.0.1:{port}\"]"),
                "[tls]\ncertificate = \"door.crt\"\nkey = \"door.key\"\n",
            ),
            None => (String::new(), ""),
        };
        format!(
            "[listen]\nhttp = [\"127.0.0.1:{http}\"]\n{listen_https}\n{tls}\n\
             [admin]\nlisten = \"127.0.0.1:{admin}\"\n\n[store]\ndata_dir = \"data\"\n{store}\n{}{}",
            self.sites, self.building
        )
    }
}

/// A door, open or not. Dropped, the process is killed and the folder removed.
#[derive(Debug)]
pub struct Door {
    /// The port of plain HTTP.
    pub http: u16,
    /// The port of TLS, where the plan has one.
    pub https: Option<u16>,
    /// The port of the admin API.
    pub admin: u16,
    process: Option<Running>,
    /// Its store, where that is not the embedded one; ends after the process.
    redis: Option<Redis>,
    environment: Vec<(String, String)>,
    folder: TempDir,
}

impl Door {
    /// A plan with no site and an empty policy.
    pub fn plan() -> DoorPlan {
        DoorPlan {
            sites: String::new(),
            building: String::new(),
            policy: String::new(),
            environment: Vec::new(),
            https: false,
            shared: None,
        }
    }

    /// The folder that holds both files and the data.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `policy.toml`.
    pub fn policy_file(&self) -> PathBuf {
        self.folder().join("policy.toml")
    }

    /// `stagedoor.toml`.
    pub fn building_file(&self) -> PathBuf {
        self.folder().join("stagedoor.toml")
    }

    /// Whether its store is on Redis: `STORE_UNDER_TEST=redis`.
    pub fn is_on_redis(&self) -> bool {
        self.redis.is_some()
    }

    /// Every byte of its store: the files, and what has not been brought into them yet.
    pub fn stored(&self) -> Vec<u8> {
        let folder = self
            .redis
            .as_ref()
            .map_or_else(|| self.folder().join("data"), Redis::files);
        let files = std::fs::read_dir(folder).expect("the store's folder");
        let files = files.map(|entry| entry.expect("an entry").path());
        let of_the_store = files.filter(|path| path.file_name().is_some_and(|name| name != "admin.token"));
        of_the_store
            .flat_map(|path| std::fs::read(path).expect("a file of the store"))
            .collect()
    }

    /// Starts the process without waiting for anything.
    pub fn launch(&mut self) -> &mut Running {
        let mut command = Command::new(stagedoor_binary());
        command
            .current_dir(self.folder())
            .args(["serve", "--config", "stagedoor.toml"]);
        // What a test is told is no setting of a door's, which takes none that it does not know.
        for name in ["STAGEDOOR_NEMESIS_SEED", "STAGEDOOR_NEMESIS_SECONDS"] {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        self.process.insert(Running::start(
            "stagedoor",
            command,
            &self.folder.path().join("door.log"),
        ))
    }

    /// Starts the process and waits until it is ready.
    pub async fn start(&mut self) {
        self.launch();
        eventually("the door is ready", READY_WITHIN, async || {
            if let Some(status) = self.process().ended() {
                panic!("the door ended while it was awaited ({status}):\n{}", self.log());
            }
            let answers = tokio::net::TcpStream::connect(self.admin_address()).await.is_ok();
            (answers && self.readiness().await.status == 200).then_some(())
        })
        .await;
    }

    /// `kill -9`, as a power cut would.
    pub fn kill(&mut self) {
        self.process().kill();
    }

    /// The process.
    pub fn process(&mut self) -> &mut Running {
        self.process.as_mut().expect("the door was started")
    }

    /// The id of the process that was started here: of a door that was upgraded, the former one's.
    pub fn process_id(&self) -> u32 {
        self.process.as_ref().expect("the door was started").id()
    }

    /// What the process has printed since it was started.
    pub fn log(&self) -> String {
        self.process.as_ref().map(Running::log).unwrap_or_default()
    }

    /// Somebody who asks for a site by plain HTTP, from 127.0.0.1.
    pub fn visitor(&self, site: &str) -> Visitor {
        Visitor::new(self.address(), format!("{site}.localhost:{}", self.http))
    }

    /// A visitor who has signed in with [`PASSWORD`].
    pub async fn signed_in(&self, site: &str, name: &str) -> Visitor {
        let visitor = self.visitor(site);
        visitor.sign_in(name, PASSWORD).await.expect(200);
        visitor
    }

    /// [`Self::signed_in`], as soon as the door is not too busy.
    pub async fn signed_in_patiently(&self, site: &str, name: &str) -> Visitor {
        let visitor = self.visitor(site);
        when_not_busy(async || visitor.sign_in(name, PASSWORD).await)
            .await
            .expect(200);
        visitor
    }

    /// Somebody who is signed in at another door, at the same site of this one.
    pub fn visited_by(&self, visitor: &Visitor) -> Visitor {
        let host = format!("{}:{}", visitor.name(), self.http);
        Visitor::new(self.address(), host).with_session_of(visitor)
    }

    /// The address of a page of a site, for a browser.
    pub fn url(&self, site: &str, path: &str) -> String {
        format!("http://{site}.localhost:{}{path}", self.http)
    }

    /// Where plain HTTP is served.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.http).into()
    }

    /// Where the admin API is served.
    pub fn admin_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.admin).into()
    }

    /// The administrator, with the token that the first start wrote down.
    pub fn admin(&self) -> Admin {
        let file = self.folder().join("data").join("admin.token");
        let token = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("`{}`: {error}", file.display()));
        Admin::new(self.admin_address(), token.trim().to_owned())
    }

    /// What `/readyz` says.
    pub async fn readiness(&self) -> Reply {
        Visitor::new(self.admin_address(), self.admin_address().to_string())
            .get("/readyz")
            .await
    }

    /// The sum of a metric over every series whose line contains all of `labels`.
    pub async fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let page = self.admin().get("/metrics").await.expect(200).text();
        let series = page.lines().filter(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
                && labels.iter().all(|label| line.contains(label))
        });
        series
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// Runs another command of the binary in the door's folder.
    pub fn command(&self, arguments: &[&str]) -> Output {
        stagedoor(self.folder(), arguments)
    }
}

/// Runs `stagedoor` to its end in a folder.
pub fn stagedoor(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(stagedoor_binary());
    command
        .current_dir(folder)
        .args(arguments)
        .stdin(std::process::Stdio::null());
    command.output().expect("the binary can be started")
}
