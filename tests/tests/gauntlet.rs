//! The gauntlet: what attacks on gateways are made of, as data. Each case goes to the door by every way that can carry it;
//! the judges are a console that keeps every byte, a reader that forgives nothing, and the audit. After each hostile request
//! a clean one on a fresh connection must still work.
//!
//! Cases name their source: a public identifier, or the line of the list they vary (`A02`, `C08`).

#[path = "gauntlet/addresses.rs"]
mod addresses;
#[path = "gauntlet/case.rs"]
mod case;
#[path = "gauntlet/framing/mod.rs"]
mod framing;
#[path = "gauntlet/headers.rs"]
mod headers;
#[path = "gauntlet/http2/mod.rs"]
mod http2;
#[path = "gauntlet/judge.rs"]
mod judge;
#[path = "gauntlet/limits.rs"]
mod limits;
#[path = "gauntlet/paths.rs"]
mod paths;
#[path = "gauntlet/slow.rs"]
mod slow;
#[path = "gauntlet/stage.rs"]
mod stage;
