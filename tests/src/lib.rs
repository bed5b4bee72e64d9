//! What a story about Stagedoor needs: the real door, real consoles, a real browser, and a few honest fakes.
//!
//! - [`Door`]: the binary `stagedoor`, started as a process in a folder of its own, judged ready by its own `/readyz`.
//! - [`Visitor`]: a program in front of the door, at an address of its choice, with one cookie jar.
//! - [`Way`]: by plain HTTP, by TLS, by HTTP/2: what holds must hold by each.
//! - [`Browser`]: Chromium with an empty profile, for what only a browser shows.
//! - [`console`]: Adminer, Node-RED and the Django admin as their users install them.
//! - [`server`]: Tomcat, Apache with PHP, nginx, lighttpd, Node and Python, each with its own reading of a path.
//! - [`mail`]: a mail server (aiosmtpd), what it took over, and one that behaves as no real one should.
//! - [`FakeConsole`] and [`Recorder`]: consoles of ours where a test needs an answer no real one gives, or the very bytes.
//! - [`BadWire`]: what lies between a door and its Redis, delayed, parted, cut or healed as the test says.
//! - [`measure_kicks`]: how long somebody who is kicked is still served.
//! - [`encoding`]: hex, base64 and percent escapes.
//! - [`raw`] and [`http2`]: bytes and frames by hand; [`strict`]: what may reach a console, read without mercy.
//!
//! Whatever is started here dies with the value that started it, by process id, and leaves its log in the output of a
//! test that failed.

mod admin;
mod bad_wire;
mod browser;
mod cluster;
pub mod console;
mod door;
pub mod encoding;
mod fake;
pub mod http2;
mod kicks;
pub mod mail;
mod patience;
mod place;
mod process;
pub mod raw;
mod recorder;
mod redis;
mod relay;
mod reply;
pub mod server;
pub mod strict;
mod tls;
mod totp;
mod visitor;
mod way;

pub use admin::{Admin, PASSWORD};
pub use bad_wire::{BadWire, Weather};
pub use browser::Browser;
pub use cluster::Cluster;
pub use door::{Door, DoorPlan, stagedoor};
pub use fake::{FakeConsole, sha256};
pub use kicks::{Kicks, measure_kicks};
pub use patience::{ENDED_WITHIN, eventually, soon, unix_seconds, when_not_busy};
pub use place::{free_port, repository, stagedoor_binary};
pub use process::Running;
pub use recorder::{Recorder, Seen};
pub use redis::Redis;
pub use relay::Relay;
pub use reply::Reply;
pub use tls::{Certificates, client_of_authority};
pub use totp::totp;
pub use visitor::{Body, Unanswered, Visitor, body_of};
pub use way::{Way, Ways, Wire};
