//! Servers that nobody here wrote, each with a reading of its own of what a path is, over one tree of documents that say
//! which area they lie in. Installed by `./run setup test`, started as child processes on ports of their own.

mod apache;
mod lighttpd;
mod nginx;
mod node;
mod php;
mod place;
mod python;
mod tomcat;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;

use crate::Running;
use crate::console::answers;
use crate::place::target_folder;
use place::Place;

pub use place::{AREAS, OUTSIDE, REST};

/// A page that every one of them has.
const PAGE: &str = "/public/page.html";

/// One that listens.
#[derive(Debug, Clone)]
pub struct Server {
    /// What it is and how it is set up.
    pub name: &'static str,
    /// As it says itself.
    pub version: String,
    /// Where it listens.
    pub at: SocketAddr,
}

/// All of them over one tree. Dropped, every process is killed and the tree removed.
#[derive(Debug)]
pub struct Servers {
    all: Vec<Server>,
    _running: Vec<Running>,
    _place: Place,
}

impl Servers {
    /// Starts all and waits until each has answered.
    pub async fn start() -> Self {
        let place = Place::make();
        let (php, fastcgi_port) = php::start(&place).await;
        let mut started = vec![
            tomcat::start(&place),
            apache::start(&place),
            nginx::start(&place, fastcgi_port),
            lighttpd::start(&place, fastcgi_port),
        ];
        started.extend(node::start(&place));
        started.extend(python::start(&place));
        let mut all = Vec::new();
        let mut running = vec![php];
        for mut one in started {
            for (name, port) in one.listens {
                answers(&mut one.process, port, PAGE).await;
                all.push(Server {
                    name,
                    version: one.version.clone(),
                    at: (Ipv4Addr::LOCALHOST, port).into(),
                });
            }
            running.push(one.process);
        }
        Self {
            all,
            _running: running,
            _place: place,
        }
    }

    /// Every one of them.
    pub fn all(&self) -> &[Server] {
        &self.all
    }
}

/// A process, and what it listens as and where.
struct Started {
    process: Running,
    version: String,
    listens: Vec<(&'static str, u16)>,
}

/// Where the set-up put what belongs to one kind of server.
pub(crate) fn installed(kind: &str) -> PathBuf {
    let folder = target_folder().join("servers").join(kind);
    assert!(
        folder.join(".set-up-from").is_file(),
        "`{}` is not set up: run `./run setup test`, which installs it",
        folder.display()
    );
    folder
}

/// A file that Debian's packages bring.
fn from_debian(file: &str) -> PathBuf {
    let file = PathBuf::from(file);
    assert!(
        file.exists(),
        "`{}` is missing: run `./run setup test`, which installs it",
        file.display()
    );
    file
}

/// The first line that a command prints, on either output: what versions are read from.
fn first_line(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; `./run setup test` installs it"));
    let all = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&all).into_owned();
    text.lines().next().unwrap_or_default().trim().to_owned()
}
