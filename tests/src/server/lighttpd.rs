//! lighttpd, Debian's package unpacked beside the build so that no service comes with it.

use std::process::Command;

use super::place::Place;
use super::{Started, first_line, installed};
use crate::{Running, free_port};

pub(super) fn start(place: &Place, fastcgi_port: u16) -> Started {
    let port = free_port();
    let own = place.own("lighttpd");
    let names = [("PORT", port.to_string()), ("FASTCGI_PORT", fastcgi_port.to_string())];
    let file = place.fill("lighttpd/lighttpd.conf", &own.join("lighttpd.conf"), &names);
    let binary = installed("debian").join("usr/sbin/lighttpd");
    let mut command = Command::new(&binary);
    command.arg("-D").arg("-f").arg(file);
    command.arg("-m").arg(installed("debian").join("usr/lib/lighttpd"));
    let version = first_line(Command::new(binary).arg("-v"));
    Started {
        process: Running::start("lighttpd", command, &own.join("lighttpd.log")),
        version: version.split(' ').next().unwrap_or_default().to_owned(),
        listens: vec![("lighttpd", port)],
    }
}
