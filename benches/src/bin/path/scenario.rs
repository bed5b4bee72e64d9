//! What is measured: one function a scenario, each giving a section of the report.

mod instructions;
mod latency;
mod memory;
mod reload;
mod sign_ins;
mod start;
mod threads;
mod throughput;
mod tls;
mod turns;
mod websockets;

use std::path::Path;

use clap::ValueEnum;
use stagedoor_tests::Admin;

use crate::Failure;
use crate::candidate::door;
use crate::options::Options;
use crate::report::Section;
use crate::rig::Rig;

/// By the names of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// CPU time per request of every candidate: 1 KiB answers, kept connections, another person each time.
    Path,
    /// The same with a browser's headers.
    Browser,
    /// The same with 64 KiB answers.
    Large,
    /// A request refused at the address beside one let through.
    Refused,
    /// TLS on a kept connection beside plain HTTP, and HTTP/2.
    Tls,
    /// Full and resumed handshakes beside nginx.
    Handshakes,
    /// Time a request takes at 30 % of the load that bare Pingora can take.
    Latency,
    /// Two threads beside one.
    Threads,
    /// 100,000 networks taken over while requests are served.
    Reload,
    /// 200 sign-ins a second while requests are served.
    SignIns,
    /// 10,000 idle WebSockets, and one that is ended among them.
    Websockets,
    /// From the start of the process to the first request served.
    Start,
    /// Resident memory, idle and with 10,000 and 1,000,000 sessions.
    Memory,
    /// Instructions per request; takes some minutes, and valgrind.
    Instructions,
}

impl Scenario {
    /// Its name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Measures it.
    pub(crate) fn run(self, rig: &Rig, options: &Options) -> Result<Section, Failure> {
        let mut section = match self {
            Self::Path => throughput::path(rig, options),
            Self::Browser => throughput::browser(rig, options),
            Self::Large => throughput::large(rig, options),
            Self::Refused => throughput::refused(rig, options),
            Self::Tls => tls::kept(rig, options),
            Self::Handshakes => tls::handshakes(rig, options),
            Self::Latency => latency::run(rig, options),
            Self::Threads => threads::run(rig, options),
            Self::Reload => reload::run(rig, options),
            Self::SignIns => sign_ins::run(rig, options),
            Self::Websockets => websockets::run(rig),
            Self::Start => start::run(rig, options),
            Self::Memory => memory::run(rig),
            Self::Instructions => instructions::run(rig, options),
        }?;
        section.scenario = self.name();
        Ok(section)
    }
}

/// The admin API of the door in `folder`, by the token that its first start has left there.
fn admin(folder: &Path) -> Result<Admin, Failure> {
    let token = std::fs::read_to_string(folder.join("data/admin.token"))?;
    Ok(Admin::new(door::admin_address(folder)?, token.trim().to_owned()))
}

/// What the door in `folder` counts.
fn metrics(folder: &Path) -> Result<String, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let admin = admin(folder)?;
    Ok(runtime.block_on(admin.get("/metrics")).text())
}
