//! Files become a snapshot, or every fault that is in them.
//!
//! Two files: `stagedoor.toml`, the building, and `policy.toml`, the house rules. [`describe`] says once what may stand in
//! them; from it come the check of keys and types, the names in the environment, the JSON Schemas and the reference pages.
//!
//! The way of a file: text -> a tree that knows where each value stands -> typed values (`read`) -> [`Building`] and
//! [`Rules`](stagedoor_policy::rules::Rules) -> checks over both files -> [`Snapshot`]. [`load()`] walks it once;
//! [`Live`] holds the snapshot in force and walks it again whenever a file changes.

mod assemble;
mod building;
mod check;
pub mod describe;
mod environment;
mod fault;
mod fields;
mod frame_ancestors;
mod host;
mod live;
mod load;
mod mail;
mod nearest;
mod quantity;
mod read;
mod rules;
mod snapshot;
mod starter;
#[cfg(test)]
mod tests;
mod tree;
mod upstream;

pub use assemble::RedisExtras;
pub use building::{
    AccessLog, Admin, Building, Cluster, IdentityHeaders, Limits, Listen, LogFormat, LogLevel, LogSettings, Mail,
    MailScheme, OnStoreLoss, PolicyAtStart, PortalSettings, RedisPassword, RedisPlace, SentinelsPlace, Site,
    StoreChoice, Timeouts, TlsFiles, Upstream,
};
pub use environment::{COMMAND_LINE_NAMES, Environment};
pub use fault::{Faults, FileFault};
pub use frame_ancestors::FrameAncestors;
pub use host::HostPattern;
pub use live::{Cause, Live, OpenFault, Reloaded, ReplaceFault, Status};
pub use load::{Inline, Loaded, Sources, load, load_building};
pub use snapshot::{SiteEntry, Snapshot};
pub use starter::{PRESETS, Preset, starter_files};
pub use upstream::Scheme;
