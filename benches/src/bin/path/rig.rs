//! What every candidate is given: a folder, a console to forward to, people who are signed in, and where programs are.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use stagedoor_tests::{Certificates, Running, free_port};
use tokio::runtime::Runtime;

use crate::options::Options;
use crate::sessions::{self, Population};
use crate::{Failure, upstream};

/// People whose sessions are live, and who ask in turn.
pub(crate) const PEOPLE: usize = 10_000;
const READY_WITHIN: Duration = Duration::from_secs(120);

/// See the module.
pub(crate) struct Rig {
    /// Of this run; gone with it.
    pub(crate) folder: tempfile::TempDir,
    /// `stagedoor`.
    pub(crate) door: PathBuf,
    /// `bare-proxy`, built with the flags that this was built with.
    pub(crate) bare: PathBuf,
    /// Where peers were installed that no package of the system brings.
    pub(crate) peers: PathBuf,
    /// The console.
    pub(crate) upstream: SocketAddr,
    /// Cookies of the people in the store that [`Rig::people`] copies.
    pub(crate) cookies: Vec<String>,
    /// For everything that speaks TLS.
    pub(crate) certificates: Certificates,
}

/// A candidate that serves.
pub(crate) struct Serving {
    /// All its processes are in one group, or come of those that are.
    pub(crate) process: Running,
    /// More that it consists of, such as an authoriser.
    pub(crate) beside: Vec<Running>,
    pub(crate) listen: SocketAddr,
    /// Lines of a request's head by which this candidate knows somebody, used in turn; none: it is sent [`Rig::cookies`].
    /// More than one line are parted by tabs.
    pub(crate) known_by: Vec<String>,
    /// Carries what it needs and is no part of it, such as an identity provider: it does not count.
    pub(crate) needs: Option<Runtime>,
}

impl Serving {
    /// One process that serves there.
    pub(crate) fn new(process: Running, listen: SocketAddr) -> Self {
        Self {
            process,
            beside: Vec::new(),
            listen,
            known_by: Vec::new(),
            needs: None,
        }
    }

    /// Leaders of the process groups that it consists of.
    pub(crate) fn groups(&self) -> impl Iterator<Item = u32> {
        std::iter::once(&self.process).chain(&self.beside).map(Running::id)
    }
}

impl Rig {
    /// Sets everything up; takes some seconds, most of them for the people.
    pub(crate) fn set_up(options: &Options) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let binaries = std::env::current_exe()?;
        let binaries = binaries.parent().ok_or("no folder of binaries")?.to_path_buf();
        let population = Population {
            accounts: PEOPLE,
            sessions_each: 1,
        };
        eprintln!("signing {PEOPLE} people in");
        let cookies = sessions::fill(&folder.path().join("people"), population)?;
        Ok(Self {
            certificates: Certificates::write(folder.path(), &["localhost"]),
            upstream: upstream::serve()?,
            folder,
            door: match &options.door {
                Some(door) => std::path::absolute(door)?,
                None => binaries.join("stagedoor"),
            },
            bare: binaries.join("bare-proxy"),
            peers: std::path::absolute(&options.peers)?,
            cookies,
        })
    }

    /// An empty folder of this name; what was in it is gone.
    pub(crate) fn fresh(&self, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.folder.path().join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// A copy of the store with the people, as `data` in `folder`.
    pub(crate) fn people(&self, folder: &Path) -> Result<PathBuf, Failure> {
        let data = folder.join("data");
        let copied = Command::new("cp")
            .arg("-a")
            .arg(self.folder.path().join("people"))
            .arg(&data)
            .status()?;
        match copied.success() {
            true => Ok(data),
            false => Err("the store cannot be copied".into()),
        }
    }
}

/// A free port of this machine.
pub(crate) fn free_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], free_port()))
}

/// Starts a command and waits until it listens.
pub(crate) fn start(name: &str, command: Command, folder: &Path, listen: SocketAddr) -> Result<Running, Failure> {
    let log = folder.join(format!("{name}.log"));
    let mut process = Running::start(name, command, &log);
    let patience = Instant::now() + READY_WITHIN;
    while std::net::TcpStream::connect(listen).is_err() {
        if process.ended().is_some() || Instant::now() > patience {
            return Err(format!("{name} does not listen on {listen}:\n{}", process.log()).into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(process)
}
