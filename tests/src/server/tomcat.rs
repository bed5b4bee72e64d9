//! Tomcat, the part of Debian's packages that brings no service: servlet mappings, JSPs, files by the default servlet.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::place::Place;
use super::{Started, first_line, from_debian};
use crate::{Running, free_port};

const HOME: &str = "/usr/share/tomcat10";

pub(super) fn start(place: &Place) -> Started {
    let port = free_port();
    let own = place.own("tomcat");
    place.fill(
        "tomcat/server.xml",
        &own.join("conf/server.xml"),
        &[("PORT", port.to_string())],
    );
    let web_inf = place.root().join("WEB-INF");
    place.fill("tomcat/web.xml", &web_inf.join("web.xml"), &[]);
    place.fill("tomcat/route.jsp", &web_inf.join("route.jsp"), &[]);
    place.own("tomcat/temp");
    place.own("tomcat/webapps");
    std::os::unix::fs::symlink(place.root(), own.join("webapps/ROOT")).expect("a link can be made");
    let mut command = java(&[
        from_debian(HOME).join("bin/bootstrap.jar"),
        from_debian(HOME).join("bin/tomcat-juli.jar"),
    ]);
    command.arg(format!("-Dcatalina.home={HOME}"));
    command.arg(format!("-Dcatalina.base={}", own.display()));
    command.arg(format!("-Djava.io.tmpdir={}", own.join("temp").display()));
    command.args(["org.apache.catalina.startup.Bootstrap", "start"]);
    Started {
        process: Running::start("tomcat", command, &own.join("tomcat.log")),
        version: version(),
        listens: vec![("Tomcat", port)],
    }
}

/// A Java that starts soon and takes little: the defaults are meant for a server that runs for weeks.
fn java(classes: &[impl AsRef<Path>]) -> Command {
    let mut path = OsString::new();
    for class in classes {
        path.push(class.as_ref());
        path.push(":");
    }
    let mut command = Command::new(from_debian("/usr/bin/java"));
    command.args([
        "-Xmx192m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xshare:auto",
        "-cp",
    ]);
    command.arg(path);
    command
}

/// `Apache Tomcat/10.1.60`.
fn version() -> String {
    let mut command = java(&[from_debian(HOME).join("lib/catalina.jar")]);
    first_line(command.arg("org.apache.catalina.util.ServerInfo"))
        .replace("Server version: ", "")
        .replace("Server version name: ", "")
}
