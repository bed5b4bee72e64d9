//! Stagedoor itself, with more or less policy.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::Candidate;
use super::template::prefixes;
use crate::rig::{Rig, Serving, free_address, start};
use crate::{Failure, machine};

pub(super) const NONE: Candidate = Candidate {
    name: "stagedoor-none",
    does: "everything is open to everyone",
    needs: None,
    start: |rig, folder| {
        let plan = Plan {
            open_to_everyone: true,
            networks: 0,
            areas: 1,
            full_records: false,
            ..Plan::FULL
        };
        plan.start(rig, folder)
    },
};

pub(super) const SMALL: Candidate = Candidate {
    name: "stagedoor-small",
    does: "10,000 sessions, 10 networks, 10 areas",
    needs: None,
    start: |rig, folder| {
        let plan = Plan {
            networks: 10,
            areas: 10,
            full_records: false,
            ..Plan::FULL
        };
        plan.start(rig, folder)
    },
};

pub(super) const FULL: Candidate = Candidate {
    name: "stagedoor-full",
    does: "10,000 sessions, 10,000 networks of site, role and account, 1,000 areas, identity headers, signed assertion, metrics, access log, audit",
    needs: None,
    start: |rig, folder| Plan::FULL.start(rig, folder),
};

/// Of the session cookie in TLS (RFC 6265bis, cookie name prefixes).
const SECURE_PREFIX: &str = "__Host-";

/// A door to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) networks: usize,
    pub(crate) areas: usize,
    pub(crate) open_to_everyone: bool,
    /// Signed assertion and access log.
    pub(crate) full_records: bool,
    /// Whether the networks have this machine's own addresses.
    pub(crate) lets_loopback_in: bool,
    /// Whether it speaks TLS instead of plain HTTP.
    pub(crate) tls: bool,
    pub(crate) threads: usize,
    /// Whether it may run on every core.
    pub(crate) all_cores: bool,
}

impl Plan {
    /// Everything that the issue on speed asks for.
    pub(crate) const FULL: Self = Self {
        networks: 10_000,
        areas: 1_000,
        open_to_everyone: false,
        full_records: true,
        lets_loopback_in: true,
        tls: false,
        threads: 1,
        all_cores: false,
    };

    /// The same, and the load's address is on no list.
    pub(crate) const STRANGER: Self = Self {
        lets_loopback_in: false,
        ..Self::FULL
    };

    /// Starts it with the people of the rig.
    pub(crate) fn start(&self, rig: &Rig, folder: &Path) -> Result<Serving, Failure> {
        rig.people(folder)?;
        let (command, listen) = self.command(rig, folder, rig.upstream)?;
        let mut serving = Serving::new(start("stagedoor", command, folder, listen)?, listen);
        if self.tls {
            serving.known_by = rig
                .cookies
                .iter()
                .map(|cookie| format!("Cookie: {SECURE_PREFIX}{cookie}"))
                .collect();
        }
        Ok(serving)
    }

    /// The command that serves what is in `folder`, and where it will listen.
    pub(crate) fn command(
        &self,
        rig: &Rig,
        folder: &Path,
        upstream: SocketAddr,
    ) -> Result<(Command, SocketAddr), Failure> {
        let listen = free_address();
        std::fs::write(
            folder.join("stagedoor.toml"),
            self.building(rig, folder, listen, upstream),
        )?;
        std::fs::write(folder.join("policy.toml"), self.policy())?;
        let mut command = match self.all_cores {
            true => machine::on_all_cores(&rig.door),
            false => machine::on_candidates_core(&rig.door),
        };
        command.args(["serve", "--config"]).arg(folder.join("stagedoor.toml"));
        Ok((command, listen))
    }

    fn building(&self, rig: &Rig, folder: &Path, listen: SocketAddr, upstream: SocketAddr) -> String {
        let listen = match self.tls {
            true => format!(
                "[listen]\nhttp = []\nhttps = [\"{listen}\"]\n[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
                rig.certificates.certificate.display(),
                rig.certificates.key.display()
            ),
            false => format!("[listen]\nhttp = [\"{listen}\"]\n"),
        };
        let access = match self.full_records {
            true => format!("access = \"{}\"\n", folder.join("access.log").display()),
            false => String::new(),
        };
        format!(
            "{listen}[admin]\nlisten = \"{admin}\"\n[store]\ndata_dir = \"{data}\"\n\
             [limits]\nthreads = {threads}\nconnections_max = 50000\nconnections_per_address_max = 50000\n\
             [log]\nlevel = \"warn\"\n{access}[site.console]\nupstream = \"http://{upstream}\"\nassertion = {assertion}\n",
            admin = free_address(),
            data = folder.join("data").display(),
            threads = self.threads,
            assertion = self.full_records,
        )
    }

    /// The rules: networks on site and role, areas, and one role that may do everything in each.
    pub(crate) fn policy(&self) -> String {
        let mut networks: Vec<String> = match self.lets_loopback_in {
            true => vec!["\"127.0.0.0/8\"".to_owned()],
            false => Vec::new(),
        };
        networks.extend(
            prefixes(self.networks, |prefix| format!("\"{prefix}\" "))
                .split_whitespace()
                .map(str::to_owned),
        );
        let networks = match self.networks {
            0 => [String::new(), String::new()],
            _ => [
                format!(
                    "[networks]\noffice = [{}]\n[site.console]\nnetworks = [\"office\"]\n",
                    networks.join(", ")
                ),
                "networks = [\"office\"]\n".to_owned(),
            ],
        };
        let areas: String = (1..self.areas)
            .map(|n| format!("area-{n} = {{ paths = [\"/area-{n}/**\"] }}\n"))
            .collect();
        let open_to = if self.open_to_everyone {
            ", open_to = \"everyone\""
        } else {
            ""
        };
        let [of_site, of_role] = networks;
        format!(
            "{of_site}[site.console.areas]\nrest = {{ paths = [\"/**\"]{open_to} }}\n{areas}\
             [role.administrator]\nmay = {{ \"*\" = \"all\" }}\n{of_role}"
        )
    }
}

/// Where the door in `folder` has its admin API.
pub(crate) fn admin_address(folder: &Path) -> Result<SocketAddr, Failure> {
    let text = std::fs::read_to_string(folder.join("stagedoor.toml"))?;
    let address = text
        .split_once("[admin]\nlisten = \"")
        .and_then(|(_, rest)| rest.split('"').next());
    Ok(address.ok_or("no admin API")?.parse()?)
}
