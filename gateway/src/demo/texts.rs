//! What the demo writes and prints: its two files, its accounts, what to try.

use std::net::SocketAddr;
use std::path::Path;

/// An account that the demo makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoAccount {
    /// To sign in with.
    pub name: &'static str,
    /// For people.
    pub display_name: &'static str,
    /// A role of [`policy_text`].
    pub role: &'static str,
    /// In a few words, for the table that is printed.
    pub may: &'static str,
}

/// The demo's accounts, in the order in which their passwords are given to [`what_to_try`].
pub const ACCOUNTS: [DemoAccount; 3] = [
    DemoAccount {
        name: "olga",
        display_name: "Olga Owner",
        role: "owner",
        may: "everything",
    },
    DemoAccount {
        name: "otto",
        display_name: "Otto Operator",
        role: "operator",
        may: "change devices, watch the live page",
    },
    DemoAccount {
        name: "vera",
        display_name: "Vera Viewer",
        role: "viewer",
        may: "look at devices and the live page",
    },
];

/// What [`what_to_try`] has to know.
#[derive(Debug, Clone, Copy)]
pub struct Showing<'a> {
    /// Where the door listens.
    pub listen: SocketAddr,
    /// The building file that was written.
    pub building: &'a Path,
    /// The policy file that was written.
    pub policy: &'a Path,
    /// One for each of [`ACCOUNTS`], in that order.
    pub passwords: [&'a str; 3],
}

/// stagedoor.toml of the demo.
pub fn building_text(listen: SocketAddr, admin_listen: SocketAddr, upstream: SocketAddr, data_dir: &Path) -> String {
    let data_dir = toml_string(&data_dir.to_string_lossy());
    format!(
        r#"# The building of the demo: one sample console behind one door.

[listen]
http = ["{listen}"]

[site.console]
upstream = "http://{upstream}"

[store]
data_dir = {data_dir}

[admin]
listen = "{admin_listen}"

[portal]
title = "Lighthouse"
"#
    )
}

/// policy.toml of the demo.
pub fn policy_text() -> String {
    POLICY.to_owned()
}

const POLICY: &str = r#"# The house rules of the demo. Change them while it runs: good rules hold within a second, faulty ones are refused
# and the last good ones stay in force.

# Each path of the console belongs to one area; the most specific pattern wins, whatever the order.
[site.console.areas]
common = { paths = ["/static/**", "/favicon.ico"], open_to = "signed-in" }
overview = { paths = ["/", "/whoami"] }
live = { paths = ["/live/**", "/events"] }
settings = { paths = ["/settings/**"] }

# GET and HEAD look, everything else changes; where the console does otherwise, it is said here.
[site.console.areas.devices]
paths = ["/devices/**", "/upload"]
manage_also = ["GET /devices/*/delete"]
view_also = ["POST /devices/search"]

[role.owner]
may = { "*" = "all" }

[role.operator]
may = { overview = "view", devices = "manage", live = "view" }

[role.viewer]
may = { overview = "view", devices = "view", live = "view" }
default = true

[session]
idle = "30m"
lifetime = "12h"
per_account = 1
when_full = "displace"

# Short, so that trying it does not keep you waiting.
[lockout]
failures = 3
within = "5m"
for = "1m"

[inactivity]
block_after = "30d"
"#;

/// What is printed once the demo is ready: what to open, who to sign in as, six things to try.
pub fn what_to_try(showing: &Showing<'_>) -> String {
    let Showing {
        listen,
        building,
        policy,
        passwords: [_, _, vera],
    } = showing;
    let (building, policy) = (building.display(), policy.display());
    let door = format!("http://{listen}");
    format!(
        r#"Lighthouse, a sample console, is behind the door.

Open        {door}/
Sign in as
{accounts}
Six things to try:

1. Be refused. As vera, open {door}/settings, or rename a device. The page shows a support
   code; this tells the rule behind it:
   stagedoor audit --config {building} --support-code CODE
2. Be displaced. As otto, open {door}/live, then sign in as otto in a second browser or a
   private window. The first one's live page ends at once; its next page says when it was displaced, and from where.
3. Be locked. Give three wrong passwords for vera: then the right one is refused too, for a minute, or until
   stagedoor account unlock --config {building} vera
4. Change the rules while the door is open, in {policy}
   Give the viewer `settings = "view"` and save: it holds within a second. Save something faulty: the last good rules
   stay in force, and this tells the line:
   stagedoor policy status --config {building}
5. Sign in as a program:
   curl -c cookies.txt -H 'content-type: application/json' {door}/.stagedoor/login \
     -d '{{"username": "vera", "password": "{vera}"}}'
   curl -b cookies.txt {door}/whoami
6. Read what happened, and ask why:
   stagedoor audit --config {building} --since -15m
   stagedoor policy explain --config {building} --as vera --from 127.0.0.1 \
     GET {door}/devices/3/delete

Ctrl-C ends the demo; nothing of it stays.
"#,
        accounts = accounts_table(showing),
    )
}

fn accounts_table(showing: &Showing<'_>) -> String {
    let widest = showing
        .passwords
        .iter()
        .map(|password| password.chars().count())
        .max()
        .unwrap_or(0);
    let rows = ACCOUNTS.iter().zip(showing.passwords);
    rows.map(|(account, password)| format!("  {}   {password:<widest$}   {}\n", account.name, account.may))
        .collect()
}

/// A TOML basic string; JSON writes the same escapes.
fn toml_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
