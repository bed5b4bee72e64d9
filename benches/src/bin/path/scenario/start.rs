//! From the start of the process to the first request that somebody who was signed in before is served.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use stagedoor_tests::Running;

use super::turns::{Entrant, take};
use crate::Failure;
use crate::candidate::door::Plan;
use crate::options::Options;
use crate::report::Section;
use crate::rig::{Rig, Serving};

const PATIENCE: Duration = Duration::from_secs(60);
const SMALL: Plan = Plan {
    networks: 10,
    areas: 10,
    ..Plan::FULL
};
const MANY_NETWORKS: Plan = Plan {
    networks: 100_000,
    ..Plan::FULL
};

pub(super) fn run(rig: &Rig, options: &Options) -> Result<Section, Failure> {
    let first_request = |plan: Plan, folder: &Path| {
        rig.people(folder)?;
        let (command, listen) = plan.command(rig, folder, rig.upstream)?;
        let began = Instant::now();
        let process = Running::start("stagedoor", command, &folder.join("stagedoor.log"));
        let cookie = rig.cookies.first().ok_or("nobody is signed in")?;
        while !is_served(listen, cookie) {
            if began.elapsed() > PATIENCE {
                return Err(format!("nothing is served:\n{}", process.log()).into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        std::fs::write(folder.join("took"), began.elapsed().as_micros().to_string())?;
        Ok(Serving::new(process, listen))
    };
    let took = |_: &Serving, folder: &Path| {
        let micros: f64 = std::fs::read_to_string(folder.join("took"))?.parse()?;
        Ok((micros / 1e3, None))
    };
    let entrants = [
        Entrant {
            name: "small-policy",
            does: "10,000 accounts, each signed in; 10 networks, 10 areas",
            start: &|folder| first_request(SMALL, folder),
            measure: &took,
        },
        Entrant {
            name: "full-policy",
            does: "the same; 10,000 networks, 1,000 areas",
            start: &|folder| first_request(Plan::FULL, folder),
            measure: &took,
        },
        Entrant {
            name: "100000-networks",
            does: "the same; 100,000 networks, 1,000 areas",
            start: &|folder| first_request(MANY_NETWORKS, folder),
            measure: &took,
        },
    ];
    Ok(Section {
        about: "milliseconds from the start of the process to the first request served, on one core; target: 100 at 10,000 \
                accounts"
            .to_owned(),
        rows: take(rig, options, &entrants)?,
        ..Section::default()
    })
}

fn is_served(listen: SocketAddr, cookie: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(listen)?;
        let request =
            format!("GET /area-7/item/1 HTTP/1.1\r\nHost: {listen}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer.starts_with(b"HTTP/1.1 200 "))
    };
    ask().unwrap_or(false)
}
