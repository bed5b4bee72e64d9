//! nginx, Debian's package unpacked beside the build so that no service comes with it.

use std::process::Command;

use super::place::Place;
use super::{Started, first_line, installed, php};
use crate::{Running, free_port};

pub(super) fn start(place: &Place, fastcgi_port: u16) -> Started {
    let (port, careless) = (free_port(), free_port());
    let own = place.own("nginx");
    let names = [
        ("PORT", port.to_string()),
        ("CARELESS_PORT", careless.to_string()),
        ("FASTCGI_PORT", fastcgi_port.to_string()),
    ];
    let file = place.fill("nginx/nginx.conf", &own.join("nginx.conf"), &names);
    let binary = installed("debian").join("usr/sbin/nginx");
    let mut command = Command::new(&binary);
    // The error log that is open before the file is read would else be the machine's.
    command.arg("-p").arg(&own).arg("-e").arg("stderr").arg("-c").arg(file);
    Started {
        process: Running::start("nginx", command, &own.join("nginx.log")),
        version: format!(
            "{}, {}",
            first_line(Command::new(binary).arg("-v")).replace("nginx version: ", ""),
            php::version()
        ),
        listens: vec![("nginx", port), ("nginx careless", careless)],
    }
}
