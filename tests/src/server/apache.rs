//! Apache with PHP as a module, Debian's packages.

use std::path::PathBuf;
use std::process::Command;

use super::place::Place;
use super::{Started, first_line, from_debian, php};
use crate::{Running, free_port};

const BINARY: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";

pub(super) fn start(place: &Place) -> Started {
    let (port, forgiving) = (free_port(), free_port());
    let own = place.own("apache");
    let names = [
        ("PORT", port.to_string()),
        ("FORGIVING_PORT", forgiving.to_string()),
        ("MODULES", from_debian(MODULES).display().to_string()),
        ("PHP_MODULE", php_module().display().to_string()),
    ];
    let file = place.fill("apache/apache.conf", &own.join("apache.conf"), &names);
    let mut command = Command::new(from_debian(BINARY));
    command.arg("-D").arg("FOREGROUND").arg("-f").arg(file);
    Started {
        process: Running::start("apache", command, &own.join("apache.log")),
        version: format!(
            "{}, {}",
            first_line(Command::new(BINARY).arg("-v")).replace("Server version: ", ""),
            php::version()
        ),
        listens: vec![("Apache", port), ("Apache forgiving", forgiving)],
    }
}

/// `libphp8.2.so` on Debian 12.
fn php_module() -> PathBuf {
    let files = from_debian(MODULES).read_dir().expect("a folder to read");
    let found = files.filter_map(|file| Some(file.ok()?.path())).find(|file| {
        file.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("libphp"))
    });
    found.unwrap_or_else(|| panic!("no PHP module in `{MODULES}`: run `./run setup test`, which installs it"))
}
