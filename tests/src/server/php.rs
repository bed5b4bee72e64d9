//! PHP behind FastCGI, for the servers that have no PHP of their own.

use std::net::Ipv4Addr;
use std::process::Command;

use tokio::net::TcpStream;

use super::place::Place;
use super::{first_line, from_debian};
use crate::{Running, free_port, soon};

const WORKERS: &str = "3";

/// The process, and the port it speaks FastCGI on.
pub(super) async fn start(place: &Place) -> (Running, u16) {
    let port = free_port();
    let mut command = Command::new(from_debian("/usr/bin/php-cgi"));
    command.arg("-b").arg(format!("127.0.0.1:{port}"));
    command
        .env("PHP_FCGI_CHILDREN", WORKERS)
        .env("PHP_FCGI_MAX_REQUESTS", "0");
    let mut process = Running::start("php-cgi", command, &place.own("php").join("php.log"));
    soon("php-cgi listens", async || {
        assert!(process.ended().is_none(), "php-cgi ended:\n{}", process.log());
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()
    })
    .await;
    (process, port)
}

/// `PHP 8.2.36`.
pub(super) fn version() -> String {
    first_line(Command::new(from_debian("/usr/bin/php")).args(["-r", "echo 'PHP ', PHP_VERSION;"]))
}
